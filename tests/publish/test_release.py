"""Releases: pseudonyms, released columns, atomic publication."""

import stat
import tempfile
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.publish import release
from schemas.all_contracts import CONTRACTS
from schemas.release import RELEASED, MetaRelease
from schemas.vocabularies import VOCABULARIES

ROW = {
    "study": "s", "title": "s", "refresh_id": "R1", "released_at": "2020-01-01T00:00:00+00:00",
    "code_version": "0", "configuration_hash": "c", "manifest_hash": "m", "content_hash": "h", "eligible": 1,
}  # fmt: skip


ENDPOINT = {"pseudonym": "P1", "endpoint": "OS", "time_days": 487, "time_months": 16.0, "event": True,
            "event_kind": "death", "evidence": ["r"], "time_days_earliest": 487,
            "time_days_latest": 487}  # fmt: skip


def tables(pseudonym: str = "P1") -> dict[str, pl.DataFrame]:
    made = {t: CONTRACTS[t].empty() for t in RELEASED}
    endpoint = pl.DataFrame([{**ENDPOINT, "pseudonym": pseudonym}])
    made["cohort.endpoints"] = CONTRACTS["cohort.endpoints"].conform(endpoint)
    patient = pl.DataFrame([{"pseudonym": pseudonym, "record_ids": ["r"], "relapse_pattern": "none"}])
    return dict(release.released({**made, "cohort.patients": CONTRACTS["cohort.patients"].conform(patient)}))


@cache
def _release(pseudonym: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return built(Path(folder), tables(pseudonym)).read_bytes()


def of_one(folder: Path, pseudonym: str = "P1") -> Path:
    """Write the release of one patient, which is built once."""
    path = folder / ".building.duckdb"
    path.write_bytes(_release(pseudonym))
    return path


def built(folder: Path, frames: dict[str, pl.DataFrame]) -> Path:
    path = folder / ".building.duckdb"
    release.build(path, frames, MetaRelease.conform(pl.DataFrame([ROW])))
    return path


def count(path: Path) -> tuple:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT count(*), any_value(pseudonym) FROM patients").fetchone() or ()


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    path = tmp_path / "keys" / "s.key"
    key = release.pseudonym_key(path)
    assert release.pseudonym_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_broken_key_is_never_replaced(tmp_path):
    path = tmp_path / "s.key"
    path.write_text("abcd\n")
    with pytest.raises(ValueError, match=r"s\.key"):
        release.pseudonym_key(path)
    assert path.read_text() == "abcd\n"


def test_pseudonyms_depend_only_on_the_key():
    ids = pl.Series(["number:1", "number:2", "number:1"])
    one, again = release.pseudonyms(ids, b"a" * 32), release.pseudonyms(ids.reverse(), b"a" * 32)
    assert one.equals(again)
    assert one.height == 2
    assert not set(one["pseudonym"]) & set(release.pseudonyms(ids, b"b" * 32)["pseudonym"])


def test_the_release_is_documented(tmp_path):
    path = of_one(tmp_path)
    with duckdb.connect(str(path), read_only=True) as connection:
        undocumented = connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        ).fetchall()
        columns = connection.execute(
            "SELECT schema_name || '.' || table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
        tables_there = connection.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE NOT internal"
        ).fetchall()
        described = connection.execute("SELECT table_name, column_name FROM meta.dictionary").fetchall()
    assert undocumented == []
    assert sorted(described) == sorted(columns)
    assert {name for (name,) in tables_there} <= {table for table, _ in described}


def test_coded_columns_are_enumerated_in_the_order_of_their_vocabulary(tmp_path):
    path = of_one(tmp_path)
    with duckdb.connect(str(path), read_only=True) as connection:
        kinds = dict(
            connection.execute(
                "SELECT table_name || '.' || column_name, data_type FROM information_schema.columns"
            ).fetchall()
        )
        order = connection.execute("SELECT enum_range(NULL::fnclcc_grade)").fetchall()
    assert kinds["wide.os_kind"].startswith("ENUM(") and kinds["wide.sex"].startswith("ENUM(")
    coded = [(t.split(".")[1], c) for t in RELEASED for c in CONTRACTS[t].columns() if c.vocabulary]
    assert coded
    assert all(kinds[f"{t}.{c.name}"].startswith("ENUM(") for t, c in coded)
    assert tuple(order[0][0]) == VOCABULARIES["fnclcc_grade"]


def test_what_is_read_back_is_what_was_released(tmp_path):
    frames = tables()
    coded = pl.DataFrame({"sex": ["female"], "fnclcc_grade": ["G2"]})
    frames["cohort.patients"] = frames["cohort.patients"].with_columns(**coded.to_dict())
    again = release.read(built(tmp_path, frames)) or {}
    again.pop(MetaRelease.table())
    assert release.content_hash(again) == release.content_hash(frames)


