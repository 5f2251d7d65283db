"""``restore`` takes exactly this study's files, with this study's key; anything else changes nothing."""

import hashlib
import io
import json
import shutil
import tarfile

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.operations import backup as archives
from sarcoma_pipeline.publish import public_record
from sarcoma_pipeline.publish.release import pseudonym_key, pseudonyms
from sarcoma_pipeline.study import project
from tests.refreshed import REPOSITORY

PATIENTS = ["1", "2", "3"]


def _study(root, patients=PATIENTS):
    """Lay a study with a key, and a warehouse that has its pseudonyms."""
    shutil.copytree(REPOSITORY / "data/studies", root / "data/studies")
    made = project.load("sts_imrt", root)
    for folder in (made.warehouse.parent, made.decisions.parent, made.published / "releases"):
        folder.mkdir(parents=True, mode=0o700)
    (made.published / "releases/log.csv").write_text("at,who,from,to,reason\n")
    _fill(made, patients)
    return made


def _fill(made, patients):
    pairs = pseudonyms(pl.Series(patients), pseudonym_key(made.key))
    with duckdb.connect(str(made.warehouse)) as warehouse:
        warehouse.register("_pairs", pairs.to_arrow())
        warehouse.execute("CREATE SCHEMA curated")
        warehouse.execute("CREATE TABLE curated.patient AS FROM _pairs")


@pytest.fixture
def ours(tmp_path):
    return _study(tmp_path / "ours")


@pytest.fixture
def archive(ours, tmp_path):
    archives.backup(ours, tmp_path / "night.tar")
    return tmp_path / "night.tar"


def _content(made):
    return {p.relative_to(made.root): p.read_bytes() for p in made.root.rglob("*") if p.is_file()}


def _members(archive):
    with tarfile.open(archive) as tar:
        files = {m.name: tar.extractfile(m) for m in tar}
        return {name: file.read() for name, file in files.items() if file}


def _pack(archive, files, study="sts_imrt", odd=()):
    """Write an archive whose manifest is true for what is in it: a forged one, or one of another program."""
    sums = {n: hashlib.sha256(d).hexdigest() for n, d in files.items() if n != "manifest.json"}
    label = json.dumps({"study": study, "sha256": sums}).encode()
    with tarfile.open(archive, "w") as tar:
        for name, data in {**files, "manifest.json": label}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for entry in odd:
            tar.addfile(entry)


def _refused(made, archive, error: type[Exception] = archives.ArchiveDamaged, **options):
    before = _content(made)
    with pytest.raises(error) as told:
        archives.restore(made, archive, **{"replace": True, **options})
    assert _content(made) == before
    assert not list(made.warehouse.parent.glob(".restoring-*"))
    return str(told.value)


def test_an_archive_of_the_study_is_restored(ours, archive):
    before = _content(ours)
    assert set(_members(archive)) == {
        "manifest.json",
        "data/warehouse/sts_imrt.duckdb",
        "data/warehouse/sts_imrt.key",
        "data/published/sts_imrt/releases/log.csv",
    }
    shutil.rmtree(ours.root / "data/warehouse")
    archives.restore(ours, archive)
    assert _content(ours) == before
    archives.restore(ours, archive, replace=True)
    assert _content(ours) == before


SURPLUS = (
    "data/warehouse/sts_imrt.txt",
    "data/warehouse/sts_imrt.key.next",
    "data/warehouse/tcga_sarc.duckdb",
    "data/warehouse/tcga_sarc.key",
    "data/warehouse/sub/sts_imrt.key",
    "data/decisions/tcga_sarc.csv",
    "data/decisions/sts_imrt.toml",
    "data/published/sts_imrt/report/index.html",
    "data/published/sts_imrt/releases/x.html",
    "data/published/sts_imrt/releases/../../tcga_sarc/cohort.duckdb",
    "data/published/tcga_sarc/cohort.duckdb",
    "data/warehouse/./sts_imrt.key",
    "data/warehouse//sts_imrt.key",
    "data/warehouse/sts_imrt.key\n",
    "data/warehouse/STS_IMRT.key",
    "DATA/warehouse/sts_imrt.key",
)


@pytest.mark.parametrize("name", SURPLUS)
def test_a_surplus_file_is_refused(ours, archive, name):
    _pack(archive, {**_members(archive), name: b"x"})
    assert "does not belong to the study" in _refused(ours, archive)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("name", ["data/decisions/sts_imrt.csv", "manifest.json", "elsewhere"])
def test_what_is_no_file_is_refused(ours, archive, kind, name):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, "data/warehouse/sts_imrt.key"
    _pack(archive, _members(archive), odd=[entry])
    _refused(ours, archive)


def test_a_file_that_comes_twice_is_refused(ours, archive):
    files = _members(archive)
    entry = tarfile.TarInfo("data/warehouse/sts_imrt.key")
    _pack(archive, files, odd=[entry])
    _refused(ours, archive)


