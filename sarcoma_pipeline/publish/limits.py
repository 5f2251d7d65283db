"""What no rule can know: errors that leave no trace in the data, and their share in a release if countable.

Rules find contradictions and gaps. A wrong value that fits all others, and a report that was never written,
contradict nothing. Each limit says why no rule sees it and what helps. Counts say how much of a release could
be affected, not how much is wrong; only a chart review measures that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.cohort_events import CohortEvent
from schemas.language import gettext as _
from schemas.vocabularies import RELAPSES

Frames = Mapping[str, pl.DataFrame]
Share = tuple[int, int]
"""How many, and of how many."""

_YEAR = 365
_PATIENTS, _ENDPOINTS, _EVENTS = CohortPatient.table(), CohortEndpoint.table(), CohortEvent.table()
_DESCRIBED = (
    "histology_group",
    "fnclcc_grade",
    "tumour_size_cm",
    "tumour_depth",
    "residual_status",
    "t_stage",
)
_UNKNOWN = ("GX", "RX", "TX", "unknown")


@dataclass(frozen=True)
class Limit:
    """One thing that no rule can know.

    Attributes:
        id: stable name.
        what: what may be wrong.
        why: why no rule sees it.
        helps: what helps.
        counts: what the share counts; empty if nothing can be counted.
        share: counts it in the released tables.
    """

    id: str
    what: str
    why: str
    helps: str
    counts: str = ""
    share: Callable[[Frames], Share] | None = None


def _of_patients(frames: Frames, wanted: pl.Expr) -> Share:
    patients = frames[_PATIENTS]
    return patients.select(wanted.fill_null(False).sum()).item(), patients.height


def _of_rows(frame: pl.DataFrame, wanted: pl.Expr) -> Share:
    return frame.select(wanted.fill_null(False).sum()).item(), frame.height


def _single_record(frames: Frames) -> Share:
    return _of_rows(frames[_ENDPOINTS], pl.col("evidence").list.len() <= 1)


def _unseen_relapse(frames: Frames) -> Share:
    events = frames[_EVENTS]
    relapsed = events.filter(pl.col("kind").is_in(RELAPSES))["pseudonym"].unique()
    last = events.filter(pl.col("kind") == "assessment").group_by("pseudonym").agg(_seen=pl.col("day").max())
    free = frames[_PATIENTS].filter(~pl.col("pseudonym").is_in(relapsed.implode()))
    free = free.join(last, on="pseudonym", how="left")
    unseen = pl.col("follow_up_days") - pl.col("_seen").fill_null(0) > _YEAR
    return _of_rows(free, unseen)


def _unasked(frames: Frames) -> Share:
    dead = frames[_EVENTS].filter(pl.col("kind") == "death")["pseudonym"].unique()
    living = frames[_PATIENTS].filter(~pl.col("pseudonym").is_in(dead.implode()))
    return _of_rows(living, pl.col("registry_answer_days").is_null())


def _cause(frames: Frames) -> Share:
    dead = frames[_EVENTS].filter(pl.col("kind") == "death").select("detail")
    return _of_rows(dead, pl.col("detail") != "cause unknown")


def _undelivered_dose(frames: Frames) -> Share:
    return _of_rows(
        frames[_PATIENTS].filter(pl.col("dose_gy").is_not_null()), pl.col("delivered_dose_gy").is_null()
    )


def _imprecise(frames: Frames) -> Share:
    return _of_rows(frames[_ENDPOINTS], pl.col("date_precision") != "day")


def _incomplete(frames: Frames) -> Share:
    unknown = pl.any_horizontal(
        pl.col(c).is_null() | pl.col(c).cast(pl.String).is_in(_UNKNOWN) for c in _DESCRIBED
    )
    return _of_patients(frames, unknown)


def _no_chemotherapy(frames: Frames) -> Share:
    return _of_patients(frames, pl.col("chemotherapy") == "no")


LIMITS = (
    Limit(
        "plausible-date",
        "A plausible date stands in place of another one: the 3rd for the 8th of a month, the day of the "
        "report "
        "for that of the operation.",
        "Rules compare dates with each other and with today. A wrong date that keeps the order "
        "contradicts nothing.",
        "A second source that states the same event; a chart review.",
        "times of endpoints that rest on a single record",
        _single_record,
    ),
    Limit(
        "report-never-written",
        "A relapse was found and never reported, or found at another hospital.",
        "A missing report leaves no record. The patient looks free of relapse until the last examination.",
        "Follow-up letters of all treating doctors; a query to the cancer registry.",
        "patients without a relapse whose last examination is more than a year before their last contact",
        _unseen_relapse,
    ),
    Limit(
        "death-not-told",
        "A patient died, and no source says so.",
        "Without a query to a registry office, silence looks like life until the last contact.",
        "A query to the registry office for every patient who is not known to be dead.",
        "patients not known to be dead without a dated answer of a registry office",
        _unasked,
    ),
    Limit(
        "cause-of-death",
        "The stated cause of a death is not the true one.",
        "Rules compare statements with each other. A single wrong statement contradicts nothing.",
        "Death certificates; endpoints that count every death.",
        "deaths whose cause is stated and used",
        _cause,
    ),
    Limit(
        "dose-not-given",
        "The dose of the plan or of the documentation is not the dose that was given.",
        "Only treatment records show what was delivered. Without them plan and documentation agree with "
        "each other.",
        "Treatment records of the record and verify system.",
        "patients with a dose and without treatment records",
        _undelivered_dose,
    ),
    Limit(
        "not-documented-is-no",
        "A treatment given elsewhere is not documented, and counts as not given.",
        "Nobody documents what they did not do: a missing record and a treatment not given look the same.",
        "Ask for the treatments at other hospitals; a column that says no.",
        "patients who count as treated without chemotherapy",
        _no_chemotherapy,
    ),
    Limit(
        "day-within-month",
        "The true day lies elsewhere in the month or year that is known.",
        "The middle of the interval is used. Sensitivity analyses show both ends, not the truth.",
        "The day from the letter or the certificate.",
        "times of endpoints that end with a partial date",
        _imprecise,
    ),
    Limit(
        "missing-not-by-chance",
        "Values are missing for a reason that has to do with the outcome.",
        "The reason is not in the data; the value is not, either.",
        "Complete the values from the charts; report who is left out.",
        "patients with an unknown histology, grade, size, depth, margin or T category",
        _incomplete,
    ),
    Limit(
        "pathology-not-reviewed",
        "The histology or the grade is wrong, and every report repeats it.",
        "Reports copy the first diagnosis, so that their agreement is no second opinion.",
        "A reference pathology; a chart review of the pathology reports.",
    ),
    Limit(
        "copied-value",
        "Two sources agree because one copied the other.",
        "Rules count agreement as confirmation; where a value was written first is not delivered.",
        "Ask the senders from where they take a value.",
    ),
    Limit(
        "wrong-record-of-right-patient",
        "A report of one person was written under the number of another.",
        "If name and date of birth are missing in the report, only its number says whose it is.",
        "Exports with name and date of birth; `sarcoma linkage` on labelled pairs.",
    ),
    Limit(
        "wrong-column",
        "A header is mapped to the wrong column, and its values are plausible there.",
        "The biopsy's date in place of that of its report passes every rule.",
        "Read sources.toml with the sender of the table; a chart review.",
    ),
    Limit(
        "patient-never-delivered",
        "A patient of the hospital is in no source.",
        "A person without a record cannot be missed.",
        "Compare the number of patients with the hospital's billing data or the cancer registry.",
    ),
    Limit(
        "not-collected",
        "Treatment was chosen for a reason that no source contains: fitness, comorbidity, the patient's "
        "wish.",
        "What is not collected cannot be adjusted for.",
        "Collect it; call no difference between treatments their effect.",
    ),
)


def counted(frames: Frames) -> dict[str, Share]:
    """Return the share of each limit that can be counted in these released tables.

    Args:
        frames: released tables by name; limits whose tables are missing are left out.
    """
    if not all(table in frames for table in (_PATIENTS, _ENDPOINTS, _EVENTS)):
        return {}
    return {limit.id: limit.share(frames) for limit in LIMITS if limit.share is not None}


def said(share: Share | None) -> str:
    """Return a share as text: ``12 of 86 (14 %)``."""
    if share is None:
        return _("not countable")
    part, whole = share
    if not whole:
        return _("none to count")
    share_of = f"{100 * part / whole:.0f}"
    return _("{part} of {whole} ({percent} %)").format(part=part, whole=whole, percent=share_of)


def markdown() -> str:
    """Return ``docs/limits.md``."""
    parts = ["# What no rule can know\n", f"{_ABOUT}\n"]
    for limit in LIMITS:
        parts += [
            f"## {limit.id}\n",
            f"{limit.what}\n",
            f"- **Why no rule sees it:** {limit.why}",
            f"- **What helps:** {limit.helps}",
            f"- **Counted in a release:** {limit.counts or 'nothing can be counted'}.\n",
        ]
    return "\n".join(parts).rstrip() + "\n"


_ABOUT = """\
The rules find contradictions, gaps and values that cannot be. Some errors leave no trace in the data. This
page lists them, with why no rule sees them and what helps. The report (section “What no rule can know”) and
`sarcoma limits` print for each release how much of it could be affected, where that can be counted. Such a
share says how far the data rest on a single witness or on silence. It does not say how much is wrong: only a
chart review measures that ([chart_review.md](chart_review.md))."""
"""Introduction of the page."""
