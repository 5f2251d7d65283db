"""Define ``[[dose_columns]]`` of ``study.toml``: volumes and doses that analyses use like other columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from schemas.language import marked
from schemas.toml_section import Section

if TYPE_CHECKING:
    from schemas.contract import ColumnSpec

THIRDS = (marked("lowest third"), marked("middle third"), marked("highest third"))
"""Levels of the column ``NAME_third``."""
THIRD = "third"
"""Name of these levels among the vocabularies of columns."""
_SUFFIX = "_third"


class DoseColumn(Section):
    """A volume or dose of a structure; models, Table 1 and subgroups use it like a column of patients."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    """Name of the column; ``NAME_third`` is a column too, with the third of the cohort's patients."""
    structure: str
    """Name after TG-263, without a side for both sides, or a role. Of several structures that with the
    highest mean dose counts."""
    metric: Annotated[
        str,
        StringConstraints(
            pattern=r"^(volume|mean|max|D98|D95|D50|D2|V95%|V\d+(\.\d+)?|HI|CI|EQD2 (mean|D50|D2))$"
        ),
    ]
    """``volume`` in cm³; doses in Gy; ``V20``: percentage of the volume with 20 Gy or more; ``HI``, ``CI``;
    ``EQD2 mean``: mean dose in fractions of 2 Gy of equal effect."""

    @property
    def third(self) -> str:
        """Name of the column with the third."""
        return f"{self.name}{_SUFFIX}"

    @property
    def volume_at_gy(self) -> float | None:
        """The x of Vx; None for another metric."""
        x = self.metric[1:]
        return float(x) if self.metric[0] == "V" and x.replace(".", "").isdigit() else None

    @property
    def unit(self) -> str | None:
        """The unit of the metric."""
        if self.metric == "volume":
            return "cm³"
        if self.metric[0] == "V":
            return "%"
        return None if self.metric in ("HI", "CI") else "Gy"


def specs(declared: Sequence[DoseColumn]) -> dict[str, ColumnSpec]:
    """Return the columns that a study declares, as contracts declare theirs."""
    # The configuration is read by commands that must not wait for the import of polars.
    from schemas.contract import ColumnSpec

    found = {}
    for one in declared:
        what = f"{one.metric} of {one.structure}"
        for name, dtype, unit, words in (
            (one.name, "Float64", one.unit, None),
            (one.third, "String", None, THIRD),
        ):
            found[name] = ColumnSpec(
                "cohort.patients", name, dtype, "", True, what, "", unit, "clinical", words, "warning"
            )
    return found
