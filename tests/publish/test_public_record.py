"""A reader who has every public version, and subtracts them, learns of no few patients."""

import shutil
from itertools import combinations, pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sarcoma_pipeline.publish import disclosure, public_record
from sarcoma_pipeline.publish.differences import Comparison, TooAlike
from sarcoma_pipeline.study import project
from schemas.disclosure import Disclosure
from tests.publish.test_disclosure import cohort, flow
from tests.refreshed import REPOSITORY

K = 5


def release(name, sexes, events=20, follow_up=1.0, sex_of=None):
    """Return a release with this many women, men and others; ``sex_of`` corrects single patients."""
    frames = cohort(sexes, events)
    n = sum(sexes)
    frames["cohort.endpoints"] = frames["cohort.endpoints"].with_columns(
        time_days=(pl.col("time_days") * follow_up).cast(frames["cohort.endpoints"].schema["time_days"])
    )
    frames["meta.release"] = frames["meta.release"].with_columns(
        refresh_id=pl.lit(name), content_hash=pl.lit(name), eligible=pl.lit(n)
    )
    return frames


@pytest.fixture
def study(tmp_path):
    shutil.copytree(REPOSITORY / "data/studies", tmp_path / "data/studies")
    return project.load("sts_imrt", tmp_path)


def publish(study, frames, at="2030-01-01T00:00:00+00:00"):
    return public_record.publish(study, frames, at)


def test_the_same_release_is_published_as_often_as_wanted(study):
    first = publish(study, release("R1", (20, 20, 10)))
    again = publish(study, release("R1", (20, 20, 10)))
    assert all(first[t].equals(again[t]) for t in first) and first.keys() == again.keys()
    assert len(public_record.versions(study)) == 1
    assert public_record.record_of(study).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("more", [(1, 0, 0), (0, 4, 0), (-1, 0, 0), (2, -2, 0), (0, 1, -1), (3, -1, 0)])
def test_a_version_that_differs_by_few_patients_is_refused(study, more):
    publish(study, release("R1", (20, 20, 10)))
    before = public_record.record_of(study).read_bytes()
    with pytest.raises(TooAlike, match="R1"):
        publish(study, release("R2", tuple(a + b for a, b in zip((20, 20, 10), more, strict=True))))
    assert public_record.record_of(study).read_bytes() == before


def test_a_version_in_which_few_patients_have_another_value_is_refused(study):
    """Nobody joined or left, and no count differs: a median or a curve may."""
    frames = release("R1", (20, 20, 10))
    publish(study, frames)
    ends = frames["cohort.endpoints"]
    longer = ends.with_columns(time_days=pl.when(pl.int_range(pl.len()) < 4).then(1).otherwise("time_days"))
    with pytest.raises(TooAlike):
        publish(study, {**frames, "cohort.endpoints": longer.cast(ends.schema)})
    more = ends.with_columns(time_days=pl.when(pl.int_range(pl.len()) < 5).then(1).otherwise("time_days"))
    assert publish(study, {**frames, "cohort.endpoints": more.cast(ends.schema)})


def test_every_earlier_version_counts_not_only_the_last(study):
    publish(study, release("R1", (20, 20, 10)))
    publish(study, release("R2", (30, 30, 20)))
    with pytest.raises(TooAlike, match="R1"):
        publish(study, release("R3", (21, 20, 10)))
    with pytest.raises(TooAlike, match="R2"):
        publish(study, release("R3", (31, 30, 20)))


def test_a_rotated_key_makes_no_other_patient(study):
    frames = release("R1", (20, 20, 10))
    publish(study, frames)
    for table in ("cohort.patients", "cohort.endpoints"):
        frames[table] = frames[table].with_columns(pseudonym="new" + pl.col("pseudonym"))
    assert publish(study, frames)
    few = release("R2", (21, 20, 10))
    for table in ("cohort.patients", "cohort.endpoints"):
        few[table] = few[table].with_columns(pseudonym="new" + pl.col("pseudonym"))
    with pytest.raises(TooAlike):
        publish(study, few)


def test_a_study_of_the_same_patients_is_compared_too(study):
    publish(study, release("R1", (20, 20, 10)))
    other = public_record.record_of(study).with_name("other.public.jsonl")
    public_record.record_of(study).rename(other)
    with pytest.raises(TooAlike):
        publish(study, release("R2", (21, 20, 10)))


def test_a_study_of_other_patients_is_not_compared(study):
    publish(study, release("R1", (20, 20, 10)))
    path = public_record.record_of(study)
    text = path.read_text()
    for digest in public_record.versions(study)[0]["patients"]:
        text = text.replace(digest, "x" + digest[1:])
    path.with_name("other.public.jsonl").write_text(text)
    path.unlink()
    assert publish(study, release("R2", (21, 20, 10)))


def test_what_nobody_had_is_not_compared_and_stays_recorded(study):
    publish(study, release("R1", (20, 20, 10)))
    with pytest.raises(public_record.NotRecorded):
        public_record.take_back(study, "R9", "who", "then", "a trial")
    assert public_record.take_back(study, "R1", "who", "then", "a trial") == 1
    publish(study, release("R2", (21, 20, 10)))
    assert [v.get("unissued", {}).get("reason") for v in public_record.versions(study)] == ["a trial", None]


def test_a_damaged_record_refuses_every_version(study):
    publish(study, release("R1", (20, 20, 10)))
    path = public_record.record_of(study)
    path.write_text(path.read_text()[:100])
    with pytest.raises(ValueError):
        publish(study, release("R1", (20, 20, 10)))


