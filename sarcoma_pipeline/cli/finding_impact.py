"""``sarcoma findings impact``: compares the study with and without one quarantined record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click
import polars as pl

from sarcoma_pipeline.orchestration.assets.impact import night
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import impact, impact_sentences, study_numbers
from sarcoma_pipeline.study.project import Project
from schemas.quality import Finding


@dataclass(frozen=True)
class Compared:
    """What a quarantined record would change.

    Attributes:
        none: why nothing would change, or what must be settled first; empty if nothing hinders.
        patient: pseudonym; None if the record is not linked.
        admitted: the effect on the patient, in words; None if the record is not admitted at all.
        moved: every number that changes: its name, the value now, and with the record.
        numbers: how many numbers were compared.
    """

    none: str = ""
    patient: str | None = None
    admitted: str | None = None
    moved: tuple[tuple[str, str | None, str | None], ...] = ()
    numbers: int = 0


def compared(project: Project, finding_id: str) -> Compared:
    """Compute the study with the record of a finding.

    Raises:
        click.ClickException: the finding does not occur in the last refresh.
    """
    for centre in project.centres or ("",):
        warehouse = Warehouse(
            path=str(project.warehouse),
            study=project.study.name,
            centres=list(project.centres),
            centre=centre,
        )
        try:
            findings = warehouse.read(Finding.table()).filter(pl.col("finding_id") == finding_id)
            if findings.height:
                known = night(project, warehouse)
                break
        finally:
            warehouse.close()
    else:
        raise click.ClickException(f"{finding_id} is resolved: the last refresh no longer found the fault")
    record = findings["record_id"].item()
    if record in set(known.repeated):
        return Compared(
            f"{findings['records'].item()} records have this fault. Its impact is {impact.REPEATED}."
        )
    quarantined = known.quarantine.filter(pl.col("record_id") == record)
    if quarantined.is_empty():
        return Compared("The record is not in quarantine: the study already uses it.")
    others = [r for r in quarantined["rule_ids"].item() if r != findings["rule_id"].item()]
    first = (
        f"The record also breaks {', '.join(others)}: it stays in quarantine until those are settled."
        if others
        else ""
    )
    again = impact.rerun(known, project.study, project.sources, only=record)
    effect = impact.impact(known, again, project.study).filter(pl.col("record_id") == record)
    patient = next(iter(effect["pseudonym"].to_list()), None)
    admitted = impact_sentences.sentences(effect)["impact"].item()
    if again.scenarios.is_empty():
        return Compared(first, patient, admitted)
    before = study_numbers.numbers(known.patients, known.endpoints, project.study)
    after = study_numbers.numbers(*impact.amended(known, again, record), project.study)
    both = before.join(after, on="quantity", how="full", coalesce=True, maintain_order="left_right")
    moved = both.filter(pl.col("value").ne_missing(pl.col("value_right")))
    return Compared(first, patient, admitted, tuple(moved.iter_rows()), both.height)


def lines(found: Compared) -> Iterator[str]:
    """Describe what changes for the patient, then list every number of the study that changes."""
    if found.none:
        yield found.none
    if found.admitted is None:
        return
    yield f"patient   {found.patient or 'not linked'}"
    yield f"admitted  {found.admitted}"
    for name, old, new in found.moved:
        yield f"          {name}: {old or 'none'} → {new or 'none'}"
    if found.numbers:
        yield f"{len(found.moved)} of {found.numbers} numbers of the study would change."


def as_json(finding_id: str, found: Compared) -> dict[str, object]:
    """Return the same for other programs."""
    return {
        "finding_id": finding_id,
        "note": found.none or None,
        "patient": found.patient,
        "admitted": found.admitted,
        "moved": [{"number": name, "now": old, "admitted": new} for name, old, new in found.moved],
        "numbers": found.numbers,
    }
