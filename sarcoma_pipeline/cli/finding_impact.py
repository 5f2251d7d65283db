"""``sarcoma findings impact``: the study with one record let out of quarantine, beside the study as it is."""

from __future__ import annotations

from collections.abc import Iterator

import click
import polars as pl

from sarcoma_pipeline.orchestration.assets.impact import night
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import impact
from sarcoma_pipeline.study.project import Project
from schemas.quality import Finding


def lines(project: Project, finding_id: str) -> Iterator[str]:
    """What changes for the patient, then every number of the study that moves.

    Raises:
        click.ClickException: the finding is not among tonight's.
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
        raise click.ClickException(f"{finding_id} is resolved: its fault is no longer there")
    record = findings["record_id"].item()
    held = known.quarantine.filter(pl.col("record_id") == record)
    if held.is_empty():
        yield "The record is not in quarantine: the study has it already."
        return
    others = [r for r in held["rule_ids"].item() if r != findings["rule_id"].item()]
    if others:
        yield f"The record also breaks {', '.join(others)}: it stays out until those are settled too."
    again = impact.rerun(known, project.study, project.sources, only=record)
    said = impact.impact(known, again, project.study).filter(pl.col("record_id") == record)
    yield f"patient   {said['pseudonym'].first() or 'not linked'}"
    yield f"admitted  {impact.sentences(said)['impact'].item()}"
    if again.scenarios.is_empty():
        return
    before = impact.numbers(known.patients, known.endpoints, project.study)
    after = impact.numbers(*impact.amended(known, again, record), project.study)
    both = before.join(after, on="quantity", how="full", coalesce=True, maintain_order="left_right")
    moved = both.filter(pl.col("value").ne_missing(pl.col("value_right")))
    for name, now, then in moved.iter_rows():
        yield f"          {name}: {now or 'none'} → {then or 'none'}"
    yield f"{moved.height} of {both.height} numbers of the study would move."
