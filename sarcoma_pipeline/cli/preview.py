"""``sarcoma preview``: print what a decision or a changed study.toml would change, without publishing."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.cli.finding_rows import decisions_of, in_full, ledger_of, readings_of
from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json
from sarcoma_pipeline.cli.warehouse_rows import one_connection
from sarcoma_pipeline.study import polars_threads
from schemas.configuration_faults import ConfigurationWrong
from schemas.vocabularies import DECIDE, REOPEN, WAIVE

if TYPE_CHECKING:
    import polars as pl

    from sarcoma_pipeline.operations.preview import Preview
    from sarcoma_pipeline.quality.decision_requests import Request
    from sarcoma_pipeline.study.project import Project

_PATIENTS_SHOWN = 20


@click.command()
@study_option
@click.option(
    "--study-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use this file instead of the study's study.toml.",
)
@click.option("--waive", "waived", multiple=True, metavar="FINDING", help="Preview a waiver of this finding.")
@click.option(
    "--decide", "chosen", multiple=True, metavar="FINDING=READING", help="Preview this reading of a finding."
)
@click.option(
    "--reopen",
    "reopened",
    multiple=True,
    metavar="FINDING",
    help="Preview the withdrawal of the decision on this finding.",
)
@json_option
def preview(
    study: str,
    study_file: Path | None,
    waived: tuple[str, ...],
    chosen: tuple[str, ...],
    reopened: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show which numbers of the study the next refresh would change; publishes and records nothing.

    It takes study.toml and sources.toml as they are now, and the decisions recorded since the last refresh.
    The options try more. The records are those of the last refresh: sarcoma check looks at new files.
    """
    polars_threads.choose(study)
    from sarcoma_pipeline.operations import preview as previews
    from sarcoma_pipeline.warehouse import opening

    project = configured(study)
    if study_file is not None:
        project = _with_study_file(project, study_file)
    now = project.now()
    try:
        # DuckDB opens a file once for all connections of a process that are open at the same time.
        with one_connection(), opening.explained(project.warehouse):
            # Read in any case: without a warehouse it says what to do.
            entries = ledger_of(project)
            requests = _requests(set(entries["finding_id"]), now.date(), waived, chosen, reopened)
            decisions = _decisions(project, entries, requests, now)
            found = previews.preview(project, decisions, now.date())
    except previews.CannotPreview as refused:
        raise click.ClickException(str(refused)) from None
    except opening.CannotOpen as why:
        raise click.ClickException(str(why)) from None
    if as_json:
        say_json(_as_json(found))
    else:
        _print(found)


def _with_study_file(project: Project, study_file: Path) -> Project:
    """Return the study with another ``study.toml``; its faults are those of a study's configuration.

    Raises:
        click.UsageError: the file is no valid configuration of this study.
    """
    from sarcoma_pipeline.operations.preview import loaded

    files = {
        path.relative_to(project.folder).as_posix(): path.read_text("utf-8")
        for path in project.configuration_files()
    }
    try:
        study, sources = loaded(project, {**files, "study.toml": study_file.read_text("utf-8")})
    except UnicodeDecodeError:
        raise click.UsageError(f"{study_file.name} is not UTF-8") from None
    except ConfigurationWrong as wrong:
        raise click.UsageError(str(wrong)) from None
    return dataclasses.replace(project, study=study, sources=sources)


def _requests(
    known: set[str],
    today: dt.date,
    waived: tuple[str, ...],
    chosen: tuple[str, ...],
    reopened: tuple[str, ...],
) -> list[Request]:
    """Return the decisions to be tried.

    Raises:
        click.UsageError: a finding is named without its reading.
    """
    if not (waived or chosen or reopened):
        return []
    from sarcoma_pipeline.quality.decision_requests import Request

    who = reason = "preview"
    requests = [Request(i, WAIVE, who, reason, today) for i in in_full(waived, known)]
    for text in chosen:
        finding, _, reading = text.partition("=")
        if not reading.isdigit():
            raise click.UsageError(
                f"--decide {text}: write FINDING=READING; sarcoma findings show numbers the readings"
            )
        (finding,) = in_full((finding,), known)
        requests.append(Request(finding, DECIDE, who, reason, reading=int(reading)))
    return requests + [Request(i, REOPEN, who, reason) for i in in_full(reopened, known)]


def _decisions(
    project: Project, entries: pl.DataFrame, requests: list[Request], now: dt.datetime
) -> pl.DataFrame:
    """Return all decisions with those to be tried.

    Raises:
        click.UsageError: one of them would be refused.
        click.ClickException: the log of decisions is damaged.
    """
    known = decisions_of(project)
    if not requests:
        return known
    import polars as pl

    from sarcoma_pipeline.quality import decision_requests

    try:
        return pl.concat(
            [known, decision_requests.decide(entries, known, requests, now, readings_of(project))]
        )
    except decision_requests.DecisionRefused as refused:
        raise click.UsageError("\n".join(refused.problems)) from None


def _as_json(found: Preview) -> dict[str, object]:
    return {
        "refresh": found.refresh_id,
        "causes": found.causes,
        "numbers": found.numbers.to_dicts(),
        "leaving": [{"pseudonym": who, "criterion": why} for who, why in found.leaving],
        "joining": found.joining,
        "moved": found.moved,
        "held_back": found.held_back,
    }


def _print(found: Preview) -> None:
    say(f"Preview from the records of refresh {found.refresh_id}. Nothing is published or recorded.")
    for cause in found.causes or [
        "nothing: configuration and decisions have not changed since the last refresh"
    ]:
        say(f"differs   {cause}")
    for row in found.changed.iter_rows(named=True):
        say(f"          {row['quantity']}: {row['before'] or 'none'} → {row['after'] or 'none'}")
    _list("leaves", [f"{who}  {why}" for who, why in found.leaving])
    _list("joins", found.joining)
    for endpoint, patients in found.moved.items():
        say(f"moves     {endpoint}: time or event of {patients} {'patient' if patients == 1 else 'patients'}")
    say(f"{found.changed.height} of {found.numbers.height} numbers of the study would change.")
    for fault in found.held_back:
        say(f"held back {fault}")
    if found.held_back:
        say(
            "The refresh would publish nothing. If the change is intended, see [gate] in "
            "docs/configuration.md."
        )


def _list(topic: str, lines: list[str]) -> None:
    for line in lines[:_PATIENTS_SHOWN]:
        say(f"{topic:9} {line}")
    if len(lines) > _PATIENTS_SHOWN:
        say(f"{topic:9} and {len(lines) - _PATIENTS_SHOWN} more patients (--json lists all)")
