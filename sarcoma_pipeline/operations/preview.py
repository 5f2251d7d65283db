"""Preview the next refresh: what a changed configuration or a decision would change, without publishing.

The records are those of the last refresh. They are read from the warehouse, and the functions of the refresh
derive the cohort from them in memory. So the preview's numbers are those of the refresh that follows. It does
not look at new and changed files of the drop folder: ``sarcoma check`` reads those.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from sarcoma_pipeline.cohort import derivation
from sarcoma_pipeline.cohort.derived_once import CuratedOnce
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.curation import index_tumour
from sarcoma_pipeline.operations.preview_standing import (
    CURATED,
    Circumstances,
    Refreshed,
    circumstances,
    standing,
)
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.tables_on_demand import OnDemand
from sarcoma_pipeline.quality import expectations, release_gate, study_numbers
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import centres, read_only
from sarcoma_pipeline.warehouse.centres import Tables
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortEligibility, CohortEndpoint, CohortFlow, CohortPatient
from schemas.configuration import Sources, Study, load_study
from schemas.configuration_faults import ConfigurationWrong
from schemas.curated import Link
from schemas.ledger import Decision
from schemas.meta import MetaConfiguration, MetaRefresh
from schemas.quality import Quarantine
from schemas.release import released_columns


class CannotPreview(Exception):
    """The change affects how files are read, which only a refresh can do.

    The message names the command to run.
    """


@dataclass(frozen=True)
class Cohort:
    """The cohort of a study, before or after a change.

    Attributes:
        eligibility: ``cohort.eligibility``.
        flow: ``cohort.flow``.
        patients: ``cohort.patients``.
        endpoints: ``cohort.endpoints``.
    """

    eligibility: pl.DataFrame
    flow: pl.DataFrame
    patients: pl.DataFrame
    endpoints: pl.DataFrame


@dataclass(frozen=True)
class Preview:
    """What the next refresh would change.

    Attributes:
        refresh_id: the refresh whose records were used.
        causes: what differs from that refresh, in words; empty if nothing does.
        numbers: ``quantity``, ``before``, ``after`` (text) of every number of the study, in the order of a
            report; null where the study does not have that number.
        leaving: ``pseudonym``, ``criterion`` of patients who would leave the cohort, by pseudonym.
        joining: pseudonyms of patients who would join it, sorted.
        moved: endpoint to the patients of both cohorts whose time or event would change, by name.
        held_back: what the release gate would say of the patients and endpoints, in words; empty if it would
            let them pass.
    """

    refresh_id: str
    causes: list[str]
    numbers: pl.DataFrame
    leaving: list[tuple[str, str]]
    joining: list[str]
    moved: dict[str, int]
    held_back: list[str]

    @property
    def changed(self) -> pl.DataFrame:
        """The numbers that would change."""
        return self.numbers.filter(pl.col("before").ne_missing(pl.col("after")))


def preview(project: Project, decisions: pl.DataFrame, today: dt.date) -> Preview:
    """Derive the cohort anew with the current configuration and decisions, and compare.

    Args:
        project: the study, with the configuration to be tried.
        decisions: ``quality.decisions``, with those to be tried.
        today: the day of the next refresh.

    Raises:
        CannotPreview: ``sources.toml`` reads files in another way than the last refresh did.
        CannotOpen: a refresh is running, or the warehouse is damaged.
        duckdb.CatalogException: nothing is built yet.
    """
    with read_only.connect(project) as warehouse:
        # DuckDB opens the file once for all connections of a process that are open at the same time.
        last = refreshed(project)
        now = circumstances(project.study, project.sources, decisions, today)
        if last.then and (reread := _reads_differently(last.then.sources, now.sources)):
            raise CannotPreview(
                f"{reread} is read in another way than before, or is new. Only a refresh reads files: "
                "sarcoma check shows what would come of them, sarcoma refresh --draft builds it"
            )
        before = Cohort(*(read_only.frame(warehouse, t) for t in _COHORT))
        after = _pooled(
            [derived(project, centre, decisions, today, last) for centre in project.centres or ("",)]
        )
    return Preview(
        last.refresh_id,
        _causes(last, now, decisions),
        _compared(before, after, last.then.study if last.then else project.study, project.study),
        *_members(before, after, project.study),
        _moved(before, after),
        _held_back(project, after),
    )


_COHORT = (CohortEligibility.table(), CohortFlow.table(), CohortPatient.table(), CohortEndpoint.table())


def refreshed(project: Project) -> Refreshed:
    """Return what the last refresh depended on.

    Args:
        project: the study.
    """
    with read_only.connect(project) as warehouse:
        row = read_only.frame(warehouse, MetaRefresh.table()).sort("refresh_id").row(-1, named=True)
        decisions = read_only.frame(warehouse, Decision.table())
    past = _past(project, row["configuration_hash"])
    then = past and circumstances(*past, decisions, row["received_on"])
    return Refreshed(row["refresh_id"], row["configuration_hash"], decisions, then)


def _past(project: Project, configuration_hash: str) -> tuple[Study, Sources] | None:
    """Return the configuration of the last refresh; None if this program cannot read it any more."""
    kept = []
    # Each centre's refresh keeps a copy.
    for centre in project.centres or ("",):
        with read_only.connect(project, centre) as warehouse:
            kept.append(read_only.frame(warehouse, MetaConfiguration.table()))
    files = (
        pl.concat(kept).filter(pl.col("configuration_hash") == configuration_hash).unique("path").sort("path")
    )
    try:
        return loaded(project, dict(files.select("path", "content").iter_rows()))
    except ConfigurationWrong:
        return None


def loaded(project: Project, files: Mapping[str, str]) -> tuple[Study, Sources]:
    """Load another configuration of a study, as if it stood in the study's folder.

    Args:
        project: the study.
        files: path below the study's folder to text.

    Raises:
        ConfigurationWrong: its faults.
    """
    with tempfile.TemporaryDirectory() as folder:
        # A configuration names files below the project root; these are still there.
        of_study = Path(folder) / "data/studies" / project.study.name
        of_study.mkdir(parents=True)
        for own in (*project.root.iterdir(), *(project.root / "data").iterdir()):
            beside = Path(folder) / own.relative_to(project.root)
            if not beside.exists():
                beside.symlink_to(own)
        for path, content in files.items():
            (of_study / path).parent.mkdir(parents=True, exist_ok=True)
            (of_study / path).write_text(content, encoding="utf-8", newline="")
        return load_study(of_study)


def _reads_differently(then: Sources, now: Sources) -> str | None:
    """Return the first source that ``sources.toml`` now reads differently from the last refresh.

    None if there is none.

    Mappings, date formats and precedence are applied after reading and do not count.
    """
    known = {s.name: (s.files, s.reading()) for s in then.source}
    for source in now.source:
        if known.pop(source.name, None) != (source.files, source.reading()):
            return f'The source "{source.name}"'
    if known:
        return f'The source "{min(known)}"'
    return "A source" if then.limits != now.limits else None


def derived(
    project: Project, centre: str, decisions: pl.DataFrame, today: dt.date, last: Refreshed | None
) -> Cohort:
    """Derive the cohort of one centre.

    Args:
        project: the study.
        centre: the centre; empty in a study with one drop folder.
        decisions: ``quality.decisions``.
        today: the day on which waivers are judged.
        last: what the last refresh depended on; None to derive everything from the received records.
    """
    with read_only.connect(project, centre) as warehouse:
        tables = curated(project, warehouse, centre, decisions, today, last)
        made = derivation.cohort(CuratedOnce(tables), project.study)
        return Cohort(
            made.judged.eligibility,
            made.judged.flow,
            made.patients.with_columns(centre=pl.lit(centre or None, dtype=pl.String)),
            made.derived.endpoints,
        )


def curated(
    project: Project,
    warehouse: duckdb.DuckDBPyConnection,
    centre: str,
    decisions: pl.DataFrame,
    today: dt.date,
    last: Refreshed | None,
) -> Curated:
    """Return the curated tables of one centre; arguments as of :func:`derived`, and the centre's tables."""
    now = circumstances(project.study, project.sources, decisions, today)
    stands = standing(Tables(warehouse), project, last, now) if last else frozenset[str]()
    there = OnDemand(CONTRACTS, lambda table: read_only.frame(warehouse, table))
    moved = None
    if CURATED in stands and last and last.then:
        moved = _moved_index(there, last.then.study, now)
        if moved.is_empty():
            return there
    from sarcoma_pipeline.operations.preview_curation import Curation  # imports all of curation

    return Curation(project, warehouse, centre, decisions, today, stands).curated(moved)


