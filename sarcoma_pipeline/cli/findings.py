"""``sarcoma findings``: lists findings, records decisions, exports and imports sheets for stewards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sarcoma_pipeline.cli.finding_rows import (
    LISTED,
    as_delivered,
    compared,
    current,
    decisions_of,
    delivered,
    effects,
    in_full,
    ledger_of,
    readings_of,
    records_of,
    select,
)
from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json, whole
from sarcoma_pipeline.cli.warehouse_rows import identity_gate, one_connection, rows
from sarcoma_pipeline.study.project import Project
from schemas.language import LANGUAGES, SOURCE, in_frame, speaking
from schemas.vocabularies import ACKNOWLEDGE, DECIDE, FINDING_STATUS, NOTICE, REOPEN, WAIVE, WAIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sarcoma_pipeline.quality.decision_requests import Request


class Refused(click.ClickException):
    """Raised for a command that was refused; nothing was changed."""

    exit_code = 2


class _ListByDefault(click.Group):
    """Runs ``list`` when options are given without a command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListByDefault)
def findings() -> None:
    """List findings and decide on them. Without a command: list.

    A decision takes effect with the next refresh. Exit code 2: the decision was refused and nothing was
    changed.
    """


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option("--rule", help="Only findings of this rule."),
        click.option(
            "--severity",
            type=click.Choice(["error", "warning", "notice"]),
            help="Only findings of this severity.",
        ),
        click.option(
            "--status",
            type=click.Choice(FINDING_STATUS),
            help="Only findings with this status. Default: all except resolved ones.",
        ),
        click.option("--patient", help="Only findings of this pseudonym."),
        click.option("--file", help="Only findings whose file path contains this text."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _decision(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--reason", required=True, help="Why. Write no names and no birth dates."),
        click.option("--by", "who", required=True, help="Who decides."),
        click.argument("finding_id", nargs=-1, required=True),
        study_option,
    ):
        command = option(command)
    return command


@findings.command("list")
@study_option
@_filters
@json_option
def list_(study: str, as_json: bool, **wanted: str | None) -> None:
    """List findings: status, file, position, what is wrong and what to do."""
    project = configured(study, thresholds=False)
    with one_connection():
        found = identity_gate(project).frame(select(project, **wanted))
        with speaking(SOURCE if as_json else project.study.language):
            waived = effects(project)
    if as_json:
        say_json([{**row, "if_waived": waived.get(row["finding_id"])} for row in found.to_dicts()])
        return
    from schemas.finding_words import in_words

    with speaking(project.study.language):
        found = in_words(in_frame(found, "what", "remedy"))
    for row in found.iter_rows(named=True):
        say(f"{row['severity']:8} {row['status']:12} {row['rule_id']}  [{row['finding_id']}]")
        shown = f"  {row['column_name']} = {row['value']!r}" if row["column_name"] and row["value"] else ""
        say(f"         {row['path']}, {row['position']}{shown}")
        say(f"         {row['what']} {row['remedy']}")
        if row["note"]:
            say(f"         in this record: {row['note']}")
        if row["assignee"] or row["due"]:
            say(
                "         assigned to "
                + ", due ".join(str(row[c]) for c in ("assignee", "due") if row[c])
                + (" (overdue)" if row["due"] and row["due"] < project.now().date() else "")
            )
        if row["answer"]:
            say(f"         answer of the sender: {row['answer']}")
        if row["finding_id"] in waived:
            say(f"         if waived: {waived[row['finding_id']]}")
    say(f"{found.height} findings")


@findings.command()
@study_option
@click.argument("finding_id")
@json_option
def show(study: str, finding_id: str, as_json: bool) -> None:
    """Show one finding in full, as delivered, with every decision ever taken on it.

    Lists and pages mask text that could identify a patient; this command shows it unmasked.
    """
    import polars as pl

    from sarcoma_pipeline.cli import finding_shown
    from sarcoma_pipeline.quality import decision_requests

    project = configured(study)
    every = current(project)
    finding_id = whole("finding", finding_id, every["finding_id"], LISTED)
    found = every.filter(pl.col("finding_id") == finding_id)
    row = found.drop("decision_id", "content_hash").row(0, named=True) | as_delivered(project, finding_id)
    records = compared(project, finding_id)
    readings, decided = (
        frame.filter(pl.col("finding_id") == finding_id)
        for frame in (readings_of(project), decisions_of(project))
    )
    decisions = decided.drop("finding_id").to_dicts()
    if as_json:
        chosen = readings.drop("finding_id").to_dicts()
        say_json({**row, "finding_records": records, "readings": chosen, "decisions": decisions})
        return
    with speaking(project.study.language):
        meanings = decision_requests.in_sentences(found, readings).get(finding_id, {})
        told = list(finding_shown.lines(row, records, meanings, decisions))
    for line in told:
        say(line)


@findings.command()
@study_option
@click.argument("finding_id")
@json_option
def impact(study: str, finding_id: str, as_json: bool) -> None:
    """Show how the study's numbers would change if a quarantined record were admitted."""
    from sarcoma_pipeline.cli import finding_impact

    project = configured(study)
    finding_id = whole("finding", finding_id, current(project)["finding_id"], LISTED)
    found = finding_impact.compared(project, finding_id)
    if as_json:
        say_json(finding_impact.as_json(finding_id, found))
        return
    for line in finding_impact.lines(found):
        say(line)


@findings.command()
@_decision
def acknowledge(study: str, finding_id: tuple[str, ...], who: str, reason: str) -> None:
    """Note that somebody is working on the finding. A quarantined record stays in quarantine."""
    _apply(study, finding_id, ACKNOWLEDGE, who, reason)


@findings.command()
@study_option
@click.argument("finding_id", nargs=-1, required=True)
@click.option("--to", "assignee", required=True, help="Who looks it up.")
@click.option("--due", help="Day by which the answer is expected: 2030-12-31 or 31.12.2030.")
@click.option("--by", "who", required=True, help="Who decides.")
@click.option("--reason", default="assigned", show_default=True, help="Why. Write no names of patients.")
def assign(
    study: str, finding_id: tuple[str, ...], assignee: str, due: str | None, who: str, reason: str
) -> None:
    """Acknowledge findings and say who looks them up, and until when."""
    from sarcoma_pipeline.quality.decision_requests import Request

    project = configured(study)
    every = in_full(finding_id, ledger_of(project)["finding_id"])
    _record(project, [Request(i, ACKNOWLEDGE, who, reason, assignee=assignee, due=due) for i in every])


@findings.command()
@_decision
@click.option("--until", required=True, help="Last day of the waiver: 2030-12-31 or 31.12.2030.")
def waive(study: str, finding_id: tuple[str, ...], who: str, reason: str, until: str) -> None:
    """Admit a record despite its fault, until a given day and only while its content stays the same."""
    _apply(study, finding_id, WAIVE, who, reason, until)


@findings.command()
@_decision
@click.option("--reading", required=True, type=int, help="Number of the reading, as `show` lists it.")
def decide(study: str, finding_id: tuple[str, ...], who: str, reason: str, reading: int) -> None:
    """Choose the reading of a radiotherapy course, or the patient of a record, until its data change."""
    _apply(study, finding_id, DECIDE, who, reason, reading=reading)


@findings.command()
@_decision
def reopen(study: str, finding_id: tuple[str, ...], who: str, reason: str) -> None:
    """Withdraw an acknowledgement, a waiver or the choice of a reading."""
    _apply(study, finding_id, REOPEN, who, reason)


@findings.command()
@study_option
@_filters
@click.argument("file_name", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE.csv")
def export(study: str, file_name: Path, **wanted: str | None) -> None:
    """Write findings to a sheet with empty columns action, by, reason and until, for a steward to fill in."""
    from sarcoma_pipeline.quality import decision_sheet

    project = configured(study)
    found = identity_gate(project).frame(select(project, **wanted))
    try:
        decision_sheet.write(file_name, found)
    except FileExistsError:
        raise Refused(f"{file_name} already exists; somebody may have filled it in") from None
    except OSError as broken:
        raise Refused(f"{file_name} cannot be written: {broken.strerror}") from None
    say(f"{found.height} findings in {file_name}")


@findings.command("import")
@study_option
@click.argument("file_name", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.csv")
def import_(study: str, file_name: Path) -> None:
    """Record the decisions of a filled-in sheet, all of them or none. Lines without an action are ignored."""
    from sarcoma_pipeline.quality import decision_sheet
    from sarcoma_pipeline.quality.decision_requests import DecisionRefused

    try:
        requests = decision_sheet.read(file_name)
    except DecisionRefused as refused:
        raise _refused(refused) from None
    _record(configured(study), requests)


@findings.command()
@study_option
@_filters
@click.option(
    "--into",
    "folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the letters.",
)
@click.option(
    "--language", "languages", multiple=True, type=click.Choice(["de", "en"]), help="Default: both languages."
)
@click.option("--notices", is_flag=True, help="Ask about notices as well.")
@click.option(
    "--as-delivered",
    is_flag=True,
    help="Show each sender their own values and file names unmasked. They may name patients: send such a "
    "letter only on a way that may carry patient data.",
)
def letters(
    study: str,
    folder: Path,
    languages: tuple[str, ...],
    notices: bool,
    as_delivered: bool,
    **wanted: str | None,
) -> None:
    """Write a letter for each sender: what to look up, and room for the answers.

    Each letter is a spreadsheet and a page, in German and in English. `sarcoma findings answers` takes the
    answered spreadsheet back. Who the senders are is declared in sources.toml: system, owner and contact.
    """
    import polars as pl

    from sarcoma_pipeline.quality import letter_sheet
    from sarcoma_pipeline.quality import letters as questions
    from schemas.finding_words import in_words

    project = configured(study)
    gate = identity_gate(project)
    found = select(project, **wanted)
    if wanted["status"] is None:
        found = found.filter(pl.col("status") != WAIVED, pl.col("answer").is_null())
    if not notices and wanted["severity"] is None:
        found = found.filter(pl.col("severity") != NOTICE)
    records = records_of(project)
    own = delivered(project, records) if as_delivered else None
    masked = gate.frame(records)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refresh = rows(
        project, "SELECT refresh_id, started_at FROM meta.refreshes ORDER BY refresh_id DESC LIMIT 1"
    )
    began = [(r, dt.datetime.fromisoformat(at)) for r, at in refresh.iter_rows()]
    made = []
    for language in LANGUAGES:
        if languages and language not in languages:
            continue
        with speaking(language):
            mine = None if own is None else in_words(own)
            made = questions.letters(found, in_words(masked), project.sources, mine)
            state = "".join(f"{project.at_the_site(at)} ({refresh_id})" for refresh_id, at in began)
        for letter in made:
            try:
                paths = letter_sheet.write(folder, letter, language, project.study.title, state)
            except FileExistsError as there:
                raise Refused(f"{there.filename} already exists; somebody may have filled it in") from None
            for path in paths:
                say(str(path))
    for letter in made:
        if not letter.contact:
            say(f"  {letter.owner}: no contact is declared in sources.toml")
        say(f"  {letter.owner}, {letter.system}: {letter.questions.height} questions")
    asked = {finding for letter in made for finding in letter.questions["finding_id"]}
    if unsent := found.filter(~pl.col("finding_id").is_in(list(asked))).height:
        say(f"{unsent} findings have no sender: they are about the study as a whole, or no longer delivered")


@findings.command()
@study_option
@click.option("--by", "who", required=True, help="Who records the answers.")
@click.argument(
    "file_name", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.xlsx"
)
def answers(study: str, file_name: Path, who: str) -> None:
    """Record the answers of a letter as acknowledgements: all or none. Rows without an answer are ignored."""
    from sarcoma_pipeline.quality import letter_sheet
    from sarcoma_pipeline.quality.decision_requests import DecisionRefused

    project = configured(study)
    try:
        read = letter_sheet.read(file_name, who, current(project))
    except DecisionRefused as refused:
        raise _refused(refused) from None
    for sentence in read.passed_over:
        say(sentence)
    say(f"{read.unanswered} questions without an answer")
    if read.requests:
        _record(project, read.requests)
    else:
        say("no answer to record")


def _apply(
    study: str,
    ids: Sequence[str],
    action: str,
    who: str,
    reason: str,
    until: str | None = None,
    reading: int | None = None,
) -> None:
    from sarcoma_pipeline.quality.decision_requests import Request

    project = configured(study)
    known = [*ledger_of(project)["finding_id"], *decisions_of(project)["finding_id"]]
    every = in_full(ids, known)
    _record(project, [Request(i, action, who, reason, until, reading=reading) for i in every])


def _record(project: Project, requests: Sequence[Request]) -> None:
    from sarcoma_pipeline.quality import decision_log
    from sarcoma_pipeline.quality.decision_requests import DecisionRefused

    entries = ledger_of(project)
    readings = readings_of(project) if any(r.action == DECIDE for r in requests) else None
    try:
        recorded = decision_log.record(project.decisions, entries, requests, project.now(), readings)
    except DecisionRefused as refused:
        raise _refused(refused) from None
    except decision_log.DecisionLogDamaged as damaged:
        raise click.ClickException(str(damaged)) from None
    for row in recorded.iter_rows(named=True):
        until = f" until {row['until']}" if row["until"] else ""
        say(f"{row['finding_id']}: {row['action']}{until}")
    recorded_now = "1 decision" if recorded.height == 1 else f"{recorded.height} decisions"
    say(f"{recorded_now} recorded, in effect from the next refresh on")


def _refused(refused: Any) -> Refused:
    return Refused("\n".join([*refused.problems, "Nothing was changed."]))
