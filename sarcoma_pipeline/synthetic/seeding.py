"""Register the functions that seed defects, and describe where a seeded defect is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sarcoma_pipeline.synthetic.drop import Planned


@dataclass(frozen=True)
class Planted:
    """The place of a seeded defect.

    Attributes:
        file: path relative to the drop folder; for a DICOM object its folder.
        locator: identifies the record: Meldung_ID, patient number or reference; ``file`` for the whole file.
        planned: the course whose object has the defect; the object's UID becomes the locator.
        modality: modality of the object.
    """

    file: str
    locator: str = "file"
    planned: Planned | None = None
    modality: str = "RTPLAN"


Plant = Callable[[Any, Any], Planted]
"""Changes a :class:`~sarcoma_pipeline.synthetic.drop.Drop` for the person with the defect."""

PLANTS: dict[str, Plant] = {}
"""Kind of defect to the function that seeds it."""


def plants(*kinds: str) -> Callable[[Plant], Plant]:
    """Register a function that seeds these kinds of defects."""

    def register(plant: Plant) -> Plant:
        PLANTS.update(dict.fromkeys(kinds, plant))
        return plant

    return register
