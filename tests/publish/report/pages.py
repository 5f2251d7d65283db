"""Steward's pages with invented findings, for tests of their text and tests in a browser."""

from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import steward
from schemas.quality import Accounting, QualityRule, RuleResult

HOSTILE = (
    """</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'"> '"&"""
)
META = {
    "study": "s",
    "title": "Sarcoma <b>study</b> & more",
    "refresh_id": "20300102T013000Z-aa",
    "started_at": "2030-01-02T01:30:00+00:00",
    "code_version": "1",
}
CATEGORY = {
    "date.in-future": "plausibility", "identity.near-match": "plausibility",
    "record.duplicate": "conformance",
}  # fmt: skip
SEVERITY = {"date.in-future": "error", "identity.near-match": "warning", "record.duplicate": "notice"}


def findings(count: int = 30, **columns: Any) -> pl.DataFrame:
    """Return this many findings, from three rules in turn."""
    rules = list(SEVERITY)
    rows = [
        {
            "finding_id": f"f{i}", "rule_id": rules[i % 3], "severity": SEVERITY[rules[i % 3]],
            "pseudonym": None if i % 5 == 0 else f"p{i % 4}", "path": f"obds/{i % 2}.xml",
            "position": f"line {i}", "table_name": "typed.assessment", "column_name": "assessment_date",
            "value": f"value {i}",
            "what": f"What {rules[i % 3]}.", "remedy": "Mend it.", "record_id": f"secret-{i}",
        }
        for i in range(count)
    ]  # fmt: skip
    return pl.DataFrame(rows).with_columns(**columns)


def trend(nights: int) -> pl.DataFrame:
    """Return a trend with one more open finding per refresh."""
    return pl.DataFrame(
        [(f"203001{n + 1:02d}T013000Z-aa", "date.in-future", "error", 5 + n, 2, 1) for n in range(nights)],
        schema=steward.NO_TREND.schema,
        orient="row",
    )


def html(
    found: pl.DataFrame,
    nights: int = 0,
    actions: dict[str, list[str]] | None = None,
    told: pl.DataFrame | None = None,
    results: pl.DataFrame | None = None,
    days: dict[str, str] | None = None,
    records: pl.DataFrame | None = None,
    readings: dict[str, dict[int, str]] | None = None,
    **meta: str,
) -> str:
    """Render the page of these findings."""
    rules = QualityRule.conform(
        pl.DataFrame(
            [
                {
                    "rule_id": r,
                    "severity": s,
                    "what": f"What {r}.",
                    "source": "oBDS",
                    "category": CATEGORY[r],
                }
                for r, s in SEVERITY.items()
            ]
        )
    )
    accounting = pl.DataFrame(
        {
            "file_id": ["a", "b"], "records": [10, 20], "curated": [9, 18], "quarantined": [1, 0],
            "duplicates": [0, 2], "out_of_scope": [0, 0], "unaccounted": [0, 0], "counted_twice": [0, 0],
        }
    )  # fmt: skip
    files = pl.DataFrame({"file_id": ["a", "b"], "path": ["obds/0.xml", "obds/1.xml"]})
    every = trend(nights) if told is None else told
    account = Accounting.conform(accounting)
    return steward.page(
        found, rules, account, files, every, {**META, **meta}, records=records, actions=actions,
        results=results, days=days, readings=readings,
    )  # fmt: skip


def records(finding: str, *rows: tuple[str, str, str, str, str], **more: Any) -> pl.DataFrame:
    """Return records of a finding: path, role, column, value and why; the first is at fault."""
    made = [
        {
            "finding_id": finding, "path": path, "role": role, "column_name": column, "value": value,
            "table_name": "typed.person", "source": f"source of {path}", "pseudonym": "p1", "why": why,
            "position": "line 7", "at_fault": path == rows[0][0],
        }
        for path, role, column, value, why in rows
    ]  # fmt: skip
    return pl.DataFrame(made).with_columns(**more)


def judged(*rows: tuple[str, str | None, int | None, int, int], **more: Any) -> pl.DataFrame:
    """Return results: rule, source, judged, broken and waived; ``more`` sets further columns."""
    made = [
        {
            "rule_id": rule, "category": CATEGORY.get(rule, "completeness"), "severity": "warning",
            "source": source, "judged": count, "broken": broken, "waived": waived,
            "percent": 100 * (broken - waived) / count if count else None,
        }
        for rule, source, count, broken, waived in rows
    ]  # fmt: skip
    return RuleResult.conform(pl.DataFrame(made, infer_schema_length=None).with_columns(**more))


def hostile() -> pl.DataFrame:
    """Return findings with values that would run as code if the page did not escape them."""
    return findings(3, value=pl.lit(HOSTILE), path=pl.lit(HOSTILE), what=pl.lit(HOSTILE))
