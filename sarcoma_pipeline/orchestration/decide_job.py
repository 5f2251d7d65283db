"""The job ``decide``: what ``sarcoma findings`` does on the command line, from the launchpad."""

import datetime as dt
from typing import Literal

import dagster as dg
from pydantic import Field

from sarcoma_pipeline.orchestration.assets.step import tags
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.quality.ledger import DecisionRefused, Request
from sarcoma_pipeline.study.project import Project
from schemas.ledger import LedgerEntry

DECIDE = "decide"


class DecisionConfig(dg.Config):
    """What a steward decides, about which findings."""

    action: Literal["acknowledge", "waive", "reopen"] = Field(description="What is decided.")
    finding_ids: list[str] = Field(description="The findings; a check's table and quality.ledger name them.")
    by: str = Field(description="Who decides.")
    reason: str = Field(description="Why. Dagster keeps it: no names, no birth dates.")
    until: str | None = Field(default=None, description="Last day of a waiver: 2030-12-31 or 31.12.2030.")


def decide_job(project: Project) -> dg.JobDefinition:
    """Acknowledge, waive or reopen findings; a refused decision fails the run and changes nothing."""

    @dg.op(
        name="record_decisions",
        description="Writes decisions to the log; they count from the next refresh on.",
    )
    def record_decisions(
        context: dg.OpExecutionContext, config: DecisionConfig, warehouse: Warehouse
    ) -> None:
        requests = [
            Request(finding, config.action, config.by, config.reason, config.until)
            for finding in dict.fromkeys(config.finding_ids)
        ]
        entries = warehouse.read(LedgerEntry.table())
        try:
            made = decision_log.record(project.decisions, entries, requests, dt.datetime.now(dt.UTC))
        except (DecisionRefused, decision_log.DecisionLogDamaged) as refused:
            raise dg.Failure(f"Refused, and nothing was changed: {refused}.", allow_retries=False) from None
        context.log.info(f"{made.height} decisions; they count from the next refresh on.")

    @dg.job(
        name=DECIDE,
        description=f"Acknowledge, waive or reopen findings of {project.study.name}.",
        tags=tags(project),
    )
    def decide() -> None:
        record_decisions()

    return decide
