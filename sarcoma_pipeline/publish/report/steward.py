"""Renders the steward's page: all findings in one HTML file that works from a file share without network.

The page contains its style, script and data. A Content-Security-Policy forbids everything else and identifies
style and script by their hashes, so that no delivered value can run as code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
from jinja2 import Environment

from schemas.language import SOURCE, counted, day, decimal, in_frame, marked, spoken, stored
from schemas.language import gettext as _

SHOWN = (
    "finding_id", "rule_id", "severity", "status", "pseudonym", "path", "position", "table_name",
    "column_name", "value", "note", "what", "remedy", "impact", "first_seen", "last_seen", "who", "reason",
    "until", "news_in", "assignee", "due", "answer",
)  # fmt: skip
"""Columns of the page; columns that only the ledger has may be missing."""

NO_TREND = pl.DataFrame(
    schema={
        "refresh_id": pl.String, "rule_id": pl.String, "severity": pl.String,
        "open": pl.Int64, "new": pl.Int64, "resolved": pl.Int64,
    }
)  # fmt: skip
"""An empty trend, for the first refresh."""

SEVERITIES = ("error", "warning", "notice")
STATUSES = ("open", "reopened", "acknowledged", "waived", "resolved")
_VOCABULARY = (
    marked("error"), marked("warning"), marked("notice"),
    marked("open"), marked("reopened"), marked("acknowledged"), marked("waived"), marked("resolved"),
)  # fmt: skip
"""Words of severities and statuses that the page shows; its address has them in English."""
_PLURAL = {"error": marked("errors"), "warning": marked("warnings"), "notice": marked("notices")}
_WHY = (
    marked("its value is that of {place}"), marked("{place} has another value"), marked("used in {place}"),
    marked("not a record of a curated value"), marked("another record takes precedence"),
)  # fmt: skip
"""Sentences on whose value is used, as ``quality.finding_records`` has them."""
MOVED = "release.moved-unexplained"
"""Rule whose findings are listed before all others."""
_MOVES = 20
"""Maximum number of unexplained moves listed before the findings."""
_NIGHTS = 60
"""Nights in the drawing of the trend."""
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 480, 140, 34, 96, 8, 22
"""Size of the drawing and its margins, in pixels."""


def page(
    findings: pl.DataFrame,
    rules: pl.DataFrame,
    accounting: pl.DataFrame,
    files: pl.DataFrame,
    trend: pl.DataFrame,
    meta: Mapping[str, str],
    coverage: Sequence[str] = (),
    moves: Sequence[str] = (),
    records: pl.DataFrame | None = None,
    actions: Mapping[str, Sequence[str]] | None = None,
    results: pl.DataFrame | None = None,
) -> str:
    """Render the page.

    Args:
        findings: ``quality.findings`` or ``quality.ledger``. Without ``status``, every finding is open. With
            ``impact``, the page shows how the study would change if a quarantined record were admitted.
        rules: ``quality.rules``.
        accounting: ``quality.accounting``.
        files: ``file_id`` and ``path``, with paths masked like those of the findings.
        trend: the columns of :data:`NO_TREND`, and optionally counts of other statuses; may be empty.
        meta: ``study``, ``title``, ``refresh_id``, ``started_at``, ``code_version``, and optionally
            ``dagster_url``.
        coverage: the coverage of the queries to registry offices, in sentences; paths in them are masked.
        moves: the summary of moved values, in sentences.
        records: ``quality.finding_records``, with its texts masked like those of the findings.
        actions: the decisions that would not be refused, by finding (``ledger.possible``). With
            ``dagster_url`` in ``meta``, each becomes a link to the launchpad of the job ``decide``.
        results: what every rule judged (``rule_results.results``): rules that nothing breaks are listed, too.

    Returns:
        One self-contained HTML document.
    """
    shown = _shown(findings)
    style, script = _part("steward.css"), _part("steward.js")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    data = {
        "study": meta["study"],
        "findings": {name: _encoded(shown[name]) for name in shown.columns},
        "rules": {
            row["rule_id"]: {"what": _(row["what"]), "source": row["source"]}
            for row in rules.select("rule_id", "what", "source").iter_rows(named=True)
        },
        "files": _files(accounting, files, set(shown["path"])),
        "records": {} if records is None else _sides(records),
        "news": _news(trend),
        "launchpad": _launchpad(meta) if actions else None,
        "actions": dict(actions or {}),
        "results": {} if results is None else _results(results),
        "texts": _texts(script),
    }
    parts = {
        "language": spoken(),
        "policy": policy,
        "style": style,
        "script": script,
        # "<" is escaped: a delivered "</script>" must not end the script element.
        "data": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        "study": escape(meta["study"]),
        "title": escape(meta["title"]),
        "origin": escape(
            _("Study {study}, refresh {refresh}, {started_at}, program {version}").format(
                study=meta["study"],
                refresh=meta["refresh_id"],
                started_at=meta["started_at"],
                version=meta["code_version"],
            )
        ),
        "moved": _moved(shown, moves),
        "counts": _counts(shown),
        "trend": _trend(trend),
        "accounting": escape(" ".join([_accounted(accounting), *_queries(coverage)])),
    }
    # Every part is escaped already, and only the template itself is expanded.
    template = Environment(keep_trailing_newline=True).from_string(_part("steward.html"))
    return template.render(**parts, _=lambda text: escape(_(text), quote=False))


def _texts(script: str) -> dict[str, str]:
    """Return the texts of the script with their translations; the script itself has the English ones."""
    if spoken() == SOURCE:
        return {}
    from babel.messages.extract import extract

    source, nested = io.BytesIO(script.encode()), {"parse_template_string": True}
    found = extract("javascript", source, keywords={"_": None}, options=nested)
    words = [message for _, message, _, _ in found if isinstance(message, str)]
    return {text: _(text) for text in (*words, *_VOCABULARY)}


def _results(results: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the result of each rule by its id; a percentage with one decimal, and one that is not nought."""
    rows = results.select("rule_id", "judged", "broken", "waived", "percent").rows(named=True)
    return {row.pop("rule_id"): {**row, "percent": _percent(row["percent"])} for row in rows}


