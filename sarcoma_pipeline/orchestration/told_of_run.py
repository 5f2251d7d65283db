"""Notify of a run once, however it was started: of what failed and what is new."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from sarcoma_pipeline.orchestration import links, notification
from sarcoma_pipeline.orchestration.notification import (
    KNOWN,
    NEWS,
    NEWS_OF_CHECK,
    OF_RULES,
    Night,
    OfRule,
    Problem,
)
from sarcoma_pipeline.orchestration.step_events import failure_reason, short_name
from sarcoma_pipeline.quality import rule_catalogue
from sarcoma_pipeline.study.project import Project
from schemas.language import gettext as _
from schemas.language import marked, speaking, stored

REASONS = (
    marked("Above the threshold: {reason}."),
    marked("{rule} {count} % (at most {number} %)"),
    marked("{count} files have records or values that are lost or counted twice."),
    marked("{count} estimates moved, and nothing says why"),
    marked("{values} moved, and nothing says why: {command}"),
    marked("{count} released values of {number} patients"),
    marked("{count} released values of {number} patient"),
    marked("{count} released value of {number} patient"),
)
"""What checks say in English that a message may have to tell."""


_TOLD = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
}
"""The events that a notification is made from."""


def tell(project: Project, instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Write and send the notification of a run that has ended, unless that was done before.

    Args:
        project: the study.
        instance: its Dagster instance.
        run_id: the run.

    Returns:
        Errors, in words.
    """
    if notification.path(project.notifications, run_id).exists():
        return []
    with speaking(project.study.language):
        message = notification.message(
            project.study.name,
            run_id,
            night(instance, run_id),
            links.where(project, "steward.html", "view=list&news=1"),
            f"{project.study.dagster_url.rstrip('/')}/runs/{run_id}",
        )
    if message is None:
        return []
    try:
        mail = notification.mail_settings()
    except ValueError as wrong:
        # The file is written all the same.
        return [*notification.deliver(message, project.notifications, run_id, None), str(wrong)]
    return notification.deliver(message, project.notifications, run_id, mail)


def night(instance: dg.DagsterInstance, run_id: str) -> Night:
    """Return the failed steps and checks of a run, and its findings by rule.

    A run whose process was killed, or that exceeded its time limit, fails without a failed step: it is then
    listed itself.
    """
    failed, checks, whole_run = [], [], []
    rules: list[OfRule] = []
    for entry in instance.all_logs(run_id, of_type=_TOLD):
        event = entry.dagster_event
        if event is None:
            continue
        if event.is_step_failure:
            failed.append(Problem(short_name(event.step_key or ""), failure_reason(event.step_failure_data)))
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE:
            whole_run.append(Problem(_("the run"), event.message or _("ended")))
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            of_rules = check.metadata.get(OF_RULES)
            if isinstance(of_rules, dg.TableMetadataValue):
                rules += _of_rules(of_rules)
            elif not check.passed and check.severity == dg.AssetCheckSeverity.ERROR and _is_news(check):
                asset = "/".join(check.asset_key.path[1:])
                what = _("{check} on {asset}").format(check=check.check_name, asset=asset)
                reason = stored(check.description, REASONS) if check.description else _("failed")
                checks.append(Problem(what, reason))
    return Night(failed or whole_run, checks, sorted(rules, key=lambda r: (r.severity, r.rule)))


def _is_news(check: dg.AssetCheckEvaluation) -> bool:
    """Return whether a failed check has anything new; one that does not count its news is always told."""
    news = check.metadata.get(NEWS_OF_CHECK)
    return not isinstance(news, dg.IntMetadataValue) or bool(news.value)


def _of_rules(table: dg.TableMetadataValue) -> Iterator[OfRule]:
    known = rule_catalogue.rules()
    for record in table.records:
        row = record.data
        yield OfRule(
            str(row["rule_id"]),
            str(row["severity"]),
            {kind: int(row[kind] or 0) for kind in NEWS},
            int(row[KNOWN] or 0),
            known[str(row["rule_id"])].what if str(row["rule_id"]) in known else "",
        )
