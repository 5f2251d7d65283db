"""``sarcoma refresh``: runs the job of the schedule with a progress bar, then prints a summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path

import click
import dagster as dg
import duckdb
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from sarcoma_pipeline.cli import runs
from sarcoma_pipeline.cli.terminal import marked
from sarcoma_pipeline.orchestration import (
    dose_process,
    notification,
    orphaned_runs,
    step_events,
    told_of_run,
)
from sarcoma_pipeline.orchestration.assets.analysis import median_text
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import UNCHANGED
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.dagster_internals import one_connection
from sarcoma_pipeline.orchestration.running import running
from sarcoma_pipeline.orchestration.step_events import short_name
from sarcoma_pipeline.quality import movement, movement_findings
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening, permissions, read_only


def run(project: Project, began: float, *, verify: bool = False) -> bool:
    """Run the refresh job in this process, recorded in the Dagster instance, and print a summary.

    Args:
        project: the study.
        began: ``time.perf_counter()`` when the program started, to measure its start-up.
        verify: whether to compare the content of every file.

    Returns:
        Whether a release is published.
    """
    # No wrapping by rich: a log file needs whole lines, and a terminal wraps them itself.
    console = Console(highlight=False, soft_wrap=True)
    loaded = time.perf_counter()
    definitions = build_definitions(project)
    planned = runs.planned_runs(project, definitions)
    seconds: dict[str, float] = {}
    done: set[str] = set()
    steps = sum(planned_run.steps for planned_run in planned)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with dg.DagsterInstance.get() as instance, one_connection(instance):
        orphaned_runs.end(instance, project.study.name)
        if other := running(project, instance):
            raise click.ClickException(other)
        opened = time.perf_counter()
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(f"Refreshing {project.study.name}", total=steps)

            def on_step_event(kind: str, step: str, took: float | None) -> None:
                name = short_name(step)
                if kind == "start":
                    progress.update(task, description=f"{project.study.name}: {name}")
                    return
                progress.advance(task)
                if kind == "end":
                    done.add(name)
                seconds[name] = seconds.get(name, 0.0) + (took or 0.0)

            unsubscribe = step_events.listen(on_step_event)
            try:
                run_ids, events = runs.refresh(project, planned, instance, verify=verify)
            finally:
                unsubscribe()
        ended = time.perf_counter()
        told = [error for run_id in run_ids for error in told_of_run.tell(project, instance, run_id)]
        # Listeners receive no events of steps in other processes: these come from the event log.
        for event in events:
            name = short_name(event.step_key or "")
            if event.is_step_success and name not in done:
                seconds[name] = event.step_success_data.duration_ms / 1000
        done |= {short_name(e.step_key or "") for e in events if e.is_step_success}
        materialised = [event for event in events if event.is_step_materialization]
        published = any(event.asset_key == release_key(project) for event in materialised)
        skipped = {(event.step_key, event.partition) for event in materialised if _is_unchanged(event)}
        unchanged = any(e.asset_key == release_key(project) and _is_unchanged(e) for e in materialised)
        failures = [
            (short_name(event.step_key or ""), step_events.failure_reason(event.step_failure_data))
            for event in events
            if event.is_step_failure
        ]
    outcome = "unchanged" if unchanged else "published" if published else "NOT PUBLISHED"
    _summary(console, project, f"draft {outcome}" if project.draft else outcome, done)
    if skipped:
        console.print(f"unchanged   {len(skipped)} of {steps} steps skipped: none of their inputs changed")
    _where_time_goes(console, seconds, loaded - began, opened - loaded, ended - opened, ended - began)
    for step, message in failures:
        console.print(f"[red]failed[/red]      {step}: {marked(message)}")
    for error in told:
        console.print(f"[red]mail[/red]        {marked(error)}")
    permissions.close_shared(project)
    missing = dose_process.missing(project)
    if missing.plans:
        # The process that was started after the publication may not have begun yet.
        started = published and dose_process.is_allowed() and missing.computed < missing.plans
        console.print(f"doses       {replace(missing, running=missing.running or started)}")
    _where_to_look(console, project, published, run_ids)
    return published


def _is_unchanged(event: dg.DagsterEvent) -> bool:
    unchanged = event.step_materialization_data.materialization.metadata.get(UNCHANGED)
    return bool(unchanged and unchanged.value)


def _summary(console: Console, project: Project, outcome: str, done: Set[str]) -> None:
    """Print what this run computed or found unchanged; nothing from earlier runs."""
    console.rule(f"{project.study.name}: {outcome}", align="left")
    if "received" not in done:
        return
    try:
        with opening.explained(project.warehouse), read_only.connect(project) as warehouse:
            _numbers(console, project, warehouse, done)
    except duckdb.Error as broken:
        # A steward's command may hold the file by now: the night was good all the same.
        why = str(broken) if isinstance(broken, opening.CannotOpen) else type(broken).__name__
        console.print(f"summary     not shown: {marked(why)}; sarcoma status --study {project.study.name}")


def _numbers(
    console: Console, project: Project, warehouse: duckdb.DuckDBPyConnection, done: Set[str]
) -> None:
    """Print what was read, found and published."""
    if "movement" in done:
        _moved(console, warehouse)
    _input(console, warehouse, done)
    if "cohort" in done:
        _cohort(console, warehouse)
    if "survival" in done:
        _endpoints(console, warehouse, [e.name for e in project.study.endpoints])


def _one(warehouse: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, ...]:
    return tuple(int(n or 0) for n in warehouse.execute(sql).fetchone() or ())


def _moved(console: Console, warehouse: duckdb.DuckDBPyConnection) -> None:
    """Print the summary of moved values, unexplained ones first."""
    values = warehouse.execute("SELECT pseudonym, causes, unexplained FROM meta.movement").pl()
    for sentence in movement.summary(values):
        silent = movement_findings.MOVED_UNEXPLAINED.id in sentence
        console.print(f"{'[red]MOVED[/red]' if silent else 'moved'}       {sentence}")


def _input(console: Console, warehouse: duckdb.DuckDBPyConnection, done: Set[str]) -> None:
    files = _one(
        warehouse,
        "SELECT new_files, changed_files, gone_files, unchanged_files FROM meta.refreshes "
        "ORDER BY refresh_id DESC LIMIT 1",
    )
    console.print("files       {} new, {} changed, {} gone, {} unchanged".format(*files))
    if "accounting" in done:
        accounts = _one(
            warehouse,
            "SELECT sum(records), sum(curated), sum(quarantined), sum(duplicates), sum(out_of_scope) "
            "FROM quality.accounting",
        )
        words = "records     {} read = {} curated + {} quarantined + {} duplicates + {} out of scope"
        console.print(words.format(*accounts))
    if "findings" in done:
        found = dict(
            warehouse.execute("SELECT severity, count(*) FROM quality.findings GROUP BY 1").fetchall()
        )
        counts = ", ".join(f"{found.get(s, 0)} {s}s" for s in ("error", "warning", "notice"))
        console.print(f"findings    {counts}")


def _cohort(console: Console, warehouse: duckdb.DuckDBPyConnection) -> None:
    flow = warehouse.execute(
        "SELECT label, excluded, remaining FROM cohort.flow ORDER BY position"
    ).fetchall()
    (patients,) = _one(warehouse, "SELECT count(*) FROM curated.patient")
    console.print(f"patients    {patients} known, {flow[-1][2] if flow else 0} eligible")
    for label, excluded, _ in flow:
        if excluded:
            console.print(f"            − {excluded:3} {marked(label)}")


def _endpoints(console: Console, warehouse: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    counts = {
        name: numbers
        for name, *numbers in warehouse.execute(
            "SELECT endpoint, count(*), count(*) FILTER (event) FROM cohort.endpoints GROUP BY 1"
        ).fetchall()
    }
    medians = warehouse.execute("FROM analysis.survival_estimate WHERE quantity = 'median'").pl()
    by_endpoint = {row["endpoint"]: row for row in medians.iter_rows(named=True)}
    table = Table(box=None, pad_edge=False)
    for heading in ("endpoint", "patients", "events", "median (95 % CI)"):
        table.add_column(heading, justify="left" if heading in ("endpoint", "median (95 % CI)") else "right")
    for name in names:
        if name in counts:
            patients, events = counts[name]
            table.add_row(name, str(patients), str(events), median_text(by_endpoint[name]))
    if counts:
        console.print(table)
    for name, reason in warehouse.execute(
        "SELECT endpoint, reason FROM cohort.derivability WHERE NOT derivable"
    ).fetchall():
        console.print(f"{name} is not derivable: {marked(reason)}")


def _where_time_goes(
    console: Console, seconds: dict[str, float], imports: float, start: float, job: float, total: float
) -> None:
    ranked = sorted(seconds.items(), key=lambda item: -item[1])
    steps = sum(seconds.values())
    parts = [f"{name} {took:.2f}" for name, took in ranked[:6]]
    console.print(
        f"seconds     {total:.2f} = imports {imports:.2f} + definitions and instance {start:.2f} + "
        f"steps {steps:.2f} + Dagster between them {job - steps:.2f}"
    )
    console.print(f"            {', '.join(parts)}")


def _where_to_look(console: Console, project: Project, published: bool, run_ids: Sequence[str]) -> None:
    relative = project.release.relative_to(project.root)
    state = "" if published else " (the last one, unchanged)" if project.release.exists() else " (none yet)"
    console.print(f"release     {relative}{state}", markup=False)
    pages = project.published.relative_to(project.root)
    if published:
        console.print(f"report      {pages}/report/index.html", markup=False)
    console.print(f"findings    {_program()} findings --study {project.study.name}", markup=False)
    if (project.published / "steward.html").exists():
        console.print(f"            {pages}/steward.html", markup=False)
    for told in (notification.path(project.notifications, run_id) for run_id in run_ids):
        if told.exists():
            console.print(f"told        {told.relative_to(project.root)}", markup=False)
    last = run_ids[-1]
    console.print(f"run         {last}; make ui, then http://localhost:3000/runs/{last}", markup=False)


def _program() -> str:
    """Return the command with which the user can call this program again."""
    called = Path(sys.argv[0]).absolute()
    return str(called.relative_to(Path.cwd())) if called.is_relative_to(Path.cwd()) else called.name
