"""``sarcoma findings``: lists findings, records decisions, exports and imports sheets for stewards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import no_such, say
from sarcoma_pipeline.cli.warehouse_rows import identity_gate, rows
from sarcoma_pipeline.study.project import Project
from schemas.vocabularies import ACKNOWLEDGE, DECIDE, FINDING_STATUS, REOPEN, RESOLVED, WAIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from sarcoma_pipeline.quality.ledger import Request


_LISTED = "sarcoma findings lists them all"


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
def list_(study: str, **wanted: str | None) -> None:
    """List findings: status, file, position, what is wrong and what to do."""
    project = configured(study)
    found = identity_gate(project).frame(_select(project, **wanted))
    effects = _effects(project)
    for row in found.iter_rows(named=True):
        say(f"{row['severity']:8} {row['status']:12} {row['rule_id']}  [{row['finding_id']}]")
        shown = f"  {row['column_name']} = {row['value']!r}" if row["column_name"] and row["value"] else ""
        say(f"         {row['path']}, {row['position']}{shown}")
        say(f"         {row['what']} {row['remedy']}")
        if row["note"]:
            say(f"         in this record: {row['note']}")
        if row["finding_id"] in effects:
            say(f"         if waived: {effects[row['finding_id']]}")
    say(f"{found.height} findings")


@findings.command()
@study_option
@click.argument("finding_id")
def show(study: str, finding_id: str) -> None:
    """Show one finding in full, as delivered, with every decision ever taken on it.

    Lists and pages mask text that could identify a patient; this command shows it unmasked.
    """
    import polars as pl

    from sarcoma_pipeline.quality import decision_log

    project = configured(study)
    found = _current(project).filter(pl.col("finding_id") == finding_id)
    if found.is_empty():
        raise Refused(no_such("finding", finding_id, _current(project)["finding_id"], _LISTED))
    row = found.drop("decision_id", "content_hash").row(0, named=True) | _as_delivered(project, finding_id)
    for name, value in row.items():
        if value is not None:
            say(f"{name:15} {value}")
    for row in readings_of(project).filter(pl.col("finding_id") == finding_id).iter_rows(named=True):
        if found["rule_id"].item().startswith("identity."):
            say(f"reading {row['reading']}       {row['text']}")
            continue
        dose = "no dose" if row["prescribed_dose_gy"] is None else f"{row['prescribed_dose_gy']:g} Gy"
        fractions = f" in {row['fractions']}" if row["fractions"] else ""
        say(f"reading {row['reading']}       {dose}{fractions}: {row['text']}")
    for row in decision_log.read(project.decisions).iter_rows(named=True):
        if row["finding_id"] == finding_id:
            until = f" until {row['until']}" if row["until"] else ""
            say(f"{row['at'][:19]}Z {row['action']}{until} by {row['who']}: {row['reason']}")


@findings.command()
@study_option
@click.argument("finding_id")
def impact(study: str, finding_id: str) -> None:
    """Show how the study's numbers would change if a quarantined record were admitted."""
    from sarcoma_pipeline.cli import finding_impact

    project = configured(study)
    known = _current(project)["finding_id"]
    if finding_id not in known:
        raise Refused(no_such("finding", finding_id, known, _LISTED))
    for line in finding_impact.lines(project, finding_id):
        say(line)


@findings.command()
@_decision
def acknowledge(study: str, finding_id: tuple[str, ...], who: str, reason: str) -> None:
    """Note that somebody is working on the finding. A quarantined record stays in quarantine."""
    _apply(study, finding_id, ACKNOWLEDGE, who, reason)


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
    found = identity_gate(project).frame(_select(project, **wanted))
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
    from sarcoma_pipeline.quality.ledger import DecisionRefused

    try:
        requests = decision_sheet.read(file_name)
    except DecisionRefused as refused:
        raise _refused(refused) from None
    _record(configured(study), requests)


def _apply(
    study: str,
    ids: Sequence[str],
    action: str,
    who: str,
    reason: str,
    until: str | None = None,
    reading: int | None = None,
) -> None:
    from sarcoma_pipeline.quality.ledger import Request

    requests = [Request(i, action, who, reason, until, reading=reading) for i in dict.fromkeys(ids)]
    _record(configured(study), requests)


def _record(project: Project, requests: Sequence[Request]) -> None:
    from sarcoma_pipeline.quality import decision_log
    from sarcoma_pipeline.quality.ledger import DecisionRefused

    entries = ledger_of(project)
    readings = readings_of(project) if any(r.action == DECIDE for r in requests) else None
    try:
        recorded = decision_log.record(
            project.decisions, entries, requests, dt.datetime.now(dt.UTC), readings
        )
    except DecisionRefused as refused:
        raise _refused(refused) from None
    except decision_log.DecisionLogDamaged as damaged:
        raise click.ClickException(str(damaged)) from None
    for row in recorded.iter_rows(named=True):
        until = f" until {row['until']}" if row["until"] else ""
        say(f"{row['finding_id']}: {row['action']}{until}")
    say(f"{recorded.height} decisions recorded; they take effect with the next refresh")


def _refused(refused: Any) -> Refused:
    return Refused("\n".join([*refused.problems, "Nothing was changed."]))


