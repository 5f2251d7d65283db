"""``sarcoma findings impact``: compares the study with and without one quarantined record."""

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
    """Describe what changes for the patient, then list every number of the study that changes.

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
        yield f"{findings['records'].item()} records have this fault. Its impact is {impact.REPEATED}."
        return
    quarantined = known.quarantine.filter(pl.col("record_id") == record)
    if quarantined.is_empty():
        yield "The record is not in quarantine: the study already uses it."
        return
    others = [r for r in quarantined["rule_ids"].item() if r != findings["rule_id"].item()]
    if others:
        yield f"The record also breaks {', '.join(others)}: it stays in quarantine until those are settled."
    again = impact.rerun(known, project.study, project.sources, only=record)
    effect = impact.impact(known, again, project.study).filter(pl.col("record_id") == record)
    yield f"patient   {effect['pseudonym'].first() or 'not linked'}"
    yield f"admitted  {impact.sentences(effect)['impact'].item()}"
    if again.scenarios.is_empty():
        return
    before = impact.numbers(known.patients, known.endpoints, project.study)
    after = impact.numbers(*impact.amended(known, again, record), project.study)
    both = before.join(after, on="quantity", how="full", coalesce=True, maintain_order="left_right")
    moved = both.filter(pl.col("value").ne_missing(pl.col("value_right")))
    for name, old, new in moved.iter_rows():
        yield f"          {name}: {old or 'none'} → {new or 'none'}"
    yield f"{moved.height} of {both.height} numbers of the study would change."
