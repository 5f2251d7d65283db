"""Cumulative incidence of toxicity by group: against R's cmprsk, and by pencil."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH
from sarcoma_pipeline.survival.toxicity_incidence import toxicity_incidence
from schemas.cohort import CohortPatient
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.configuration import Covariate
from schemas.toxicity_toml import ToxicityEndpoint
from tests.survival.golden import data, quantities

LATE = ToxicityEndpoint(name="late", title="Late", window="late", by="group")
GROUP = Covariate(name="group", column="radiation_sequence", kind="factor", reference="x")


def cohort(groups, days, outcomes, bases=None) -> tuple[pl.DataFrame, pl.DataFrame]:
    names = [f"p{n:04}" for n in range(len(days))]
    patients = CohortPatient.conform(pl.DataFrame({"pseudonym": names, "radiation_sequence": groups}))
    states = CohortToxicityEndpoint.conform(
        pl.DataFrame(
            {"pseudonym": names, "endpoint": ["late"] * len(days), "time_days": days, "outcome": outcomes,
             "time_basis": bases or [None] * len(days)},
            schema_overrides={"time_basis": pl.String},
        )
    )  # fmt: skip
    return patients, states


# The kinds of R's sets stand for toxicity and death.
@pytest.mark.parametrize(
    ("name", "group", "kind"),
    [("rotterdam", "hormon", "relapse"), ("demo_dmfs", "sequence", "distant relapse")],
)
def test_incidence_and_gray_are_cmprsks(name: str, group: str, kind: str) -> None:
    frame = data(name)
    words = {kind: "toxicity", "death": "death", "censored": "censored"}
    outcome = frame["event_kind"].replace_strict(words)
    made = toxicity_incidence(
        *cohort(frame[group], frame["time_days"], outcome), [LATE],
        [GROUP.model_copy(update={"reference": str(frame[group].min())})],
        [t / DAYS_PER_MONTH for t in _times(name, group)],
    ).estimates  # fmt: skip
    theirs = quantities("gray", set=name, object=f"{group} incidence")
    for level in frame[group].unique():
        for at, value in enumerate(made.filter(level=level)["value"], 1):
            expected = theirs[f"{level} {kind}", f"at{at}"]
            assert value is None or value == pytest.approx(expected, rel=1e-9)
        assert made.filter(level=level)["value"].drop_nulls().len()
    test = quantities("gray", set=name, object=group)
    assert made["gray_statistic"][0] == pytest.approx(test[kind, "statistic"], rel=1e-8)
    assert made["p_value"][0] == pytest.approx(test[kind, "p_value"], rel=1e-8)


def _times(name: str, group: str) -> list[float]:
    found = quantities("gray", set=name, object=f"{group} incidence")
    return [v for (key, _), v in sorted(found.items()) if key == "times" and v is not None]


def test_incidence_by_pencil() -> None:
    """Five patients: toxicity after 4 months, amputation after 8, toxicity after 12, death, censoring.

    At 12 months: 1/5 + (3/5) · (1/3) = 0.4; Kaplan and Meier's estimate with the amputation censored would be
    1 − (4/5)(2/3) = 0.467.
    """
    month = DAYS_PER_MONTH
    days = [round(n * month) for n in (4, 8, 12, 20, 24)]
    outcomes = ["toxicity", "amputation", "toxicity", "death", "censored"]
    bases = ["middle", None, "date", None, None]
    made = toxicity_incidence(*cohort(["x"] * 5, days, outcomes, bases), [LATE], [GROUP], [12.01, 36.0])
    row = made.estimates.row(0, named=True)
    assert row["value"] == pytest.approx(0.4)
    counted = ("at_start", "events", "deaths", "amputations", "undated", "at_risk")
    assert [row[c] for c in counted] == [5, 2, 1, 1, 1, 2]
    assert made.estimates["p_value"].null_count() == made.estimates.height, "one group has no test"
    assert made.estimates.filter(horizon_months=36.0)["value"].null_count() == 2, "nobody is followed so long"


def test_acute_toxicity_has_no_incidence() -> None:
    acute = LATE.model_copy(update={"window": "acute"})
    made = toxicity_incidence(*cohort(["x"], [100], ["toxicity"]), [acute], [GROUP], [12.0])
    assert made.estimates.is_empty() and made.curves.is_empty()


def test_the_incidence_of_wounds_stays_after_their_window() -> None:
    patients, states = cohort(
        ["x"] * 4, [40, 120, 120, 120], ["toxicity", "censored", "censored", "censored"]
    )
    wound = ToxicityEndpoint(name="late", title="W", measure="major wound complication", by="group")
    made = toxicity_incidence(patients, states, [wound], [GROUP], [3.0, 12.0]).estimates
    assert made.filter(level="x")["value"].to_list() == [0.25, 0.25]
