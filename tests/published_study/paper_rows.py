"""Rows of a paper's table of numbers, for the cases of the audit."""

Row = dict[str, str]


def count_row(where: str, n: str, of: str = "", pct: str = "", **more: str) -> Row:
    return {"statistic": "count", "where": where, "n": n, "denominator": of, "pct": pct, **more}


def ratio_row(value: str, low: str, high: str, p: str = "", **more: str) -> Row:
    return {"statistic": "hazard ratio", "value": value, "ci_low": low, "ci_high": high, "p": p, **more}


def rate_row(value: str, low: str = "", high: str = "", horizon: str = "24", endpoint: str = "OS") -> Row:
    return {"statistic": "survival", "endpoint": endpoint, "horizon": horizon, "value": value, "ci_low": low,
            "ci_high": high, "unit": "%"}  # fmt: skip


def median_row(value: str, endpoint: str = "OS", low: str = "", high: str = "") -> Row:
    return {
        "statistic": "median",
        "endpoint": endpoint,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "unit": "months",
    }


def spread_row(
    kind: str, value: str, low: str, high: str, column: str = "dose", of: str = "", **more: str
) -> Row:
    return {
        "statistic": kind,
        "column": column,
        "of": of,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        **more,
    }


def group_rows(*cells: str, p: str, method: str = "") -> list[Row]:
    rows = []
    for cell, group in zip(cells, "abcd", strict=False):
        n, _, of = cell.partition("/")
        rows.append({**count_row("event=yes", n, of, comparison="x"), "of": f"group={group}"})
    return [*rows[:-1], {**rows[-1], "p": p, "method": method}]


ALL = count_row("", "100", section="Table 1")
IN_TABLE = {"section": "Table 2", "model": "OS", "term": "sex", "level": "female"}
DEATHS = count_row("os_event=true", "18", "86")
RELAPSES = [count_row("relapse_pattern=distant only|local and distant", "35", "86"),
            count_row("relapse_pattern=local and distant|local only", "12", "86")]  # fmt: skip


def model_row(model: str, low: str, high: str, value: str, term: str = "sex", level: str = "female") -> Row:
    return ratio_row(value, low, high, section="Table 2", model=model, term=term, level=level)


Case = tuple[str, str, list[Row], str | None]
