"""``sarcoma export`` and ``sarcoma report`` on a refreshed study."""

import duckdb
import polars as pl

ROWS = ("cohort.patients", "cohort.endpoints")


def _pseudonyms(place) -> set[str]:
    return set(place.published("SELECT pseudonym FROM patients")["pseudonym"])


def test_the_whole_release_is_exported(demo, tmp_path):
    done = demo.sarcoma("export", "--format", "parquet", "--into", str(tmp_path / "out"))
    assert (done.exit_code, "files in" in done.output) == (0, True)
    patients = pl.read_parquet(tmp_path / "out/cohort.patients.parquet")
    assert set(patients["pseudonym"]) == _pseudonyms(demo)


def test_the_public_export_has_no_row_and_no_trace_of_a_patient(demo, tmp_path):
    done = demo.sarcoma("export", "--public", "--format", "csv", "--into", str(tmp_path / "out"))
    assert done.exit_code == 0
    written = {p.stem: p.read_text("utf-8") for p in (tmp_path / "out").iterdir()}
    assert not set(ROWS) & set(written)
    assert {"analysis.table_one", "cohort.flow", "dictionary"} <= set(written)
    everything = "".join(written.values())
    assert not [p for p in _pseudonyms(demo) if p in everything]


def test_only_the_tables_asked_for_are_exported(demo, tmp_path):
    words = ("export", "--format", "csv", "--into", str(tmp_path / "out"), "--tables", "cohort.flow")
    assert demo.sarcoma(*words).exit_code == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "cohort.flow.csv",
        "dictionary.csv",
        "vocabularies.csv",
    }


def test_a_refused_export_writes_nothing(demo, tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    full = demo.sarcoma("export", "--format", "csv", "--into", str(tmp_path))
    assert (full.exit_code, "is not empty" in full.output) == (2, True)
    unknown = ("export", "--public", "--format", "csv", "--into", str(tmp_path / "out"), "--tables", ROWS[0])
    refused = demo.sarcoma(*unknown)
    assert (refused.exit_code, "no table cohort.patients" in refused.output) == (2, True)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_the_public_report_is_written_beside_the_other(demo, tmp_path):
    done = demo.sarcoma("report", "--public", "--into", str(tmp_path / "page"))
    assert done.exit_code == 0
    text = (tmp_path / "page/index.html").read_text("utf-8")
    assert "public version" in text
    assert not [p for p in _pseudonyms(demo) if p in text]
    assert demo.sarcoma("report", "--into", str(tmp_path / "whole")).exit_code == 0
    assert "public version" not in (tmp_path / "whole/index.html").read_text("utf-8")


def test_before_the_first_refresh_the_error_says_what_to_do(place):
    empty = place()
    for words in (("report",), ("export", "--format", "csv", "--into", "out")):
        told = empty.sarcoma(*words)
        assert (told.exit_code, "sarcoma refresh" in told.output) == (2, True)


def test_a_public_report_that_differs_by_one_patient_is_refused(copy):
    told = copy.sarcoma("report", "--public")
    assert told.exit_code == 0, told.output
    first = (copy.release.parent / "report_public/index.html").read_bytes()
    kept = next((copy.release.parent / "releases").glob("*.duckdb"))
    with duckdb.connect(str(copy.release)) as changed:
        changed.execute("DELETE FROM patients WHERE pseudonym = (SELECT min(pseudonym) FROM patients)")
        changed.execute("UPDATE meta.release SET eligible = eligible - 1, refresh_id = 'R2'")
    told = copy.sarcoma("report", "--public")
    assert told.exit_code == 1 and kept.stem in told.output and "fewer than 5 patients" in told.output
    assert (copy.release.parent / "report_public/index.html").read_bytes() == first
    into = copy.root / "public"
    refused = copy.sarcoma("export", "--public", "--format", "csv", "--into", str(into))
    assert refused.exit_code == 1 and not into.exists()
    again = copy.sarcoma("report", "--public", "--release", kept.stem)
    assert again.exit_code == 0, again.output
    assert copy.sarcoma("release", "unissued", "R9", "--reason", "a trial").exit_code == 2
    told = copy.sarcoma("release", "unissued", kept.stem, "--reason", "a trial")
    assert told.exit_code == 0 and copy.sarcoma("report", "--public").exit_code == 0
    assert "never issued: a trial" in copy.sarcoma("release", "public").output
