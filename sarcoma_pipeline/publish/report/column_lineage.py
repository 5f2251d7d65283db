"""Render the page of column lineage: the columns from which each released column is computed."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from sarcoma_pipeline.publish.report.drawing import GREY, Drawing
from schemas.column_lineage import Column, upstream
from schemas.content_policy import STATIC_PAGE
from schemas.contract import CONTRACTS

LAYERS = ("received", "typed", "curated", "cohort", "analysis", "meta")

_ROW, _BOX, _GAP, _TOP = 17, 250, 60, 26
_STYLE = """
body { font: 15px/1.45 Helvetica, Arial, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem;
  overflow-wrap: anywhere; }
details { border-top: 1px solid #ddd; padding: .3rem 0; } summary { cursor: pointer; }
code { font-size: .95em; } .drawing { overflow-x: auto; } h2 { margin-top: 2rem; } .means { color: #555; }
"""


def page(title: str, origins: Mapping[str, Mapping[str, tuple[Column, ...]]], tables: list[str]) -> str:
    """Render one self-contained HTML page.

    Args:
        title: title of the study.
        origins: table to column to the columns that it is computed from.
        tables: tables whose columns are drawn, down to the received ones.

    Returns:
        HTML; equal declarations give equal bytes.
    """
    parts = [
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{STATIC_PAGE}"><title>Column lineage</title>'
        f"<style>{_STYLE}</style></head><body><h1>Column lineage</h1><p>{escape(title)}. Every column of the "
        "release, with the columns from which its values are computed, back to the delivered texts or to "
        "columns with their own drawing. For the records behind a patient's value, see "
        "<code>meta.lineage</code> or <code>sarcoma trace</code>.</p><ul>",
        *(f"<li><a href='#{t}'>{t}</a></li>" for t in tables),
        "</ul>",
    ]
    for table in tables:
        contract = CONTRACTS[table]
        parts.append(f"<h2 id='{table}'>{table}</h2><p>{escape(contract.describe())}</p>")
        for spec in contract.columns():
            name = f"<code>{spec.name}</code> <span class='means'>{escape(spec.description)}</span>"
            if not origins.get(table, {}).get(spec.name):
                parts.append(f"<p>{name} Set by the program or the configuration.</p>")
                continue
            graph = drawing(origins, (table, spec.name), frozenset(tables) - {table})
            parts.append(
                f"<details id='{table}.{spec.name}'><summary>{name}</summary>"
                f"<div class='drawing'>{graph}</div></details>"
            )
    return "\n".join([*parts, "</body></html>\n"])


def drawing(
    origins: Mapping[str, Mapping[str, tuple[Column, ...]]],
    column: Column,
    elsewhere: frozenset[str] = frozenset(),
) -> str:
    """Draw the graph of one column as SVG: boxes in a column per layer, with the column itself on the right.

    Args:
        origins: as for :func:`page`.
        column: table and column.
        elsewhere: tables with separate drawings; the graph ends at their columns.
    """
    known = {table: columns for table, columns in origins.items() if table not in elsewhere}
    edges = upstream(known, column)
    nodes = sorted({column, *(source for _, source in edges)})
    layers = [layer for layer in LAYERS if any(t.startswith(f"{layer}.") for t, _ in nodes)]
    place: dict[Column, tuple[float, float]] = {}
    for x, layer in enumerate(layers):
        for y, node in enumerate(n for n in nodes if n[0].startswith(f"{layer}.")):
            place[node] = (10 + x * (_BOX + _GAP), _TOP + y * _ROW)
    tallest = max(y for _, y in place.values()) + _ROW
    sheet = Drawing(20 + len(layers) * (_BOX + _GAP) - _GAP, tallest + 10, size=10)
    for x, layer in enumerate(layers):
        sheet.text(10 + x * (_BOX + _GAP), 14, layer, bold=True)
    for target, source in sorted(edges):
        (x1, y1), (x2, y2) = place[source], place[target]
        sheet.line(x1 + _BOX, y1 + _ROW / 2, x2, y2 + _ROW / 2, width=0.6, ink=GREY)
    for node, (x, y) in place.items():
        sheet.rect(x, y + 1, _BOX, _ROW - 2, fill="#fff" if node != column else "#d9d9d9", ink=GREY)
        words = f"{node[0].partition('.')[2]}.{node[1]}"
        sheet.text(x + 4, y + _ROW - 5, words if len(words) <= 44 else words[:43] + "…")
    words = f"{column[0]}.{column[1]} is computed from {len(nodes) - 1} columns"
    return sheet.svg(key=f"lineage-{column[0]}-{column[1]}".replace(".", "-"), title=words, description=words)
