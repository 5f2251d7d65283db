"""Find results that do not fit the data: an empty cohort, no follow-up, no events, all deaths on one day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort.last_days import DEATHS
from schemas.configuration import Study
from schemas.typed import STATES, Assessment, VitalStatus
from schemas.vocabularies import DECEASED, DECEASED_DATE_UNKNOWN, RELAPSES

Frames = Mapping[str, pl.DataFrame]

_ONE_DAY_FROM = 5
"""Minimum number of deaths that cannot all be on one day."""

_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Reason:
    """A reason why nothing is published.

    Attributes:
        what: the implausible result; contains no value of a patient.
        remedy: what to correct, and how to publish anyway if the result can be right.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        """Return both parts as sentences."""
        return f"{self.what}. {self.remedy}"


def excluded_everybody(flow: pl.DataFrame, eligibility: pl.DataFrame) -> list[Reason]:
    """Report the criterion after which no patient is left, with the most frequent reasons.

    Args:
        flow: ``cohort.flow``.
        eligibility: ``cohort.eligibility``.
    """
    emptied = flow.filter((pl.col("entered") > 0) & (pl.col("remaining") == 0)).sort("position")
    if emptied.is_empty():
        if flow.is_empty():
            return []
        none = Reason(
            "no patient is eligible, because no patient was read",
            "Look at the findings of the files (sarcoma check).",
        )
        return [] if flow["entered"].sum() else [none]
    name, label, entered = emptied.select("criterion", "label", "entered").row(0)
    reasons = (
        eligibility.filter((pl.col("criterion") == name) & pl.col("excluded_here"))
        .group_by("reason")
        .len()
        .sort(pl.col("len"), "reason", descending=[True, False])
        .head(_REASONS_SHOWN)
    )
    said = ", ".join(f"{reason} ({n})" for reason, n in reasons.iter_rows())
    return [
        Reason(
            f'no patient is eligible: the criterion "{name}" ({label}) excludes all {entered} patients who '
            f"came to it: {said}",
            "Check the criterion in study.toml and the columns that it uses in sources.toml.",
        )
    ]


def without_follow_up(patients: pl.DataFrame, endpoints: pl.DataFrame) -> list[Reason]:
    """Report a median follow-up that is 0 or unknown.

    Args:
        patients: ``cohort.patients``.
        endpoints: ``cohort.endpoints``; without endpoints nothing is reported.
    """
    if patients.is_empty() or endpoints.is_empty():
        return []
    median = patients["follow_up_days"].median()
    if median is not None and median > 0:  # pyright: ignore[reportOperatorIssue]
        return []
    found = "0 days" if median is not None else "unknown"
    return [
        Reason(
            f"the median follow-up of {patients.height} patients is {found}",
            "Check status_date or status_day, its format and scale, in sources.toml, and the diagnosis date.",
        )
    ]


def without_events(
    endpoints: pl.DataFrame, patients: pl.DataFrame, study: Study, typed: Frames
) -> list[Reason]:
    """Report endpoints without events, although such events were read; perhaps nobody is at risk of them.

    Args:
        endpoints: ``cohort.endpoints``.
        patients: ``cohort.patients``; without patients another reason says so.
        study: the endpoints' rules, and ``[gate]``.
        typed: ``typed.vital_status`` and ``typed.assessment``.
    """
    died, relapsed = deaths_read(typed), relapses_read(typed)
    counted = endpoints.group_by("endpoint").agg(pl.len(), pl.col("event").sum())
    some = set(counted.filter(pl.col("event") > 0)["endpoint"])
    derivable = {rule.name for rule in study.endpoints if rule.derivable} if patients.height else set[str]()
    none = derivable - some - set(study.gate.may_lack_events)
    at_risk = set(counted["endpoint"])
    faults = []
    for rule in study.endpoints:
        if rule.name not in none:
            continue
        of_rule = [kind for kind in (died, relapsed) if set(kind.events) & set(rule.events)]
        read = [kind.words for kind in of_rule if kind.words]
        # One patient's death may be undated or in quarantine: it has a finding and must not block the others.
        if len(frozenset[str]().union(*(kind.persons for kind in of_rule))) > 1:
            faults.append(
                Reason(
                    f"{rule.name} has no event, although {' and '.join(read)} were read"
                    + ("" if rule.name in at_risk else ": no patient is at risk of it"),
                    "Check their dates, their codes and the patient numbers. If it is right, write "
                    f'may_lack_events = ["{rule.name}"] under [gate] in study.toml.',
                )
            )
    return faults


def on_one_day(typed: Frames) -> list[Reason]:
    """Report that all deaths of the tables are on one day: the day of an export, or of a reply.

    Args:
        typed: ``typed.vital_status``.
    """
    deaths = typed[VitalStatus.table()].filter(
        pl.col("status") == DECEASED, pl.col("source") == "table", pl.col("person_ref").is_not_null()
    )
    found = []
    for column in ("status_date", "status_day"):
        dated = deaths.filter(pl.col(column).is_not_null())
        if dated["person_ref"].n_unique() >= _ONE_DAY_FROM and dated[column].n_unique() == 1:
            many = dated["person_ref"].n_unique()
            found.append(
                Reason(
                    f"all deaths of the tables, of {many} persons, are on one day",
                    f"Map {column} of the deaths to the column with the days of death: this one is that of "
                    "an export, a reply or a last contact.",
                )
            )
    return found


@dataclass(frozen=True)
class Read:
    """Events of one kind that were read, used or not.

    Attributes:
        events: the possible event kinds of an endpoint.
        persons: the persons with such an event.
        words: their number in words; empty if there is none.
    """

    events: tuple[str, ...]
    persons: frozenset[str]
    words: str


def deaths_read(typed: Frames) -> Read:
    """Return the persons with a death that was read."""
    statements = typed[VitalStatus.table()]
    deaths = statements.filter(pl.col("status").is_in([DECEASED, DECEASED_DATE_UNKNOWN]))
    persons = frozenset(deaths["person_ref"].drop_nulls())
    undated = deaths.filter(pl.col("status") == DECEASED_DATE_UNKNOWN)["person_ref"].n_unique()
    lost = f" ({undated} without a readable date)" if undated else ""
    return Read(DEATHS, persons, f"deaths of {len(persons)} persons{lost}" if persons else "")


def relapses_read(typed: Frames) -> Read:
    """Return the persons with a relapse that was read."""
    relapse = pl.any_horizontal(pl.col(STATES) == "relapse")
    persons = frozenset(typed[Assessment.table()].filter(relapse)["person_ref"].drop_nulls())
    return Read(RELAPSES, persons, f"relapses of {len(persons)} persons" if persons else "")
