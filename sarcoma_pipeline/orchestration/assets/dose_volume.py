"""Assets of volumes and doses: take computed results into the warehouse, and list what is to be computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl

from sarcoma_pipeline.curation import dose_findings, planned_doses
from sarcoma_pipeline.curation.planned_doses import ObjectAt, Planned
from sarcoma_pipeline.orchestration.assets.received import tonight
from sarcoma_pipeline.orchestration.assets.step import StepOutput, step
from sarcoma_pipeline.orchestration.dose_inbox import Inbox, inbox
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.sources.readers import module_version
from sarcoma_pipeline.study.project import Project
from schemas.curated_dose import DoseVolume, MetaDoseCalculation, TargetMargin
from schemas.meta import MetaFile
from schemas.quality import Observed

STEP = "dose_volume"
_COURSES = ("curated.radiotherapy_course", "curated.radiotherapy_phase", "curated.radiotherapy_plan")
_TYPED = ("typed.plan", "typed.structure_set", "typed.dose")
_SETS = "received.dicom_structure_set"
_CALCULATOR = (
    "sarcoma_pipeline.curation.dose_volume.calculation",
    "sarcoma_pipeline.sources.dicom_contours",
    "sarcoma_pipeline.sources.dicom_dose_parts",
    "schemas.structure_names",
)
"""Modules whose code decides the numbers."""


def settings(project: Project) -> str:
    """Return the version of the calculator and its settings, as text."""
    own = [one.model_dump(mode="json") for one in project.study.structures]
    versions = [module_version(name) for name in _CALCULATOR]
    return json.dumps([versions, project.study.dose_volume.model_dump(mode="json"), own], sort_keys=True)


def _new(warehouse: Warehouse, box: Inbox) -> list[str]:
    """Return the results that wait and are not in the warehouse yet, sorted."""
    waiting = box.waiting()
    if not waiting:
        return []
    known = warehouse.read(MetaDoseCalculation.table(), columns=("calculation",), noted=False)
    return sorted(set(waiting) - set(known["calculation"]))


def _taken(warehouse: Warehouse, box: Inbox) -> pl.DataFrame:
    """Return all results, with those that waited."""
    refresh, _ = tonight(warehouse, noted=False)
    known = warehouse.read(MetaDoseCalculation.table(), noted=False)
    new = _new(warehouse, box)
    # In the warehouse since an earlier refresh, whose transaction is over.
    box.drop(set(box.waiting()) - set(new))
    rows = [
        {
            "calculation": key, "first_refresh": refresh, "result": json.dumps(one.result),
            "seconds": one.seconds, "peak_mb": one.peak_mb,
        }
        for key in new
        if (one := box.result(key)) is not None and one.result is not None
    ]  # fmt: skip
    added = pl.DataFrame(rows, schema=MetaDoseCalculation.polars_schema())
    return pl.concat([known, added]).sort("calculation")


def _places(warehouse: Warehouse, records: pl.Series) -> dict[str, ObjectAt]:
    """Return where the structure sets and doses lie, by record."""
    parts = [
        warehouse.read(table, columns=("record_id", "file_id", "position"), among=records)
        for table in (_SETS, "received.dicom_dose")
    ]
    files = warehouse.read(MetaFile.table(), columns=("file_id", "path", "content_hash", "size_bytes"))
    joined = pl.concat(parts).join(files.unique("file_id", maintain_order=True), on="file_id")
    return {
        row["record_id"]: ObjectAt(row["path"], row["position"], row["content_hash"], row["size_bytes"])
        for row in joined.iter_rows(named=True)
    }


def _sets(warehouse: Warehouse) -> list[tuple[str, list[tuple[str | None, str | None]]]]:
    """Return source, and names and types of the structures, of each structure set that is no phantom's."""
    used = warehouse.read("typed.structure_set").filter(~pl.col("phantom"))["record_id"]
    received = warehouse.read(_SETS, columns=("record_id", "file_id", "ROIName", "RTROIInterpretedType"))
    files = warehouse.read(MetaFile.table(), columns=("file_id", "source")).unique("file_id")
    frame = received.filter(pl.col("record_id").is_in(used.implode())).join(files, on="file_id")
    # Most structure sets of a site have the same structures: each text is read once.
    rows = frame.sort("record_id").select("source", "ROIName", "RTROIInterpretedType").rows()
    structures = {texts: _structures(*texts) for texts in {(names, kinds) for _, names, kinds in rows}}
    return [(source, structures[names, kinds]) for source, names, kinds in rows]


