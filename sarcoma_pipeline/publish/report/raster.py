"""Draws a figure as PNG with resvg, whose wheels need no library of the system.

CairoSVG needs libcairo, which a fresh clone does not have; Chromium is not installed everywhere and takes
seconds to start. resvg takes about 0.03 s for a panel. It draws texts with the fonts of the system: where
there are none, figures are offered as SVG only, for a curve without its numbers would mislead.
"""

from __future__ import annotations

from functools import cache, lru_cache

import resvg_py

from sarcoma_pipeline.publish.report.drawing import Drawing

WIDTH = 1500
"""Width in pixels: 300 dpi, which journals ask for, at 12.7 cm."""


@cache
def has_fonts() -> bool:
    """Return whether a text of our figures is drawn on this machine."""
    probe = Drawing(60, 20)
    probe.text(5, 15, "0 Äß≤")
    svg = probe.svg("probe", "", "")
    return resvg_py.svg_to_bytes(svg_string=svg) != resvg_py.svg_to_bytes(
        svg_string=svg, skip_system_fonts=True
    )


@lru_cache(maxsize=256)
def png(svg: str) -> bytes:
    """Return an SVG of `Drawing` as PNG on white paper; equal drawings give equal bytes on one machine.

    Raises:
        ValueError: the text is no SVG.
    """
    return resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, background="#fff")
