"""Renders the steward's page: all findings in one HTML file that works from a file share without network.

The page contains its style, script and data. A Content-Security-Policy forbids everything else and identifies
style and script by their hashes, so that no delivered value can run as code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
from jinja2 import Environment

from sarcoma_pipeline.publish.report import steward_charts as charts
from schemas.finding_words import in_words
from schemas.language import SOURCE, in_frame, marked, ngettext, spoken
from schemas.language import gettext as _
from schemas.vocabularies import SEVERITY

SHOWN = (
    "finding_id", "rule_id", "severity", "status", "pseudonym", "path", "position", "table_name",
    "column_name", "value", "note", "what", "remedy", "impact", "first_seen", "last_seen", "who", "reason",
    "until", "news_in", "assignee", "due", "answer", "source", "category",
)  # fmt: skip
"""Columns of the page; columns that only the ledger has may be missing."""

NO_TREND = pl.DataFrame(
    schema={
        "refresh_id": pl.String, "rule_id": pl.String, "severity": pl.String,
        "open": pl.Int64, "new": pl.Int64, "resolved": pl.Int64,
    }
)  # fmt: skip
"""An empty trend, for the first refresh."""

STATUSES = ("open", "reopened", "acknowledged", "waived", "resolved")
_VOCABULARY = (
    marked("error"), marked("warning"), marked("notice"),
    marked("open"), marked("reopened"), marked("acknowledged"), marked("waived"), marked("resolved"),
    *charts.CATEGORY_WORDS,
)  # fmt: skip
"""Words of severities, statuses and categories that the page shows; its address has them in English."""
_PLURAL = {"error": marked("errors"), "warning": marked("warnings"), "notice": marked("notices")}
MOVED = "release.moved-unexplained"
"""Rule whose findings are listed before all others."""
_MOVES = 20
"""Maximum number of unexplained moves listed before the findings."""


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
    days: Mapping[str, str] | None = None,
    readings: Mapping[str, Mapping[int, str]] | None = None,
    plans_to_compute: int = 0,
    resolved_earlier: int = 0,
) -> str:
    """Render the page.

    Args:
        findings: ``quality.findings`` or ``quality.ledger``. Without ``status``, every finding is open. With
            ``impact``, the page shows how the study would change if a quarantined record were admitted.
            With ``source``, the page can be filtered by source.
        rules: ``quality.rules``.
        accounting: ``quality.accounting``.
        files: ``file_id`` and ``path``, with paths masked like those of the findings.
        trend: the columns of :data:`NO_TREND`, and optionally counts of other statuses; may be empty.
        meta: ``study``, ``title``, ``refresh_id``, ``started_at`` as it is shown, ``code_version``, and
            optionally ``dagster_url``.
        coverage: the coverage of the queries to registry offices, in sentences; paths in them are masked.
        moves: the summary of moved values, in sentences.
        records: ``quality.finding_records``, with its texts masked like those of the findings.
        actions: the decisions that would not be refused, by finding (``ledger.possible``). With
            ``dagster_url`` in ``meta``, each becomes a link to the launchpad of the job ``decide``.
        results: ``quality.rule_results``: rules that nothing breaks are listed, too.
        days: day of each refresh at the site, ISO 8601; others have the day of their id.
        readings: what each reading that can be chosen means, by finding and number.
        plans_to_compute: number of plans whose volumes and doses are not in this refresh yet.
        resolved_earlier: number of resolved findings that are not among ``findings``.

    Returns:
        One self-contained HTML document.
    """
    shown = _shown(findings, rules)
    days = days or {}
    style, script = _part("steward.css"), _part("steward.js")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    data = {
        "study": meta["study"],
        "findings": {name: _encoded(shown[name]) for name in shown.columns},
        "rules": {
            row["rule_id"]: {"what": _(row["what"]), "source": _(row["source"])}
            for row in rules.select("rule_id", "what", "source").iter_rows(named=True)
        },
        "files": _files(accounting, in_words(files), set(shown["path"])),
        "records": {} if records is None else _sides(records),
        "news": _news(trend),
        "launchpad": _launchpad(meta) if actions else None,
        "actions": dict(actions or {}),
        "readings": {finding: dict(told) for finding, told in (readings or {}).items()},
        "results": {} if results is None else _results(results),
        "days": {refresh: days.get(refresh) or charts.day_of(refresh) for refresh in _refreshes(shown)},
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
        "trend": charts.trend(trend),
        "ages": charts.ages(shown, days, meta["refresh_id"]),
        "by_source": charts.by_source(shown),
        "matrix": "" if results is None else charts.matrix(results),
        "accounting": escape(
            " ".join(
                [
                    _accounted(accounting),
                    *_queries(coverage),
                    *_to_compute(plans_to_compute),
                    *_not_listed(resolved_earlier),
                ]
            )
        ),
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
    rows = results.filter(pl.col("source").is_null()).select(
        "rule_id", "judged", "broken", "waived", "percent", "max_percent", above=pl.col("above_since")
    )
    return {
        row.pop("rule_id"): {**row, "percent": charts.percent(row["percent"])}
        for row in rows.iter_rows(named=True)
    }


def _refreshes(shown: pl.DataFrame) -> list[str]:
    """Return the refreshes that findings name."""
    named = pl.concat([shown["first_seen"], shown["last_seen"]])
    return named.drop_nulls().unique().sort().to_list()


def _launchpad(meta: Mapping[str, str]) -> str | None:
    """Return the address of the launchpad of the job ``decide``, to which a run config is added."""
    base = meta.get("dagster_url")
    return base and f"{base.rstrip('/')}/locations/{quote(meta['study'])}/jobs/decide/playground/setup"


def _news(trend: pl.DataFrame) -> list[str]:
    """Return the refreshes of the last night: what was news in them is new since the night before."""
    days = charts.with_days(trend)
    if days.is_empty():
        return []
    last = days.filter(pl.col("day") == pl.col("day").max())
    return last["refresh_id"].unique().sort().to_list()


SIDES = (
    "role", "source", "pseudonym", "path", "position", "table_name", "column_name", "value", "why", "at_fault"
)  # fmt: skip
"""Columns of the records of a finding; the page lists them for findings with several."""


def _sides(records: pl.DataFrame) -> dict[str, list[list[Any]]]:
    """Return the records of the findings that have several, in the order of :data:`SIDES`."""
    several = in_words(records.filter(pl.len().over("finding_id") > 1))
    found: dict[str, list[list[Any]]] = {}
    for finding, *row in several.select("finding_id", *SIDES).iter_rows():
        role = SIDES.index("role")
        row[role] = _(row[role])
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


def _to_compute(plans: int) -> list[str]:
    """Return the sentence on plans whose volumes and doses are missing; empty if there are none."""
    told = ngettext(
        "{plans} plan has no volumes and doses yet: they are computed after this refresh, and a later one "
        "takes them.",
        "{plans} plans have no volumes and doses yet: they are computed after this refresh, and a later one "
        "takes them.",
        plans,
    )
    return [told.format(plans=plans)] if plans else []


def _not_listed(findings: int) -> list[str]:
    """Return the sentence on resolved findings that the page does not list; empty if it lists all."""
    told = ngettext(
        "{number} finding that was resolved earlier is not on this page: quality.ledger has it.",
        "{number} findings that were resolved earlier are not on this page: quality.ledger has them.",
        findings,
    )
    return [told.format(number=findings)] if findings else []


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _shown(findings: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    findings = findings.join(
        rules.select("rule_id", "category"), on="rule_id", how="left", maintain_order="left"
    )
    if "status" not in findings.columns:
        findings = findings.with_columns(status=pl.lit("open"))
    return in_words(in_frame(findings, "what", "remedy")).select(
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
    heads = "".join(f'<th scope="col" class="number severity {s}">{_(_PLURAL[s])}</th>' for s in SEVERITY)
    by = {(s, t): n for s, t, n in shown.group_by("status", "severity").len().iter_rows()}
    present = [s for s in STATUSES if s in set(shown["status"])] or ["open"]
    rows = "".join(
        f'<tr><th scope="row">{_(status)}</th>'
        + "".join(f'<td class="number">{by.get((status, severity), 0)}</td>' for severity in SEVERITY)
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
