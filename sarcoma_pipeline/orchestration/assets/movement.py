"""Asset ``meta.movement``: explain each value of a patient that moved since the last release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import dagster as dg
import polars as pl

from sarcoma_pipeline.curation import objections
from sarcoma_pipeline.curation.courses import UNREFERRED
from sarcoma_pipeline.orchestration.assets.curated import OBSERVING, TYPED
from sarcoma_pipeline.orchestration.assets.received import RECEIVED, tonight
from sarcoma_pipeline.orchestration.assets.record_locations import locations
from sarcoma_pipeline.orchestration.assets.step import StepOutput, asset_key, step
from sarcoma_pipeline.orchestration.standing_release import Base, comparable, standing_id
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.pseudonym_key import key_of
from sarcoma_pipeline.publish.release import pseudonym_key, pseudonyms
from sarcoma_pipeline.quality import findings, moved_values, movement, movement_findings, record_changes
from sarcoma_pipeline.quality.movement import Account, Circumstances
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEligibility, CohortEndpoint, CohortPatient
from schemas.curated import Link, Patient
from schemas.ledger import Decision, LedgerEntry
from schemas.lineage import Lineage
from schemas.meta import MetaFile, MetaRefresh
from schemas.movement import EstimateMovement, Movement, MovementRecord
from schemas.quality import Disposition, Observed, Quarantine
from schemas.received import PROVENANCE, Unread
from schemas.release import ACCOUNT, released_columns
from schemas.vocabularies import ACKNOWLEDGE, WAIVE
from schemas.volumes import Volume

OWN = "movement"
"""Name of the step."""
CHECK = "moves_are_explained"
_ORDER = ("pseudonym", "table_name", "row", "column_name", "refresh_id")
_OF_PATIENTS = (CohortPatient.table(), CohortEndpoint.table(), Lineage.table())
_VERSION = (
    "record_id", "record_key", "content_hash", "file_id", "position", "first_refresh", "last_refresh",
)  # fmt: skip


def account(project: Project, warehouse: Warehouse) -> tuple[Account, pl.DataFrame]:
    """Return the account of moved values, and the observations on unexplained ones."""
    earlier = Account(
        warehouse.read(Movement.table(), noted=False), warehouse.read(MovementRecord.table(), noted=False)
    )
    now = {table: warehouse.read(table) for table in _OF_PATIENTS}
    decisions = warehouse.read(Decision.table())
    # Other tables used by the account change only together with these.
    for table in (MetaFile.table(), Quarantine.table(), CohortEligibility.table()):
        warehouse.read(table)
    before = comparable(project, _OF_PATIENTS)
    made = None if before is None else _against(project, warehouse, before, now, decisions)
    if made is not None:
        found = _with_standing(made, earlier, now)
    else:
        found = earlier if before is None else movement.undone(earlier, before.refresh_id)
    used = now[Lineage.table()].select("pseudonym", "record_id")
    found = _settled(warehouse, found, used, decisions)
    return found, movement_findings.observe(found.values, used)


def _against(
    project: Project,
    warehouse: Warehouse,
    before: Base,
    now: Mapping[str, pl.DataFrame],
    decisions: pl.DataFrame,
) -> Account | None:
    """Compare this refresh with a release; return None if no value and no record behind one differs."""
    old, key_lost = _own(project, warehouse, before)
    moved = moved_values.moved(old, now, moved_values.OF_PATIENTS)
    lines = [f[Lineage.table()] for f in (old, now)]
    concerned = _concerned(moved, *lines)
    if concerned.is_empty():
        return None
    refresh, _ = tonight(warehouse, noted=False)
    given = _circumstances(project, warehouse, before, decisions, refresh, key_lost=key_lost)
    # Releases of early versions of the program do not contain the file of a record.
    if key_lost or not {"file_id", "position", "rule_ids"} <= set(lines[0].columns):
        changed = MovementRecord.empty()
    else:
        changed = record_changes.changes(_evidence(warehouse, before, concerned, *lines))
    return movement.account(
        moved,
        changed,
        warehouse.read(CohortEligibility.table()),
        given,
        lambda t, ids: _rows(warehouse, t, ids),
    )


def _own(project: Project, warehouse: Warehouse, before: Base) -> tuple[dict[str, pl.DataFrame], bool]:
    """Return the released tables of this centre's patients with their present pseudonyms.

    Returns:
        The tables, and whether the key was replaced and the old one is lost.
    """
    tables = {t: before.tables[t] for t in _OF_PATIENTS}
    if warehouse.centre:
        patients = tables[CohortPatient.table()].filter(pl.col("centre") == warehouse.centre)
        who = patients.select("pseudonym").unique()
        tables = {t: f.join(who, on="pseudonym", how="semi") for t, f in tables.items()}
    then = key_of(project, before.refresh_id)
    ids = warehouse.read(Patient.table(), columns=("patient_id", "pseudonym"), noted=False)
    if then != project.key:
        olds = pseudonyms(ids["patient_id"], pseudonym_key(then, warehouse.centre))
        pairs = olds.rename({"pseudonym": "then"}).join(ids, on="patient_id")
        names = dict(pairs.select("then", "pseudonym").iter_rows())
        tables = {t: f.with_columns(pl.col("pseudonym").replace(names)) for t, f in tables.items()}
    known = tables[CohortPatient.table()]["pseudonym"]
    lost = known.len() > 0 and ids.height > 0 and not known.is_in(ids["pseudonym"].implode()).any()
    replaced_since = (
        project.key.stat().st_mtime > dt.datetime.fromisoformat(before.label["released_at"]).timestamp()
    )
    return tables, lost and replaced_since


def _concerned(moved: pl.DataFrame, old: pl.DataFrame, new: pl.DataFrame) -> pl.Series:
    """Return the patients with a moved value, or with a changed set of records behind their values."""
    sides = [
        f.select("pseudonym", "record_id", overruled=pl.col("role") == "overruled").unique()
        for f in (old, new)
    ]
    on = sides[0].columns
    other = [a.join(b, on=on, how="anti")["pseudonym"] for a, b in (sides, reversed(sides))]
    return pl.concat([moved["pseudonym"], *other]).unique().sort()


def _evidence(
    warehouse: Warehouse, before: Base, concerned: pl.Series, old: pl.DataFrame, new: pl.DataFrame
) -> record_changes.Evidence:
    who = concerned.to_frame()
    sides = [f.join(who, on="pseudonym", how="semi") for f in (old, new)]
    owned = _owned(warehouse, who)
    ids = pl.concat([*(f["record_id"] for f in sides), owned["record_id"]]).unique()
    broken = warehouse.read_parts(Observed.table(), OBSERVING)
    apart = warehouse.read(Disposition.table(), columns=("record_id", "reason"), noted=False)
    aside = [
        warehouse.read(Quarantine.table(), columns=("record_id",), noted=False),
        # Its plan is no longer used: so is the record, and nothing else is wrong with it.
        apart.filter(pl.col("reason") != UNREFERRED).select("record_id"),
    ]
    return record_changes.Evidence(
        base=_known_refresh(warehouse, before),
        before=sides[0],
        now=sides[1],
        owned=owned,
        versions=_versions(warehouse, ids),
        files=warehouse.read_versions(MetaFile.table()),
        broken=pl.concat([broken.select("record_id", "rule_id"), _objected(warehouse)]),
        unread=_unread(warehouse),
        aside=pl.concat(aside)["record_id"].unique(),
    )


def _unread(warehouse: Warehouse) -> pl.DataFrame:
    """Return the files of which nothing was read, with the rules that say why."""
    parts = warehouse.read(Unread.table(), columns=("file_id", "rule_id"), noted=False)
    files = warehouse.read(MetaFile.table(), columns=("file_id", "records"), noted=False)
    sizes = files.group_by("file_id").agg(pl.col("records").max())
    whole = (
        parts.group_by("file_id").len().join(sizes, on="file_id").filter(pl.col("len") == pl.col("records"))
    )
    return parts.join(whole, on="file_id", how="semi").unique().sort("file_id", "rule_id")


def _objected(warehouse: Warehouse) -> pl.DataFrame:
    """Return the records of patients who objected; the finding on the objection explains all of them."""
    apart = warehouse.read(Disposition.table(), columns=("record_id", "reason"), noted=False)
    objected = apart.filter(pl.col("reason") == objections.OBJECTED)
    return objected.select("record_id", rule_id=pl.lit(objections.OBJECTION.id))


def _known_refresh(warehouse: Warehouse, before: Base) -> str:
    """Return the last refresh on which a release can depend; a centre is received before the pooling."""
    refreshes = warehouse.read(MetaRefresh.table(), columns=("refresh_id",), noted=False)["refresh_id"]
    return str(refreshes.filter(refreshes <= before.refresh_id).max() or before.refresh_id)


def _owned(warehouse: Warehouse, who: pl.DataFrame) -> pl.DataFrame:
    """Return ``pseudonym`` and ``record_id`` of every typed record of these patients."""
    persons = (
        warehouse.read(Patient.table(), columns=("patient_id", "pseudonym"), noted=False)
        .join(who, on="pseudonym", how="semi")
        .join(warehouse.read(Link.table(), noted=False), on="patient_id")
        .select("pseudonym", "person_ref")
    )
    refs = persons["person_ref"].unique()
    typed = warehouse.read_several(TYPED, columns=("record_id", "person_ref"), among=refs, current=False)
    return persons.join(pl.concat(typed.values()), on="person_ref").select("pseudonym", "record_id").unique()


def _versions(warehouse: Warehouse, ids: pl.Series) -> pl.DataFrame:
    """Return the versions of records, and of all records with their keys or contents."""
    parts = [pl.DataFrame(schema=dict.fromkeys(("table_name", *_VERSION), pl.String))]
    for table in RECEIVED:
        own = warehouse.read_versions(table, columns=_VERSION, among=ids)
        if own.is_empty():
            continue
        alike = [
            warehouse.read_versions(table, columns=_VERSION, among=own[c].unique())
            for c in ("record_key", "content_hash")
        ]
        parts.append(pl.concat([own, *alike]).unique().select(pl.lit(table).alias("table_name"), *_VERSION))
    return pl.concat(parts).sort(pl.all())


def _rows(warehouse: Warehouse, table: str, ids: pl.Series) -> pl.DataFrame:
    """Return the received columns of these records, each in its last version."""
    found = warehouse.read_versions(table, among=ids.alias("record_id"))
    delivered = [c for c in found.columns if c not in PROVENANCE]
    last = found.sort("record_id", "first_refresh", "file_id").unique(
        "record_id", keep="last", maintain_order=True
    )
    return last.select("record_id", *delivered)


def _circumstances(
    project: Project,
    warehouse: Warehouse,
    before: Base,
    decisions: pl.DataFrame,
    refresh: str,
    *,
    key_lost: bool,
) -> Circumstances:
    """Return the other differences: decisions, program, configuration and calendar."""
    _, today = tonight(warehouse, noted=False)
    days = warehouse.read(MetaRefresh.table(), columns=("refresh_id", "received_on"), noted=False)
    findings_of = warehouse.read(LedgerEntry.table(), columns=("finding_id", "pseudonym"), noted=False)
    named = decisions.select("finding_id", "at", "action", "until").join(
        findings_of, on="finding_id", how="left"
    )
    started = provenance.started_at(before.refresh_id)
    since = named.filter(pl.col("at") >= started)["pseudonym"]
    # A lost warehouse has forgotten the day of the last release: the day in UTC is the nearest.
    then = dict(days.rows()).get(before.refresh_id, dt.date.fromisoformat(started[:10]))
    ended = (pl.col("action") == WAIVE) & (pl.col("until") >= then) & (pl.col("until") < today)
    lapsed = named.filter(ended)["pseudonym"]
    return Circumstances(
        refresh_id=refresh,
        compared_with=before.refresh_id,
        program=before.is_of_another_program(),
        configuration=before.is_of_another_configuration(project),
        key=key_lost,
        cut_off=project.study.assumptions.data_cutoff is None,
        decided=frozenset(since.drop_nulls()),
        decided_all=since.has_nulls(),
        lapsed=frozenset(lapsed.drop_nulls()),
    )


def _with_standing(made: Account, earlier: Account, now: Mapping[str, pl.DataFrame]) -> Account:
    """Add the unexplained moves of earlier refreshes that still exist, with the records behind them."""
    values = {t: now[t] for t in moved_values.OF_PATIENTS}
    kept = movement.standing(earlier.values, made.values, values)
    records = earlier.records.join(
        kept.select("pseudonym", "compared_with").unique(), on=["pseudonym", "compared_with"], how="semi"
    )
    records = records.join(made.records.select("pseudonym").unique(), on="pseudonym", how="anti")
    return Account(
        pl.concat([made.values, kept]).sort(*_ORDER, nulls_last=True),
        pl.concat([made.records, records]).sort(pl.all().exclude(pl.List), nulls_last=True),
    )


def _settled(warehouse: Warehouse, found: Account, used: pl.DataFrame, decisions: pl.DataFrame) -> Account:
    """Record a steward's decision on an unexplained move as its cause."""
    settling = decisions.filter(pl.col("action").is_in([ACKNOWLEDGE, WAIVE]))
    if settling.is_empty():
        return found
    seen = movement_findings.observe(found.values, used)
    if seen.is_empty():
        return found
    named = findings.joined_ids(seen, locations(warehouse, seen["record_id"]), warehouse.centre, decisions)
    last = settling.group_by("finding_id").agg(pl.col("at").max())
    decided = named.join(last, on="finding_id").select("record_id", "at")
    return Account(movement_findings.decided(found.values, used, decided), found.records)


