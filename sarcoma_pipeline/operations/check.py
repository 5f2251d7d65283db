"""Check a study before its first refresh: its files against its configuration, with a preview.

It uses the readers, typing, linkage, curation and cohort of the refresh; nothing is stored or published.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from sarcoma_pipeline.cohort import derivation
from sarcoma_pipeline.curation.table_rows import CONDITION_UNMATCHED
from sarcoma_pipeline.curation.value_rules import CODE_UNKNOWN
from sarcoma_pipeline.operations import check_reading
from sarcoma_pipeline.operations.check_reading import Delivered
from sarcoma_pipeline.quality import accounting, findings, plausibility, unreadable_cells
from sarcoma_pipeline.quality.curate import Curation, curate
from sarcoma_pipeline.quality.identity_gate import IdentityGate
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEligibility, CohortEndpoint, CohortFlow, CohortPatient
from schemas.configuration import MappedSource
from schemas.received import TableRow
from schemas.typed import Person
from schemas.vocabularies import SEVERITY

_ROWS_NAMED = 5
"""Maximum number of rows with the same key that are listed."""


@dataclass(frozen=True)
class Notice:
    """One problem found by the check.

    Attributes:
        severity: ``error``, ``warning`` or ``notice``; a notice needs no action.
        rule: the rule that a refresh would report, or the check's own name for it.
        file: file below the drop folder, identifiers masked; "" for the study as a whole.
        position: the first position in the file.
        column: the delivered column, if known.
        value: the delivered value; identifying values are masked.
        times: how often it occurs.
        what: what is wrong.
        remedy: what to do.
    """

    severity: str
    rule: str
    file: str
    position: str
    column: str
    value: str
    times: int
    what: str
    remedy: str


@dataclass
class Checked:
    """The result of a check.

    Attributes:
        notices: the problems, the most severe first.
        preview: topic and text of the expected result of a refresh.
    """

    notices: list[Notice] = field(default_factory=list)
    preview: list[tuple[str, str]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether no problem needs action."""
        return all(one.severity == "notice" for one in self.notices)


def check(project: Project) -> Checked:
    """Check the files of a study, centre by centre.

    Args:
        project: the study; its configuration has no faults.
    """
    result = Checked()
    for centre in project.centres or ("",):
        drop = project.drop_of(centre)
        if not drop.is_dir():
            name = str(drop.relative_to(project.root))
            what = "The drop folder does not exist."
            remedy = f"Create the folder {name} and put the files there, or correct drop in study.toml."
            result.notices.append(_own("error", "check.no-drop-folder", what, remedy, file=name))
            continue
        found = check_reading.read(drop, project.sources, centre)
        curated = curate(
            found.received, project.sources, check_reading.days(project), found.files, study=project.study
        )
        gate = IdentityGate.of(curated.typed[Person.table()], project.sources)
        own = [*_files(project, found), *_keys(found), *_unmapped(found), *_empty(project, found)]
        result.notices += [_masked(gate, notice, found) for notice in own]
        result.notices += _findings(project, found, curated, centre, gate)
        result.preview += [
            (f"{centre} {topic}".strip(), words) for topic, words in _preview(project, found, curated, result)
        ]
    order = {severity: place for place, severity in enumerate(SEVERITY)}
    result.notices.sort(key=lambda n: (order[n.severity], n.rule, n.file, n.column, n.position, n.value))
    return result


def _own(severity: str, rule: str, what: str, remedy: str, **place: str) -> Notice:
    blank = {"file": "", "position": "", "column": "", "value": ""}
    return Notice(severity=severity, rule=rule, what=what, remedy=remedy, times=1, **{**blank, **place})


def _files(project: Project, found: Delivered) -> Iterator[Notice]:
    """Yield sources without files, and sheets that are not read."""
    for source in project.sources.source:
        if not found.counted.get(source.name):
            yield _own(
                "warning", "check.source-without-files",
                f'No file of the drop folder belongs to the source "{source.name}".',
                "Put the file there, or correct files in sources.toml.",
                value=", ".join(source.files),
            )  # fmt: skip
    for path, listed in found.sheets.items():
        for name, hidden, read in listed:
            if hidden and read:
                yield _own(
                    "warning", "check.sheet-hidden", "The sheet that is read is hidden in the spreadsheet.",
                    "Name the right sheet in sources.toml: sheet.", file=path, value=name,
                )  # fmt: skip
            elif not read:
                words = "The sheet is hidden and not read." if hidden else "The sheet is not read."
                severity = "notice" if hidden or _named(project, found, path) else "warning"
                yield _own(
                    severity, "check.sheet-unread", words,
                    "If it holds data, name it in sources.toml (sheet) in a separate source; otherwise name"
                    " the sheet that is read.",
                    file=path, value=name,
                )  # fmt: skip
    for path in found.left_out:
        yield _own(
            "notice", "check.too-large", "The file is too large for a check.",
            "Nothing needs to be done: a refresh reads it.", file=path,
        )  # fmt: skip


