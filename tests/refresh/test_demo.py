"""The demo's 86 known patients are recovered to the day, through XML, CSV and DICOM in one refresh."""

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.synthetic.people import people
from tests.refresh.scores import SCORES

DATA = Path(__file__).parents[2] / "data/demo"
ENDPOINTS = ("OS", "DFS", "DMFS", "LRFS")


def _cohort() -> pl.DataFrame:
    return pl.read_csv(DATA / "demo_cohort.csv", try_parse_dates=True, infer_schema_length=None)


def _numbers() -> pl.DataFrame:
    ineligible = pl.read_csv(DATA / "ineligible.csv", try_parse_dates=True, infer_schema_length=None)
    known = [(p.patient, p.number) for p in people(_cohort(), ineligible, 7)]
    return pl.DataFrame(known, schema=["patient", "hospital_number"], orient="row")


@pytest.fixture(scope="module")
def pseudonyms(demo) -> pl.DataFrame:
    known = demo.warehouse("SELECT hospital_number, pseudonym FROM curated.patient")
    return known.join(_numbers(), on="hospital_number").select("patient", "pseudonym")


def test_the_summary_of_a_published_refresh(demo):
    out = demo.outcome.output
    assert demo.outcome.exit_code == 0
    assert "sts_imrt: published" in out
    assert re.search(r"patients +\d+ known, 86 eligible", out)
    assert re.search(r"OS +86 +18 +not reached", out)
    assert re.search(r"DFS +86 +45 +47\.9 months", out)
    assert re.search(r"DMFS +86 +39 +51\.4 months", out)
    assert re.search(r"LRFS +86 +22 +not reached", out)
    assert re.search(r"seconds +[\d.]+ = imports [\d.]+ \+ definitions", out)
    assert "data/published/sts_imrt/cohort.duckdb" in out


def test_the_cohort_is_the_papers(demo):
    events = demo.published(
        "SELECT endpoint, count(*) n, count(*) FILTER (event) e FROM endpoints GROUP BY 1"
    )
    assert {row[0]: row[1:] for row in events.rows()} == {
        "OS": (86, 18), "DFS": (86, 45), "DMFS": (86, 39), "LRFS": (86, 22),
    }  # fmt: skip
    patterns = dict(
        demo.published("SELECT relapse_pattern, count(*) FROM cohort.patients GROUP BY 1").iter_rows()
    )
    relapsed = {kind: n for kind, n in patterns.items() if kind != "none"}
    assert sum(relapsed.values()) == 39
    assert sorted(relapsed.values()) == [4, 8, 27]
    assert relapsed["local only"] == 4 and relapsed["distant only"] == 27


def test_every_endpoint_is_right_to_the_day(demo, pseudonyms):
    derived = demo.published("SELECT pseudonym, endpoint, time_days, event FROM endpoints")
    cohort = _cohort().join(pseudonyms, on="patient")
    assert cohort.height == 86
    for name in ENDPOINTS:
        both = cohort.join(derived.filter(pl.col("endpoint") == name), on="pseudonym")
        assert both.height == 86
        assert both["time_days"].to_list() == both[f"{name.lower()}_days"].to_list(), name
        assert both["event"].to_list() == both[f"{name.lower()}_event"].to_list(), name


def test_every_row_of_table_one_is_the_papers(demo):
    compared = demo.published("FROM analysis.published_comparison WHERE section = 'Table 1'")
    paper = pl.read_csv(DATA.parent / "studies/sts_imrt/published.csv").filter(pl.col("section") == "Table 1")
    assert set(compared["id"]) == set(paper["id"])
    odd = compared.filter(~pl.col("verdict").is_in(["equal", "within rounding"]))
    # The paper prints 27 of 86 as 32 %, which no cohort can match.
    assert odd["verdict"].to_list() == ["paper contradicts itself"]
    assert odd["reason"].null_count() == 0


OF_PATIENTS = (
    "eligibility.", "model.", "radiotherapy.preoperative-without-surgery", "structures.planning-ct-missing",
    "plan.dose-grid-missing",
)  # fmt: skip
"""Rules, or the beginnings of their names, on what patients were never given or what was never exported."""


def test_every_seeded_defect_is_found_by_its_rule_and_nothing_else(demo, request):
    """Precision and recall against the renderer's list of seeded defects are both 1."""
    found = demo.warehouse(
        "SELECT f.rule_id, m.path AS file FROM quality.findings f "
        "JOIN (SELECT record_id, file_id FROM received.unread UNION ALL BY NAME "
        + " UNION ALL BY NAME ".join(
            f"SELECT record_id, file_id FROM {table}" for table in _received(demo) if "unread" not in table
        )
        + ") r USING (record_id) JOIN meta.files m ON m.file_id = r.file_id"
    )
    # What is missing of a patient is no defect of a record; the next tests count them.
    everything = demo.warehouse("FROM quality.findings")
    assert found.height == everything.height
    found = found.filter(~pl.any_horizontal(pl.col("rule_id").str.starts_with(p) for p in OF_PATIENTS))
    assert found.height == demo.truth.height

    def kinds(frame: pl.DataFrame) -> list[tuple[str, str]]:
        # The order of the files decides which of two equal records counts as the duplicate.
        either = pl.when(pl.col("rule_id") == "record.duplicate").then(pl.lit("either")).otherwise("file")
        return sorted(frame.select("rule_id", either).rows())

    request.config.stash[SCORES] = _by_rule(kinds(found), kinds(demo.truth))
    assert kinds(found) == kinds(demo.truth)


