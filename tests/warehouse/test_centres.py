"""Several centres: own tables, pooled reads; the same behaviour in a file and in a catalog."""

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, WarehouseBusy
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality.findings import finding_ids
from sarcoma_pipeline.warehouse import ducklake, step_cache
from schemas.all_contracts import CONTRACTS


@pytest.fixture(params=["file", pytest.param("catalog", marks=pytest.mark.slow)])
def at(request, tmp_path, monkeypatch):
    """Return a function that opens the warehouse of a centre or of the pooled study; closes the last one."""
    if request.param == "catalog":
        monkeypatch.setenv("SARCOMA_CATALOG", str(tmp_path / "catalog.ducklake"))
        monkeypatch.setenv("SARCOMA_CATALOG_DATA", str(tmp_path / "lake"))
    made = []

    def open_for(centre=""):
        for store in made:
            store.close()
        made.append(
            Warehouse(path=str(tmp_path / "w.duckdb"), study="s", centres=["north", "south"], centre=centre)
        )
        return made[-1]

    yield open_for
    for store in made:
        store.close()


def flow(entered: int) -> pl.DataFrame:
    row = {"position": 1, "criterion": "c", "label": "l", "entered": entered, "excluded": 1}
    return CONTRACTS["cohort.flow"].conform(pl.DataFrame([{**row, "remaining": entered - 1}]))


def trend(*rows: tuple[str, int]) -> pl.DataFrame:
    counts = dict.fromkeys(("acknowledged", "waived", "reopened", "new", "resolved"), 0)
    frame = [{"refresh_id": r, "rule_id": "x.y", "severity": "error", "open": n, **counts} for r, n in rows]
    return CONTRACTS["quality.trend"].conform(pl.DataFrame(frame))


def test_a_centre_writes_its_own_tables_and_the_study_reads_all(at):
    at("north").replace({"cohort.flow": flow(10)})
    at("south").replace({"cohort.flow": flow(5)})
    assert at("north").read("cohort.flow").equals(flow(10))
    (row,) = at().read("cohort.flow").rows(named=True)
    assert (row["entered"], row["excluded"], row["remaining"]) == (15, 2, 13)
    at("south").replace({"cohort.flow": flow(7)})
    assert at().read("cohort.flow")["entered"].to_list() == [17]
    assert at("north").read("cohort.flow").equals(flow(10))


def test_the_pooled_study_has_tables_of_its_own(at):
    at("north").replace({"cohort.flow": flow(10)})
    at().replace({"analysis.table_one": CONTRACTS["analysis.table_one"].empty()})
    pooled = at()
    assert pooled.versions({"analysis.table_one", "cohort.flow"}) is not None
    assert at("south").versions({"analysis.table_one"}) is None


def test_versions_of_the_pooled_study_change_with_any_centre(at):
    at("north").replace({"cohort.flow": flow(10)})
    at("south").replace({"cohort.flow": flow(5)})
    before = at().versions({"cohort.flow"})
    at("south").replace({"cohort.flow": flow(6)})
    assert at().versions({"cohort.flow"}) != before


def test_rows_about_the_whole_study_are_deduplicated(at):
    said = CONTRACTS["cohort.derivability"].conform(pl.DataFrame([{"endpoint": "OS", "derivable": True}]))
    for centre in ("north", "south"):
        at(centre).replace({"cohort.derivability": said})
    assert at().read("cohort.derivability").equals(said)


def test_the_trend_adds_up_the_last_refresh_per_centre_and_day(at):
    nights = ("20260101T010000Z-a", 9), ("20260101T020000Z-b", 3), ("20260102T010000Z-c", 2)
    at("north").replace({"quality.trend": trend(*nights)})
    at("south").replace({"quality.trend": trend(("20260101T030000Z-d", 4))})
    seen = at().read("quality.trend").sort("refresh_id").select("refresh_id", "open").rows()
    assert seen == [("20260101", 7), ("20260102", 2)]


def test_rows_stay_in_their_order(at):
    chunks = [flow(n).with_columns(position=pl.lit(n, pl.Int32)) for n in range(300)]
    whole = pl.concat(chunks, rechunk=False)
    for _ in range(8):
        at("north").replace({"cohort.flow": whole})
        assert at("north").read("cohort.flow").equals(whole)


def test_a_transaction_that_fails_leaves_nothing_of_a_centre(at):
    at("north").replace({"cohort.flow": flow(10)})
    store = at("north")
    with pytest.raises(ZeroDivisionError), store.transaction() as tables:
        tables.execute(f"TRUNCATE {tables.own('cohort.flow')}")
        step_cache.note_versions(tables, {"cohort.flow": "half"})
        raise ZeroDivisionError
    assert at("north").read("cohort.flow").equals(flow(10))


def test_one_number_in_two_centres_is_two_patients(tmp_path):
    key = tmp_path / "s.key"
    ids = pl.Series(["4711"])
    named = {
        release.pseudonyms(ids, release.pseudonym_key(key, centre))["pseudonym"].item()
        for centre in ("", "north", "south")
    }
    assert len(named) == 3


def test_one_fault_in_two_centres_is_two_findings():
    observed = pl.DataFrame(
        [{"rule_id": "r", "record_id": "a", "table_name": "t", "column_name": "c", "severity": "error"}]
    )
    records = pl.DataFrame(
        [{"record_id": "a", "file_id": "f", "path": "p", "source": "s", "position": "1", "record_key": "k"}],
        schema_overrides={"position": pl.String},
    )
    ids = {finding_ids(observed, records, centre)["finding_id"].item() for centre in ("", "north", "south")}
    assert len(ids) == 3


def test_rows_of_a_catalog_lie_in_parquet_files_of_their_centre(tmp_path, monkeypatch):
    monkeypatch.setenv("SARCOMA_CATALOG", str(tmp_path / "catalog.ducklake"))
    monkeypatch.setenv("SARCOMA_CATALOG_DATA", str(tmp_path / "lake"))
    store = Warehouse(path=str(tmp_path / "w.duckdb"), study="s", centres=["north"], centre="north")
    many = pl.concat([flow(10).with_columns(position=pl.lit(n, pl.Int32)) for n in range(30)])
    store.replace({"cohort.flow": many})
    store.close()
    (file,) = (tmp_path / "lake/s/north_cohort/flow").glob("*.parquet")
    assert duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchone() == (30,)
    ducklake.tidy("s", days=0)
    assert store.read("cohort.flow").height == 30
    store.close()


def test_an_unreachable_catalog_is_reported_without_its_address(tmp_path, monkeypatch):
    monkeypatch.setenv("SARCOMA_CATALOG", "postgresql://sarcoma:secret@127.0.0.1:1/lake")
    monkeypatch.setenv("SARCOMA_CATALOG_DATA", str(tmp_path))
    with pytest.raises(ducklake.CatalogUnreachable) as away:
        ducklake.connect("s", timeout=0)
    assert "secret" not in str(away.value)
    monkeypatch.delenv("SARCOMA_CATALOG_DATA")
    with pytest.raises(WarehouseBusy):
        Warehouse(path=str(tmp_path / "w.duckdb"), study="s").read("cohort.flow")