def test_a_version_is_recorded_before_anything_is_written(study, monkeypatch):
    monkeypatch.setattr(public_record, "_write", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError):
        publish(study, release("R1", (20, 20, 10)))


def test_a_restored_record_keeps_the_versions_since(study):
    publish(study, release("R1", (20, 20, 10)), "2030-01-01")
    backup = public_record.record_of(study).read_bytes()
    publish(study, release("R2", (40, 20, 10)), "2030-02-01")
    now = public_record.versions(study)
    public_record.record_of(study).write_bytes(backup)
    public_record.keep(study, now)
    assert public_record.versions(study) == now


def _cells(made):
    """Return every count of patients that a reader sees."""
    rows = made["analysis.table_one"].rows(named=True)
    cells = {(r["block"], r["level"]): r["n"] for r in rows if r["level"]}
    if "cohort.flow" in made:
        for r in made["cohort.flow"].rows(named=True):
            cells |= {
                ("flow", r["position"], c): r[c] for c in ("entered", "excluded", "remaining", "not_known")
            }
    for r in made["analysis.survival_estimate"].rows(named=True):
        cells |= {(r["endpoint"], r["quantity"], r["horizon_months"], c): r[c] for c in ("n", "events")}
    return {cell: n for cell, n in cells.items() if n is not None}


SIZES = st.tuples(st.integers(0, 30), st.integers(5, 30), st.integers(0, 12))


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(SIZES, st.integers(0, 30), st.lists(st.integers(0, 9), min_size=2, max_size=2)),
        min_size=2,
        max_size=4,
    )
)
def test_no_two_versions_differ_by_few_in_any_count(worlds):
    policy, told, known = Disclosure(threshold=K), [], []
    for i, (sexes, events, excluded) in enumerate(worlds):
        frames = release(f"R{i}", sexes, min(events, sum(sexes)))
        frames["cohort.flow"] = flow(tuple(excluded), sum(sexes)).with_columns(
            criterion=pl.format("c{}", "position")
        )
        compared = Comparison(policy, [(counts, K) for counts in known])
        try:
            made = disclosure.public(frames, policy, compared)
        except (TooAlike, disclosure.TooFewPatients):
            continue
        told.append((made, sum(sexes)))
        known.append(compared.counts)
    for (one, size), (other, larger) in combinations(told, 2):
        a, b = _cells(one), _cells(other)
        for cell in a.keys() & b.keys():
            assert not 0 < abs(a[cell] - b[cell]) < K, cell
        levels = {cell for cell in a.keys() & b.keys() if cell[0] == "Sex"}
        rest = (size - sum(a[c] for c in levels)) - (larger - sum(b[c] for c in levels))
        assert not 0 < abs(rest) < K
        curves = [m["analysis.survival_curve"].drop_nulls("survival") for m in (one, other)]
        assert all(c["events"].null_count() == c.height for c in curves)


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(SIZES, SIZES, st.integers(3, 8), st.integers(3, 8))
def test_another_threshold_tells_no_level_that_was_suppressed(sexes, later, threshold, other):
    """A lower threshold in the second version must not reveal what the first one suppressed."""
    known, hidden = [], {}
    for world, k in ((sexes, threshold), (sexes, other), (later, other)):
        policy = Disclosure(threshold=k, rounding=min(5, 2 * k))
        compared = Comparison(policy, known)
        try:
            made = disclosure.public(release("R", world), policy, compared)
        except (TooAlike, disclosure.TooFewPatients):
            continue
        shown = {cell for cell in _cells(made) if cell[0] == "Sex"}
        for level, n in zip(("female", "male", "diverse"), world, strict=True):
            if hidden.get(level) == n:
                assert ("Sex", level) not in shown
            if ("Sex", level) not in shown:
                hidden[level] = n
        known = [*known, (compared.counts, k)]


def test_other_levels_of_the_same_variable_are_suppressed():
    policy, first = Disclosure(), Comparison(Disclosure())
    frames = release("R1", (20, 20, 10))
    disclosure.public(frames, policy, first)
    table = frames["analysis.table_one"].with_columns(level=pl.col("level").replace({"male": "men"}))
    made = disclosure.public(
        {**frames, "analysis.table_one": table}, policy, Comparison(policy, [(first.counts, K)])
    )
    assert made["analysis.table_one"].filter(block="Sex")["n"].null_count() == 3


def test_another_time_of_a_curve_is_compared_with_all_earlier_ones():
    """Twelve months then and thirteen now: the events between them are few."""
    frames, policy = release("R1", (20, 20, 10), 30), Disclosure()
    first = Comparison(policy)
    disclosure.public(frames, policy, first)
    finer = Disclosure(grid_months=1)
    made = disclosure.public(frames, finer, Comparison(finer, [(first.counts, K)]))
    alone = disclosure.public(frames, finer)
    shown, before = (
        {*m["analysis.survival_curve"].drop_nulls("survival")["time_months"]} for m in (made, alone)
    )
    full = frames["analysis.survival_curve"]
    then = {float(t) for t, (_, s) in first.counts["events of OS"].items() if s}
    events = [int(full.filter(pl.col("time_months") <= t)["events"].sum()) for t in sorted(then | shown)]
    assert all(b == a or b - a >= K for a, b in pairwise(events))
    assert before and then