def _moved_index(tables: Mapping[str, pl.DataFrame], then: Study, now: Circumstances) -> pl.DataFrame:
    """Return ``patient_id`` of the patients for whom another index tumour is chosen than in the warehouse."""
    before, after = index_tumour.preference(then), index_tumour.preference(now.study)
    if before == after:
        return pl.DataFrame(schema={"patient_id": pl.String})
    from sarcoma_pipeline.curation import index_choice

    return index_choice.moved(
        {table: tables[table] for table in index_choice.CHOOSING},
        tables[Link.table()],
        tables[Quarantine.table()]["record_id"],
        now.sources.precedence["diagnosis"],
        before,
        after,
    )


def _pooled(cohorts: Sequence[Cohort]) -> Cohort:
    """Combine the cohorts of the centres; a study with one drop folder has one."""
    if len(cohorts) == 1:
        return cohorts[0]
    flow = centres.pooled(
        CohortFlow.table(),
        pl.concat(c.flow.with_columns(pl.lit(str(n)).alias(centres.CENTRE)) for n, c in enumerate(cohorts)),
    )
    return Cohort(
        pl.concat(c.eligibility for c in cohorts).sort("pseudonym", maintain_order=True),
        flow,
        pl.concat(c.patients for c in cohorts).sort("pseudonym"),
        pl.concat(c.endpoints for c in cohorts).sort("pseudonym", "endpoint"),
    )


