"""``sarcoma check``: says before the first refresh what is wrong, and what would come of the files."""

import json
import subprocess
import sys

import pytest

from tests.operations.conftest import HEADER, ROWS, SOURCES, STUDY


def test_a_sound_study_has_nothing_to_look_at(place):
    told = place.check()
    assert told["exit"] == 0 and [n for n in told["notices"] if n["severity"] != "notice"] == []
    preview = [tuple(line) for line in told["preview"]]
    assert ("rows", "sheet: 4 of 4 rows belong to a patient") in preview
    assert ("endpoint", "OS: 2 events in 4 patients") in preview
    # Days from diagnosis to the last statement: 1826, 458, 1461, 1096.
    assert ("follow-up", "median 1278.5 days") in preview


def test_a_wrong_configuration_ends_with_2_and_its_place(place):
    place.write(study=STUDY.replace('["death"]', '["deaht"]'))
    told = place.check()
    assert told["exit"] == 2
    (fault,) = told["configuration"]
    assert (fault["file"], fault["line"]) == ("study.toml", 14) and "did you mean" in fault["message"]
    assert place.run("check", "--study", "small").exit_code == 2
    assert place.run("check", "--study", "another").exit_code == 2


def _one(told: dict, rule: str) -> dict:
    (found,) = [n for n in told["notices"] if n["rule"] == rule]
    return found


def test_unmapped_codes_are_told_with_their_counts(place):
    place.write([row.replace(";m;", ";1;") for row in ROWS])
    told = place.check()
    found = _one(told, "value.code-unknown")
    assert (found["value"], found["times"], found["file"], found["position"]) == ("1", 2, "t.csv", "line 2")
    assert found["column"] == 'column "Geschlecht" of source "sheet"'
    assert told["exit"] == 1


def test_a_missing_and_a_never_mapped_column(place):
    place.write([f"{row};x" for row in ROWS], header=HEADER.replace("Status", "Zustand") + ";Notiz")
    told = place.check()
    missing = [n for n in told["notices"] if n["rule"] == "file.column-missing"]
    assert missing and missing[0]["severity"] == "error"
    place.write([f"{row};x" for row in ROWS], header=f"{HEADER};Notiz")
    assert _one(place.check(), "check.never-mapped")["column"] == "Notiz"


def test_keys_that_repeat(place):
    place.write([*ROWS, "101;m;01.02.2015;50;lebt;02.02.2020"])
    found = _one(place.check(), "check.key-repeated")
    assert found["position"] == "line 2, line 6" and found["times"] == 1


def test_a_format_that_does_not_fit_is_an_endpoint_without_events(place):
    place.write(sources=SOURCES.replace("%d.%m.%Y", "%Y-%m-%d"))
    told = place.check()
    never = {n["what"] for n in told["notices"] if n["rule"] == "check.never-published"}
    assert any("no patient is eligible, because no patient was read" in what for what in never)
    assert any('4 of 4 filled cells of column "ED"' in what for what in never)


def test_deaths_of_nobody_known_are_no_healthy_cohort(place):
    alive = SOURCES.replace('tot = "deceased"', 'tot = "alive"')
    place.write(sources=alive)
    told = place.check()
    # Nothing was read as a death: no rule can know better, but the preview shows it.
    assert ["endpoint", "OS: 0 events in 4 patients"] in told["preview"]


def test_a_source_without_files_and_a_folder_that_is_not_there(place):
    place.write(sources=SOURCES.replace('["t.csv"]', '["*.tsv"]'))
    assert {"check.source-without-files", "file.unexpected"} <= place.rules()
    (place.drop / "t.csv").unlink()
    place.drop.rmdir()
    assert place.rules() == {"check.no-drop-folder"}


def test_only_the_first_rows_of_a_long_file_are_read(place):
    rows = [f"{n};m;01.02.2015;50;lebt;01.02.2020" for n in range(5000)]
    told = place.write(rows).check()
    assert [topic for topic, _ in told["preview"] if topic == "sample"]
    assert not {n["rule"] for n in told["notices"]} & {"file.too-large"}
    assert ["rows", "sheet: 2000 of 2000 rows belong to a patient"] in told["preview"]


def test_no_identity_is_printed(place):
    sources = SOURCES.replace(
        'hospital_number = "Pat"\nsex',
        'hospital_number = "Pat"\nfamily_name = "Name"\nbirth_date = "Geb"\nsex',
    )
    rows = [f"{row};Testfallova;31.02.1950" for row in ROWS]
    result = place.write(rows, header=f"{HEADER};Name;Geb", sources=sources).run("check", "--study", "small")
    assert "value.date-unreadable" in result.stdout and "'99.99.9999'" in result.stdout
    assert "Testfallova" not in result.stdout and "1950" not in result.stdout


def test_a_check_imports_nothing_heavy(place):
    code = (
        "import sys; from sarcoma_pipeline.cli import main\n"
        "try: main(['check', '--study', 'small', '--json'])\n"
        "except SystemExit: print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"SARCOMA_ROOT": str(place.root)}
    )
    assert json.loads(done.stdout)["exit"] == 0
    heavy = {"dagster", "great_expectations", "pandas", "pydicom", "sqlalchemy"}
    assert not heavy & set(done.stderr.split())


def test_words_without_a_code_are_shown_where_they_occur_again(place):
    rows = [row.replace(";m;", ";maskulin;").replace("104;w", "104;Testfallova") for row in ROWS]
    told = [n for n in place.write(rows).check()["notices"] if n["rule"] == "value.code-unknown"]
    # A word that stands there once may be anything, also a name in the wrong column.
    assert sorted((n["value"], n["times"]) for n in told) == [("maskulin", 2), ("xxxxxxxxxxx", 1)]


def test_rows_without_a_patient_or_a_time_are_told(place):
    rows = [*ROWS, "#REF!;m;01.02.2015;50;lebt;01.02.2020", "1,2E+11;m;01.02.2015;50;lebt;01.02.2020"]
    rows += ["105;w;;70;tot;01.05.2018", "106;w;01.05.2015;70;lebt;01.05.2014"]
    told = {(n["rule"], n["times"]) for n in place.write(rows).check()["notices"]}
    assert told >= {
        ("identity.number-damaged", 1), ("vital-status.no-diagnosis", 1),
        ("vital-status.before-diagnosis", 1),
    }  # fmt: skip
    preview = [tuple(line) for line in place.check()["preview"]]
    # 101 to 104 and 106; 105 has no time zero, and the others are nobody.
    assert ("endpoint", "OS: 2 events in 5 patients") in preview


@pytest.mark.parametrize("words", [("refresh",), ("refresh", "--draft"), ("status",)])
def test_a_missing_folder_of_dagster_is_a_wrong_use_and_no_traceback(place, monkeypatch, words):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    result = place.run(words[0], "--study", "small", *words[1:])
    assert result.exit_code == 2 and "dagster_home does not exist" in result.output
    assert "DAGSTER_HOME" in result.output and not (place.root / "dagster_home").exists()
