"""A minimal SVG canvas, so that figures are small, accessible and identical in every refresh.

A plotting library would add its own fonts, random identifiers and a dependency; these figures need only
lines, steps and text. Where they use colours, line styles tell the same, so that they can be printed in grey.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Literal

Anchor = Literal["start", "middle", "end"]

INK, GREY, BAND = "#111", "#767676", "#d9d9d9"
"""Black for data, mid grey for guide lines (contrast 4.5 : 1 on white), light grey for confidence bands."""

_FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


class Drawing:
    """Shapes in drawing order; coordinates in pixels from the upper left corner."""

    def __init__(self, width: float, height: float, size: float = 12) -> None:
        self.width, self.height, self.size = width, height, size
        self._parts: list[str] = []

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, width: float = 1, ink: str = INK, dash: str = ""
    ) -> None:
        """Add a straight line."""
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" '
            f'stroke="{ink}" stroke-width="{_n(width)}"{dashes}/>'
        )

    def dot(self, x: float, y: float) -> None:
        """Add a filled dot."""
        self._parts.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="2.8" fill="{INK}"/>')

    def path(
        self,
        points: Sequence[tuple[float, float]],
        *,
        width: float = 1.6,
        ink: str = INK,
        fill: str = "none",
        dash: str = "",
        opacity: float = 1,
    ) -> None:
        """Add straight segments through the points; closed if filled, with the fill's opacity."""
        if not points:
            return
        d = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points) + ("" if fill == "none" else "Z")
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        stroke = f'stroke="{ink}" stroke-width="{_n(width)}"' if width else 'stroke="none"'
        seen = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        self._parts.append(f'<path d="{d}" fill="{fill}"{seen} {stroke}{dashes}/>')

    def rect(
        self, x: float, y: float, width: float, height: float, *, fill: str = "#fff", ink: str = INK
    ) -> None:
        """Add a box."""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
            f'fill="{fill}" stroke="{ink}"/>'
        )

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: Anchor = "start",
        bold: bool = False,
        italic: bool = False,
        size: float | None = None,
        ink: str = INK,
        turned: bool = False,
    ) -> None:
        """Add text with its baseline at y; turned by 90° to the left if ``turned``."""
        style = "".join(
            (
                f' text-anchor="{anchor}"' if anchor != "start" else "",
                ' font-weight="700"' if bold else "",
                ' font-style="italic"' if italic else "",
                f' font-size="{_n(size)}"' if size else "",
                f' fill="{ink}"' if ink != INK else "",
                f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else "",
            )
        )
        self._parts.append(f'<text x="{_n(x)}" y="{_n(y)}"{style}>{escape(words, quote=False)}</text>')

    def svg(self, key: str, title: str, description: str) -> str:
        """Return the figure as inline SVG, with title and description for screen readers.

        Args:
            key: id of the figure, unique on the page.
            title: what the figure is.
            description: what it shows, in numbers.
        """
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{key}-title {key}-desc" '
            f'viewBox="0 0 {_n(self.width)} {_n(self.height)}" width="{_n(self.width)}" '
            f'height="{_n(self.height)}" font-family="{_FONT}" font-size="{_n(self.size)}" fill="{INK}">'
            f'<title id="{key}-title">{escape(title, quote=False)}</title>'
            f'<desc id="{key}-desc">{escape(description, quote=False)}</desc>'
            + "".join(self._parts)
            + "</svg>"
        )


def wrapped(words: str, width: int) -> list[str]:
    """Break words into lines of at most this many characters."""
    lines: list[str] = []
    for word in words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
