"""Measures the commands of a day on the demo: a refresh, another without a change, lists, a preview."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path

from sarcoma_pipeline.orchestration import dose_process, opinion_process
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality.release_gate import gate
from sarcoma_pipeline.quality.second_opinion import second_opinion
from sarcoma_pipeline.study import project
from sarcoma_pipeline.synthetic import render
from schemas.release import MetaRelease
from tests.benchmarks.refresh import SARCOMA, environment
from tests.benchmarks.rows import Cost, Row, median, medians, process
from tests.refreshed import REPOSITORY, SEED, Place, lay

_IMPORTS = (sys.executable, "-c", "import polars, duckdb")
_SIZE = "86 patients"


def _run(place: Place, *words: str) -> Cost:
    # Status fails if nothing starts the next refresh. The second opinion outlives the refresh; so
    # do doses, which would come in by chance.
    others = {opinion_process.SWITCH: "off", dose_process.SWITCH: "off", "SARCOMA_NIGHTLY": "off"}
    return process([*SARCOMA, *words], REPOSITORY, environment(place) | others)


def rows(folder: Path, rounds: int = 3) -> Iterator[Row]:
    """Refresh the demo once, and measure what people do afterwards.

    Args:
        folder: an empty folder.
        rounds: how often each short command runs.
    """
    place = lay(folder)
    render.demo(place.drop, SEED, place.root / "data/demo")
    study = ("--study", place.study)
    first = _run(place, "refresh", *study)

    def row(what: str, own: Cost, target: str, against: str = "the first night", other: Cost = first) -> Row:
        return Row("commands", what, _SIZE, own, against, other, target)

    _run(place, "refresh", *study)
    same = median([_run(place, "refresh", *study) for _ in range(rounds)])
    yield row("refresh without a change", same, "≤ 0.08")
    imports = median([process(_IMPORTS, REPOSITORY, {}) for _ in range(rounds)])
    for command, target in (("findings", "≤ 3"), ("status", "≤ 6")):
        own = median([_run(place, command, *study) for _ in range(rounds)])
        yield row(f"sarcoma {command}", own, target, "importing polars and duckdb", imports)
    changed = folder / "study.toml"
    text = (place.root / f"data/studies/{place.study}/study.toml").read_text("utf-8")
    changed.write_text(text.replace("end = 2020-12-31", "end = 2019-12-31"), "utf-8")
    preview = median([_run(place, "preview", *study, "--study-file", str(changed)) for _ in range(rounds)])
    yield row("preview of one changed criterion", preview, "≤ 0.1")
    waived = place.warehouse(
        "SELECT finding_id FROM quality.findings WHERE rule_id = 'surgery.before-diagnosis' ORDER BY 1"
    ).item(0, 0)
    until = f"{dt.date.today().year + 1}-12-31"
    _run(place, "findings", "waive", waived, *study, "--by", "S", "--reason", "measured", "--until", until)
    yield row("one decision, then a refresh", _run(place, "refresh", *study), "≤ 0.25")
    (place.root / f"data/studies/{place.study}/study.toml").write_text(changed.read_text("utf-8"), "utf-8")
    yield row("one changed criterion, then a refresh", _run(place, "refresh", *study), "")
    laid = project.load(place.study, place.root)
    # In memory, because reading them is the same for both.
    tables = release.read(place.release)
    assert tables is not None
    del tables[MetaRelease.table()]
    second_opinion(tables, None, laid.study.gate)  # imports
    judged, theirs = medians(
        rounds,
        lambda: gate(tables, None, laid.study.gate),
        lambda: second_opinion(tables, None, laid.study.gate),
    )
    yield row("the gate's judgement", judged, "≤ 0.03", "Great Expectations, imported", theirs)
