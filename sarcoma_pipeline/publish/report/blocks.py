"""Define the blocks of the report's sections, and the input from which they are built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from sarcoma_pipeline.publish.report.report_tables import Table
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure
from schemas.language import gettext as _


@dataclass(frozen=True)
class Figure:
    """A figure of one or more panels, each an inline SVG with its own title and description."""

    key: str
    label: str
    caption: str
    panels: tuple[str, ...]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of text, with a bold word or two at its beginning if it opens a part of the section."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    key: str
    title: str
    blocks: tuple[Paragraph | Table | Figure, ...]


@dataclass
class Report:
    """The input of the sections, and the numbers of figures and tables assigned so far."""

    study: Study
    sources: Sources
    frames: Mapping[str, pl.DataFrame]
    versions: Mapping[str, str]
    policy: Disclosure | None = None
    """Policy of disclosure control, if it was applied to the frames."""
    figures: int = 0
    supplements: int = 0
    titles: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.titles = {rule.name: rule.title for rule in self.study.endpoints if rule.derivable}

    @property
    def decimals(self) -> int:
        """Decimals to which rates and months are known: disclosure control rounds them to whole numbers."""
        return 0 if self.policy else 1

    def has(self, *names: str) -> bool:
        """Return whether all these tables exist and are not empty."""
        return all(name in self.frames and self.frames[name].height for name in names)

    def figure(self, key: str, caption: str, panels: Sequence[str]) -> Figure:
        """Return the next numbered figure."""
        self.figures += 1
        return Figure(key, _("Figure {figures}").format(figures=self.figures), caption, tuple(panels))

    def supplement(self) -> str:
        """Return the label of the next supplementary table."""
        self.supplements += 1
        return _("Table S{supplements}").format(supplements=self.supplements)