@pytest.mark.parametrize("label", [b"[]", b"{}", b'{"study": "sts_imrt", "sha256": []}', b"\xff"])
def test_a_manifest_of_another_form_is_refused(ours, archive, label):
    files = {**_members(archive), "manifest.json": label}
    with tarfile.open(archive, "w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    _refused(ours, archive)


def test_a_missing_file_is_refused(ours, archive):
    files = _members(archive)
    del files["data/published/sts_imrt/releases/log.csv"]
    with tarfile.open(archive, "w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    assert "changed" in _refused(ours, archive)


def test_another_study_is_refused(ours, archive):
    _pack(archive, _members(archive), study="tcga_sarc")
    assert "study tcga_sarc" in _refused(ours, archive)


def test_the_key_of_another_study_in_the_archive_is_refused(ours, archive):
    _pack(archive, {**_members(archive), "data/warehouse/sts_imrt.key": b"ab" * 32 + b"\n"})
    assert "another study's or centre's" in _refused(ours, archive, archives.KeyOfAnother)
    shutil.rmtree(ours.warehouse.parent)
    ours.warehouse.parent.mkdir(mode=0o700)
    _refused(ours, archive, archives.KeyOfAnother)


@pytest.mark.parametrize("key", [b"", b"no key", b"\xff\xfe", b"ab" * 8])
def test_what_is_no_key_is_refused(ours, archive, key):
    _pack(archive, {**_members(archive), "data/warehouse/sts_imrt.key": key})
    _refused(ours, archive)


def test_the_archive_of_another_centre_with_the_same_study_is_refused(ours, tmp_path):
    theirs = _study(tmp_path / "theirs")
    archives.backup(theirs, tmp_path / "theirs.tar")
    told = _refused(ours, tmp_path / "theirs.tar", archives.KeyOfAnother)
    assert "move data/warehouse/sts_imrt.key*" in told
    ours.key.rename(tmp_path / "safe.key")
    archives.restore(ours, tmp_path / "theirs.tar", replace=True)
    assert ours.key.read_bytes() == theirs.key.read_bytes()


def test_a_backup_from_before_a_rotation_is_ours_and_the_replaced_key_is_kept(ours, archive):
    old = ours.key.read_bytes()
    ours.key.rename(ours.key.with_name("sts_imrt.key.20300101T000000Z"))
    new = pseudonym_key(ours.key).hex()
    archives.restore(ours, archive, replace=True)
    assert ours.key.read_bytes() == old
    kept = {p.read_text().strip() for p in ours.key.parent.glob("sts_imrt.key.*")}
    assert kept == {new, old.decode().strip()}


def test_a_backup_between_rotation_and_refresh_is_ours(ours, tmp_path):
    """The warehouse still has the pseudonyms of the key before."""
    ours.key.rename(ours.key.with_name("sts_imrt.key.20300101T000000Z"))
    pseudonym_key(ours.key)
    archives.backup(ours, tmp_path / "between.tar")
    archives.restore(ours, tmp_path / "between.tar", replace=True)


def test_no_backup_is_written_that_nobody_could_restore(ours, tmp_path):
    ours.key.write_text("ab" * 32)
    with pytest.raises(archives.KeyOfAnother):
        archives.backup(ours, tmp_path / "night.tar")
    assert not list(tmp_path.glob("*night.tar*"))


def test_the_record_of_public_versions_is_packed_and_newer_versions_are_kept(ours, tmp_path):
    record = ours.key.with_name("sts_imrt.public.jsonl")
    record.write_text('{"refresh_id": "R1", "at": "2030-01-01"}\n')
    archives.backup(ours, tmp_path / "night.tar")
    assert f"data/warehouse/{record.name}" in _members(tmp_path / "night.tar")
    record.write_text(record.read_text() + '{"refresh_id": "R2", "at": "2030-02-01"}\n')
    archives.restore(ours, tmp_path / "night.tar", replace=True)
    assert [v["refresh_id"] for v in public_record.versions(ours)] == ["R1", "R2"]
    record.write_text("{")
    archives.restore(ours, tmp_path / "night.tar", replace=True)
    assert [v["refresh_id"] for v in public_record.versions(ours)] == ["R1"]


def test_a_link_in_the_studys_folders_is_not_packed(ours, tmp_path):
    (ours.published / "releases/20300101T000000Z-ab.duckdb").symlink_to("/etc/hostname")
    with pytest.raises(archives.ArchiveDamaged):
        archives.backup(ours, tmp_path / "night.tar")


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(ours, archive, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    log = ours.published / "releases/log.csv"
    log.unlink()
    log.symlink_to(outside)
    (log.parent / ".log.csv.part").symlink_to(outside)
    archives.restore(ours, archive, replace=True)
    assert outside.read_text() == "theirs" and not log.is_symlink()


def test_a_study_whose_name_begins_alike_is_not_packed(ours, tmp_path):
    (ours.key.parent / "sts_imrt_2.key").write_text("ab" * 32)
    (ours.key.parent / "sts_imrt.keyring").write_text("x")
    archives.backup(ours, tmp_path / "night.tar")
    assert not {n for n in _members(tmp_path / "night.tar") if "_2" in n or "ring" in n}