def _named(project: Project, found: Delivered, path: str) -> bool:
    """Return whether sources.toml chooses the sheet of a spreadsheet by name."""
    names = set(found.files.filter(pl.col("path") == path)["source"])
    return any(s.name in names and getattr(s, "sheet", None) for s in project.sources.source)


def _keys(found: Delivered) -> Iterator[Notice]:
    """Yield rows of one file that share their key."""
    paths = dict(found.files.select("file_id", "path").iter_rows())
    for table in unreadable_cells.MAPPED:
        rows = found.received.get(table)
        if rows is None:
            continue
        repeated = (
            rows.sort("file_id", "ordinal")
            .group_by("file_id", "record_key", maintain_order=True)
            .agg("position", pl.len())
            .filter(pl.col("len") > 1)
        )
        for file_id, part in repeated.group_by("file_id", maintain_order=True):
            shared = part.row(0, named=True)
            first = ", ".join(shared["position"][:_ROWS_NAMED])
            yield Notice(
                "warning", "check.key-repeated", paths[str(file_id[0])], first, "", "", part.height,
                f"{part['len'].sum()} rows share their key with others. Here are those of the first key.",
                "If each row is a patient, remove the repeated ones. If a patient has several rows, add to "
                "key in sources.toml the column that tells them apart, such as a date.",
            )  # fmt: skip


def _unmapped(found: Delivered) -> Iterator[Notice]:
    """Yield columns and elements that nothing reads."""
    unknown = accounting.unknown(found.files, found.values)
    for record, path, value in unknown.select("record_id", "column_name", "value").iter_rows():
        source = record.partition(":")[2] or record
        yield _own(
            "warning", "check.never-mapped", "This column or element is not used.",
            "Map it in sources.toml, or list it under [[source.ignored]] with the reason.",
            file=f'source "{source}"', column=path, value=value,
        )  # fmt: skip


def _empty(project: Project, found: Delivered) -> Iterator[Notice]:
    """Yield mapped columns that are empty in every row: perhaps another column holds the values."""
    received = found.received.get(TableRow.table())
    for source in project.sources.source:
        if received is None or not isinstance(source, MappedSource):
            continue
        rows = received.filter(pl.col("table_name") == source.name)
        # A row without a relapse has no date of one: the condition says that an empty cell is expected.
        asked = {when.column for entity in source.entities for when in entity.when if when.filled}
        filled = {key for cells in rows["values"] for key in json.loads(cells)}
        for header in source.headers() if rows.height >= _ROWS_TO_JUDGE else ():
            if header not in filled | asked:
                yield _own(
                    "warning", "check.column-empty",
                    f"The column is mapped, and empty in all {rows.height} rows.",
                    "Look whether another column, sheet or row of headers holds the values.",
                    column=f'column "{header}" of source "{source.name}"',
                )  # fmt: skip


_ROWS_TO_JUDGE = 5
"""Minimum number of rows, or of patients, for saying that none of them has something."""


def _masked(gate: IdentityGate, notice: Notice, found: Delivered) -> Notice:
    """Return the notice with its file path as it may be shown.

    Sheets and headers stay visible, because the person who maps them needs them.
    """
    ids = dict(found.files.select("path", "file_id").iter_rows())
    file = gate.path(notice.file, ids.get(notice.file)) if notice.file in ids else notice.file
    return replace(notice, file=file)


def _findings(
    project: Project, found: Delivered, made: Curation, centre: str, gate: IdentityGate
) -> Iterator[Notice]:
    """Yield the findings that a refresh would report; equal faults of one file are grouped."""
    patients = made.curated["curated.patient"]
    places = findings.places(found.received, found.files)
    listed = findings.findings(
        made.observed, places, findings.persons_of(made.typed), patients, made.link, centre
    )
    sources = found.files.select("file_id", origin="source")
    listed = listed.join(sources, on="file_id", how="left")
    spoken = _unmapped_words(listed)
    listed = gate.frame(listed).with_columns(_spoken(spoken, gate, listed))
    listed = listed.with_columns(place=pl.col("position").str.extract(r"(\d+)").cast(pl.Int64, strict=False))
    same = ("severity", "rule_id", "path", "origin", "table_name", "column_name", "value")
    grouped = (
        listed.sort("place", "position", "finding_id", nulls_last=True)
        .group_by(same, maintain_order=True)
        .agg(pl.first("position", "what", "remedy"), times=pl.len())
    )
    for row in grouped.iter_rows(named=True):
        place = {**row, "source": row["origin"] or ""}
        yield Notice(
            row["severity"], row["rule_id"], row["path"], row["position"],
            _column(project, place),
            row["value"] or "", row["times"], row["what"], row["remedy"],
        )  # fmt: skip


_MOST_CODES = 12
"""Different words of a column that has codes; a column with more holds names or remarks."""
_LONGEST_CODE = 30


