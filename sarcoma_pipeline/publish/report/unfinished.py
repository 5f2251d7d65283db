"""Adds to a page the files that take long to make: figures as PNG, tables as workbooks and Word documents.

A refresh writes the page without them. What they are made from is kept beside it, so that a later process
needs neither the release nor the warehouse. Each missing file has a comment with its name in its place.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b

from sarcoma_pipeline.publish.report import downloads
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import Language, speaking

_PLACE = re.compile(r"<!--([\w.-]+)-->")


@dataclass(frozen=True)
class Panel:
    """A panel of a figure that is drawn as PNG.

    Attributes:
        name: name of the file.
        kind: what the link says.
        svg: the drawing.
    """

    name: str
    kind: str
    svg: str


@dataclass(frozen=True)
class Unfinished:
    """What a page lacks.

    Attributes:
        page: :func:`digest` of the page.
        made: when its release was made.
        author: the author of the Word documents.
        language: the language of the page.
        panels: the panels that are drawn as PNG.
        tables: the tables that are written as workbooks and Word documents.
    """

    page: str
    made: dt.datetime
    author: str
    language: Language
    panels: tuple[Panel, ...]
    tables: tuple[Table, ...]

    def finished(self, html: str, png: Callable[[str], bytes]) -> str:
        """Return the page with all its files.

        Args:
            html: the page.
            png: draws an SVG as PNG.
        """
        links = {panel.name: (panel.kind, downloads.of_png(png(panel.svg))) for panel in self.panels}
        with speaking(self.language):
            for table in self.tables:
                links[f"{table.key}.xlsx"] = ("XLSX", downloads.of_book(table, self.made))
                links[f"{table.key}.docx"] = ("Word", downloads.of_word(table, self.made, self.author))

        def link(place: re.Match[str]) -> str:
            kind, content = links[place[1]]
            return f'<a download="{place[1]}" href="{content}">{kind}</a>'

        return _PLACE.sub(link, html)

    def text(self) -> str:
        """Return this as JSON."""
        return json.dumps({**asdict(self), "made": self.made.isoformat()}, ensure_ascii=False)


def digest(html: str) -> str:
    """Return a hash of a page."""
    return blake2b(html.encode(), digest_size=20).hexdigest()


def drawings(key: str, panels: Sequence[str]) -> Iterator[Panel]:
    """Yield the panels of a figure that are drawn as PNG: none where the machine has no fonts."""
    files = downloads.of_figure(key, panels, None)
    missing = [file for file in files if not file.link]
    for file, panel in zip(missing, panels if missing else (), strict=True):
        yield Panel(file.name, file.kind, panel)


def read(text: str) -> Unfinished:
    """Return what :meth:`Unfinished.text` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is damaged.
    """
    found = json.loads(text)
    found["made"] = dt.datetime.fromisoformat(found["made"])
    found["panels"] = tuple(Panel(**panel) for panel in found["panels"])
    found["tables"] = tuple(_table(table) for table in found["tables"])
    return Unfinished(**found)


def _table(found: dict[str, object]) -> Table:
    lines = found.pop("lines")
    assert isinstance(lines, list)
    found["lines"] = tuple(Line(**{**line, "cells": tuple(line["cells"])}) for line in lines)
    for name in ("head", "notes", "widths"):
        value = found[name]
        assert isinstance(value, list)
        found[name] = tuple(value)
    return Table(**found)  # pyright: ignore[reportArgumentType]
