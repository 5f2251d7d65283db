"""Draws a figure as PNG with resvg, whose wheels need no library of the system.

CairoSVG needs libcairo, which a fresh clone does not have; Chromium is not installed everywhere and takes
seconds to start. resvg takes about 0.09 s of CPU for a panel: half of it for texts, a third for the PNG of
1500 pixels; with one font file given instead of the system's it takes as long. So the figures of the page are
kept, and a refresh draws those that changed. resvg draws texts with the fonts of the system: where there are
none, figures are offered as SVG only, because a curve without its numbers would mislead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

import resvg_py

from sarcoma_pipeline.publish.report.drawing import Drawing

WIDTH = 1500
"""Width in pixels: 300 dpi, which journals ask for, at 12.7 cm."""

_PROBE = ("0123456789 .,:;+-–−%()/<>=≤≥’", "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÜ", "abcdefghijklmnopqrstuvwxyzäöüß")
_DIGEST = 32


@cache
def _probe(fonts: bool = True) -> bytes:
    """Return our letters, drawn with the fonts of this machine or without."""
    probe = Drawing(400, 140)
    for at, words in enumerate(_PROBE):
        probe.text(5, 15 + 45 * at, words)
        probe.text(5, 30 + 45 * at, words, bold=True)
        probe.text(5, 45 + 45 * at, words, italic=True)
    return resvg_py.svg_to_bytes(svg_string=probe.svg("probe", "", ""), skip_system_fonts=not fonts)


@cache
def has_fonts() -> bool:
    """Return whether a text of our figures is drawn on this machine."""
    return _probe() != _probe(fonts=False)


@lru_cache(maxsize=256)
def png(svg: str) -> bytes:
    """Return an SVG of `Drawing` as PNG on white paper; equal drawings give equal bytes on one machine.

    Raises:
        ValueError: the text is no SVG.
    """
    return resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, background="#fff")


@cache
def _circumstances() -> bytes:
    """Return what a PNG depends on other than its SVG: resvg, the width, the fonts of this machine."""
    return repr((version("resvg-py"), WIDTH, _probe())).encode()


@dataclass(frozen=True)
class KeptFigures:
    """The figures of the last page, in a folder; a file that is damaged is drawn anew.

    Attributes:
        folder: where they are; created if missing, for its owner only. It contains nothing else.
    """

    folder: Path
    _used: set[str] = field(default_factory=set[str])

    def png(self, svg: str) -> bytes:
        """Return an SVG of `Drawing` as `png` would draw it."""
        name = blake2b(svg.encode(), digest_size=20, key=blake2b(_circumstances()).digest()).hexdigest()
        self._used.add(name)
        kept = self.folder / name
        try:
            content = kept.read_bytes()
        except FileNotFoundError:
            content = b""
        digest, drawn = content[:_DIGEST], content[_DIGEST:]
        if not drawn or blake2b(drawn, digest_size=_DIGEST).digest() != digest:
            drawn = png(svg)
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept.write_bytes(blake2b(drawn, digest_size=_DIGEST).digest() + drawn)
        return drawn

    def forget_others(self) -> None:
        """Delete the figures that were not asked for."""
        for kept in self.folder.glob("*"):
            if kept.name not in self._used:
                kept.unlink(missing_ok=True)
