"""A study refreshed several times while its drop folder changes, compared with a rebuild from scratch."""

from __future__ import annotations

import dataclasses
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.cohort import cohort_tables
from sarcoma_pipeline.cohort.derivation import Cohort
from sarcoma_pipeline.orchestration import step_events
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import UNCHANGED
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.warehouse_resource import forget_steps
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality.lost_records import RECORDS_LOST
from sarcoma_pipeline.sources.readers import READERS
from sarcoma_pipeline.study import project as places
from sarcoma_pipeline.synthetic import drop, render
from sarcoma_pipeline.synthetic.dicom_course import Course
from sarcoma_pipeline.synthetic.people import people
from sarcoma_pipeline.warehouse import row_order
from schemas.all_contracts import CONTRACTS
from schemas.quality import FindingRecord
from schemas.release import RELEASED
from tests.refreshed import SEED, Place, lay
from tests.sources import exports

HISTORY = {"quality.ledger", "quality.trend", "quality.volumes", "quality.decisions"}
"""Tables with a history of refreshes, which a rebuild does not have."""


ORDERED = ("typed.", "curated.")
"""Layers of which a refresh may keep rows: steps read them in the order of a rebuild."""


def _of_tonight(table: str) -> str:
    """Return the condition that leaves out what compares a refresh with the one before."""
    columns = CONTRACTS[table].polars_schema().names()
    if "rule_id" in columns and table != "quality.rules":
        return f" WHERE rule_id <> '{RECORDS_LOST.id}'"
    if table == FindingRecord.table():
        lost = f"SELECT finding_id FROM quality.findings WHERE rule_id = '{RECORDS_LOST.id}'"
        return f" WHERE finding_id NOT IN ({lost})"
    return ""


EVENTS = (
    "add",
    "copy",
    "change",
    "truncate",
    "rename",
    "remove",
    "restore",
    "touch",
    "reader",
    "nothing",
    "export",
    "pad",
    "move",
    "correct",
    "withdraw",
)
"""Changes that sequences of nights are drawn from; ``waive`` and ``criterion`` are applied by name."""


def _is_unchanged(event: dg.DagsterEvent) -> bool:
    if not event.is_step_materialization:
        return False
    unchanged = event.step_materialization_data.materialization.metadata.get(UNCHANGED)
    return bool(unchanged and unchanged.value)


