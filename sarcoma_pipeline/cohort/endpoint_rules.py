"""Apply the assumptions to the rule of an endpoint: which events count, from when, and who is at risk."""

from __future__ import annotations

from sarcoma_pipeline.cohort import looks
from sarcoma_pipeline.cohort.relapses import DISTANT, LOCAL, REGIONAL, UNDER_TREATMENT, UNKNOWN
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.configuration import EndpointRule
from schemas.vocabularies import DEATH_BY_TUMOUR, OTHER_DEATH, SECOND_MALIGNANCY


def of_relapse(rule: EndpointRule) -> bool:
    """Return whether an endpoint needs examinations, not only statements of life and death."""
    return rule.censor == "last disease assessment"


def disease_free(rule: EndpointRule) -> bool:
    """Return whether an endpoint requires that the patient was once free of disease."""
    return looks.needed(rule) == (looks.OVERALL,) and not {"residual tumour", UNDER_TREATMENT} & set(
        rule.events
    )


def resolved(rule: EndpointRule, timeline: Timeline) -> EndpointRule:
    """Return the rule with the assumptions applied: events, censoring events, origin, entry, landmark."""
    a = timeline.assumptions
    events: list[str] = list(rule.events)
    by: list[str] = list(rule.censored_by)
    sites = [s for s in (LOCAL, REGIONAL, DISTANT) if s in events]
    if a.unknown_site == "every site" and sites and UNKNOWN not in events:
        events.insert(events.index(sites[-1]) + 1, UNKNOWN)
    if a.cause_of_death == "tumour" and "death" in events:
        events[events.index("death")] = DEATH_BY_TUMOUR
        by.append(OTHER_DEATH)
    if a.other_relapse == "censors" and of_relapse(rule):
        by += [s for s in (LOCAL, REGIONAL, DISTANT) if s not in events]
    if a.other_malignancy == "censors" and of_relapse(rule) and SECOND_MALIGNANCY not in events:
        by.append(SECOND_MALIGNANCY)
    origin = rule.origin or (a.relapse_origin if of_relapse(rule) else "diagnosis")
    entry = rule.entry or (origin if a.entry == "origin" else a.entry)
    return rule.model_copy(
        update={
            "events": tuple(events),
            "censored_by": tuple(dict.fromkeys(k for k in by if k not in events)),
            "origin": origin,
            "entry": entry,
            "landmark_days": a.landmark_days if rule.landmark_days is None else rule.landmark_days,
        }
    )
