"""A fault that repeats in a file is one finding with a count; everything else knows each record."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.publish.report import steward
from sarcoma_pipeline.quality import findings, ledger, quarantine, repeated_faults
from sarcoma_pipeline.quality.identity_gate import IdentityGate
from sarcoma_pipeline.quality.rule_catalogue import catalogue
from schemas import received as r
from schemas.all_contracts import CONTRACTS
from schemas.ledger import Decision, LedgerEntry
from schemas.quality import Accounting, Finding, Observation
from schemas.vocabularies import WAIVE

RULE = "value.date-unreadable"
TODAY = dt.date(2030, 1, 1)
REFRESH, LATER = "20300101T000000Z-1", "20300101T000000Z-2"


def night(numbers: range, path: str = "table/a.csv", rule: str = RULE) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Observations and places of faulty records with these numbers."""
    ids = [f"{path}-{n}" for n in numbers]
    seen = [
        {"rule_id": rule, "severity": "error", "record_id": i, "table_name": "typed.assessment",
         "column_name": "assessment_date", "value": f"x{n % 7}"}
        for i, n in zip(ids, numbers, strict=True)
    ]  # fmt: skip
    at = [
        {"record_id": i, "file_id": f"id of {path}", "path": path, "position": f"line {n}", "record_key": i,
         "content_hash": f"c{i}", "received_as": "received.table_row", "source": "sheet"}
        for i, n in zip(ids, numbers, strict=True)
    ]  # fmt: skip
    names = (
        "record_id",
        "file_id",
        "path",
        "position",
        "record_key",
        "content_hash",
        "received_as",
        "source",
    )
    places = pl.DataFrame(at, schema=dict.fromkeys(names, pl.String))
    return Observation.conform(pl.DataFrame(seen)), places


def found(
    observed: pl.DataFrame, places: pl.DataFrame, decisions: pl.DataFrame | None = None
) -> pl.DataFrame:
    nobody = {t: CONTRACTS[t].empty() for t in ("typed.assessment", "curated.patient", "curated.link")}
    made = findings.findings(
        observed, places, nobody["typed.assessment"], nobody["curated.patient"],
        nobody["curated.link"], decisions=decisions,
    )  # fmt: skip
    return Finding.enforce(made)


def test_fifty_records_are_fifty_findings_and_one_more_makes_one():
    assert found(*night(range(2, 52))).height == 50
    (row,) = found(*night(range(2, 53))).rows(named=True)
    assert row["records"] == 51
    assert row["position"] == "line 2; line 3; line 4 and 48 more"
    assert (row["rule_id"], row["column_name"], row["path"]) == (RULE, "assessment_date", "table/a.csv")
    assert row["note"] == "51 records, 7 different values"
    assert row["record_id"] == "table/a.csv-2" and row["pseudonym"] is None


def test_the_id_stays_when_the_count_grows_and_the_order_of_the_records_does_not_matter():
    observed, places = night(range(2, 60))
    (first,) = found(observed, places)["finding_id"]
    (more,) = found(*night(range(2, 900)))["finding_id"]
    (shuffled,) = found(observed.reverse(), places.sample(fraction=1, shuffle=True, seed=7)).rows(named=True)
    assert first == more == shuffled["finding_id"]
    assert shuffled["position"].startswith("line 2; line 3; line 4")


def test_the_id_stays_when_the_file_is_renamed_and_a_second_file_has_a_suffix():
    (first,) = found(*night(range(2, 60), "table/20211230.csv"))["finding_id"]
    (renamed,) = found(*night(range(2, 60), "table/20211231.csv"))["finding_id"]
    assert first == renamed
    both = [night(range(2, 60), f"table/{name}.csv") for name in "ab"]
    made = found(*(pl.concat(part) for part in zip(*both, strict=True))).sort("path")
    assert made["finding_id"].to_list() == [first, f"{first}-1"]


def test_a_decided_finding_keeps_its_number_when_another_wrong_file_is_delivered_before_it():
    observed, places = night(range(2, 60), "table/b.csv")
    (one,) = found(observed, places).rows(named=True)
    waiver = _decision(one["finding_id"], one["content_hash"])
    more = night(range(2, 90), "table/a.csv")
    made = found(pl.concat([more[0], observed]), pl.concat([more[1], places]), waiver).sort("path")
    assert made["finding_id"].to_list() == [f"{one['finding_id']}-1", one["finding_id"]]


def test_another_file_rule_column_or_centre_is_another_finding():
    both = [
        night(range(2, 60)),
        night(range(2, 60), "table/b.csv"),
        night(range(2, 60), rule="value.several"),
    ]
    observed, places = (pl.concat(part) for part in zip(*both, strict=True))
    places = places.unique("record_id", maintain_order=True)
    other = observed.head(58).with_columns(column_name=pl.lit("tumour_id"))
    made = found(pl.concat([observed, other]), places)
    assert made.height == 4 and made["finding_id"].is_unique().all()
    north = findings.joined_ids(observed.head(58), places, "north")["finding_id"].unique()
    assert not set(north) & set(made["finding_id"])


def test_faults_spread_over_many_files_stay_apart():
    parts = [night(range(2, 42), f"table/{name}.csv") for name in "abc"]
    assert found(*(pl.concat(part) for part in zip(*parts, strict=True))).height == 120


