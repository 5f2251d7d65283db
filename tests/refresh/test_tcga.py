"""A second study, on real data: only configuration differs; underivable endpoints are declared so."""

import re

import polars as pl


def test_overall_survival_comes_out(tcga):
    assert tcga.outcome.exit_code == 0
    assert re.search(r"OS +261 +99 +\d+\.\d months", tcga.outcome.output)
    table = pl.read_csv(tcga.root / "data/demo/tcga_sarc/tcga_sarc.tsv", separator="\t", infer_schema=False)
    died = tcga.published("SELECT count(*) FILTER (event) AS n FROM endpoints WHERE endpoint = 'OS'")
    assert died["n"].item() == table.filter(pl.col("liu_vital_status") == "Dead").height == 99


def test_times_in_days_arrive_unchanged(tcga):
    table = pl.read_csv(tcga.root / "data/demo/tcga_sarc/tcga_sarc.tsv", separator="\t", infer_schema=False)
    days = pl.coalesce(
        pl.when(pl.col("liu_vital_status") == "Dead")
        .then(pl.col("death_days_to"))
        .otherwise(pl.col("last_contact_days_to"))
        .cast(pl.Float64, strict=False)
        .cast(pl.Int32)
    )
    known = table.select("bcr_patient_barcode", days=days)
    numbers = tcga.warehouse("SELECT hospital_number, pseudonym FROM curated.patient")
    times = tcga.published("SELECT pseudonym, time_days, event FROM endpoints WHERE endpoint = 'OS'")
    deaths = times.filter("event").join(numbers, on="pseudonym")
    both = deaths.join(known, left_on="hospital_number", right_on="bcr_patient_barcode")
    assert both.height == 99
    assert both["time_days"].to_list() == both["days"].to_list()


def test_cox_by_age_sex_and_histology_group(tcga):
    ratios = tcga.published("SELECT term, hazard_ratio, ci_low, ci_high FROM analysis.hazard_ratio")
    assert {"age", "sex", "histology"} <= set(ratios["term"])
    estimated = ratios.drop_nulls()
    assert estimated.height >= 4
    inside = pl.col("hazard_ratio").is_between("ci_low", "ci_high", closed="none")
    assert estimated.filter(~inside).is_empty()


def test_contradictions_and_joined_values_are_findings(tcga):
    found = dict(tcga.warehouse("SELECT rule_id, count(*) FROM quality.findings GROUP BY 1").iter_rows())
    assert found["vital-status.contradiction"] == 3
    assert found["value.several"] == 23


def test_endpoints_that_cannot_be_derived_have_a_reason(tcga):
    told = tcga.published("SELECT endpoint, derivable, reason FROM derivability")
    refused = told.filter(~pl.col("derivable"))
    assert set(refused["endpoint"]) == {"DFS", "DMFS", "LRFS"}
    assert refused["reason"].str.len_chars().min() > 20
    assert set(tcga.published("SELECT DISTINCT endpoint FROM endpoints")["endpoint"]) == {"OS"}
    assert "DFS is not derivable: " in tcga.outcome.output


def test_every_record_is_accounted_for(tcga):
    totals = tcga.warehouse("SELECT sum(records) n, sum(unaccounted) u FROM quality.accounting").row(0)
    assert totals == (261, 0)
