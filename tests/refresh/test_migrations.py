"""Upgrades: the warehouse of every earlier version is migrated without losing data."""

import re
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.orchestration import warehouse_resource
from sarcoma_pipeline.warehouse import ddl, migrations
from sarcoma_pipeline.warehouse.migrations import Migration, WarehouseNewer
from schemas.all_contracts import CONTRACTS
from tests.refreshed import lay

WAREHOUSES = Path(__file__).parents[1] / "warehouses"
EARLIER = sorted(p.name for p in WAREHOUSES.iterdir() if p.is_dir())


def _lay(folder: Path, path: Path) -> dict[str, int]:
    """Load an earlier warehouse; returns its tables with their row counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute((folder / "schema.sql").read_text())
        load = (folder / "load.sql").read_text()
        connection.execute(re.sub(r"FROM '", f"FROM '{folder}/", load))
        tables = re.findall(r"^COPY (\S+) ", load, flags=re.M)
        return {t: _count(connection, t) for t in tables}


def _count(connection, table):
    return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def _versions(connection):
    return [v for (v,) in connection.execute("SELECT version FROM meta.migrations ORDER BY 1").fetchall()]


@pytest.mark.parametrize("name", EARLIER)
def test_an_earlier_warehouse_keeps_its_append_only_tables(tmp_path, name):
    path = tmp_path / "w.duckdb"
    before = _lay(WAREHOUSES / name, path)
    kept = {t: n for t, n in before.items() if t.startswith(ddl.APPEND_ONLY)}
    assert {"meta.files", "meta.refreshes", "received.registry_reply"} <= kept.keys()
    with duckdb.connect(str(path)) as connection:
        ddl.prepare(connection, CONTRACTS)
        assert {t: _count(connection, t) for t in kept} == kept
        assert _versions(connection) == [m.version for m in migrations.MIGRATIONS]
        for table, contract in CONTRACTS.items():
            assert contract.polars_schema().keys() <= set(connection.execute(f"FROM {table}").pl().columns)
        once = connection.execute("FROM meta.migrations").fetchall()
        ddl.prepare(connection, CONTRACTS)
        assert connection.execute("FROM meta.migrations").fetchall() == once


@pytest.mark.slow
@pytest.mark.parametrize("name", EARLIER)
def test_the_next_refresh_of_an_earlier_warehouse_succeeds(demo, tmp_path, name):
    place = lay(tmp_path)
    _lay(WAREHOUSES / name, place.root / "data/warehouse/sts_imrt.duckdb")
    shutil.copytree(demo.drop, place.drop)
    (place.root / "data/warehouse/sts_imrt.duckdb").chmod(0o600)
    told = place.refresh()
    assert told.exit_code == 0, told.output
    of_both = [p.published("SELECT content_hash FROM meta.release").item() for p in (place, demo)]
    # The pseudonyms differ, because each root has its own key; the numbers must not differ.
    assert of_both[0] != of_both[1]
    numbers = "SELECT * FROM analysis.survival_estimate ORDER BY ALL"
    assert place.published(numbers).equals(demo.published(numbers))


@pytest.mark.slow
def test_decisions_of_a_warehouse_whose_record_ids_held_paths_hold_after_it(tmp_path):
    """Three waivers (with a key, without one, of a report) and two acknowledgements of faults of files."""
    folder = WAREHOUSES / "paths_in_record_ids"
    place = lay(tmp_path)
    warehouse = place.root / "data/warehouse/sts_imrt.duckdb"
    _lay(folder, warehouse)
    warehouse.chmod(0o600)
    shutil.copytree(folder / "drop", place.drop)
    before = place.warehouse("FROM quality.ledger")

    def stands() -> list[tuple[str, str]]:
        place.refresh()
        query = (
            "SELECT rule_id, status FROM quality.ledger WHERE resolved_at IS NULL AND rule_id NOT LIKE "
            "'dataset.%' AND status <> 'open' ORDER BY ALL"
        )
        return place.warehouse(query).rows()

    wanted = [
        *3 * [("date.in-future", "waived")], ("file.column-missing", "acknowledged"),
        ("file.wrong-format", "acknowledged"),
    ]  # fmt: skip
    assert stands() == wanted
    kept = place.warehouse("FROM quality.ledger WHERE first_seen < last_seen")
    assert kept.filter(pl.col("status").is_in(["waived", "acknowledged"])).height == 5
    assert set(kept["first_seen"]) <= set(before["first_seen"])
    decisions = place.warehouse('FROM quality.decisions ORDER BY "at"')
    # The keys of two waived records did not change; three findings got other ids.
    assert decisions.height == 8
    assert decisions.filter(pl.col("reason").str.contains("carried over"))["who"].to_list() == ["steward"] * 3
    held = "SELECT count(*) AS n FROM quality.quarantine WHERE list_contains(rule_ids, 'date.in-future')"
    assert place.warehouse(held).item() == 0

    (place.drop / "obds/export.xml").rename(place.drop / "obds/other.xml")
    (place.drop / "registry/nord.csv").rename(place.drop / "registry/sued.csv")
    (place.drop / "registry/ohne.csv").rename(place.drop / "registry/neu.csv")
    (place.drop / "obds/leer.xml").rename(place.drop / "obds/nichts.xml")
    replies = place.drop / "registry/sued.csv"
    head, *rest = replies.read_text().splitlines()
    replies.write_text("\n".join([head, "A0;17;;;;;lebt;;01.01.2020", *rest]))
    assert stands() == wanted

    warehouse.unlink()
    assert stands() == wanted
    assert place.warehouse("FROM quality.decisions").height == 8


def test_a_new_warehouse_starts_at_the_last_version_without_running_any_step(tmp_path, monkeypatch):
    broken = (*migrations.MIGRATIONS, Migration(migrations.VERSION + 1, "cannot run", ("FROM nowhere",)))
    monkeypatch.setattr(migrations, "MIGRATIONS", broken)
    monkeypatch.setattr(migrations, "VERSION", migrations.VERSION + 1)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        ddl.prepare(connection, CONTRACTS)
        assert _versions(connection)[-1] == migrations.VERSION


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "w.duckdb"
    before = _lay(WAREHOUSES / "before_versions", path)
    steps = (Migration(2, "half", ("DELETE FROM received.registry_reply", "FROM nowhere")),)
    monkeypatch.setattr(migrations, "MIGRATIONS", (migrations.MIGRATIONS[0], *steps))
    with duckdb.connect(str(path)) as connection:
        with pytest.raises(duckdb.Error):
            ddl.prepare(connection, CONTRACTS)
        assert _count(connection, "received.registry_reply") == before["received.registry_reply"]


def test_a_warehouse_of_a_newer_program_is_refused(tmp_path):
    store = warehouse_resource.Warehouse(path=str(tmp_path / "w.duckdb"))
    with store.transaction() as connection:
        connection.execute("INSERT INTO meta.migrations VALUES (999, 'from tomorrow', '2999', '9')")
    store.close()
    with pytest.raises(WarehouseNewer, match="sarcoma restore"):
        store.read("cohort.flow")
    store.close()


def test_the_steps_are_numbered_without_a_gap():
    assert [m.version for m in migrations.MIGRATIONS] == list(range(1, migrations.VERSION + 1))
