"""What an endpoint's rule becomes under the switches, and which endpoints need a time free of disease."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.endpoint_rules import disease_free, resolved
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.assumptions import Assumptions
from schemas.configuration import EndpointRule

LOCAL, REGIONAL, DISTANT = "local relapse", "regional relapse", "distant relapse"
UNKNOWN, SECOND, DEATH = "relapse of unknown site", "second malignancy", "death"
LRFS, DMFS = (LOCAL, REGIONAL, DEATH), (DISTANT, DEATH)
DFS = (LOCAL, REGIONAL, DISTANT, UNKNOWN, SECOND, DEATH)
LOOKED, ALIVE = "last disease assessment", "last known alive"


def rule(events, censor=LOOKED) -> EndpointRule:
    return EndpointRule.model_validate({"name": "E", "title": "E", "events": events, "censor": censor})


@pytest.mark.parametrize(
    ("events", "needed"),
    [
        (DFS, True),
        ((LOCAL, REGIONAL, DISTANT, DEATH), True),
        # Event-free and progression-free survival count what was never removed as an event of their own.
        ((*DFS, "residual tumour"), False),
        ((*DFS, "progression under treatment"), False),
        (LRFS, False),
        (DMFS, False),
        ((DEATH,), False),
    ],
)
def test_disease_free_survival_alone_needs_a_time_free_of_disease(events, needed):
    assert disease_free(rule(events)) is needed


@pytest.mark.parametrize(
    ("events", "censor", "switches", "expected", "by"),
    [
        (LRFS, LOOKED, {}, LRFS, ()),
        # A relapse of unknown site stands after the sites and before the death, which may be of its day.
        (LRFS, LOOKED, {"unknown_site": "every site"}, (LOCAL, REGIONAL, UNKNOWN, DEATH), ()),
        (DMFS, LOOKED, {"unknown_site": "every site"}, (DISTANT, UNKNOWN, DEATH), ()),
        (DFS, LOOKED, {"unknown_site": "every site"}, DFS, ()),
        ((DEATH,), ALIVE, {"unknown_site": "every site"}, (DEATH,), ()),
        (LRFS, LOOKED, {"other_malignancy": "censors"}, LRFS, (SECOND,)),
        (DFS, LOOKED, {"other_malignancy": "censors"}, DFS, ()),
        ((DEATH,), ALIVE, {"other_malignancy": "censors"}, (DEATH,), ()),
    ],
)
def test_the_events_and_censoring_events_under_a_switch(events, censor, switches, expected, by):
    made = resolved(
        rule(events, censor), Timeline(pl.DataFrame(), pl.DataFrame(), Assumptions.model_validate(switches))
    )
    assert (made.events, made.censored_by) == (expected, by)