def test_a_fault_of_a_whole_source_is_never_joined():
    observed, places = night(range(0))
    source = pl.DataFrame(
        [{"rule_id": "value.unknown", "severity": "notice", "record_id": f"dataset:s{n}",
          "table_name": "meta.value_account", "column_name": "path"} for n in range(60)]
    )  # fmt: skip
    assert found(pl.concat([observed, Observation.conform(source)]), places).height == 60


def _decision(finding: str, content: str | None, action: str = WAIVE) -> pl.DataFrame:
    return Decision.conform(
        pl.DataFrame(
            [{"decision_id": f"d{finding}", "finding_id": finding, "action": action, "who": "S", "at": "2030",
              "reason": "r", "until": dt.date(2031, 1, 1), "content_hash": content}]
        )
    )  # fmt: skip


def _book(
    made: pl.DataFrame, places: pl.DataFrame, decisions: pl.DataFrame, before: pl.DataFrame | None = None
):
    start = LedgerEntry.empty() if before is None else before
    return ledger.advance(start, made, decisions, places, REFRESH if before is None else LATER, TODAY)


def test_a_waiver_of_the_whole_admits_every_record_and_ends_when_a_record_joins():
    observed, places = night(range(2, 60))
    entry = _book(found(observed, places), places, Decision.empty()).row(0, named=True)
    assert entry["records"] == 58
    waiver = _decision(entry["finding_id"], entry["content_hash"])

    def admitted(seen: pl.DataFrame, at: pl.DataFrame) -> int:
        ids = findings.joined_ids(seen, at, decisions=waiver)
        held = ids.drop("content_hash").join(repeated_faults.content(ids), on="finding_id")
        return held.filter(pl.col("finding_id").is_in(ledger.waived(waiver, held, TODAY).implode())).height

    assert admitted(observed, places) == 58
    grown = night(range(2, 61))
    assert admitted(*grown) == 0, "nobody has looked at the new record"
    book = _book(found(observed, places, waiver), places, waiver)
    assert book["status"].to_list() == ["waived"]
    later = _book(found(*grown, waiver), grown[1], waiver, book)
    assert later.select("finding_id", "status", "records").rows() == [(entry["finding_id"], "reopened", 59)]


def test_a_decided_finding_stays_joined_when_the_fault_becomes_rare():
    observed, places = night(range(2, 60))
    (one,) = found(observed, places)["finding_id"]
    few = night(range(2, 12))
    (row,) = found(*few, decisions=_decision(one, None)).rows(named=True)
    assert (row["finding_id"], row["records"]) == (one, 10)
    assert found(*few).height == 10
    assert found(*night(range(0)), decisions=_decision(one, None)).is_empty()


def test_a_record_that_was_decided_on_alone_keeps_its_finding():
    observed, places = night(range(2, 60))
    alone = findings.finding_ids(observed, places)["finding_id"][3]
    made = found(observed, places, _decision(alone, None))
    assert sorted(made["records"]) == [1, 57]
    assert alone in set(made["finding_id"])


def test_quarantine_and_accounting_know_every_record(records):
    records.patient()
    records.diagnosis()
    for n in range(60):
        records.add(
            r.TableRow, table_name="numbered", values=json.dumps({"Nr": "1", "Tumor": "1", "Tag": f"x{n}"})
        )
    outcome = records.run()
    broken = outcome.observed.filter(rule_id=RULE)
    assert broken["record_id"].n_unique() == 60
    rows = outcome.accounting.select(
        pl.col("records", "curated", "quarantined", "duplicates", "out_of_scope", "unaccounted").sum()
    ).row(0, named=True)
    assert rows["quarantined"] == 60 and rows["unaccounted"] == 0
    assert rows["records"] == sum(rows[c] for c in ("curated", "quarantined", "duplicates", "out_of_scope"))
    files = pl.DataFrame({"file_id": list("rodt"), "path": list("rodt"), "source": list("rodt")})
    made = findings.findings(
        outcome.observed,
        findings.places(records.frames, files),
        findings.persons_of(outcome.typed),
        outcome["patient"],
        outcome.link,
    )
    assert made.filter(rule_id=RULE).select("records", "pseudonym").rows() == [(60, "number:1")]


def test_the_impact_of_a_repeated_fault_is_not_simulated_record_by_record():
    observed, places = night(range(2, 60))
    rare, elsewhere = night(range(2, 12), "table/b.csv")
    held = quarantine.quarantine(pl.concat([observed, rare]))
    kept, first = repeated_faults.once_a_file(held, pl.concat([places, elsewhere]))
    assert first.to_list() == ["table/a.csv-2"]
    assert sorted(kept["record_id"]) == sorted(rare["record_id"])


def page_of(rows: int) -> str:
    observed, places = night(range(2, rows))
    book = _book(found(observed, places), places, Decision.empty())
    assert book.height == 1
    shown = IdentityGate(frozenset(), ["assessment_date"]).frame(book)
    assert shown["position"][0] == f"line 2; line 3; line 4 and {rows - 5} more"
    meta = {"study": "s", "title": "t", "refresh_id": REFRESH, "started_at": "x", "code_version": "1"}
    files = pl.DataFrame({"file_id": ["f"], "path": ["p"]})
    return steward.page(shown, catalogue(), Accounting.empty(), files, steward.NO_TREND, meta)


@pytest.mark.parametrize("rows", [1_000, 30_000])
def test_the_page_does_not_grow_with_a_wrong_file(rows):
    assert len(page_of(rows)) < len(page_of(200)) + 100
