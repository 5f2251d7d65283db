"""Curves and their tests against their definitions, patient by patient, on small samples."""

from fractions import Fraction
from math import exp, log, nan, sqrt
from statistics import NormalDist

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import gray
from sarcoma_pipeline.survival.competing_risks import aalen_johansen, at_horizons, cumulative_incidence
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, curves, estimator, quartiles
from sarcoma_pipeline.survival.restricted_mean import restricted_means
from sarcoma_pipeline.survival.subgroups import log_rank
from schemas.configuration import CompetingRisks
from tests.survival.small_samples import Sample, samples

Z = NormalDist().inv_cdf(0.975)


def _limits(value: float, error: float) -> tuple[float, float]:
    """Return the log-log limits; NaN of 0 and 1."""
    if not 1e-9 < value < 1 - 1e-9:
        return nan, nan
    middle, width = log(-log(value)), Z * error / (value * -log(value))
    return exp(-exp(middle + width)), exp(-exp(middle - width))


def _kaplan_meier(sample: Sample, *, reverse: bool) -> dict[int, tuple[float, ...]]:
    """Return at risk, events, censored, survival and limits by day: a product of fractions."""
    survival, greenwood, found = Fraction(1), Fraction(0), {}
    for day in sample.days:
        n, here = int(sample.at_risk(day).sum()), sample.time == day
        died = int((here & (sample.event != reverse)).sum())
        survival *= Fraction(n - died, n)
        greenwood += Fraction(died, n * (n - died)) if n > died else 0
        error = float(survival) * sqrt(greenwood)
        counts = float(n), float(died), float(here.sum() - died)
        found[day] = (*counts, float(survival), *_limits(float(survival), error))
    return found


@pytest.mark.parametrize("reverse", [False, True])
def test_kaplan_meier_is_the_product_over_the_days(reverse: bool) -> None:
    several = dict(enumerate(samples(300)))
    frame = pl.concat([s.frame(sample=pl.lit(i)) for i, s in several.items()])
    columns = ["at_risk", "events", "censored", "survival", "ci_low", "ci_high"]
    found = estimator(frame, ["sample"], reverse=reverse)
    for (number,), curve in found.group_by("sample", maintain_order=True):
        # Rows without an event or a censoring are the start and the entries.
        steps = curve.filter(pl.col("events") + pl.col("censored") > 0)
        days = [round(t * DAYS_PER_MONTH) for t in steps["time_months"]]
        ours = dict(zip(days, steps.select(columns).rows(), strict=True))
        theirs = _kaplan_meier(several[int(str(number))], reverse=reverse)
        assert ours.keys() == theirs.keys()
        for day, values in theirs.items():
            found_there = [nan if value is None else value for value in ours[day]]
            assert found_there == pytest.approx(list(values), rel=1e-9, nan_ok=True), (number, day)


def test_who_enters_at_0_is_not_at_risk_of_an_event_on_day_0() -> None:
    frame = pl.DataFrame(
        {"time_days": [0, 0, 1, 2], "event": [True, False, True, False], "entry_days": [-5, -5, 0, -5]}
    )
    found = estimator(frame.with_columns(one=pl.lit(1)), ["one"])
    assert found["at_risk"].to_list() == [4, 3, 2, 1]
    assert found["survival"].to_list() == pytest.approx([1, 2 / 3, 1 / 3, 1 / 3])


def test_a_restricted_mean_counts_patients_who_enter_late() -> None:
    frame = pl.DataFrame(
        {
            "endpoint": "OS",
            "time_days": [10, 20, 30],
            "event": [True, True, False],
            "entry_days": [None, 5, 5],
        }
    )
    # Alone until day 5, three patients until day 10: S is 2/3 from then on, and 1/3 from day 20.
    found = restricted_means(curves(frame), [30 / DAYS_PER_MONTH]).row(0, named=True)
    assert found["n"] == 3
    assert found["value"] == pytest.approx((10 + 10 * 2 / 3 + 10 / 3) / DAYS_PER_MONTH)


def test_a_median_is_the_first_time_at_half_or_the_middle_of_a_step_at_half() -> None:
    for sample in samples(60, seed=2):
        frame = sample.frame(one=pl.lit(1))
        found = quartiles(estimator(frame, ["one"]))
        of = _kaplan_meier(sample, reverse=False)
        for name, level in (("q1", 0.75), ("value", 0.5), ("q3", 0.25)):
            at = [day for day, row in of.items() if row[3] <= level + 1e-12]
            below = [day for day in at if of[day][3] < level - 1e-12]
            # A step that ends the curve reaches to the last time.
            expected = (at[0] + (below[0] if below else sample.days[-1])) / 2 if at else None
            if at and at[0] in below:
                expected = at[0]
            assert found[name] == (None if expected is None else pytest.approx(expected / DAYS_PER_MONTH))


def test_log_rank_adds_hypergeometric_means_and_variances() -> None:
    for sample in samples(120, seed=3):
        found = log_rank(sample.frame())
        levels = [line["level"] for line in found]
        difference, variance = np.zeros(len(levels)), np.zeros((len(levels), len(levels)))
        for day in sample.days:
            mine = [sample.at_risk(day) & (sample.level == level) for level in levels]
            n = np.array([m.sum() for m in mine], dtype=float)
            died = np.array([(m & sample.event & (sample.time == day)).sum() for m in mine], dtype=float)
            total, d = n.sum(), died.sum()
            difference += died - d * n / total
            if total > 1:
                one_death = np.diag(n / total) - np.outer(n, n) / total**2
                variance += d * (total - d) / (total - 1) * one_death
        rank = int(np.linalg.matrix_rank(variance, tol=1e-9))
        chi_square = float(difference @ np.linalg.pinv(variance, rcond=1e-9) @ difference)
        assert [line["observed"] - line["expected"] for line in found] == pytest.approx(difference.tolist())
        assert found[0]["degrees_of_freedom"] == (rank or None)
        assert found[0]["chi_square"] == (pytest.approx(chi_square) if rank else None)


