"""The switches of ``[assumptions]``: declared once, each value with its sentence, each other value a run."""

import datetime as dt
from typing import get_args

import pytest
from pydantic import ValidationError

from schemas.assumptions import Assumptions, Declared, alternatives, declared
from schemas.configuration import EndpointRule, EventKind
from schemas.vocabularies import EVENT_KIND

SWITCHES = list(declared())
DEFAULTS = Assumptions()


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda s: s.name)
def test_every_value_has_its_own_sentence_and_every_other_value_a_run(switch: Declared):
    default = getattr(DEFAULTS, switch.name)
    values = switch.values or (default, *switch.switch.runs)
    sentences = [switch.sentence(v) for v in values]
    assert all(s.endswith(".") for s in sentences)
    assert len(set(sentences)) == len(values)
    if switch.values:
        assert set(switch.switch.says) == set(switch.values)
        assert set(switch.others(default)) == set(switch.values) - {default}
    elif switch.name != "data_cutoff":
        assert switch.switch.runs and default not in switch.switch.runs
    assert switch.switch.shows and switch.switch.section in "234567"


def test_an_alternative_changes_its_switch_and_what_it_means_nothing_without():
    for switch, value, changed in alternatives(DEFAULTS):
        moved = {n for n in Assumptions.model_fields if getattr(changed, n) != getattr(DEFAULTS, n)}
        assert getattr(changed, switch.name) == value
        assert moved == {switch.name, *(switch.switch.only_with or ())[:1]}


def test_the_run_of_a_chosen_value_is_the_default():
    chosen = Assumptions(never_disease_free="include", synchronous_malignancy_days=60)
    runs = [(switch.name, value) for switch, value, _ in alternatives(chosen)]
    assert ("never_disease_free", "exclude") in runs
    assert [v for n, v in runs if n == "synchronous_malignancy_days"] == [0, 180]


@pytest.mark.parametrize(
    "wrong",
    [
        {"never_disease_free": "exlude"},
        {"never_disease_fre": "exclude"},
        {"reresection_days": -1},
        {"landmark_days": "soon"},
        {"data_cutoff": "2021"},
    ],
)
def test_a_misspelt_switch_or_value_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Assumptions.model_validate(wrong)


def test_a_cut_off_is_a_day():
    (cutoff,) = (s for s in SWITCHES if s.name == "data_cutoff")
    assert "2021-12-31" in cutoff.sentence(Assumptions(data_cutoff=dt.date(2021, 12, 31)).data_cutoff)
    assert not cutoff.others(None)


def test_an_event_is_one_of_the_vocabulary():
    assert set(get_args(EventKind)) == set(EVENT_KIND) - {"censored"}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"events": ["deaths"]}, "'death'"),
        ({"censor": "last seen"}, "'last known alive'"),
        ({"entry": "radiotherapy"}, "'radiotherapy start'"),
        ({"origin": "biopsy"}, "'diagnosis'"),
        ({"censored_by": ["second cancer"]}, "'second malignancy'"),
        ({"censored_by": ["death"]}, "cannot both"),
        ({"name": "disease free"}, "name"),
        ({"derivable": False}, "needs a reason"),
    ],
)
def test_a_misspelt_endpoint_is_refused_with_what_is_allowed(wrong, told):
    right = {"name": "EFS", "title": "Event-free survival", "events": ["death"], "censor": "last known alive"}
    EndpointRule.model_validate(right)
    with pytest.raises(ValidationError, match=told):
        EndpointRule.model_validate({**right, **wrong})