def _percent(share: float | None) -> str:
    return "" if share is None else decimal("< 0.1" if 0 < share < 0.05 else f"{share:.1f}")


def _launchpad(meta: Mapping[str, str]) -> str | None:
    """Return the address of the launchpad of the job ``decide``, to which a run config is added."""
    base = meta.get("dagster_url")
    return base and f"{base.rstrip('/')}/locations/{quote(meta['study'])}/jobs/decide/playground/setup"


def _news(trend: pl.DataFrame) -> list[str]:
    """Return the refreshes of the last night: what was news in them is new since the night before."""
    days = _with_days(trend)
    if days.is_empty():
        return []
    last = days.filter(pl.col("day") == pl.col("day").max())
    return last["refresh_id"].unique().sort().to_list()


def _with_days(trend: pl.DataFrame) -> pl.DataFrame:
    """Return a trend with the day of each refresh: a night is a day, however often it was refreshed."""
    of_id = pl.col("refresh_id").map_elements(_day, return_dtype=pl.String)
    if "day" in trend.columns:
        # A refresh that a lost warehouse has forgotten has only its id.
        return trend.with_columns(day=pl.coalesce(pl.col("day").cast(pl.String), of_id))
    return trend.with_columns(day=of_id)


SIDES = (
    "role", "source", "pseudonym", "path", "position", "table_name", "column_name", "value", "why", "at_fault"
)  # fmt: skip
"""Columns of the records of a finding; the page lists them for findings with several."""


def _sides(records: pl.DataFrame) -> dict[str, list[list[Any]]]:
    """Return the records of the findings that have several, in the order of :data:`SIDES`."""
    several = records.filter(pl.len().over("finding_id") > 1)
    found: dict[str, list[list[Any]]] = {}
    for finding, *row in several.select("finding_id", *SIDES).iter_rows():
        role, why = SIDES.index("role"), SIDES.index("why")
        row[role], row[why] = _(row[role]), stored(row[why], _WHY)
        found.setdefault(finding, []).append(row)
    return found


def _moved(shown: pl.DataFrame, moves: Sequence[str]) -> str:
    """Render the unexplained moves since the last release, then the summary of all moves."""
    silent = shown.filter(pl.col("rule_id") == MOVED, pl.col("status").is_in(["open", "reopened"]))
    account = "".join(f"<p>{escape(sentence)}.</p>" for sentence in moves)
    if silent.is_empty():
        return account
    ordered = silent.sort("pseudonym", "path", "position", "finding_id", nulls_last=True)
    items = "".join(
        f"<li><strong>{escape(row['note'] or row['value'] or '')}</strong>, "
        f"{escape(row['path'] or '')} {escape(row['position'] or '')}</li>"
        for row in ordered.head(_MOVES).iter_rows(named=True)
    )
    rest = _("{number} more: see the list below.").format(number=ordered.height - _MOVES)
    more = f"<p>{rest}</p>" if ordered.height > _MOVES else ""
    return (
        f'<section class="moved"><h2>{_("Released values that moved, and nothing says why")}</h2>'
        f"<p>{escape(ordered['remedy'][0] or '')}</p><ul>{items}</ul>{more}</section>{account}"
    )


def _queries(coverage: Sequence[str]) -> list[str]:
    """Return the sentence on the queries to registry offices; empty if there were none."""
    told = _("Queries to registry offices: {coverage}.").format(coverage="; ".join(coverage))
    return [told] if coverage else []


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _shown(findings: pl.DataFrame) -> pl.DataFrame:
    if "status" not in findings.columns:
        findings = findings.with_columns(status=pl.lit("open"))
    return in_frame(findings, "what", "remedy").select(
        pl.col(n).cast(pl.String) if n in findings.columns else pl.lit(None, dtype=pl.String).alias(n)
        for n in SHOWN
    )


def _encoded(values: pl.Series) -> dict[str, list[Any]]:
    """Encode a column as its distinct values and an index per row."""
    distinct = values.unique(maintain_order=True).to_list()
    place = {value: i for i, value in enumerate(distinct)}
    return {"values": distinct, "index": [place[value] for value in values]}