def released(project: Project, warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    """Return the account for a release: without identifying columns, and only for its own moves."""
    compared_with = standing_id(project)
    tables = {}
    for table in ACCOUNT:
        frame = warehouse.read(table).filter(pl.col("compared_with") == compared_with)
        tables[table] = frame.select(released_columns(table))
    return tables


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the steps that compute ``meta.movement`` and the movement of the estimates."""
    explained = dg.AssetCheckSpec(
        CHECK,
        asset=asset_key(project, Movement.table()),
        description="Every released value that moved since the last release is explained.",
    )
    estimated = dg.AssetCheckSpec(
        "estimates_are_explained",
        asset=asset_key(project, EstimateMovement.table()),
        description="Every estimate that moved since the last release is explained.",
    )

    def explain(warehouse: Warehouse) -> StepOutput:
        """Explain each patient's value that moved: by files, decisions, program, configuration, calendar."""
        found, seen = account(project, warehouse)
        counts = {"moved": found.values.height, "unexplained": int(found.values["unexplained"].sum())}
        return StepOutput(
            {Movement.table(): found.values, MovementRecord.table(): found.records},
            {Observed.table(): seen},
            metadata={Movement.table(): counts},
        )

    def explain_estimates(warehouse: Warehouse) -> StepOutput:
        """Explain each estimate that moved by the patients that moved."""
        before = comparable(project, _OF_PATIENTS)
        now = {t: warehouse.read(t) for t in moved_values.OF_ESTIMATES}
        patients = warehouse.read(Movement.table())
        if before is None:
            return StepOutput({EstimateMovement.table(): EstimateMovement.empty()})
        moved = moved_values.moved(before.tables, now, moved_values.OF_ESTIMATES)
        if moved.is_empty():
            earlier = warehouse.read(EstimateMovement.table(), noted=False)
            others = earlier.filter(pl.col("compared_with") != before.refresh_id)
            return StepOutput({EstimateMovement.table(): others})
        whole = {
            "program": before.is_of_another_program(),
            "configuration": before.is_of_another_configuration(project),
        }
        others = frozenset(name for name, holds in whole.items() if holds)
        frame = movement.of_estimates(moved, patients, before.refresh_id, others)
        return StepOutput({EstimateMovement.table(): frame})

    needs = [*_OF_PATIENTS, CohortEligibility.table(), Decision.table(), MetaFile.table(), Volume.table()]
    needs += [Quarantine.table(), Disposition.table()]
    return [
        step(
            project,
            OWN,
            {Movement.table(): needs, MovementRecord.table(): needs},
            explain,
            kinds={"polars"},
            checks=[explained],
            run_checks=lambda w: [_check(explained, w.read(Movement.table()))],
            other_inputs=lambda _: standing_id(project),
        ),
        step(
            project,
            "estimate_movement",
            {EstimateMovement.table(): [*moved_values.OF_ESTIMATES, Movement.table()]},
            explain_estimates,
            kinds={"polars"},
            checks=[estimated],
            run_checks=lambda w: [_check(estimated, w.read(EstimateMovement.table()))],
            other_inputs=lambda _: standing_id(project),
        ),
    ]


def _check(spec: dg.AssetCheckSpec, values: pl.DataFrame) -> dg.AssetCheckResult:
    """Return the check result: the number of unexplained moves; the findings name the patients."""
    silent = values.filter("unexplained")
    if "pseudonym" in values.columns:
        words = "; ".join(movement.summary(silent))
    else:
        words = f"{silent.height} estimates moved, and nothing says why"
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=silent.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"moved": values.height, "unexplained": silent.height},
        description=words if silent.height else f"{values.height} moved values are explained.",
    )