def _effects(project: Project) -> dict[str, str]:
    """Map each finding to the sentence on how the study would change if its record were admitted."""
    from sarcoma_pipeline.quality import impact
    from schemas.impact import Impact

    effects = impact.sentences(rows(project, f"FROM {Impact.table()}"))
    quarantined = rows(
        project,
        "SELECT finding_id, record_id FROM quality.findings JOIN quality.quarantine USING (record_id) "
        "WHERE list_contains(rule_ids, rule_id)",
    )
    return dict(quarantined.join(effects, on="record_id").select("finding_id", "impact").iter_rows())


def readings_of(project: Project) -> pl.DataFrame:
    """Return the readings and answers that data stewards can choose, by finding."""
    from sarcoma_pipeline.quality import ledger
    from schemas.curated_identity import IdentityReading
    from schemas.curated_radiotherapy import RadiotherapyReading

    found = rows(project, "FROM quality.findings")
    # The patient of an answer is shown by pseudonym.
    identities = rows(
        project,
        "SELECT i.* REPLACE (i.text || coalesce(': patient ' || p.pseudonym, '') AS text) "
        f"FROM {IdentityReading.table()} AS i LEFT JOIN curated.patient AS p USING (patient_id)",
    )
    return ledger.offered(found, rows(project, f"FROM {RadiotherapyReading.table()}"), identities)


def _as_delivered(project: Project, finding_id: str) -> dict[str, str]:
    """Return file, position, column, value and note of a finding from the warehouse, unmasked.

    Empty for a finding that is not in the last refresh: only its masked form is kept.
    """
    from schemas.all_contracts import CONTRACTS

    received = " UNION ALL ".join(
        f"SELECT record_id, file_id, position FROM {table}"
        for table in sorted(CONTRACTS)
        if table.startswith("received.")
    )
    found = rows(
        project,
        f"""
        SELECT f.path, r.position, o.column_name, o.value, o.note
        FROM quality.findings AS q
        JOIN quality.observed AS o
            ON (o.rule_id, o.record_id, o.table_name) = (q.rule_id, q.record_id, q.table_name)
        LEFT JOIN ({received}) AS r ON r.record_id = q.record_id
        LEFT JOIN meta.files AS f ON f.file_id = r.file_id
        WHERE q.finding_id = '{finding_id.replace("'", "''")}'
        ORDER BY (o.column_name IS NOT DISTINCT FROM q.column_name) DESC, o.column_name, o.value, o.note
        LIMIT 1
        """,
    )
    return {
        name: value for row in found.iter_rows(named=True) for name, value in row.items() if value is not None
    }


def ledger_of(project: Project) -> pl.DataFrame:
    """Read ``quality.ledger`` as of the last refresh."""
    from schemas.ledger import LedgerEntry

    return LedgerEntry.conform(rows(project, f"FROM {LedgerEntry.table()}"))


def _current(project: Project) -> pl.DataFrame:
    """Return the ledger with the decisions taken since the last refresh applied, most severe first."""
    import polars as pl

    from sarcoma_pipeline.quality import decision_log, ledger

    try:
        decisions = decision_log.read(project.decisions)
    except decision_log.DecisionLogDamaged as damaged:
        raise click.ClickException(str(damaged)) from None
    found = ledger.standing(ledger_of(project), decisions, dt.datetime.now(dt.UTC).date())
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}, return_dtype=pl.Int32)
    return found.sort(order, "rule_id", "path", "position", "finding_id")


def _check_names(
    project: Project, found: pl.DataFrame, rule: str | None, patient: str | None, file: str | None
) -> None:
    """Refuse a rule, a pseudonym or a file that does not exist, instead of answering "0 findings".

    Raises:
        Refused: with the name that was probably meant.
    """
    if rule is not None and rule not in set(found["rule_id"]):
        from sarcoma_pipeline.quality.rule_catalogue import rules

        if rule not in rules():
            raise Refused(no_such("rule", rule, rules(), "sarcoma rules lists them all"))
    if patient is not None and patient not in set(found["pseudonym"]):
        known = {*rows(project, "SELECT pseudonym FROM curated.patient")["pseudonym"]}
        if patient not in known:
            known |= {*found["pseudonym"].drop_nulls()}
            raise Refused(no_such("pseudonym", patient, known, "sarcoma findings shows those with a finding"))
    if file is not None and not found["path"].str.contains(file, literal=True).any():
        known = rows(project, "SELECT DISTINCT path FROM meta.files")["path"]
        if not known.str.contains(file, literal=True).any():
            raise Refused(f'no file of the drop folder has "{file}" in its path')


def _select(
    project: Project,
    rule: str | None,
    severity: str | None,
    status: str | None,
    patient: str | None,
    file: str | None,
) -> pl.DataFrame:
    import polars as pl

    found = _current(project)
    _check_names(project, found, rule, patient, file)
    wanted = {"rule_id": rule, "severity": severity, "status": status, "pseudonym": patient}
    for column, value in wanted.items():
        if value is not None:
            found = found.filter(pl.col(column) == value)
    if status is None:
        found = found.filter(pl.col("status") != RESOLVED)
    if file is not None:
        found = found.filter(pl.col("path").str.contains(file, literal=True))
    return found
