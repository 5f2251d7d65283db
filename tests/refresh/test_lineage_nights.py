"""Nights that touch few patients trace only these, and give the same lineage as tracing all."""

from __future__ import annotations

import random

import duckdb
import pytest

from sarcoma_pipeline.orchestration.assets import lineage as asset
from tests.refresh.nights import from_a_rebuild, from_all_steps

pytestmark = pytest.mark.slow


@pytest.fixture
def kept(monkeypatch) -> list[int]:
    """The number of patients whose rows were kept, of each night that traced anybody."""
    found: list[int] = []
    of_touched = asset._of_touched

    def counted(warehouse, project, traced):
        made = of_touched(warehouse, project, traced)
        new = made.amended[asset._OF_PATIENTS].rows.height if made.amended else None
        found.append(0 if new is None else traced["pseudonym"].n_unique() - new)
        return made

    monkeypatch.setattr(asset, "_of_touched", counted)
    return found


def test_nights_that_touch_few_patients_equal_a_rebuild(nightly, tmp_path, kept):
    chosen, some = random.Random(2), set()
    with pytest.MonkeyPatch.context() as readers:
        for event in (
            "pad",
            "rename",
            "correct",
            "remove",
            "move",
            "restore",
            "truncate",
            "withdraw",
            "waive",
        ):
            del kept[:]
            nightly.apply(event, 2 * chosen.randrange(5_000) + 1, readers)
            nightly.refresh()
            some |= {event} if any(kept) else set()
            if event in ("correct", "withdraw", "waive"):
                assert from_all_steps(nightly, tmp_path / event) == [], event
    assert some >= {"pad"} and len(some) > 3, some
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []


def test_a_name_that_is_a_word_of_a_path_hides_it_for_everybody(nightly, tmp_path, kept):
    drop = nightly.project.drop
    shown = "SELECT count(*) FROM meta.lineage WHERE path LIKE '%obds%'"
    with duckdb.connect(str(nightly.project.warehouse), read_only=True) as c:
        assert c.execute(shown).fetchone() != (0,)
    exported = sorted((drop / "obds").glob("*.xml"))[0]
    content = exported.read_text("utf-8")
    named = content.replace("<Nachname>", "<Nachname>Obds-", 1)
    assert named != content
    exported.write_text(named, "utf-8")
    nightly.refresh()
    assert kept[-1] == 0
    with duckdb.connect(str(nightly.project.warehouse), read_only=True) as c:
        assert c.execute(shown).fetchone() == (0,)
    assert from_all_steps(nightly, tmp_path / "all") == []


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM meta.lineage WHERE pseudonym = (SELECT min(pseudonym) FROM meta.lineage)",
        "DELETE FROM meta.step_patients WHERE step = 'lineage'",
        "UPDATE meta.step_patients SET circumstances = 'another' WHERE step = 'lineage'",
        "DELETE FROM meta.versions WHERE table_name = 'meta.lineage'",
    ],
)
def test_everybody_is_traced_if_anything_is_not_as_noted(nightly, tmp_path, kept, damage):
    with duckdb.connect(str(nightly.project.warehouse)) as c:
        c.execute(damage)
    with pytest.MonkeyPatch.context() as readers:
        nightly.apply("pad", 5, readers)
        nightly.refresh()
    assert kept == [0]
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []
