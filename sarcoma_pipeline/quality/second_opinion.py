"""Check a release with Great Expectations after the gate, and write the Data Docs.

Great Expectations evaluates the same expectations as the gate: if they disagree, one of them is wrong, and
a release may have been published that should have been blocked. It takes seconds to import and to run, so
that publication does not wait for it (``orchestration.opinion_process``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from sarcoma_pipeline.quality.expectations import Page, expected
from sarcoma_pipeline.quality.release_gate import Failed, Verdict, faults, in_order, judge
from schemas.gate import Gate

_SHOWN = 20
"""Failing values that the Data Docs show if they are column names, not values of patients."""


def second_opinion(
    tables: Mapping[str, pl.DataFrame],
    last: Mapping[str, pl.DataFrame] | None,
    thresholds: Gate,
    docs: Path | None = None,
) -> list[str]:
    """Check a release with Great Expectations, compare with the gate, and write the Data Docs.

    Args:
        tables: released table to frame.
        last: the same for the release to compare with; None if there is none.
        thresholds: ``[gate]`` of ``study.toml``.
        docs: folder of the Data Docs, replaced entirely; None to write none.

    Returns:
        The expectations on which the two disagree, as sentences without values of patients, sorted.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("release")
    results: list[tuple[str, Any]] = []
    failed: list[Failed] = []
    differing: list[str] = []
    for page in expected(tables, last or {}, thresholds):
        asset = source.add_dataframe_asset(page.name)
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
            # Arrow types: text as Python objects would take ten times the memory.
            {"dataframe": page.frame.to_pandas(use_pyarrow_extension_array=True)}
        )
        result = batch.validate(
            gx.ExpectationSuite(page.name, expectations=page.expectations),
            result_format={
                "result_format": "SUMMARY",
                "partial_unexpected_count": _SHOWN if page.names_shown else 0,
            },
        )
        results.append((page.name, result))
        verdicts = judge(page)
        failed += [fault for verdict in verdicts for fault in faults(page, verdict)]
        differing += _disagreements(page, verdicts, result.results)
    if docs is not None:
        from sarcoma_pipeline.quality import data_docs

        data_docs.write(docs, results, in_order(failed), compared=last is not None)
    return sorted(differing)


def _disagreements(page: Page, verdicts: Sequence[Verdict], results: Sequence[Any]) -> list[str]:
    # Great Expectations returns results in another order; the configuration identifies a result.
    theirs = {_identity(r.expectation_config.to_json_dict()): r for r in results}
    found = []
    for verdict in verdicts:
        result = theirs.pop(_identity(verdict.expectation), None)
        where = f"{page.name}: {verdict.expectation['description']}"
        if result is None:
            found.append(f"{where} Great Expectations did not judge it.")
        elif bool(result.success) != verdict.met:
            said = {True: "met", False: "not met"}
            found.append(
                f"{where} The gate says {said[verdict.met]}, "
                f"Great Expectations says {said[bool(result.success)]}."
            )
        # Great Expectations counts nothing if it cannot evaluate, for example an empty set of values.
        elif verdict.unexpected != (counted := result.result.get("unexpected_count", verdict.unexpected)):
            found.append(
                f"{where} The gate counts {verdict.unexpected} rows that break it, "
                f"Great Expectations counts {counted}."
            )
    return found + [f"{page.name}: the gate did not judge an expectation." for _ in theirs]


def _identity(config: Mapping[str, Any]) -> tuple[str, str, str]:
    column = config["kwargs"].get("column") or str(config["kwargs"].get("column_list"))
    return config["type"], column, config["description"]
