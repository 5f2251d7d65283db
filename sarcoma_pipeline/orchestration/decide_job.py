"""The job ``decide``: records decisions on findings from the UI, as ``sarcoma findings`` does."""

from typing import Literal

import dagster as dg
from pydantic import Field

from sarcoma_pipeline.orchestration.assets.step import tags
from sarcoma_pipeline.orchestration.assets.steward_page import readings
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from sarcoma_pipeline.study.project import Project
from schemas.ledger import LedgerEntry

DECIDE = "decide"


class DecisionConfig(dg.Config):
    """Run config of the job: one decision on one or more findings."""

    action: Literal["acknowledge", "waive", "reopen", "decide"] = Field(description="The decision.")
    finding_ids: list[str] = Field(
        description="Ids of the findings or their beginnings, from a check's table or the steward's page."
    )
    by: str = Field(description="Who decides.")
    reason: str = Field(description="Why. Dagster stores this text: write no names and no birth dates.")
    until: str | None = Field(default=None, description="Last day of a waiver: 2030-12-31 or 31.12.2030.")
    reading: int | None = Field(
        default=None, description="For decide: number of the chosen reading, from the finding's value."
    )


EMPTY = DecisionConfig(action="acknowledge", finding_ids=[], by="", reason="")
"""Config with which the launchpad opens: valid, and refused until somebody fills it in."""


def decide_job(project: Project) -> dg.JobDefinition:
    """Build the job. A refused decision fails the run and changes nothing."""

    @dg.op(
        name="record_decisions",
        description="Writes decisions to the log; they take effect with the next refresh.",
    )
    def record_decisions(
        context: dg.OpExecutionContext, config: DecisionConfig, warehouse: Warehouse
    ) -> None:
        requests = [
            Request(finding, config.action, config.by, config.reason, config.until, reading=config.reading)
            for finding in dict.fromkeys(config.finding_ids)
        ]
        entries = warehouse.read(LedgerEntry.table())
        try:
            recorded = decision_log.record(
                project.decisions, entries, requests, project.now(), readings(warehouse)
            )
        except (DecisionRefused, decision_log.DecisionLogDamaged) as refused:
            raise dg.Failure(f"Refused; nothing was changed: {refused}.", allow_retries=False) from None
        context.log.info(f"{recorded.height} decisions recorded; they take effect with the next refresh.")

    @dg.job(
        name=DECIDE,
        description=f"Acknowledge, waive, reopen or decide findings of {project.study.name}.",
        tags=tags(project),
        owners=[project.study.owner],
        # The launchpad opens with a valid config; started as it is, the run says what is missing.
        config=dg.RunConfig(ops={"record_decisions": EMPTY}),
    )
    def decide() -> None:
        record_decisions()

    return decide