def _unmapped_words(listed: pl.DataFrame) -> pl.DataFrame:
    """Return words without a code that occur again, in columns of few words: who maps them must see them."""
    place = ["path", "table_name", "column_name"]
    counted = (
        listed.filter(pl.col("rule_id").is_in([CODE_UNKNOWN.id, CONDITION_UNMATCHED.id]))
        .group_by(*place, "value")
        .agg(times=pl.len())
        .with_columns(words=pl.len().over(place))
    )
    few = pl.col("words") <= _MOST_CODES
    return counted.filter(few, pl.col("times") > 1, pl.col("value").str.len_chars() <= _LONGEST_CODE)


def _spoken(words: pl.DataFrame, gate: IdentityGate, listed: pl.DataFrame) -> pl.Expr:
    """Return the values of findings, in which these words are not hidden unless they name a patient."""
    place = ["path", "table_name", "column_name", "value"]
    again = listed.join(words, on=place, how="semi").select("finding_id", "value")
    shown = {finding: gate.remark(value) for finding, value in again.iter_rows()}
    told = pl.col("finding_id").replace_strict(shown, default=None, return_dtype=pl.String)
    return pl.coalesce([told, "value"]).alias("value")


def _column(project: Project, place: dict[str, str]) -> str:
    """Return the name of the delivered column of a finding; of the typed one if the file's path is masked."""
    if place["source"] and place["column_name"]:
        return unreadable_cells.header(project.sources, place)
    return place["column_name"] or ""


def _preview(
    project: Project, found: Delivered, made: Curation, result: Checked
) -> Iterator[tuple[str, str]]:
    """Yield the preview of the result; reasons against publishing are added to the notices."""
    study = project.study
    sampled = bool(found.shortened or found.left_out) or found.counted != found.read
    for source in project.sources.source:
        here, read = found.counted.get(source.name, 0), found.read.get(source.name, 0)
        of = f"{here} file{'' if here == 1 else 's'}" if here == read else f"{read} of {here} files looked at"
        yield "files", f"{source.name}: {of}"
    if sampled:
        yield "sample", "only a sample was read: the numbers below are those of the sample"
    records = sum(frame.height for frame in found.received.values())
    patients = made.curated["curated.patient"]
    yield "records", f"{records} read, {made.quarantine.height} of them unusable, {patients.height} patients"
    for source in project.sources.source:
        if isinstance(source, MappedSource) and TableRow.table() in found.received:
            rows = found.received[TableRow.table()].filter(pl.col("table_name") == source.name)
            linked = _linked(rows, made)
            yield "rows", f"{source.name}: {linked} of {rows.height} rows belong to a patient"
    whole = derivation.cohort(made.curated, study)
    derived, admitted = whole.derived, whole.eligible
    for label, excluded, remaining in whole.judged.flow.select("label", "excluded", "remaining").iter_rows():
        yield "criterion", f"{label}: {excluded} excluded, {remaining} remain"
    for name, n, events in (
        derived.endpoints.group_by("endpoint", maintain_order=True)
        .agg(pl.len(), pl.col("event").sum())
        .iter_rows()
    ):
        yield "endpoint", f"{name}: {events} events in {n} patients"
        if events == n >= _ROWS_TO_JUDGE:
            result.notices.append(
                _own(
                    "warning",
                    "check.nobody-censored",
                    f"All {n} patients have the event of {name}.",
                    "Compare the codes of the status in sources.toml with the table. If the table lists only "
                    "the dead, it is no sample of patients: their survival says nothing of others.",
                )
            )
    for rule in study.endpoints:
        if rule.derivable and admitted.len() and rule.name not in set(derived.endpoints["endpoint"]):
            yield "endpoint", f"{rule.name}: no patient is at risk"
    if admitted.len() and (median := whole.patients["follow_up_days"].median()) is not None:
        yield "follow-up", f"median {median:g} days"
    mapped = [found.received[table] for table in unreadable_cells.MAPPED if table in found.received]
    source_of = unreadable_cells.sources_of(mapped, found.files)
    for row in unreadable_cells.unreadable(made.typed, made.observed, source_of).iter_rows(named=True):
        words = unreadable_cells.header(project.sources, row)
        yield "unreadable", f"{row['unreadable']} of {row['filled']} filled cells of {words}"
    # A refresh has all tables of the warehouse at hand here, and so has the check.
    tables = {
        **found.received,
        **made.typed,
        CohortFlow.table(): whole.judged.flow,
        CohortEligibility.table(): whole.judged.eligibility,
        CohortPatient.table(): whole.patients,
        CohortEndpoint.table(): derived.endpoints,
    }
    never = plausibility.never_published(study, project.sources, tables, made.observed, source_of)
    for reason in never:
        # A sample may by chance lack something that the full delivery has.
        severity = "warning" if sampled else "error"
        what = f"A refresh would publish nothing: {reason.what}."
        result.notices.append(_own(severity, "check.never-published", what, reason.remedy))


def _linked(rows: pl.DataFrame, made: Curation) -> int:
    """Return the number of rows with a record that belongs to a patient."""
    persons = pl.concat([f.select("record_id", "person_ref") for f in made.typed.values()])
    known = persons.join(made.link.select("person_ref"), on="person_ref", how="semi")
    return rows.join(known, on="record_id", how="semi").height