def _structures(names: str | None, kinds: str | None) -> list[tuple[str | None, str | None]]:
    """Return the names and types of a structure set from its JSON columns."""
    named, of_type = json.loads(names or "[]"), json.loads(kinds or "[]")
    return list(zip(named, of_type + [None] * (len(named) - len(of_type)), strict=False))


def _rows(one: Planned, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    base = {
        "patient_id": one.patient_id, "record_ids": list(one.record_ids), "course_id": one.course_id,
        "whole_course": one.whole_course, "plan_uid": one.plan_uid,
        "structure_set_uid": one.structure_set_uid, "calculation": one.calculation,
    }  # fmt: skip
    return [base | row for row in rows]


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the step of volumes and doses."""

    def take(warehouse: Warehouse) -> StepOutput:
        """Take the results computed after the last refresh; list the plans whose doses are not computed."""
        box = inbox(project, warehouse.centre)
        results = _taken(warehouse, box)
        typed = {table: warehouse.read(table) for table in _TYPED}
        records = pl.concat([typed[t]["record_id"] for t in _TYPED[1:]])
        wanted = planned_doses.wanted(
            {table: warehouse.read(table) for table in _COURSES},
            typed,
            _places(warehouse, records),
            settings(project),
        )
        known: dict[str, Mapping[str, Any]] = {
            key: json.loads(text) for key, text in results.select("calculation", "result").iter_rows()
        }
        missing = {one.calculation: one.work for one in wanted.planned if one.calculation not in known}
        box.write_work(missing)
        made = [(one, known[one.calculation]) for one in wanted.planned if one.calculation in known]
        seen = pl.concat(
            [
                dose_findings.observe(wanted, known),
                dose_findings.names(_sets(warehouse), project.study.structures),
            ]
        )
        return StepOutput(
            {
                MetaDoseCalculation.table(): results,
                DoseVolume.table(): _frame(DoseVolume, made, "structures"),
                TargetMargin.table(): _frame(TargetMargin, made, "margins"),
            },
            {Observed.table(): seen},
            {DoseVolume.table(): {"computed plans": len(made), "plans to compute": len(missing)}},
        )

    def waiting(warehouse: Warehouse) -> str:
        return " ".join(_new(warehouse, inbox(project, warehouse.centre)))

    needs = [*_COURSES, *_TYPED, MetaFile.table()]
    return [
        step(
            project,
            STEP,
            {
                MetaDoseCalculation.table(): [],
                DoseVolume.table(): [MetaDoseCalculation.table(), *needs],
                TargetMargin.table(): [MetaDoseCalculation.table(), *needs],
            },
            take,
            kinds={"polars", "numpy"},
            other_inputs=waiting,
        )
    ]


def _frame(
    contract: type[DoseVolume] | type[TargetMargin],
    made: list[tuple[Planned, Mapping[str, Any]]],
    part: str,
) -> pl.DataFrame:
    rows = [row for one, result in made for row in _rows(one, result[part])]
    schema = contract.polars_schema()
    frame = pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema)
    order = ["patient_id", "course_id", "plan_uid", "structure_set_uid", "calculation"]
    order += ["roi_number", "structure"] if contract is DoseVolume else ["inner", "outer"]
    return frame.sort(order, nulls_last=True)
