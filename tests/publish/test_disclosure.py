"""The disclosure policy against an attacker who knows all published numbers and the policy itself."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise, product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sarcoma_pipeline.publish import count_suppression, disclosure, disclosure_estimates
from sarcoma_pipeline.survival import kaplan_meier, table_one
from schemas.analysis import HazardRatio, SurvivalSensitivity
from schemas.cohort import CohortEndpoint, CohortFlow, CohortPatient
from schemas.configuration import TableRow
from schemas.disclosure import WITHHELD, Disclosure
from schemas.release import MetaRelease

World = tuple[int, ...]
Page = tuple[int | None, ...]


def compositions(total: int, parts: int) -> Iterator[World]:
    """Yield all partitions of this number of patients."""
    for first in product(range(total + 1), repeat=parts - 1):
        if sum(first) <= total:
            yield (*first, total - sum(first))


def pinned(worlds: Iterable[World], publish: Callable[[World], Page], threshold: int) -> list[World]:
    """Return cohorts for which the published page determines a small count uniquely."""
    same: dict[Page, list[World]] = defaultdict(list)
    for world in worlds:
        same[publish(world)].append(world)
    return [
        alike[0]
        for page, alike in same.items()
        for i in range(len(alike[0]))
        if page[i] is None and len({w[i] for w in alike}) == 1 and 0 < alike[0][i] < threshold
    ]


def printed(counts: World, hidden: set[int]) -> Page:
    return tuple(None if i in hidden else n for i, n in enumerate(counts))


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 6), st.integers(2, 4), st.data())
def test_small_levels_of_a_factor_cannot_be_derived(threshold, parts, data):
    total = data.draw(st.integers(threshold, 16))

    def publish(counts: World) -> Page:
        page = printed(counts, count_suppression.withheld([counts], total, threshold)[0])
        assert not any(n is not None and 0 < n < threshold for n in page)
        return page

    assert pinned(compositions(total, parts), publish, threshold) == []


@settings(deadline=None, max_examples=15)
@given(st.integers(3, 5), st.integers(6, 9), st.booleans())
def test_equal_levels_of_two_factors_do_not_reveal_a_small_count(threshold, total, opposite):
    """Assume the attacker knows that the first levels of two factors are equal or complementary sets."""
    three, linked = list(compositions(total, 3)), {}
    for one, other in product(three, repeat=2):
        if other[0] == (total - one[0] if opposite else one[0]):
            linked[(*one, *other)] = count_suppression.withheld([one, other], total, threshold)

    def publish(world: World) -> Page:
        first, second = linked[world]
        return (*printed(world[:3], first), *printed(world[3:], second))

    assert pinned(linked, publish, threshold) == []


def flow(excluded: World, remaining: int) -> pl.DataFrame:
    rows, left = [], remaining + sum(excluded)
    for position, n in enumerate(excluded, 1):
        rows.append({"position": position, "criterion": "c", "label": "c", "entered": left, "excluded": n})
        left -= n
        rows[-1]["remaining"] = left
    return CohortFlow.conform(pl.DataFrame(rows))


@pytest.mark.parametrize("threshold", [3, 5])
def test_small_exclusions_of_the_flow_cannot_be_derived(threshold):
    policy = Disclosure(threshold=threshold)

    def publish(excluded: World) -> Page:
        out = disclosure.flow(flow(excluded, 10), policy)
        gaps = (out["entered"] - out["remaining"]).to_list()
        assert out["excluded"].to_list() == gaps
        return (*gaps, *out["entered"], *out["remaining"])

    worlds = [world for total in range(2 * threshold + 4) for world in compositions(total, 3)]
    assert pinned(worlds, publish, threshold) == []


def cohort(sexes: World, events: int) -> dict[str, pl.DataFrame]:
    """Build patients with this many per level, of whom this many die, one per month."""
    n = sum(sexes)
    levels = [
        level for level, count in zip(("female", "male", "diverse"), sexes, strict=True) for _ in range(count)
    ]
    patients = CohortPatient.conform(
        pl.DataFrame({"pseudonym": [f"p{i}" for i in range(n)], "sex": levels}).with_columns(
            age_at_diagnosis_years=pl.int_range(n) + 40.12345, record_ids=pl.concat_list("pseudonym")
        )
    )
    ends = CohortEndpoint.conform(
        pl.DataFrame({"pseudonym": patients["pseudonym"]}).with_columns(
            endpoint=pl.lit("OS"), time_days=(pl.int_range(n) + 1) * 30, event=pl.int_range(n) < events,
            evidence=pl.concat_list("pseudonym"),
        )
    )  # fmt: skip
    rows = (
        TableRow(title="Sex", column="sex", kind="factor", levels=("female", "male", "diverse")),
        TableRow(title="Age", column="age_at_diagnosis_years", kind="median"),
        TableRow(
            title="Age of men", column="age_at_diagnosis_years", kind="median", where={"sex": ("male",)}
        ),
    )
    release = {c: "x" if kind == pl.String else n for c, kind in MetaRelease.polars_schema().items()}
    return {
        "cohort.patients": patients, "cohort.endpoints": ends,
        "analysis.table_one": table_one.table_one(patients, rows),
        "analysis.survival_curve": kaplan_meier.curves(ends),
        "analysis.survival_estimate": kaplan_meier.estimates(ends, (12, 24)),
        "analysis.survival_sensitivity": SurvivalSensitivity.empty(),
        "meta.release": MetaRelease.conform(pl.DataFrame([release])),
        "somebody.elses": patients,
    }  # fmt: skip


def test_row_level_and_unknown_tables_are_not_published():
    frames = cohort((20, 20, 10), 20)
    out = disclosure.public(frames, Disclosure())
    assert set(frames) - set(out) == {
        "cohort.patients", "cohort.endpoints", "analysis.survival_sensitivity", "somebody.elses",
    }  # fmt: skip
    named = set(frames["cohort.patients"]["pseudonym"])
    assert not any(named & set(f[c]) for f in out.values() for c in f.columns if f.schema[c] == pl.String)


def test_a_small_level_is_suppressed_together_with_a_second_one():
    rows = disclosure.public(cohort((3, 40, 10), 20), Disclosure())["analysis.table_one"].filter(block="Sex")
    small, other = rows.filter(level="female"), rows.filter(level="diverse")
    for row in (small, other):
        assert row.select("n", "percent", "percent_printed").row(0) == (None, None, None)
    assert small["text"].to_list() == other["text"].to_list() == [WITHHELD]
    assert rows.filter(level="male")["n"].item() == 40


def test_parts_of_the_cohort_have_no_counts_and_no_individual_values():
    rows = disclosure.public(cohort((3, 40, 10), 20), Disclosure())["analysis.table_one"].rows(named=True)
    men = [r for r in rows if r["block"] == "Age of men"]
    assert all(r["n"] is None and r["denominator"] is None for r in men)
    ages = [r[c] for r in rows if r["block"].startswith("Age") for c in ("value", "low", "high")]
    assert [a for a in ages if a is not None and a != round(a)] == []
    few = disclosure.public(cohort((40, 3, 10), 20), Disclosure())["analysis.table_one"]
    assert set(few.filter(block="Age of men")["text"]) == {WITHHELD}


@settings(deadline=None, max_examples=25)
@given(st.integers(3, 8), st.integers(0, 45), st.integers(1, 12))
def test_between_two_published_survivals_are_no_or_enough_events(threshold, events, grid):
    policy = Disclosure(threshold=threshold, rounding=threshold, grid_months=grid)
    frames = cohort((20, 20, 10), events)
    full = frames["analysis.survival_curve"]
    out = disclosure.public(frames, policy)
    curve, estimates = out["analysis.survival_curve"], out["analysis.survival_estimate"]
    if 0 < events < threshold:
        assert curve.is_empty()
        assert estimates.is_empty()
        return
    told = {*curve.filter(pl.col("survival").is_not_null())["time_months"]} | {
        *estimates.filter(pl.col("value").is_not_null(), quantity="survival")["horizon_months"]
    }
    counts = sorted(int(full.filter(pl.col("time_months") <= t)["events"].sum()) for t in told)
    assert all(b == a or b - a >= threshold for a, b in pairwise(counts))
    assert (curve["time_months"] % grid).sum() == 0
    assert (curve["at_risk"] % threshold).sum() == 0
    assert curve["events"].null_count() == curve["censored"].null_count() == curve.height
    total = estimates.filter(quantity="events")["events"].item()
    assert total is None or all(gap == 0 or gap >= threshold for gap in (total, 50 - total))


@settings(deadline=None, max_examples=25)
@given(st.integers(3, 8), st.integers(0, 45), st.integers(0, 45), st.integers(1, 12))
def test_two_endpoints_never_differ_by_few_events(threshold, deaths, relapses, grid):
    """Check differences between endpoints: DFS events minus OS events are living patients with a relapse."""
    frames = cohort((20, 20, 10), deaths)
    os = frames["cohort.endpoints"]
    dfs = os.with_columns(endpoint=pl.lit("DFS"), event=pl.col("event") | (pl.int_range(pl.len()) < relapses))
    both = CohortEndpoint.conform(pl.concat([os, dfs]))
    full = kaplan_meier.curves(both)
    frames["analysis.survival_curve"] = full
    frames["analysis.survival_estimate"] = kaplan_meier.estimates(both, (12, 24))
    policy = Disclosure(threshold=threshold, rounding=threshold, grid_months=grid)
    out = disclosure.public(frames, policy)
    told: dict[float, list[int]] = defaultdict(list)
    for name in ("OS", "DFS"):
        curve = out["analysis.survival_curve"].filter(pl.col("survival").is_not_null(), endpoint=name)
        at = out["analysis.survival_estimate"].filter(
            pl.col("value").is_not_null(), endpoint=name, quantity="survival"
        )
        for t in {*curve["time_months"], *at["horizon_months"]}:
            past = full.filter(pl.col("time_months") <= t, endpoint=name)
            told[t].append(int(past["events"].sum()))
    gaps = [abs(a - b) for a, b in (counts for counts in told.values() if len(counts) == 2)]
    assert all(gap == 0 or gap >= threshold for gap in gaps)


def test_times_are_whole_months():
    out = disclosure.public(cohort((20, 20, 10), 40), Disclosure())["analysis.survival_estimate"]
    times = out.filter(pl.col("quantity").is_in(["median", "follow-up observed"]))
    told = [v for c in ("value", "ci_low", "ci_high", "q1", "q3") for v in times[c] if v is not None]
    assert told and all(v == round(v) for v in told)


def test_a_cohort_below_the_threshold_is_not_public():
    with pytest.raises(disclosure.TooFewPatients, match="fewer than 5"):
        disclosure.public(cohort((2, 2, 0), 0), Disclosure())


def ratios() -> pl.DataFrame:
    common = {"model": "OS", "endpoint": "OS", "n": 50, "missing": 0, "events": 20, "method": "Cox"}
    levels = [
        ("sex", "female", 25, 10),
        ("grade", "G2", 20, 16),
        ("grade", "G3", 20, 3),
        ("side", "left", 47, 12),
    ]
    rows = [
        {
            **common, "position": i, "term": term, "level": level, "contrast": level, "level_n": n,
            "level_events": events, "hazard_ratio": 1.23456, "ci_low": 0.5, "ci_high": 3.0, "p_value": 0.5,
        }
        for i, (term, level, n, events) in enumerate(levels, 1)
    ]  # fmt: skip
    return HazardRatio.conform(pl.DataFrame(rows))


def test_ratios_based_on_few_are_suppressed():
    out = disclosure_estimates.hazard_ratio(ratios(), count_suppression.Nested(5, (0, 50)), Disclosure())
    # G3 has 3 events, so grade's reference has 1; side's reference has 3 patients.
    assert out.filter(pl.col("hazard_ratio").is_not_null())["level"].to_list() == ["female"]
    withheld = out.filter(pl.col("hazard_ratio").is_null())
    assert withheld.select("ci_low", "ci_high", "p_value").null_count().row(0) == (3, 3, 3)
    assert out["level_n"].null_count() == out["level_events"].null_count() == 4
    assert out["hazard_ratio"][0] == pytest.approx(1.235)


def test_sample_sizes_that_reveal_few_missing_patients_are_suppressed():
    frame = ratios().with_columns(n=pl.lit(47, pl.Int64), missing=pl.lit(3, pl.Int64))
    out = disclosure_estimates.hazard_ratio(frame, count_suppression.Nested(5, (0, 50)), Disclosure())
    assert out["n"].null_count() == out["missing"].null_count() == out.height


def test_rounding_must_not_erase_the_numbers_at_risk():
    with pytest.raises(ValueError, match="rounding"):
        Disclosure(threshold=3, rounding=10)