class Nights:
    """A study whose drop folder changes between its refreshes, without release and report."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = places.load("sts_imrt", root)
        self.shelf = root / "shelf"
        self.shelf.mkdir(exist_ok=True)
        self.serial = 0
        self.export: exports.Export | None = None

    def refresh(self) -> set[str]:
        """Run every step but release and report; returns the steps that were computed."""
        report = [dg.AssetKey(["sts_imrt", "report", name]) for name in ("report", "steward_page")]
        wanted = dg.AssetSelection.all() - dg.AssetSelection.assets(release_key(self.project), *report)
        job = dg.define_asset_job("night", selection=wanted)
        definitions = dg.Definitions.merge(build_definitions(self.project), dg.Definitions(jobs=[job]))
        with dg.DagsterInstance.ephemeral() as instance:
            result = definitions.resolve_job_def("night").execute_in_process(
                instance=instance, run_config=step_events.PROGRESS_LOGGING
            )
        assert result.success
        ran = {event.step_key for event in result.all_events if event.is_step_success}
        return {str(step) for step in ran - {e.step_key for e in result.all_events if _is_unchanged(e)}}

    def course_of(self, patient: str) -> Course:
        """Return the planned course of a patient of the demo, by its name in ``data/demo``."""
        data = self.root / "data/demo"
        cohort, others = (
            pl.read_csv(data / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)
            for name in ("demo_cohort", "ineligible")
        )
        (person,) = (p for p in people(cohort, others, SEED) if p.patient == patient)
        planned = drop.course(person)
        assert planned is not None
        return planned

    def derived(self) -> dict[str, pl.DataFrame]:
        """Read every table that is derived from the files."""
        layers = ("typed", "curated", "quality", "cohort", "analysis")
        with duckdb.connect(str(self.project.warehouse), read_only=True) as c:
            return {
                t: row_order.ordered(t, CONTRACTS[t].conform(c.execute(f"FROM {t}{_of_tonight(t)}").pl()))
                for t in CONTRACTS
                if (t.split(".")[0] in layers or t == "meta.lineage") and t not in HISTORY
            }

    def apply(self, event: str, number: int, readers: pytest.MonkeyPatch) -> None:
        """Change the drop folder, or raise a reader's version."""
        files = sorted(p for p in self.project.drop.rglob("*") if p.is_file())
        chosen = files[number % len(files)]
        self.serial += 1
        if event == "add":
            (self.project.drop / f"stray-{self.serial}.txt").write_text(str(number))
        elif event == "copy":
            shutil.copy(chosen, chosen.with_name(f"copy-{self.serial}-{chosen.name}"))
        elif event == "change":
            chosen.write_bytes(chosen.read_bytes().replace(b"2018", b"2017").replace(b"2016", b"2015"))
        elif event == "truncate":
            content = chosen.read_bytes()
            chosen.write_bytes(content[: len(content) * 2 // 3])
        elif event == "rename":
            chosen.rename(chosen.with_name(f"renamed-{self.serial}-{chosen.name}"))
        elif event == "remove":
            chosen.rename(self.shelf / str(chosen.relative_to(self.project.drop)).replace("/", "@"))
        elif event == "restore":
            for back in sorted(self.shelf.iterdir())[:1]:
                back.rename(self.project.drop / back.name.replace("@", "/"))
        elif event == "touch":
            chosen.touch()
        elif event == "pad":
            images = [p for p in files if p.suffix == ".dcm"]
            padded = images[number % len(images)]
            padded.write_bytes(padded.read_bytes() + b"\0\0")
        elif event == "move":
            # Into another folder of its source: what was read before it is now read after it, or the reverse.
            folders = sorted({p.parent for p in files if p.suffix == chosen.suffix})
            chosen.rename(folders[number // 7 % len(folders)] / f"moved-{self.serial}-{chosen.name}")
        elif event == "correct":
            self.correct(number)
        elif event == "withdraw":
            for correction in sorted((self.project.drop / "obds").glob("?-correction-*.xml"))[-1:]:
                correction.unlink()
        elif event == "export":
            self.deliver(number)
        elif event == "waive":
            self.waive(number)
        elif event == "criterion":
            study = self.project.folder / "study.toml"
            text = study.read_text("utf-8")
            study.write_text(
                re.sub(r"end = 20\d\d-12-31", f"end = {2011 + number % 10}-12-31", text), "utf-8"
            )
            self.project = places.load("sts_imrt", self.root)
        elif event == "reader":
            kind = sorted(READERS)[number % len(READERS)]
            readers.setitem(READERS, kind, dataclasses.replace(READERS[kind], behaviour=1 + self.serial))

    def correct(self, number: int) -> None:
        """Deliver later versions of some reports in a file of their own."""
        exported = exports.joined(self.project.drop)
        chosen = random.Random(number)
        # Not the master data: a rebuild does not know those that were delivered once.
        cut = [patient.partition(b"<Menge_Meldung>") for patient in chosen.sample(exported.patients, 3)]
        some = tuple(
            masters + begins + told.replace(b"-15<", b"-14<").replace(b"<Grading>3", b"<Grading>2")
            for masters, begins, told in cut
        )
        later = dataclasses.replace(
            exported,
            head=re.sub(rb"<Meldedatum>.*?<", b"<Meldedatum>2025-01-%02d<" % self.serial, exported.head),
            patients=some,
        )
        # Read before or after the first versions: equal records are copies of those that are read first.
        name = ("a-correction", "x-correction")[number % 2]
        (self.project.drop / f"obds/{name}-{self.serial:03}.xml").write_bytes(later.content)

    def waive(self, number: int) -> None:
        """Waive one of the findings for which a record is in quarantine, if there are any."""
        with duckdb.connect(str(self.project.warehouse), read_only=True) as c:
            held = c.execute(
                "SELECT DISTINCT finding_id FROM quality.findings JOIN quality.quarantine USING (record_id) "
                "ORDER BY 1"
            ).fetchall()
        if held:
            finding = held[number % len(held)][0]
            words = ("--by", "S", "--reason", "tested", "--until", "2999-12-31")
            said = Place(self.root).sarcoma("findings", "waive", finding, *words)
            assert said.exit_code == 0, said.output

    def deliver(self, number: int) -> None:
        """Deliver a cumulative export, the next time with most of what may change until then."""
        chosen = random.Random(number)
        if self.export is None:
            self.export = exports.joined(self.project.drop)
        else:
            for change in chosen.sample(sorted(exports.ORDINARY), 6):
                self.export = exports.ORDINARY[change](self.export, chosen)
        (self.project.drop / "obds/cumulative.xml").write_bytes(self.export.content)


def differences(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    """Return the tables that differ; the order of rows counts in typed, curated and released tables."""
    found = []
    for table in one:
        pair = [one[table], other[table]]
        if table not in RELEASED and not table.startswith(ORDERED):
            pair = [f.with_columns(_row=f.hash_rows(0)).sort("_row").drop("_row") for f in pair]
        if not pair[0].equals(pair[1]):
            found.append(table)
    if not found and release.content_hash(
        release.released({t: one[t] for t in RELEASED})
    ) != release.content_hash(release.released({t: other[t] for t in RELEASED})):
        found.append("the released content")
    return found


@contextmanager
def first_night(folder: Path) -> Iterator[Nights]:
    """Yield the demo after one refresh."""
    place = lay(folder)
    render.demo(place.drop, SEED, place.root / "data/demo")
    nights = Nights(place.root)
    nights.refresh()
    yield nights


def sequence(base: Nights, folder: Path, events: list[tuple[str, int]]) -> list[str]:
    """Apply events with a refresh after each, and compare with a rebuild; returns the tables that differ."""
    shutil.copytree(base.root, folder / "nightly", copy_function=shutil.copy2)
    nightly = Nights(folder / "nightly")
    with pytest.MonkeyPatch.context() as readers:
        for event, number in events:
            nightly.apply(event, number, readers)
            nightly.refresh()
        return from_a_rebuild(nightly, folder / "rebuilt")


def counting_derivations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list to which each derivation of the cohort adds the number of its patients."""
    found: list[int] = []
    derive = cohort_tables.derive

    def counted(made: Cohort, centre: str) -> dict[str, pl.DataFrame]:
        found.append(made.members.height)
        return derive(made, centre)

    monkeypatch.setattr(cohort_tables, "derive", counted)
    return found


def from_a_rebuild(nightly: Nights, folder: Path) -> list[str]:
    """Rebuild a study from its drop folder; returns the tables that differ."""
    shutil.copytree(nightly.root, folder, copy_function=shutil.copy2)
    rebuilt = Nights(folder)
    rebuilt.project.warehouse.unlink()
    rebuilt.refresh()
    return differences(nightly.derived(), rebuilt.derived())


def from_all_steps(nightly: Nights, folder: Path) -> list[str]:
    """Compute every step for every patient from what the warehouse received; returns the tables that differ.

    Unlike a rebuild, it knows the master data that are no longer delivered.
    """
    # Both are then a night after which nothing was lost.
    nightly.refresh()
    shutil.copytree(nightly.root, folder, copy_function=shutil.copy2)
    anew = Nights(folder)
    forget_steps(anew.project)
    assert "curated" in anew.refresh()
    return differences(nightly.derived(), anew.derived())