def _files(accounting: pl.DataFrame, files: pl.DataFrame, paths: set[str]) -> dict[str, dict[str, int]]:
    """Sum records read and quarantined per file with findings; several files may share a masked path."""
    by_path = (
        accounting.join(files.select("file_id", "path"), on="file_id")
        .filter(pl.col("path").is_in(list(paths)))
        .group_by("path", maintain_order=True)
        .agg(pl.col("records", "quarantined").sum())
    )
    return {row.pop("path"): row for row in by_path.iter_rows(named=True)}


def _counts(shown: pl.DataFrame) -> str:
    """Render the counts by status and severity as table rows."""
    heads = "".join(f'<th scope="col" class="number severity {s}">{_(_PLURAL[s])}</th>' for s in SEVERITIES)
    by = {(s, t): n for s, t, n in shown.group_by("status", "severity").len().iter_rows()}
    present = [s for s in STATUSES if s in set(shown["status"])] or ["open"]
    rows = "".join(
        f'<tr><th scope="row">{_(status)}</th>'
        + "".join(f'<td class="number">{by.get((status, severity), 0)}</td>' for severity in SEVERITIES)
        + "</tr>"
        for status in present
    )
    return f"<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody>"


def _accounted(accounting: pl.DataFrame) -> str:
    columns = (
        "records", "curated", "quarantined", "duplicates", "out_of_scope",
        "values_delivered", "values_read", "values_ignored", "values_unknown",
    )  # fmt: skip
    n = accounting.select(pl.col(columns).sum()).row(0, named=True)
    return _(
        "{records} records read = {curated} curated + {quarantined} quarantined + "
        "{duplicates} exact duplicates + {out_of_scope} out of scope, in {files} files. "
        "{values_delivered} values delivered = {values_read} read + "
        "{values_ignored} ignored by name + {values_unknown} unknown."
    ).format(files=accounting.height, **n)


def _trend(trend: pl.DataFrame) -> str:
    """Draw the open findings per severity over the last nights, with a caption."""
    trend = _with_days(trend)
    if trend["day"].n_unique() < 2:
        return f"<figcaption>{_('The trend is drawn from the second night on.')}</figcaption>"
    to_do = [c for c in ("open", "reopened", "acknowledged") if c in trend.columns]
    nights = trend["day"].unique().sort().tail(_NIGHTS).to_list()
    # Of several refreshes of a day, the last one counts.
    ended = trend.filter(pl.col("refresh_id") == pl.col("refresh_id").max().over("day"))
    by = ended.group_by("day", "severity").agg(n=pl.sum_horizontal(pl.col(to_do)).sum())
    counts = {(night, severity): n for night, severity, n in by.iter_rows()}
    lines = {s: [counts.get((night, s), 0) for night in nights] for s in SEVERITIES}
    most = max(1, *(n for line in lines.values() for n in line))
    drawn = "".join(_line(severity, line, most) for severity, line in lines.items())
    labels = "".join(
        f'<text x="{_WIDTH - _RIGHT + 8}" y="{y:.0f}">{counted(line[-1], severity)}</text>'
        for y, (severity, line) in zip(
            _spread(_y(line[-1], most) + 4 for line in lines.values()), lines.items(), strict=True
        )
    )
    now = trend.filter(pl.col("day") == nights[-1]).select(pl.col("new", "resolved").sum()).row(0)
    caption = _("Findings to do over {nights} nights. Last night: {new} new, {resolved} resolved.").format(
        nights=len(nights), new=now[0], resolved=now[1]
    )
    base = _HEIGHT - _BOTTOM
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(caption)}">'
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>'
        f'<text x="{_LEFT - 6}" y="{base + 4}" text-anchor="end">0</text>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 8}" text-anchor="end">{most}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 5}">{escape(day(nights[0]))}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 5}" text-anchor="end">{escape(day(nights[-1]))}</text>'
        f"{drawn}{labels}</svg><figcaption>{escape(caption)}</figcaption>"
    )


def _line(severity: str, counts: list[int], most: int) -> str:
    step = (_WIDTH - _LEFT - _RIGHT) / (len(counts) - 1)
    points = [(_LEFT + i * step, _y(n, most)) for i, n in enumerate(counts)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<polyline class="{severity}" points="{drawn}"/>'
        f'<circle class="{severity}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    )


def _y(count: int, most: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * count / most


def _spread(wanted: Iterable[float], gap: float = 15) -> list[float]:
    """Move the heights of labels apart, so that no label covers another."""
    heights = list(wanted)
    lowest = _HEIGHT - _BOTTOM + 4.0
    for i in sorted(range(len(heights)), key=lambda i: -heights[i]):
        heights[i] = min(heights[i], lowest)
        lowest = heights[i] - gap
    return heights


def _day(refresh_id: str) -> str:
    """Convert ``20261124T015548Z-…`` to 2026-11-24."""
    return re.sub(r"^(\d{4})(\d\d)(\d\d)T.*$", r"\1-\2-\3", refresh_id)
