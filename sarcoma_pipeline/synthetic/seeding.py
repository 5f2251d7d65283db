"""How a kind of defect is planted, and what is told of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sarcoma_pipeline.synthetic.drop import Planned


@dataclass(frozen=True)
class Planted:
    """Where a defect is.

    Attributes:
        file: path below the drop folder; of a DICOM object the folder.
        locator: what names the record there: Meldung_ID, patient number, reference; ``file`` for the whole.
        planned: the course whose plan (or other object) carries it; its UID becomes the locator.
        modality: which object of the course.
    """

    file: str
    locator: str = "file"
    planned: Planned | None = None
    modality: str = "RTPLAN"


Plant = Callable[[Any, Any], Planted]
"""Changes a :class:`~sarcoma_pipeline.synthetic.drop.Drop`, for the person that carries the defect."""

PLANTS: dict[str, Plant] = {}
"""Kind of defect to what plants it."""


def plants(*kinds: str) -> Callable[[Plant], Plant]:
    """Register a function as what plants these kinds."""

    def register(plant: Plant) -> Plant:
        PLANTS.update(dict.fromkeys(kinds, plant))
        return plant

    return register