def test_who_is_excluded_by_what_is_missing_is_a_finding_and_nobody_else(demo):
    """The curated tables say whose morphology, or whose plan, was never delivered."""
    told = demo.warehouse(
        "SELECT pseudonym, column_name FROM quality.findings WHERE rule_id = 'eligibility.not-known'"
    )
    missing = demo.warehouse(
        """
        SELECT e.pseudonym, e.criterion AS column_name
        FROM cohort.eligibility e JOIN curated.patient p USING (pseudonym)
        LEFT JOIN curated.diagnosis d ON d.patient_id = p.patient_id AND d.index_tumour
        WHERE e.excluded_here AND (
            (e.criterion = 'histology' AND d.icdo3_morphology IS NULL)
            OR (e.criterion = 'radiotherapy' AND EXISTS (
                FROM curated.radiotherapy_course c
                WHERE c.patient_id = p.patient_id AND c.radiation_sequence SIMILAR TO '(pre|post)operative.*')
                AND NOT EXISTS (
                    FROM curated.radiotherapy_course c
                    WHERE c.patient_id = p.patient_id AND coalesce(c.technique, 'unknown') <> 'unknown')))
        """
    )
    assert sorted(told.rows()) == sorted(missing.rows()) and told.height == 7
    flow = demo.warehouse("SELECT sum(not_known) AS n, sum(excluded) AS excluded FROM cohort.flow")
    assert flow["n"].item() == 7 < flow["excluded"].item()


def test_who_is_left_out_of_a_model_is_a_finding_and_nobody_else(demo):
    told = demo.warehouse(
        "SELECT pseudonym, column_name, severity FROM quality.findings "
        "WHERE rule_id = 'model.covariate-missing'"
    )
    listed = {
        "sex": "('female', 'male')", "t_stage": "('T1', 'T2')", "region": "('extremities', 'trunk')",
        "histology_group": "('UPS', 'liposarcoma', 'myxofibrosarcoma', 'synovial sarcoma', 'others')",
        "radiation_sequence": "('preoperative', 'postoperative adjuvant', 'postoperative additive')",
    }  # fmt: skip
    known = {column: f"{column} IN {levels}" for column, levels in listed.items()}
    known["age_at_diagnosis_years"] = "age_at_diagnosis_years IS NOT NULL"
    missing = demo.warehouse(
        " UNION ALL ".join(
            f"SELECT pseudonym, '{column}' AS column_name, 'warning' AS severity FROM cohort.patients "
            f"WHERE NOT coalesce({holds}, false)"
            for column, holds in known.items()
        )
    )
    assert sorted(told.rows()) == sorted(missing.rows())


def test_who_was_not_operated_after_preoperative_radiotherapy_is_told(demo):
    told = demo.warehouse(
        "SELECT count(*) AS n FROM quality.findings "
        "WHERE rule_id = 'radiotherapy.preoperative-without-surgery'"
    )
    unresected = demo.warehouse(
        "SELECT count(DISTINCT patient_id) AS n FROM curated.radiotherapy_course c "
        "WHERE radiation_sequence = 'preoperative' "
        "AND NOT EXISTS (FROM curated.surgery s WHERE s.patient_id = c.patient_id)"
    )
    assert told["n"].item() == unresected["n"].item() > 0


def test_a_planning_ct_that_was_never_exported_is_told(demo):
    told = demo.warehouse(
        "SELECT count(*) AS n FROM quality.findings WHERE rule_id = 'structures.planning-ct-missing'"
    )
    without = demo.warehouse(
        "SELECT count(*) AS n FROM received.dicom_structure_set s "
        "WHERE NOT EXISTS (FROM received.dicom_image i "
        "WHERE contains(s.ReferencedSeries, i.SeriesInstanceUID))"
    )
    assert told["n"].item() == without["n"].item() > 0