def test_a_column_with_an_unknown_value_stays_text(tmp_path):
    frames = tables()
    frames["cohort.patients"] = frames["cohort.patients"].with_columns(sex=pl.lit("f"))
    again = release.read(built(tmp_path, frames)) or {}
    assert again["cohort.patients"]["sex"].to_list() == ["f"]


def test_an_open_reader_keeps_the_old_release(tmp_path):
    target = tmp_path / "cohort.duckdb"
    release.publish(of_one(tmp_path, "old"), target, "R1")
    reader = duckdb.connect(str(target), read_only=True)
    release.publish(of_one(tmp_path, "new"), target, "R2")
    assert reader.execute("SELECT pseudonym FROM patients").fetchall() == [("old",)]
    reader.close()
    assert count(target) == (1, "new")
    assert count(tmp_path / "releases/R1.duckdb") == (1, "old")


def test_an_empty_cohort_is_not_published(tmp_path):
    target = tmp_path / "cohort.duckdb"
    release.publish(of_one(tmp_path), target, "R1")
    before = target.read_bytes()
    empty = {**tables(), "cohort.patients": tables()["cohort.patients"].clear()}
    with pytest.raises(release.NothingToPublish, match="no patient"):
        release.publish(built(tmp_path, empty), target, "R2")
    assert target.read_bytes() == before
    assert not (tmp_path / "releases/R2.duckdb").exists()


def test_calendar_dates_and_unknown_patients_are_faults(tmp_path):
    path = of_one(tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("ALTER TABLE patients ALTER follow_up_days TYPE DATE USING NULL")
        connection.execute("INSERT INTO endpoints (pseudonym) VALUES ('nobody')")
    faults = release.faults(path)
    assert any("follow_up_days" in f for f in faults)
    assert any("not in the cohort" in f for f in faults)


def test_old_releases_are_deleted(tmp_path):
    target = tmp_path / "cohort.duckdb"
    for number in range(4):
        release.publish(of_one(tmp_path), target, f"R{number}", keep=2)
    assert sorted(p.stem for p in (tmp_path / "releases").iterdir()) == ["R2", "R3"]


def test_released_columns_are_not_identifying():
    for table in RELEASED:
        kinds = {c.name: (c.identifying, c.sql_type) for c in CONTRACTS[table].columns()}
        for name in tables()[table].columns:
            assert kinds[name][0] != "identifier"
            assert kinds[name][1] != "DATE"


@pytest.mark.parametrize("name", ["x.duckdb", "cohort.duckdb", "patients.duckdb", "main.duckdb"])
@pytest.mark.parametrize("alias", ["x", "cohort", "main2", "analysis"])
def test_qualified_names_work_under_any_alias_and_file_name(tmp_path, name, alias):
    path = tmp_path / name
    of_one(tmp_path).rename(path)
    with duckdb.connect() as connection:
        # A table of the reader's own must not come between a view and its table.
        connection.execute("CREATE TABLE patients AS SELECT 'mine' AS pseudonym")
        connection.execute(f"ATTACH '{path}' AS {alias} (READ_ONLY)")
        names = connection.execute(
            "SELECT DISTINCT schema_name || '.' || table_name FROM duckdb_columns() WHERE database_name = ?",
            [alias],
        ).fetchall()
        assert {"cohort.patients", "main.patients", "cohort.wide", "meta.dictionary"} <= {n for (n,) in names}
        for (table,) in names:
            connection.execute(f"FROM {alias}.{table}").fetchall()
        found = connection.execute(f"SELECT pseudonym, os_event FROM {alias}.cohort.wide").fetchall()
        assert found == connection.execute(f"SELECT pseudonym, true FROM {alias}.cohort.patients").fetchall()
        assert found == [("P1", True)]


@pytest.mark.parametrize("name", ["x.duckdb", "R1.duckdb"])
def test_an_opened_file_knows_the_names_of_the_contracts(tmp_path, name):
    path = tmp_path / name
    of_one(tmp_path).rename(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        for table in (*RELEASED, "cohort.wide", "wide"):
            connection.execute(f"FROM {table}").fetchall()


def test_the_views_are_not_read_as_tables(tmp_path):
    again = release.read(of_one(tmp_path)) or {}
    assert set(again) == {*RELEASED, MetaRelease.table()}


@pytest.mark.parametrize(
    ("change", "true"),
    [
        ("", True),
        ("UPDATE wide SET os_event = false", False),
        ("DELETE FROM wide", False),
        ("DROP VIEW cohort.wide; DROP TABLE wide", True),
    ],
)
def test_a_changed_wide_table_is_noticed(tmp_path, change, true):
    path = of_one(tmp_path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(change or "SELECT 1")
    assert release.wide_is_true(path) == true
