"""Bad input becomes a finding with file and position; a refresh fails only if nothing can be published."""

import hashlib
import shutil
import zipfile

import pydicom
import pydicom.data
import pytest

REAL_RT = (
    "rtplan.dcm",
    "rtplan_truncated.dcm",
    "rtstruct.dcm",
    "rtdose.dcm",
    "rtdose_1frame.dcm",
    "CT_small.dcm",
)


def _findings(place, path: str):
    return place.warehouse(
        f"SELECT rule_id, position, what, remedy FROM quality.findings WHERE path = '{path}' ORDER BY ALL"
    )


def test_broken_files_are_findings_and_the_night_goes_on(copy):
    whole = next((copy.drop / "obds").glob("tudok_2021-0*.xml"), None) or next((copy.drop / "obds").glob("*"))
    (copy.drop / "obds/empty.xml").touch()
    (copy.drop / "obds/cut.xml").write_bytes(whole.read_bytes()[:-200])
    with zipfile.ZipFile(copy.drop / "obds/zip.xml", "w") as archive:
        archive.writestr("a.xml", "<a/>")
    office = max((copy.drop / "registry").glob("*.csv"), key=lambda p: p.stat().st_size)
    lines = office.read_bytes().splitlines(keepends=True)
    (copy.drop / "registry/short.csv").write_bytes(
        b"".join(line.rstrip(b"\r\n").rsplit(b";", 3)[0] + b"\r\n" for line in lines[:4])
    )
    plan = pydicom.dcmread(next((copy.drop / "dicom").rglob("RP*")))
    del plan.PatientID
    (copy.drop / "dicom/nobody").mkdir()
    plan.save_as(copy.drop / "dicom/nobody/RP.nobody.dcm")

    before = copy.published("SELECT count(*) AS n FROM patients")["n"].item()
    assert copy.refresh().exit_code == 0
    assert copy.published("SELECT count(*) AS n FROM patients")["n"].item() == before == 86

    expected = {
        "obds/empty.xml": "file.empty",
        "obds/cut.xml": "file.truncated",
        "obds/zip.xml": "file.wrong-format",
        "registry/short.csv": "file.column-missing",
        "dicom/nobody/RP.nobody.dcm": "dicom.patient-id-missing",
    }
    for path, rule in expected.items():
        found = _findings(copy, path)
        assert rule in found["rule_id"].to_list(), (path, found)
        assert found["position"].str.len_chars().min() > 0
        assert found["remedy"].null_count() == 0
    assert copy.warehouse("SELECT sum(unaccounted) AS n FROM quality.accounting")["n"].item() == 0


def test_pydicoms_own_real_files_go_through(copy):
    folder = copy.drop / "dicom/real"
    folder.mkdir()
    for name in REAL_RT:
        shutil.copy(str(pydicom.data.get_testdata_file(name)), folder / name)
    assert copy.refresh().exit_code == 0
    accounts = copy.warehouse(
        "SELECT path, m.records AS read, a.* FROM meta.files m "
        "LEFT JOIN quality.accounting a USING (file_id) "
        "WHERE path LIKE 'dicom/real/%' AND last_refresh IS NULL"
    )
    assert accounts.height == len(REAL_RT)
    assert accounts["read"].min() >= 1
    assert (accounts["read"] == accounts["records"]).all()
    assert accounts["unaccounted"].sum() == 0


def _fingerprint(place) -> str:
    return hashlib.sha256(place.release.read_bytes()).hexdigest()


def test_nothing_to_publish_is_exit_code_one_and_keeps_the_release(copy):
    before = _fingerprint(copy)
    shutil.rmtree(copy.drop)
    copy.drop.mkdir()
    outcome = copy.refresh()
    assert outcome.exit_code == 1
    assert "NOT PUBLISHED" in outcome.output
    assert "no patient is eligible" in outcome.output
    assert "the last one, unchanged" in outcome.output
    assert _fingerprint(copy) == before
    assert len(list(copy.release.parent.glob(".building*"))) == 0


def test_a_first_refresh_without_a_patient_publishes_nothing(place):
    empty = place()
    (empty.drop / "obds").mkdir()
    (empty.drop / "obds/empty.xml").touch()
    outcome = empty.refresh()
    assert outcome.exit_code == 1
    assert "none yet" in outcome.output
    assert not empty.release.exists()
    assert _findings(empty, "obds/empty.xml")["rule_id"].to_list() == ["file.empty"]


@pytest.mark.parametrize("words", [["refresh", "--study", "nobody"], ["refresh"]])
def test_a_wrong_study_or_a_missing_drop_folder_is_wrong_usage(place, words):
    somewhere = place()
    somewhere.drop.rmdir()
    outcome = somewhere.sarcoma(*words)
    assert outcome.exit_code == 2
    assert "Error: no " in outcome.output
    assert not (somewhere.root / "data/warehouse").exists()


def test_a_wrong_configuration_names_the_place(place):
    wrong = place()
    toml = wrong.root / "data/studies/sts_imrt/study.toml"
    toml.write_text(toml.read_text().replace('endpoint = "OS"', 'endpoint = "QS"', 1))
    outcome = wrong.refresh()
    assert outcome.exit_code == 2
    assert all(part in outcome.output for part in ("study.toml:", "models.0.endpoint", "QS"))
