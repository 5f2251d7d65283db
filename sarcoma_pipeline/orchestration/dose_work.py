"""Compute volumes and doses of one plan in a worker process, from its files. Nothing here imports Dagster."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sarcoma_pipeline.curation.dose_volume import calculation
from sarcoma_pipeline.curation.dose_volume.calculation import PlanParts, Result
from sarcoma_pipeline.curation.planned_doses import ObjectAt, PlanFiles, Work
from sarcoma_pipeline.orchestration.dose_inbox import Computed
from sarcoma_pipeline.sources import dicom_contours, dicom_dose_parts
from sarcoma_pipeline.sources.dicom_dose_grid import NoGrid
from sarcoma_pipeline.sources.dicom_whole import Changed, Unreadable, whole
from schemas.dose_settings import DoseSettings
from schemas.structures_toml import StructureNames

MEMORY_BYTES = 600 << 20
"""Memory limit of a worker beyond the imported program."""


def compute(
    group: Sequence[Work],
    drop: Path,
    settings: DoseSettings,
    own: Sequence[StructureNames],
    opens: Callable[[int], None],
    refused: Mapping[int, str],
) -> Computed:
    """Compute one plan; the work of :class:`sarcoma_pipeline.sources.worker_process.Readers`.

    Args:
        group: one work.
        drop: the drop folder.
        settings: ``[dose_volume]`` of the study.
        own: ``[[structures]]`` of the study.
        opens: called before the files are opened.
        refused: why the work must not be done, if it ended its process before.
    """
    (work,) = group
    began = time.process_time()
    if 0 in refused:
        result: Result | None = _failed(refused[0])
    else:
        opens(0)
        result = _compute(work, drop, settings, own)
    opens(len(group))
    return Computed(
        None if result is None else asdict(result),
        round(time.process_time() - began, 3),
        round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def join(parts: Sequence[Computed]) -> Computed:
    """Return the result of the only part; a work is never divided."""
    return parts[0]


def _compute(work: Work, drop: Path, settings: DoseSettings, own: Sequence[StructureNames]) -> Result | None:
    try:
        structures = dicom_contours.structures(_read(work.structures, drop))
        plans = [_parts(one, drop) for one in work.plans]
        return calculation.calculate(structures, plans, work.levels, settings, own)
    except Changed:
        return None
    except Unreadable as broken:
        return _failed(str(broken))
    except MemoryError:
        return _failed("needs too much memory")
    except Exception as broken:
        # Delivered numbers can break any computation; the message might quote them.
        return _failed(type(broken).__name__)


def _failed(why: str) -> Result:
    return Result(doubts=[{"id": "dose.file-unreadable", "value": why, "structure": ""}])


def _read(one: ObjectAt, drop: Path) -> Any:
    return whole(drop / one.path, one.position, one.content_hash)


def _parts(files: PlanFiles, drop: Path) -> PlanParts:
    parts, histograms, unplaced = [], [], []
    for one in files.doses:
        try:
            data = _read(one, drop)
        except Unreadable as broken:
            unplaced.append(str(broken))
            continue
        try:
            parts.append(dicom_dose_parts.part(data))
        except NoGrid as broken:
            unplaced.append(str(broken))
        if str(data.get("DoseSummationType") or "PLAN") != "PLAN":
            continue  # the histograms of a beam are not those of the plan
        try:
            histograms += dicom_dose_parts.embedded(data)
        except (TypeError, ValueError, AttributeError) as broken:
            unplaced.append(f"DVHSequence: {type(broken).__name__}")
    return PlanParts(files.plan, parts, histograms, unplaced)
