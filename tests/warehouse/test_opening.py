"""Why a warehouse cannot be opened, and how a damaged write-ahead log is healed."""

import os
import subprocess
import sys

import duckdb
import pytest

from sarcoma_pipeline.warehouse import opening

WRITER = """
import duckdb, os, sys
c = duckdb.connect(sys.argv[1])
c.execute("SET checkpoint_threshold = '1TB'")
c.execute("UPDATE t SET a = 2")
c.execute("CREATE TABLE u AS SELECT range AS b FROM range(50000)")
os._exit(9)
"""
HOLDER = "import duckdb,sys; c=duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def flip(at):
    def damage(log):
        data = bytearray(log.read_bytes())
        data[int(len(data) * at) if at else 30] ^= 255
        log.write_bytes(data)

    return damage


DAMAGE = {
    "first entry": flip(0),
    "middle": flip(0.5),
    "zeros behind": lambda log: log.write_bytes(log.read_bytes() + bytes(4096)),
}


@pytest.fixture(params=["w", "WAL of a study"])
def killed(tmp_path, request):
    """A warehouse whose writer was killed: what it committed is in the log only."""
    path = tmp_path / f"{request.param}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    assert subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False).returncode == 9
    assert log_of(path).stat().st_size > 1000
    return path


def log_of(path):
    return path.with_name(f"{path.name}.wal")


def value(path):
    with opening.connect(path, read_only=True) as connection:
        return connection.execute("SELECT a FROM t").fetchall()


def test_a_whole_log_is_kept(killed):
    assert opening.set_log_aside(killed) is None
    assert value(killed) == [(2,)]


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_log_is_set_aside(killed, kind):
    DAMAGE[kind](log_of(killed))
    for read_only in (True, False):
        with pytest.raises(opening.Damaged) as told:
            opening.connect(killed, read_only=read_only)
        assert str(told.value) == (
            f"the write-ahead log of the warehouse is damaged: sarcoma doctor --repair --study {killed.stem}"
        )
    aside = opening.set_log_aside(killed)
    assert aside is not None and aside.exists() and aside.stat().st_mode & 0o077 == 0
    # As at the last checkpoint.
    assert value(killed) == [(1,)]
    assert opening.set_log_aside(killed) is None


def test_a_damaged_file_is_no_damaged_log(killed):
    os.truncate(killed, 100)
    with pytest.raises(opening.Damaged, match="sarcoma restore"):
        opening.connect(killed, read_only=True)
    assert opening.set_log_aside(killed) is None
    assert log_of(killed).exists()


def test_a_locked_file_is_not_damaged(tmp_path):
    folder = tmp_path / "locked WAL"
    folder.mkdir()
    path = folder / "w.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(opening.Busy, match="try again when its refresh has ended"):
            opening.connect(path, read_only=True)
        log_of(path).touch()
        with pytest.raises(opening.Busy):
            opening.set_log_aside(path)
    finally:
        holder.communicate("")


def test_a_folder_whose_name_says_lock_is_not_locked(tmp_path):
    folder = tmp_path / "Could lock"
    folder.mkdir()
    (folder / "w.duckdb").write_text("this was a database")
    with pytest.raises(opening.Damaged, match="sarcoma restore"):
        opening.connect(folder / "w.duckdb", read_only=True)


def format_of(connection):
    kind = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
    return connection.execute(kind).fetchone()[0]


def kinds_of(connection, table):
    found = connection.execute(f"SELECT DISTINCT compression FROM pragma_storage_info('{table}')").fetchall()
    return {kind for (kind,) in found}


@pytest.mark.parametrize("older", [False, True])
def test_what_is_written_is_in_the_newer_format(tmp_path, older):
    """Texts are compressed as DICT_FSST (since DuckDB 1.3); what an older file has stays as it is."""
    path = tmp_path / "it's.duckdb"
    values = "AS SELECT 'text ' || i % 7 AS a FROM range(200000) AS r(i)"
    if older:
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE old {values}")
            assert format_of(connection) == "v1.0.0+"
    with opening.connect(path, read_only=False) as connection:
        assert format_of(connection) == "v1.3.0+"
        connection.execute(f"CREATE TABLE new {values}")
    tables = ["new", "old"] if older else ["new"]
    for _ in range(2):
        with opening.connect(path, read_only=True) as reader, opening.connect(path, read_only=True):
            assert sorted(t for (t,) in reader.execute("SHOW TABLES").fetchall()) == tables
            for table in tables:
                counted = reader.execute(f"SELECT count(DISTINCT a), count(*) FROM {table}").fetchone()
                assert counted == (7, 200000)
                assert ("DICT_FSST" in kinds_of(reader, table)) == (table == "new")
        with opening.connect(path, read_only=False):
            pass


def test_an_older_file_that_is_locked_waits_for_its_format(tmp_path):
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(opening.Busy):
            opening.connect(path, read_only=False)
    finally:
        holder.communicate("")
    with opening.connect(path, read_only=False) as connection:
        assert format_of(connection) == "v1.3.0+"
        assert connection.execute("FROM t").fetchall() == [(1,)]


def _kept(connection):
    (held,) = connection.execute("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()").fetchone()
    (limit,) = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    return held, limit


def test_what_was_read_is_given_back_within_a_transaction_that_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "_KEPT", "8MB")
    connection = opening.to_write(tmp_path / "w.duckdb")
    connection.execute("CREATE TABLE read AS SELECT hash(i)::VARCHAR AS word FROM range(2_000_000) AS t(i)")
    connection.execute("CHECKPOINT")
    connection.execute("BEGIN; CREATE TABLE written AS SELECT hash(i) AS n FROM range(200_000) AS t(i)")
    count = "SELECT count(DISTINCT word) FROM read"
    assert connection.execute(count).fetchone() == (2_000_000,)
    before, limit = _kept(connection)
    opening.let_go(connection)
    after, again = _kept(connection)
    assert before > 20_000_000 > 8_000_000 >= after and again == limit
    assert connection.execute("SELECT count(*) FROM written").fetchone() == (200_000,)
    connection.execute("COMMIT")
    assert connection.execute(count).fetchone() == (2_000_000,)
    connection.close()


def test_what_cannot_be_given_back_is_kept(tmp_path, monkeypatch):
    connection = opening.to_write(tmp_path / "w.duckdb")
    _, limit = _kept(connection)
    monkeypatch.setattr(opening, "_KEPT", "0MB")
    connection.execute("BEGIN; CREATE TABLE written AS SELECT hash(i) AS n FROM range(200_000) AS t(i)")
    opening.let_go(connection)
    assert _kept(connection)[1] == limit
    connection.execute("COMMIT")
    assert connection.execute("SELECT count(*) FROM written").fetchone() == (200_000,)
    connection.close()
