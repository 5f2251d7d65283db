"""Nights that touch few files type only these, and give the same tables as typing all."""

from __future__ import annotations

import random
import shutil

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.curation import report_choice, typed_records
from sarcoma_pipeline.orchestration.assets import typed_by_file
from sarcoma_pipeline.warehouse import row_order, step_cache
from schemas.all_contracts import CONTRACTS
from tests.refresh.nights import from_a_rebuild, from_all_steps

pytestmark = pytest.mark.slow


@pytest.fixture
def amended(monkeypatch) -> list[bool]:
    """Whether typed tables were amended, of each night that typed anything."""
    found: list[bool] = []
    amendment = typed_by_file._amended

    def counted(*given):
        made = amendment(*given)
        found.append(made is not None)
        return made

    monkeypatch.setattr(typed_by_file, "_amended", counted)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_typing_groups_of_files_is_typing_all(base, seed):
    chosen = random.Random(seed)
    with duckdb.connect(str(base.project.warehouse), read_only=True) as c:
        days = c.execute("SELECT refresh_id, received_on FROM meta.refreshes").pl()
        files = c.execute("SELECT file_id, source, path FROM meta.files WHERE last_refresh IS NULL").pl()
        received = {
            t: CONTRACTS[t].conform(c.execute(f"FROM {t} WHERE last_refresh IS NULL").pl())
            for t in CONTRACTS
            if t.startswith("received.")
        }
    sources = base.project.sources
    told = report_choice.choose(report_choice.reader(received), files, days)
    whole, grouped = [], []
    for table, every in sorted(received.items()):
        frame = every.join(told.disposition, on="record_id", how="anti", maintain_order="left")
        repeats = typed_records.repeated(frame, files)
        whole.append(typed_records.type_part(table, frame, repeats, sources, days, files))
        group = {file: chosen.randrange(8) for file in frame["file_id"].unique().sort()}
        of = frame.with_columns(
            _group=pl.col("file_id").replace_strict(group, default=0, return_dtype=pl.Int64)
        )
        for some in of.partition_by("_group"):
            grouped.append(typed_records.type_part(table, some.drop("_group"), repeats, sources, days, files))
    one, other = typed_records.joined(whole), typed_records.joined(grouped)
    for table, frame in one.frames.items():
        assert row_order.ordered(table, frame).equals(row_order.ordered(table, other.frames[table])), table
    for a, b in ((one.observed, other.observed), (one.disposition, other.disposition)):
        assert a.sort("record_id", maintain_order=True).equals(b.sort("record_id", maintain_order=True))


def test_nights_that_touch_few_files_equal_a_rebuild(nightly, tmp_path, amended):
    chosen, kept = random.Random(1), set()
    with pytest.MonkeyPatch.context() as readers:
        for event in ("pad", "correct", "rename", "remove", "withdraw", "restore", "change", "truncate"):
            nightly.apply(event, 2 * chosen.randrange(5_000) + 1, readers)
            nightly.refresh()
            kept |= {event} if amended[-1] else set()
            if event in ("correct", "withdraw", "truncate"):
                assert from_all_steps(nightly, tmp_path / event) == [], event
    assert kept >= {"pad", "correct", "rename", "remove", "withdraw"}
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []


def test_a_padded_file_that_says_the_same_changes_no_typed_table(nightly, amended):
    with duckdb.connect(str(nightly.project.warehouse), read_only=True) as c:
        before = step_cache.known(step_cache.Tables(c))
    with pytest.MonkeyPatch.context() as readers:
        nightly.apply("pad", 3, readers)
    computed = nightly.refresh()
    assert amended == [True]
    with duckdb.connect(str(nightly.project.warehouse), read_only=True) as c:
        after = step_cache.known(step_cache.Tables(c))
    typed = [table for table in before if table.startswith("typed.")]
    assert typed and all(before[table] == after[table] for table in typed)
    assert "typed" in computed and computed.isdisjoint({"link", "quarantine", "curated"})


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM meta.step_files",
        "UPDATE meta.step_files SET circumstances = 'another'",
        "DELETE FROM typed.plan WHERE record_id = (SELECT min(record_id) FROM typed.plan)",
        "DELETE FROM quality.observed WHERE step = 'typed'",
        "DELETE FROM meta.versions WHERE table_name = 'typed.person'",
        "UPDATE meta.step_files SET named = 'another'",
    ],
)
def test_everything_is_typed_if_anything_is_not_as_noted(nightly, tmp_path, amended, damage):
    with duckdb.connect(str(nightly.project.warehouse)) as c:
        c.execute(damage)
    with pytest.MonkeyPatch.context() as readers:
        nightly.apply("pad", 5, readers)
        nightly.refresh()
    assert amended == [False]
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []


def test_everything_is_typed_if_a_copy_elsewhere_gives_records_other_names(nightly, tmp_path, amended):
    plan = sorted((nightly.project.drop / "dicom").rglob("*.dcm"))[-1]
    # The copy is read before the original, which becomes the copy.
    shutil.copy(plan, nightly.project.drop / "dicom/000.dcm")
    nightly.refresh()
    assert amended == [False]
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []
