"""Parse treatment records from the rows of ``typed.treatment``: one per file, of any kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sarcoma_pipeline.curation.radiotherapy_plans import NOT_TREATING, finite, items

_SIMULATED = "SIMULATION"


@dataclass(frozen=True)
class Session:
    """The delivery of one beam in a treatment record."""

    beam: str | None
    fraction: int | None
    delivery: str | None
    ended: str | None
    specified: float | None
    delivered: float | None


@dataclass(frozen=True)
class GroupSummary:
    """The summary of one fraction group in a treatment summary."""

    delivered: int | None
    dates: tuple[dt.date, ...]
    group: str | None = None


@dataclass(frozen=True)
class TreatmentRecord:
    """One treatment record of any kind."""

    record_id: str
    uid: str | None
    plan: str | None
    date: dt.date | None
    time: str | None
    group: str | None
    origin: str | None
    sessions: tuple[Session, ...]
    summaries: tuple[GroupSummary, ...]
    first: dt.date | None = None
    last: dt.date | None = None

    @property
    def treats(self) -> bool:
        """Whether it describes a treatment: not a simulation, a verification or a port film."""
        if self.origin == _SIMULATED:
            return False
        return bool(self.summaries) or any(s.delivery not in NOT_TREATING for s in self.sessions)


def record_of(row: Mapping[str, Any]) -> TreatmentRecord:
    """Build a treatment record from a row of ``typed.treatment``."""
    sessions = tuple(
        Session(
            s.get("ReferencedBeamNumber"),
            _whole(s.get("CurrentFractionNumber")),
            s.get("TreatmentDeliveryType"),
            s.get("TreatmentTerminationStatus"),
            _number(s.get("SpecifiedMeterset")),
            _number(s.get("DeliveredMeterset")),
        )
        for s in items(row["sessions"])
    )
    if not sessions and row["fraction_number"] is not None:
        sessions = (Session(None, row["fraction_number"], None, None, None, None),)
    summaries = tuple(
        GroupSummary(
            _whole(g.get("NumberOfFractionsDelivered")),
            tuple(sorted(day for f in g.get("Fractions", ()) if (day := _day(f.get("TreatmentDate"))))),
            g.get("ReferencedFractionGroupNumber"),
        )
        for g in items(row["group_summaries"])
    )
    if not summaries and row["fractions_delivered"] is not None:
        summaries = (GroupSummary(row["fractions_delivered"], ()),)
    return TreatmentRecord(
        record_id=row["record_id"],
        uid=row["sop_instance_uid"],
        plan=row["refers_to"],
        date=row["treatment_date"],
        time=row["treatment_time"],
        group=row["fraction_group"],
        origin=row["content_origin"],
        sessions=sessions,
        summaries=summaries,
        first=row["first_treatment_date"],
        last=row["last_treatment_date"],
    )


def _number(value: Any) -> float | None:
    number = finite(value)
    return number if number is not None and number >= 0 else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _day(value: Any) -> dt.date | None:
    try:
        return dt.datetime.strptime(str(value), "%Y%m%d").date()
    except ValueError:
        return None