def _incidence(sample: Sample, cause: str, weights: np.ndarray) -> dict[int, complex]:
    """Return the Aalen–Johansen estimate of weighted patients by day."""
    free, incidence, found = 1 + 0j, 0j, {}
    for day in sample.days:
        here, n = sample.time == day, weights[sample.at_risk(day)].sum()
        incidence += free * weights[here & (sample.cause == cause)].sum() / n
        free *= 1 - weights[here & sample.event].sum() / n
        found[day] = incidence
    return found


def test_incidence_and_its_error_are_those_of_the_definition() -> None:
    tiny = 1e-20
    for number, sample in enumerate(samples(120, seed=4)):
        frame = sample.frame().select(days="time_days", entry="entry_days", cause="cause")
        curve = aalen_johansen(frame, ["a", "b"])
        n = len(sample.time)
        for cause in ("a", "b"):
            # The derivative by the weight of each patient, by a complex step, is the jackknife's influence.
            moved = [_incidence(sample, cause, np.ones(n) + tiny * 1j * np.eye(n)[i]) for i in range(n)]
            # Rows of entries have no event and no censoring, so that they are left out.
            mine = curve.filter(cause=cause).slice(1)
            mine = mine.filter(
                (mine["time_months"] * DAYS_PER_MONTH).round().cast(pl.Int64).is_in(sample.days)
            )
            at_risk = [int(sample.at_risk(day).sum()) for day in sample.days]
            assert mine["at_risk"].to_list() == at_risk, (number, cause)
            for row, (day, value) in zip(
                mine.iter_rows(named=True), _incidence(sample, cause, np.ones(n)).items(), strict=True
            ):
                error = sqrt(sum((m[day].imag / tiny) ** 2 for m in moved))
                expected = [value.real, error, *_limits(value.real, error)]
                columns = ("incidence", "standard_error", "ci_low", "ci_high")
                ours = [nan if row[c] is None else row[c] for c in columns]
                assert ours == pytest.approx(expected, rel=1e-7, abs=1e-10, nan_ok=True), (number, cause, day)


def test_who_enters_after_a_horizon_is_not_at_risk_at_it() -> None:
    ends = pl.DataFrame(
        {
            "pseudonym": ["1", "2", "3"], "endpoint": "DFS", "time_days": [30, 40, 50],
            "entry_days": [None, 20, 20], "event": [True, True, False],
            "event_kind": ["death", "distant relapse", "censored"],
        }
    )  # fmt: skip
    ends = ends.with_columns(time_months=pl.col("time_days") / DAYS_PER_MONTH)
    kinds = {"death": ("death",), "relapse": ("distant relapse",)}
    analysis = CompetingRisks(name="c", title="", endpoint="DFS", causes=kinds)
    horizons = [day / DAYS_PER_MONTH for day in (0, 15, 20, 21, 35, 60)]
    found = at_horizons(cumulative_incidence(ends, [analysis]), ends, horizons).filter(cause="death")
    assert found["at_risk"].to_list() == [1, 1, 1, 3, 2, 0]


def test_a_curve_of_incidence_shows_the_entries() -> None:
    # All enter late: on day 10 nobody is at risk yet, on day 20 one patient is.
    times = pl.DataFrame({"days": [30, 40, 50], "entry": [10, 20, 20], "cause": ["a", None, "a"]})
    curve = aalen_johansen(times, ["a"])
    assert [round(t * DAYS_PER_MONTH) for t in curve["time_months"]] == [0, 10, 20, 30, 40, 50]
    assert curve["at_risk"].to_list() == [0, 0, 1, 3, 2, 1]
    assert curve["incidence"].to_list() == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 1])


def _times(*patients: tuple[int, str | None, str]) -> pl.DataFrame:
    return pl.DataFrame(patients, schema=["days", "cause", "level"], orient="row")


def test_gray_compares_only_groups_that_are_at_risk_at_an_event() -> None:
    # Group A has left before the only event b. It is in C: 1 of 4 there, none of 3 in B, so that 4/7 are
    # expected: (3/7)² / (4/7 · 3/7) = 3/4 with one degree of freedom. cmprsk gives no test.
    times = _times(
        (0, "a", "A"), (1, "b", "C"), (2, "a", "B"), (5, "a", "B"),
        (6, "a", "C"), (7, None, "C"), (9, None, "B"), (9, "a", "C"),
    )  # fmt: skip
    found = gray.test(times, "b")
    assert found is not None
    assert (found.statistic, found.degrees) == (pytest.approx(0.75), 1)
    assert found.p_value == pytest.approx(2 * NormalDist().cdf(-sqrt(0.75)))


def test_gray_has_no_test_if_no_groups_are_compared() -> None:
    # Group B has left before the only event a.
    assert gray.test(_times((2, "b", "B"), (3, "a", "A"), (4, "b", "A")), "a") is None


def test_gray_has_no_test_if_its_variance_is_negative() -> None:
    # cmprsk gives a chi-square of -5.65 here, of which there is no p value.
    ends = ["bA", "aB", "aD", "aB", "aB", "aB", "aC", "bA", "aD"]
    later = ["bD", "aC", "aD", "aD", "aC", "aD", "aC", "aB", "aA"]
    last = [(2, "b", "D"), (2, "b", "C")]
    patients = [(day, *end) for day, some in ((0, ends), (1, later)) for end in some]
    assert gray.test(_times(*((day, cause, level) for day, cause, level in [*patients, *last])), "a") is None
