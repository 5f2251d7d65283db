"""Incremental refreshes give the same tables as a rebuild, and compute next to nothing without changes."""

import dataclasses
import shutil
import tempfile
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sarcoma_pipeline.cohort import variants
from sarcoma_pipeline.operations.preview_standing import STEPS
from sarcoma_pipeline.orchestration import dose_process
from sarcoma_pipeline.orchestration.assets import analysis, curated, curated_of_group
from sarcoma_pipeline.orchestration.dose_inbox import inbox
from sarcoma_pipeline.synthetic import dicom, dicom_anatomy
from sarcoma_pipeline.warehouse import step_cache
from tests.refresh import previewed
from tests.refresh.nights import EVENTS, Nights, from_a_rebuild, sequence

pytestmark = pytest.mark.slow
ALWAYS = {"received", "volumes", "ledger", "rule_results", "rules"}
"""Steps that depend on the refresh itself, rule results on the ledger; checks are always evaluated."""
NIGHTS = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 10_000)), min_size=2, max_size=4)


@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=NIGHTS)
def test_incremental_nights_equal_a_rebuild(base, events):
    with tempfile.TemporaryDirectory() as folder:
        assert sequence(base, Path(folder), events) == []


def test_nights_with_a_cumulative_export_equal_a_rebuild(base, tmp_path, monkeypatch):
    monkeypatch.setattr(curated_of_group, "PATIENTS", 9)
    shutil.copytree(base.root, tmp_path / "nightly", copy_function=shutil.copy2)
    nightly = Nights(tmp_path / "nightly")
    for number in range(2):
        nightly.deliver(number)
        nightly.refresh()
    # By small groups of patients the same is derived as from all at once.
    monkeypatch.undo()
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []


def test_after_incremental_nights_a_preview_is_that_of_everything_derived_anew(base, tmp_path):
    shutil.copytree(base.root, tmp_path / "nightly", copy_function=shutil.copy2)
    nightly = Nights(tmp_path / "nightly")
    with pytest.MonkeyPatch.context() as readers:
        for event, number in (("move", 4179), ("correct", 6), ("waive", 9471)):
            nightly.apply(event, number, readers)
            nightly.refresh()
    for end in (2013, 2017):
        assert previewed.differing(nightly.project, end) == (set(STEPS), set())


@pytest.fixture
def run_again(monkeypatch) -> list[int]:
    """The number of patients from whom runs under other assumptions were derived, of each time they were."""
    found: list[int] = []
    runs = variants.runs

    def counted(curated, study, main):
        found.append(curated["curated.patient"].height)
        return runs(curated, study, main)

    monkeypatch.setattr(variants, "runs", counted)
    return found


def test_a_waiver_and_a_criterion_equal_a_rebuild(base, tmp_path, run_again):
    shutil.copytree(base.root, tmp_path / "nightly", copy_function=shutil.copy2)
    nightly = Nights(tmp_path / "nightly")
    nightly.refresh()
    with duckdb.connect(str(nightly.project.warehouse), read_only=True) as c:
        found = "SELECT finding_id FROM quality.findings WHERE rule_id = 'surgery.before-diagnosis'"
        (finding,) = c.execute(found).fetchall()[0]
        held = c.execute(
            "SELECT DISTINCT finding_id FROM quality.findings JOIN quality.quarantine USING (record_id) "
            "ORDER BY 1"
        ).fetchall()
    del run_again[:]
    nightly.waive(held.index((finding,)))
    # The record of a patient who is eligible under no assumption changes curated rows, and no run.
    computed = nightly.refresh()
    assert {"curated", "eligibility"} <= computed
    assert computed.isdisjoint({"cohort", "sensitivity", "follow_up"})
    assert run_again == []
    with pytest.MonkeyPatch.context() as readers:
        nightly.apply("criterion", 5, readers)
    assert "sensitivity" in nightly.refresh()
    assert len(run_again) == 1 and run_again[0] < nightly.derived()["curated.patient"].height - 20
    assert from_a_rebuild(nightly, tmp_path / "rebuilt") == []


