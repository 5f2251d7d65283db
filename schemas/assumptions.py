"""Declare the choices that the literature leaves open: switches of ``[assumptions]`` in ``study.toml``.

A switch is declared once: name, values, default, the sentence of the methods section for each value, and the
question that other values answer. The check of the file, the methods, the sensitivity runs and
``docs/definitions.md`` are made from the declaration. A switch takes effect before the endpoints are derived;
each other value is a run of its own, derived anew from the curated events.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import NonNegativeInt

from schemas.assumptions_of_cohort import CohortAssumptions
from schemas.switch import Declared, Switch, Value

__all__ = ["Assumptions", "Declared", "Switch", "Value", "alternatives", "declared", "sentences"]


class Assumptions(CohortAssumptions):
    """``[assumptions]`` of ``study.toml``; every key has a default."""

    # --- events ---------------------------------------------------------------------------------------

    progression_before_resection: Annotated[
        Literal["under treatment", "event"],
        Switch(
            "4",
            {
                "under treatment": "Local or regional progression before or on the day of the definitive "
                "resection is no event.",
                "event": "Local or regional progression before the definitive resection is an event "
                "(strict, as "
                "in STRASS).",
            },
            "the effect of progression under preoperative treatment",
        ),
    ] = "under treatment"
    unknown_site: Annotated[
        Literal["censored", "every site"],
        Switch(
            "4",
            {
                "censored": "A relapse of unknown site ends disease-free survival and censors endpoints of "
                "a specific site at the last examination before it.",
                "every site": "A relapse of unknown site is an event of every endpoint of a specific site "
                "(worst case).",
            },
            "the worst case for relapses without a site",
            acts="endpoints",
        ),
    ] = "censored"
    metastasis_date: Annotated[
        Literal["its own", "examination"],
        Switch(
            "4",
            {
                "its own": "A metastasis is dated by the earlier of its own date and the examination that "
                "reports it.",
                "examination": "A metastasis is dated by the day of the examination that reports it.",
            },
            "whether back-dated metastases shorten the times",
        ),
    ] = "its own"
    cause_of_death: Annotated[
        Literal["any", "tumour"],
        Switch(
            "4",
            {
                "any": "Death of any cause is an event.",
                "tumour": "Only death by the tumour is an event: documented as such, or of undocumented "
                "cause after a relapse. Other deaths censor.",
            },
            "the share of deaths by other causes",
            acts="endpoints",
        ),
    ] = "any"
    undated_death: Annotated[
        Literal["last known alive", "middle"],
        Switch(
            "4",
            {
                "last known alive": "Patients who died on an unknown day are censored on the last day known"
                " alive.",
                "middle": "Patients who died on an unknown day are assumed to have died in the middle "
                "between the last day known alive and the day of the report.",
            },
            "the effect of deaths without a date",
        ),
    ] = "last known alive"

    # --- who is at risk until when --------------------------------------------------------------------

    never_examined: Annotated[
        Literal["day 0", "definitive resection", "counted"],
        Switch(
            "5",
            {
                "day 0": "Patients who were never examined for relapse are censored at day 0, whether dead "
                "or alive.",
                "definitive resection": "Patients who were never examined for relapse are censored at the "
                "definitive resection, or at day 0 without one.",
                "counted": "The death of a patient who was never examined for relapse is an event.",
            },
            "the effect of patients who were never examined",
            acts="endpoints",
        ),
    ] = "day 0"
    late_deaths: Annotated[
        Literal["counted", "within window"],
        Switch(
            "5",
            {
                "counted": "A death is an event of the relapse endpoints, regardless of the time since the "
                "last examination.",
                "within window": "A death is an event of the relapse endpoints only within the window after"
                " the last examination; otherwise the time is censored at that "
                "examination.",
            },
            "the bias of deaths that count although relapses would no longer be detected (Lesko 2018, 2019)",
            acts="endpoints",
        ),
    ] = "counted"
    late_death_days: Annotated[
        NonNegativeInt,
        Switch(
            "5",
            "A death more than {value} days after the last examination is a late death.",
            "the effect of the length of the window, if late deaths are censored",
            (180, 730),
            only_with=("late_deaths", "within window"),
            acts="endpoints",
        ),
    ] = 365
    relapse_free_until: Annotated[
        Literal["as declared", "last known alive"],
        Switch(
            "5",
            {
                "as declared": "Patients without an event are censored on the day that the endpoint "
                "declares.",
                "last known alive": "Patients without an event are censored on the last day known alive, in"
                " every endpoint.",
            },
            "the most favourable reading: no relapse until one is reported",
            acts="endpoints",
        ),
    ] = "as declared"
    examination: Annotated[
        Literal["component", "any statement"],
        Switch(
            "5",
            {
                "component": "An examination extends the follow-up of an endpoint only if it states the "
                "component of the disease that the endpoint uses.",
                "any statement": "An examination with any statement on the disease extends the follow-up of"
                " every endpoint.",
            },
            "the effect of examinations of a single component",
            acts="endpoints",
        ),
    ] = "component"
    questionable_status: Annotated[
        Literal["no look", "look"],
        Switch(
            "5",
            {
                "no look": "A component that is unknown or questionable was not examined.",
                "look": "A component that is unknown or questionable was examined.",
            },
            "how much of the follow-up depends on questionable findings",
        ),
    ] = "no look"
    alive_until: Annotated[
        Literal["registry answer", "last contact"],
        Switch(
            "5",
            {
                "registry answer": "Survivors are censored on the day of the registry office's last answer,"
                " or at the last contact if there is no answer.",
                "last contact": "Survivors are censored at the last contact of any source.",
            },
            "whether contacts after the registry query are informative",
            acts="endpoints",
        ),
    ] = "registry answer"
    never_disease_free: Annotated[
        Literal["exclude", "include"],
        Switch(
            "5",
            {
                "exclude": "Disease-free survival is not defined for patients who were never free of "
                "disease (R2 or not resected); their number is given.",
                "include": "Patients who were never free of disease (R2 or not resected) are included in "
                "disease-free survival.",
            },
            "the effect of patients with residual tumour",
            acts="endpoints",
        ),
    ] = "exclude"
    other_relapse: Annotated[
        Literal["ignored", "censors"],
        Switch(
            "7",
            {
                "ignored": "A relapse that is no event of an endpoint does not end its time.",
                "censors": "A relapse that is no event of an endpoint censors it.",
            },
            "whether a local relapse should end the observation for metastases, and the reverse",
            acts="endpoints",
        ),
    ] = "ignored"
    other_malignancy: Annotated[
        Literal["ignored", "censors"],
        Switch(
            "7",
            {
                "ignored": "A second malignancy that is no event of an endpoint does not end its time.",
                "censors": "A second malignancy that is no event of an endpoint censors it.",
            },
            "the effect of second malignancies",
            acts="endpoints",
        ),
    ] = "ignored"
    relapse_origin: Annotated[
        Literal["diagnosis", "radiotherapy start", "definitive resection"],
        Switch(
            "7",
            {
                "diagnosis": "The relapse endpoints are counted from the diagnosis.",
                "radiotherapy start": "The relapse endpoints are counted from the first day of radiotherapy.",
                "definitive resection": "The relapse endpoints are counted from the definitive resection.",
            },
            "how much of the time is the wait for therapy",
            acts="endpoints",
        ),
    ] = "diagnosis"
    entry: Annotated[
        Literal["origin", "radiotherapy start"],
        Switch(
            "5",
            {
                "origin": "All patients are at risk from the origin of the endpoint.",
                "radiotherapy start": "All patients are at risk from the first day of radiotherapy (delayed"
                " entry).",
            },
            "immortal time: patients must survive until the treatment by which the cohort is chosen",
            acts="endpoints",
        ),
    ] = "origin"
    landmark_days: Annotated[
        NonNegativeInt,
        Switch(
            "5",
            "All patients are at risk from day {value} (landmark).",
            "the results for patients at risk at the landmark",
            (182,),
            zero="There is no landmark.",
            acts="endpoints",
        ),
    ] = 0
    data_cutoff: Annotated[
        dt.date | None,
        Switch(
            "5",
            "The data cut-off is {value}; later data are not used.",
            "no run: the date is the study's",
            zero="No data cut-off is declared: the last day of any record is used.",
        ),
    ] = None


def declared() -> Iterator[Declared]:
    """Yield the switches in order."""
    for name, info in Assumptions.model_fields.items():
        (switch,) = (m for m in info.metadata if isinstance(m, Switch))
        values: tuple[Any, ...] = tuple(v for v in get_args(info.annotation) if isinstance(v, str))
        yield Declared(name, switch, values, info.default)


def alternatives(assumptions: Assumptions) -> Iterator[tuple[Declared, Value, Assumptions]]:
    """Yield every other value of every switch: the switch, the value, and the assumptions with this value."""
    for switch in declared():
        for value in switch.others(getattr(assumptions, switch.name)):
            update = dict([switch.switch.only_with or (switch.name, value)]) | {switch.name: value}
            yield switch, value, assumptions.model_copy(update=update)


def sentences(assumptions: Assumptions) -> dict[str, str]:
    """Return the sentence of every other value, by the variant's name in the sensitivity analyses."""
    return {
        f"{switch.name} = {value}": switch.sentence(value) for switch, value, _ in alternatives(assumptions)
    }