def test_a_plan_without_a_dose_is_told(demo):
    """Plans that exist only for a defect have none: approved or treated ones, but for quality assurance."""
    told = demo.warehouse("SELECT record_id FROM quality.findings WHERE rule_id = 'plan.dose-grid-missing'")
    without = demo.warehouse(
        """
        SELECT record_id FROM typed.plan p
        WHERE has_patient_id AND NOT phantom AND coalesce(plan_intent, '') <> 'VERIFICATION'
        AND (coalesce(approval, 'APPROVED') = 'APPROVED'
            OR EXISTS (FROM typed.treatment t WHERE t.refers_to = p.sop_instance_uid))
        AND NOT EXISTS (FROM typed.dose d WHERE d.refers_to = p.sop_instance_uid)
        """
    )
    assert sorted(told["record_id"]) == sorted(without["record_id"]) != []


def _by_rule(found: list[tuple[str, str]], truth: list[tuple[str, str]]) -> list[str]:
    """Format a line per rule for the end of the test run: seeded, found, precision, recall."""
    lines = [f"{'rule':45} {'seeded':>6} {'found':>6} {'precision':>9} {'recall':>7}"]
    for rule in [*sorted({r for r, _ in found + truth}), "all"]:
        ours, known = (Counter(x for x in part if rule in (x[0], "all")) for part in (found, truth))
        right = (ours & known).total()
        shares = [f"{100 * right / part.total():.0f} %" if part.total() else "-" for part in (ours, known)]
        lines.append(f"{rule:45} {known.total():>6} {ours.total():>6} {shares[0]:>9} {shares[1]:>7}")
    return lines


def _received(demo) -> list[str]:
    return demo.warehouse(
        "SELECT 'received.' || table_name AS t FROM information_schema.tables WHERE table_schema = 'received'"
    )["t"].to_list()


def test_every_record_is_accounted_for(demo):
    totals = demo.warehouse(
        "SELECT sum(records) - sum(curated) - sum(quarantined) - sum(duplicates) - sum(out_of_scope) AS gap, "
        "sum(unaccounted) + sum(counted_twice) AS wrong, sum(records) AS records FROM quality.accounting"
    ).row(0, named=True)
    manifest = demo.warehouse("SELECT sum(records) AS n FROM meta.files WHERE last_refresh IS NULL")
    assert (totals["gap"], totals["wrong"]) == (0, 0)
    assert totals["records"] == manifest["n"].item() > 2000


def test_a_finding_has_file_position_rule_and_remedy(demo):
    findings = demo.warehouse("FROM quality.findings")
    for column in ("finding_id", "rule_id", "severity", "path", "position", "what", "remedy"):
        assert findings[column].null_count() == 0
        assert not findings[column].is_in(["", "?"]).any(), column
    assert findings["finding_id"].n_unique() == findings.height


def test_the_release_documents_itself(demo):
    undocumented = demo.published(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
    )
    assert undocumented.is_empty()
    assert demo.published("FROM duckdb_tables() WHERE comment IS NULL").is_empty()
    assert demo.published("FROM meta.dictionary").height > 50


def test_a_second_refresh_reads_nothing_and_keeps_the_release(copy):
    before = copy.published("SELECT refresh_id, content_hash, manifest_hash FROM meta.release").row(0)
    assert copy.refresh().exit_code == 0
    assert "0 new, 0 changed, 0 gone, " in copy.outcome.output
    assert "unchanged" in copy.outcome.output
    assert copy.published("SELECT refresh_id, content_hash, manifest_hash FROM meta.release").row(0) == before
    assert len(list(copy.release.parent.glob("releases/*.duckdb"))) == 1


def test_a_full_refresh_of_the_same_files_publishes_the_same_content(copy):
    before = copy.published("SELECT content_hash, manifest_hash FROM meta.release").row(0)
    assert copy.refresh("--full").exit_code == 0
    assert copy.published("SELECT content_hash, manifest_hash FROM meta.release").row(0) == before


def test_a_changed_a_new_and_a_vanished_file(copy):
    files = copy.warehouse("SELECT path, records FROM meta.files WHERE source = 'registry offices'")
    path, records = next(row for row in files.sort("path").iter_rows() if row[1] > 5)
    office = copy.drop / path
    lines = office.read_bytes().splitlines(keepends=True)
    office.write_bytes(b"".join(lines[:-1]))
    gone = next((copy.drop / "dicom").rglob("RD*"))
    gone.unlink()
    (copy.drop / "note.txt").write_text("what is this?")
    assert copy.refresh().exit_code == 0
    assert "1 new, 1 changed, 1 gone, " in copy.outcome.output
    closed = copy.warehouse("SELECT last_refresh IS NULL AS open, records FROM meta.files WHERE path = $$"
                            + path + "$$ ORDER BY first_refresh")  # fmt: skip
    assert closed.rows() == [(False, records), (True, records - 1)]
    unexpected = copy.warehouse("SELECT path FROM quality.findings WHERE rule_id = 'file.unexpected'")
    assert "note.txt" in unexpected["path"].to_list()
    assert copy.warehouse("SELECT sum(unaccounted) AS n FROM quality.accounting")["n"].item() == 0