def test_a_refresh_without_changes_skips_every_step_that_depends_on_files(base):
    base.refresh()
    before = base.derived()
    assert base.refresh() == ALWAYS
    assert base.derived().keys() == before.keys()
    assert all(frame.equals(before[table]) for table, frame in base.derived().items())


def forget_doses(root: Path) -> None:
    """Remove what the study declares about volumes and doses of structures."""
    study = root / "data/studies/sts_imrt/study.toml"
    first, *blocks = study.read_text("utf-8").split("\n[[")
    names = ("dose_columns]]", "dose_response]]", "mean_dose_of_the_")
    kept = [block for block in blocks if not any(name in block for name in names)]
    assert len(kept) < len(blocks)
    study.write_text("\n[[".join([first, *kept]), "utf-8")


def test_doses_computed_after_a_night_are_carried_by_the_next_one(base, tmp_path):
    shutil.copytree(base.root, tmp_path / "one", copy_function=shutil.copy2)
    forget_doses(tmp_path / "one")
    nights = Nights(tmp_path / "one")
    # One patient gets a limb with targets; its PTV is an ellipsoid.
    course = dataclasses.replace(nights.course_of("DEMO-020"), anatomy=True)
    number = course.patient_id
    folder = nights.project.drop / "dicom" / number
    shutil.rmtree(folder)
    dicom.write(course, folder, number)
    nights.refresh()
    assert nights.derived()["curated.dose_volume"].height == 0
    assert dose_process.compute(nights.project) > 80

    computed = nights.refresh()
    assert {"dose_volume", "eligibility", "cohort"} <= computed
    # No analysis uses a dose, so none is computed again.
    assert computed.isdisjoint(step.op.name for step in analysis.assets(nights.project))
    carried = nights.derived()
    ptv = carried["cohort.dose_volume"].filter(pl.col("volume_cc").is_not_null(), structure="PTV")
    assert ptv.height == 1
    assert ptv["volume_cc"].item() == pytest.approx(
        dicom_anatomy.volume_cc(dicom_anatomy.limb(number)), rel=0.02
    )
    # Without a change nothing is computed, and nothing is derived again: the next night deletes the files of
    # the results that the warehouse has, the one after does not even that.
    assert dose_process.compute(nights.project) == 0
    assert nights.refresh() == ALWAYS | {"dose_volume"}
    assert inbox(nights.project).waiting() == []
    assert nights.refresh() == ALWAYS
    assert nights.derived()["cohort.dose_volume"].equals(carried["cohort.dose_volume"])


def test_an_unexpected_file_does_not_recompute_the_analyses(base, tmp_path):
    shutil.copytree(base.root, tmp_path / "one", copy_function=shutil.copy2)
    nights = Nights(tmp_path / "one")
    (nights.project.drop / "stray.txt").write_text("x")
    # The cohort does not change, so everything after it is skipped.
    analyses = {"table_one", "survival", "cumulative_incidence", "subgroup", "hazard_ratio", "sensitivity"}
    assert not nights.refresh() & analyses


@pytest.mark.parametrize("what", ["program", "configuration", "key", "waiver"])
def test_a_change_of_program_configuration_key_or_waiver_recomputes(base, tmp_path, what, monkeypatch):
    shutil.copytree(base.root, tmp_path / "one", copy_function=shutil.copy2)
    nights = Nights(tmp_path / "one")
    nights.refresh()
    if what == "program":
        monkeypatch.setattr(step_cache.provenance, "code_hash", lambda: "another")
    elif what == "configuration":
        study = nights.root / "data/studies/sts_imrt/study.toml"
        study.write_text(study.read_text() + "\n# another\n")
    elif what == "key":
        nights.project.key.write_text("ab" * 32)
    else:
        monkeypatch.setattr(curated, "_waivers", lambda _: "one lapsed")
    computed = nights.refresh()
    assert "quarantine" in computed
    assert ("typed" in computed) == (what != "waiver")
