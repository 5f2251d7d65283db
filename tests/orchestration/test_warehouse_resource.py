"""The warehouse resource: transactions, comments from the contracts, one writer."""

import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.orchestration import warehouse_resource as module
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, WarehouseBusy
from schemas.all_contracts import CONTRACTS
from schemas.contract import ContractBroken
from tests.refreshed import with_empty_tables

FLOW = pl.DataFrame(
    [{"position": 1, "criterion": "c", "label": "l", "entered": 3, "excluded": 1, "remaining": 2}]
)


@pytest.fixture
def store(tmp_path: Path):
    made = Warehouse(path=str(with_empty_tables(tmp_path / "w.duckdb")))
    yield made
    made.close()


def flow(**changes) -> pl.DataFrame:
    return CONTRACTS["cohort.flow"].conform(FLOW.with_columns(**{k: pl.lit(v) for k, v in changes.items()}))


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in its own process; its argument is a warehouse with empty tables."""
    path = with_empty_tables(folder / "w.duckdb")
    return subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)


def test_spill_files_of_a_killed_process_are_deleted(tmp_path):
    aside = tmp_path / "w.duckdb.tmp"
    aside.mkdir()
    (aside / "duckdb_temp_storage-0.tmp").write_bytes(b"x")
    store = Warehouse(path=str(tmp_path / "w.duckdb"))
    store.read("cohort.flow")
    store.close()
    assert not aside.exists()


def test_a_frame_is_written_without_pandas_and_pandas_can_be_had_afterwards(tmp_path):
    script = (
        "import sys, polars as pl\n"
        "from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse\n"
        "from schemas.cohort import CohortFlow\n"
        "store = Warehouse(path=sys.argv[1])\n"
        "row = {'position': 1, 'criterion': 'c', 'label': 'l', 'entered': 3, 'excluded': 1, 'remaining': 2}\n"
        "store.replace({'cohort.flow': CohortFlow.conform(pl.DataFrame([row]))})\n"
        "print(store.height('cohort.flow'), 'pandas' in sys.modules)\n"
        "print(store.read('cohort.flow').to_pandas(use_pyarrow_extension_array=True).shape)"
    )
    done = _run(script, tmp_path)
    assert done.stdout.splitlines()[0] == "1 False"
    assert done.stdout.splitlines()[1].startswith("(1, ")


def test_a_buffer_at_an_odd_address_is_copied_and_nothing_is_printed(tmp_path):
    script = (
        "import sys, pyarrow as pa\n"
        "from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse\n"
        "own = Warehouse(path=sys.argv[1])._tables().connection\n"
        "odd = pa.py_buffer(b'x' + bytes(range(8)) * 3).slice(1)\n"
        "own.register('_odd', pa.table({'a': pa.Array.from_buffers(pa.int64(), 3, [None, odd])}))\n"
        "print(own.execute('SELECT DISTINCT a FROM _odd').fetchall())"
    )
    done = _run(script, tmp_path)
    assert done.stdout.strip() == f"[({int.from_bytes(bytes(range(8)), 'little')},)]"
    assert done.stderr == ""


def test_tables_survive_closing_the_warehouse(store):
    store.replace({"cohort.flow": flow()})
    store.close()
    assert store.read("cohort.flow").equals(flow())


def test_every_table_and_column_carries_its_comment(store):
    store.replace({"cohort.flow": flow()})
    with store.transaction() as connection:
        bare = connection.execute(
            "SELECT table_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
        ).fetchall()
        tables = connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE NOT internal AND comment IS NOT NULL"
        ).fetchone()
    assert bare == []
    assert tables == (len(CONTRACTS),)


def test_a_frame_that_breaks_its_contract_changes_nothing(store):
    store.replace({"cohort.flow": flow()})
    broken = flow().with_columns(label=pl.lit(None, dtype=pl.String))
    with pytest.raises(ContractBroken):
        store.replace(
            {"cohort.derivability": CONTRACTS["cohort.derivability"].empty(), "cohort.flow": broken}
        )
    store.close()
    assert store.read("cohort.flow").equals(flow())


def test_a_step_replaces_only_its_own_part_of_a_shared_table(store):
    part = pl.DataFrame({"record_id": ["a"], "disposition": ["duplicate"], "reason": ["x"]})
    for step in ("typed", "curated", "typed"):
        store.replace({}, step, {"quality.set_aside": part})
    assert sorted(store.read("quality.set_aside")["step"]) == ["curated", "typed"]


def test_a_changed_contract_recreates_derived_tables_and_keeps_received_ones(store):
    with store.transaction() as connection:
        connection.execute("DROP TABLE cohort.flow")
        connection.execute("CREATE TABLE cohort.flow (old INTEGER)")
        connection.execute("ALTER TABLE received.unread DROP COLUMN detail")
        connection.execute("TRUNCATE meta.dictionary")
    store.close()
    assert store.read("cohort.flow").is_empty()
    assert "detail" in store.read("received.unread").columns


def test_a_changed_contract_keeps_decisions_and_the_ledger(store):
    decision = pl.DataFrame(
        [{"decision_id": "d", "finding_id": "f", "action": "reopen", "who": "S", "at": "2030", "reason": "r"}]
    )
    store.replace({"quality.decisions": CONTRACTS["quality.decisions"].conform(decision)})
    with store.transaction() as connection:
        connection.execute("ALTER TABLE quality.decisions DROP COLUMN until")
        connection.execute("ALTER TABLE quality.findings DROP COLUMN value")
        connection.execute("TRUNCATE meta.dictionary")
    store.close()
    assert store.read("quality.decisions").select("decision_id", "until").rows() == [("d", None)]


def test_a_locked_file_is_waited_for_and_then_reported(store, tmp_path, monkeypatch):
    script = (
        "import duckdb,sys; c=duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )  # fmt: skip
    holder = subprocess.Popen(
        [sys.executable, "-c", script, store.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.3)
    try:
        with pytest.raises(WarehouseBusy, match=r"w\.duckdb"):
            store.read("cohort.flow")
    finally:
        holder.communicate("")
    assert store.read("cohort.flow").is_empty()


def test_only_its_owner_reads_the_warehouse(store):
    store.replace({"cohort.flow": flow()})
    assert Path(store.path).stat().st_mode & 0o077 == 0


def test_the_file_can_be_read_after_the_run(store):
    store.replace({"cohort.flow": flow()})
    store.close()
    with duckdb.connect(store.path, read_only=True) as connection:
        assert connection.execute("SELECT remaining FROM cohort.flow").fetchall() == [(2,)]
