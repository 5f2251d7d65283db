"""Define ``[[structures]]`` of ``study.toml``: what a site calls the structures of its plans."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, NonNegativeFloat, PositiveFloat, StringConstraints, model_validator

from schemas.structure_names import Role
from schemas.toml_section import Section


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as wrong:
        raise ValueError(f"is no regular expression: {wrong}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]

Metric = Annotated[str, StringConstraints(pattern=r"^(mean|max|HI|CI|D98|D95|D50|D2|V95%|V\d+(\.\d+)?)$")]
"""``V40``: share of the volume with 40 Gy or more; ``V95%``: with 95 % of the prescribed dose."""


class StructureNames(Section):
    """Names of one structure in the site's planning system; they come before the usual names."""

    names: tuple[str, ...] = ()
    """Names as delivered; case and outer blanks do not count."""
    patterns: tuple[Pattern, ...] = ()
    """Regular expressions that a whole name matches; case does not count."""
    tg263: str | None = None
    """Name after TG-263, with its side; not given if TG-263 has none."""
    role: Role
    """What the structure is for."""
    metrics: tuple[Metric, ...] = ()
    """Metrics beside volume and mean dose; if empty, those that are usual for the role."""
    alpha_beta_gy: PositiveFloat | None = None
    """Alpha/beta for the EQD2; if not given, that of targets or organs in ``[dose_volume]``."""
    least_cc: NonNegativeFloat | None = None
    """A smaller volume is implausible."""
    most_cc: PositiveFloat | None = None
    """A larger volume is implausible."""

    @model_validator(mode="after")
    def _names_something(self) -> StructureNames:
        if not (self.names or self.patterns):
            raise ValueError("give 'names' or 'patterns'")
        return self
