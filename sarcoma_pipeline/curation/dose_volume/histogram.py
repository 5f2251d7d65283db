"""Read doses and volumes from the weighted doses of a structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from schemas.dicom_geometry import Array


@dataclass(frozen=True, eq=False)
class Histogram:
    """The doses of a structure in falling order, and the part of the volume that gets at least as much.

    Attributes:
        doses: doses, in Gy.
        volumes: volume of each dose, in mm³.
    """

    doses: Array
    volumes: Array

    @classmethod
    def of(cls, doses: Array, volumes: Array) -> Histogram:
        """Return the histogram of doses in any order."""
        order = np.lexsort((volumes, -doses))
        return cls(doses[order], volumes[order])

    def mean(self) -> float:
        """Return the mean dose."""
        return float(self.doses @ self.volumes / self.volumes.sum())

    def dose_to(self, percent: float) -> float:
        """Return the least dose of the hottest ``percent`` of the volume (D98, D2)."""
        reached = np.cumsum(self.volumes) - self.volumes / 2
        return float(np.interp(percent / 100 * self.volumes.sum(), reached, self.doses))

    def share_of(self, dose: float) -> float:
        """Return the percentage of the volume that gets at least a dose (V95 %, V40)."""
        return 100 * float(self.volumes[self.doses >= dose].sum() / self.volumes.sum())