def _causes(last: Refreshed, now: Circumstances, decisions: pl.DataFrame) -> list[str]:
    """Return the differences from the last refresh, in words."""
    past = last.then
    if past is None:
        return ["this program cannot read the configuration of the last refresh: everything is derived anew"]
    causes = []
    then, study = past.study.model_dump(), now.study.model_dump()
    differing = sorted(key for key, value in study.items() if then[key] != value)
    if differing:
        causes.append(f"study.toml: {', '.join(differing)}")
    if past.sources != now.sources:
        causes.append("sources.toml: mapping or precedence")
    new = decisions.join(last.decisions, on="decision_id", how="anti")
    for action, n in new.group_by("action").len().sort("action").iter_rows():
        causes.append(f"{n} new {'decision' if n == 1 else 'decisions'}: {action}")
    if ended := len(past.waivers - now.waivers):
        causes.append(f"{ended} {'waiver ends' if ended == 1 else 'waivers end'}")
    return causes


def _compared(before: Cohort, after: Cohort, then: Study, now: Study) -> pl.DataFrame:
    """Return the study's numbers before and after: the flow, then those of ``study_numbers``."""
    sides = [
        pl.concat([_flow(cohort.flow), study_numbers.numbers(cohort.patients, cohort.endpoints, study)])
        for cohort, study in ((before, then), (after, now))
    ]
    first, second = (f.rename({"value": name}) for f, name in zip(sides, ("before", "after"), strict=True))
    return first.join(second, on="quantity", how="full", coalesce=True, maintain_order="left_right")


def _flow(flow: pl.DataFrame) -> pl.DataFrame:
    return flow.sort("position").select(
        quantity=pl.format("excluded by {}", "label"), value=pl.col("excluded").cast(pl.String)
    )


def _members(before: Cohort, after: Cohort, study: Study) -> tuple[list[tuple[str, str]], list[str]]:
    """Return patients who would leave the cohort, with the criterion, and those who would join it."""
    labels = {c.name: c.label for c in study.criteria}
    old, new = (set(c.patients["pseudonym"]) for c in (before, after))
    reasons = dict(after.eligibility.filter("excluded_here").select("pseudonym", "criterion").iter_rows())
    gone = [
        (who, labels.get(reasons.get(who, ""), "no index tumour, or no such patient")) for who in old - new
    ]
    return sorted(gone), sorted(new - old)


def _moved(before: Cohort, after: Cohort) -> dict[str, int]:
    """Count by endpoint the patients of both cohorts whose time or event differs."""
    values = ("time_days", "event", "event_kind")
    both = before.endpoints.join(after.endpoints, on=["pseudonym", "endpoint"], suffix="_after")
    differs = pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_after")) for c in values)
    counted = both.filter(differs).group_by("endpoint").len().sort("endpoint")
    return dict(counted.iter_rows())


def _held_back(project: Project, after: Cohort) -> list[str]:
    """Return the errors that the release gate finds in patients and endpoints, compared with the release.

    The other tables are not judged, because only a refresh makes them.
    """
    if after.patients.is_empty():
        return ["No patient is left."]
    made = {CohortPatient.table(): after.patients, CohortEndpoint.table(): after.endpoints}
    tables = {table: frame.select(released_columns(table)) for table, frame in made.items()}
    last = release.read(project.release, made) or {}
    return [
        str(fault)
        for page in expectations.expected(tables, last, project.study.gate)
        if page.name != expectations.COLUMNS
        for verdict in release_gate.judge(page)
        for fault in release_gate.faults(page, verdict)
        if fault.severity == "error"
    ]
