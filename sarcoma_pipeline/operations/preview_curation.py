"""Curate the records of the last refresh under other circumstances, with what of its tables still stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import duckdb
import polars as pl

from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.curation import (
    objections,
    reconcile,
    reports,
    touched_patients,
    typed_records,
)
from sarcoma_pipeline.operations.preview_standing import LINK, QUARANTINE, TYPED
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.tables_on_demand import OnDemand
from sarcoma_pipeline.quality import curate, findings, ledger
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import read_only
from schemas import typed_dicom
from schemas.all_contracts import CONTRACTS
from schemas.curated import Link
from schemas.meta import MetaFile, MetaRefresh
from schemas.quality import Disposition, Observed, Quarantine

RECEIVED = tuple(sorted(t for t in CONTRACTS if t.startswith("received.")))
_TYPED = tuple(contract.table() for contract in typed_records.TYPED)


@dataclass(frozen=True)
class Curation:
    """The curation of the records of one centre. Each part is read or computed when it is first asked for.

    Attributes:
        project: the study, with the configuration to be tried.
        warehouse: the centre's tables.
        centre: the centre; empty in a study with one drop folder.
        decisions: ``quality.decisions``, with those to be tried.
        today: the day on which waivers are judged.
        stands: the steps whose tables are taken from the warehouse (``preview_standing.standing``).
    """

    project: Project
    warehouse: duckdb.DuckDBPyConnection
    centre: str
    decisions: pl.DataFrame
    today: dt.date
    stands: Collection[str]

    def curated(self, moved: pl.DataFrame | None) -> Curated:
        """Return the curated tables that the cohort is derived from.

        Args:
            moved: ``patient_id`` of the only patients whose rows are others than those in the warehouse; None
                if the tables there do not stand.
        """
        typed = self.typed.frames
        shared = touched_patients.owners(typed, self.links)["record_id"].is_duplicated().any()
        # Curation is local to a patient, unless patients share a record.
        if moved is None or shared:
            return self._reconciled(typed, self.links)
        made = self._reconciled(*touched_patients.of_patients(typed, self.links, moved))
        return OnDemand(
            reconcile.CONTRACTS,
            lambda table: touched_patients.replaced(self._read(table), made[table], moved),
        )

    def _read(self, table: str) -> pl.DataFrame:
        return read_only.frame(self.warehouse, table)

    @cached_property
    def _received(self) -> dict[str, pl.DataFrame]:
        return {table: self._read(table) for table in RECEIVED}

    @cached_property
    def _days(self) -> pl.DataFrame:
        return self._read(MetaRefresh.table()).select("refresh_id", "received_on")

    @cached_property
    def _files(self) -> pl.DataFrame:
        return self._read(MetaFile.table()).select("file_id", "source", "path")

    @cached_property
    def _decided(self) -> frozenset[str]:
        return ledger.chosen_readings(self.decisions)

    def _observed(self, *steps: str) -> pl.DataFrame:
        return self._read(Observed.table()).filter(pl.col("step").is_in(steps)).drop("step")

    @cached_property
    def typed(self) -> typed_records.Result:
        """The typed tables, and what typing observed."""
        if TYPED not in self.stands:
            return typed_records.type_records(self._received, self.project.sources, self._days, self._files)
        return typed_records.Result(
            {table: self._read(table) for table in _TYPED},
            self._observed(*typed_records.STEPS),
            Disposition.empty(),
        )

    @cached_property
    def linked(self) -> typed_records.Result:
        """The links, and what linking observed."""
        if LINK in self.stands:
            return typed_records.Result(
                {Link.table(): self._read(Link.table())}, self._observed(LINK), Disposition.empty()
            )
        objecting = objections.objecting(self.typed.observed, reports.rows_in(OnDemand(RECEIVED, self._read)))
        return curate.link(self.typed.frames, objecting, self._decided, self._former())

    @property
    def links(self) -> pl.DataFrame:
        """``curated.link``."""
        return self.linked.frames[Link.table()]

    def _former(self) -> pl.DataFrame:
        """Return the master data of former deliveries."""
        ended = {
            table: read_only.frame(self.warehouse, table, current=False).drop_nulls("last_refresh")
            for table in typed_records.MASTERS
        }
        every_file = read_only.frame(self.warehouse, MetaFile.table(), current=False)
        return typed_records.former_masters(
            ended, self.project.sources, self._days, every_file.select("file_id", "source", "path")
        )

    @cached_property
    def quarantined(self) -> pl.Series:
        """``record_id`` of the records in quarantine."""
        if QUARANTINE in self.stands:
            return self._read(Quarantine.table())["record_id"]
        judged = curate.judge(
            self.typed.frames,
            self.links,
            pl.concat([self.typed.observed, self.linked.observed]),
            lambda observed: curate.unwaived(
                observed,
                lambda _: findings.places(self._received, self._files),
                self.decisions,
                self.today,
                self.centre,
            ),
            self.project.sources.precedence["death"],
        )
        return judged.quarantine["record_id"]

    def _reconciled(self, typed: reconcile.Frames, links: pl.DataFrame) -> Curated:
        key = release.pseudonym_key(self.project.key, self.centre)
        return reconcile.curate(
            typed,
            links,
            self.quarantined,
            self.project.sources,
            release.pseudonyms(links["patient_id"], key),
            self.project.study,
            decided=self._decided,
            known_plans=frozenset(self.typed.frames[typed_dicom.Plan.table()]["sop_instance_uid"]),
        ).frames
