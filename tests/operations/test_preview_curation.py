"""What a preview takes from the warehouse and curates anew is what curating everything anew gives."""

import dataclasses
import datetime as dt
import json
import random
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.curation import reconcile
from sarcoma_pipeline.operations import preview
from sarcoma_pipeline.operations.preview_curation import Curation
from sarcoma_pipeline.operations.preview_standing import STEPS, Refreshed, circumstances
from sarcoma_pipeline.study import project as projects
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import read_only, step_cache
from schemas import received as r
from schemas.curated import Link
from schemas.ledger import Decision
from schemas.meta import MetaFile, MetaRefresh
from schemas.quality import Observed, Quarantine
from tests.conftest import FILES, RECEIVED, SOURCES, Records
from tests.curation.test_tumours import BREAST, examined, irradiated, operated, sarcoma
from tests.refreshed import REPOSITORY

WINDOWS = (("2011-01-01", "2020-12-31"), ("2011-01-01", "2013-12-31"), ("2014-01-01", "2020-12-31"), None)
KINDS = (
    ("8802/3", "C49.2"), ("9364/3", "C49.3"), ("8858/3", "C49.6"), ("9180/3", "C49.1"), ("8500/3", "C50.4"),
)  # fmt: skip
"""Morphology and site of tumours that are not one under several numbers."""
SEEDS = (6, 9, 11)
TODAY = dt.date(2022, 1, 1)


class _Patient(Records):
    """The records of one patient among those of all."""

    def __init__(self, all_of_them: Records, number: str) -> None:
        self.all, self.number = all_of_them, number

    def add(self, contract: type[r.Received], **values: str | None) -> str:
        return self.all.add(contract, **values)

    def meldung(self, contract, number="1", tumour="T1", reported="2020-01-01", **values):
        return super().meldung(contract, self.number, tumour, reported, **values)


def _random(seed: int) -> Records:
    """Patients with one to three tumours, with and without numbers, treatment, and rows of tables."""
    chosen, records = random.Random(seed), Records()
    for number in map(str, range(1, 17)):
        one = _Patient(records, number)
        family, day = f"Testfallova-{chr(64 + int(number)) * 5}", 10 + int(number)
        records.patient(number, family=family, born=f"1950-03-{day}")
        if chosen.random() < 0.5:
            # Another reference to the person, who is found by name.
            records.reply(
                family_name=family, birth_date=f"{day}.03.1950", answer="verstorben", event_date="01.05.2019"
            )
        numbers = chosen.sample(("1", "2", "A7", None), chosen.choice((1, 2, 2, 2, 3)))
        for tumour, (code, site) in zip(numbers, chosen.sample(KINDS, 3), strict=False):
            year = chosen.choice((2009, 2011, 2013, 2015))
            if site == "C50.4":
                one.diagnosis(f"{year}-01-01", tumour=tumour, **BREAST)
            elif chosen.random() < 0.9:
                sarcoma(one, f"{year}-01-01", tumour, code, site)
            if chosen.random() < 0.9:
                irradiated(one, f"{year + chosen.choice((0, 0, 1))}-03-01", tumour)
            if chosen.random() < 0.4:
                operated(one, f"{year}-02-01", tumour)
            if chosen.random() < 0.4:
                examined(one, f"{year + 1}-06-01", tumour)
        if chosen.random() < 0.3:
            records.add(r.TableRow, table_name="sheet", values=json.dumps({"Nr": number, "cm": "12,4"}))
        if chosen.random() < 0.3:
            values = {"Nr": number, "Tumor": chosen.choice(("1", "2")), "Tag": "01.02.2016"}
            records.add(r.TableRow, table_name="numbered", values=json.dumps(values))
    return records


def _within(project: Project, window: tuple[str, str] | None) -> Project:
    """Return the study with another window, or without one."""
    kept = tuple(c for c in project.study.criteria if c.rule != "window")
    (own,) = (c for c in project.study.criteria if c.rule == "window")
    if window:
        start, end = map(dt.date.fromisoformat, window)
        kept = (*kept, own.model_copy(update={"start": start, "end": end}))
    return dataclasses.replace(project, study=project.study.model_copy(update={"criteria": kept}))


Tables = dict[str, pl.DataFrame]


def _project(root: Path, window: tuple[str, str] | None) -> Project:
    project = dataclasses.replace(projects.load("sts_imrt", REPOSITORY), sources=SOURCES)
    return dataclasses.replace(_within(project, window), root=root)


def _curated(root: Path, tables: Tables, window: tuple[str, str] | None, *stands: str) -> Curated:
    """Curate with a window what a refresh with the first one left, if the tables of these steps stand."""
    of = _project(root, window)
    before = circumstances(_project(root, WINDOWS[0]).study, SOURCES, Decision.empty(), TODAY)
    last = Refreshed("R1", "", Decision.empty(), before)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(preview, "standing", lambda *_: set(stands))
        return preview.curated(of, cast(Any, tables), "", Decision.empty(), TODAY, last)


def _refreshed(seed: int, root: Path) -> Tables:
    """Return the tables of the warehouse after a refresh with the first of the windows."""
    given = {
        **_random(seed).frames,
        MetaFile.table(): FILES,
        MetaRefresh.table(): RECEIVED,
    }
    made = Curation(_project(root, WINDOWS[0]), cast(Any, given), "", Decision.empty(), TODAY, ())
    observed = ((made.typed.observed, "typed"), (made.linked.observed, "link"))
    return {
        **given,
        **made.typed.frames,
        Link.table(): made.links,
        Quarantine.table(): made.quarantined.to_frame(),
        Observed.table(): pl.concat(f.with_columns(step=pl.lit(step)) for f, step in observed),
        **made.curated(None),
    }


@pytest.fixture(autouse=True)
def _in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read tables from a mapping in the place of a warehouse."""
    monkeypatch.setattr(read_only, "frame", lambda tables, table, current=True: tables[table])


@pytest.fixture
def curated_patients(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of patients who are curated, each time some are."""
    patients: list[int] = []
    curate = reconcile.curate

    def counted(typed, link, *args, **more):
        patients.append(link["patient_id"].n_unique())
        return curate(typed, link, *args, **more)

    monkeypatch.setattr(reconcile, "curate", counted)
    return patients


def _differing(one: Curated, other: Curated) -> dict[str, set[str]]:
    """Return the tables with other rows, or in another order, and the patients whose rows these are."""
    found = {}
    for table in reconcile.CONTRACTS:
        if step_cache.version(one[table]) != step_cache.version(other[table]):
            both = [{row[0]: [] for row in f.select("patient_id").rows()} for f in (one[table], other[table])]
            for frame, rows in zip((one[table], other[table]), both, strict=True):
                for row in frame.iter_rows(named=True):
                    rows[row["patient_id"]].append(row)
            found[table] = {who for who in {*both[0], *both[1]} if both[0].get(who) != both[1].get(who)}
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_only_patients_with_another_index_tumour_are_curated_anew(seed, tmp_path):
    tables = _refreshed(seed, tmp_path)
    moved: set[str] = set()
    for window in WINDOWS:
        whole = _curated(tmp_path, tables, window, *STEPS[:3])
        assert _differing(_curated(tmp_path, tables, window, *STEPS), whole) == {}
        moved = moved.union(*_differing(tables, whole).values())
    assert len(moved) > 2


@pytest.mark.parametrize("stands", [STEPS[:0], STEPS[:1], STEPS[:2]])
def test_what_stands_is_what_would_be_made_anew(stands, tmp_path):
    tables = _refreshed(SEEDS[0], tmp_path)
    whole = _curated(tmp_path, tables, WINDOWS[1], *STEPS[:3])
    assert _differing(_curated(tmp_path, tables, WINDOWS[1], *stands), whole) == {}


def test_patients_who_share_a_record_are_not_curated_apart(tmp_path, curated_patients):
    """A record of two patients: what is said of it for one depends on the other."""
    tables = _refreshed(SEEDS[0], tmp_path)
    moved = _moved(tmp_path, tables)
    assert moved
    other = next(who for who in tables[Link.table()]["patient_id"] if who not in moved)
    link = tables[Link.table()]
    shared = link.filter(pl.col("patient_id") == moved[0]).with_columns(patient_id=pl.lit(other))
    tables[Link.table()] = pl.concat([link, shared])
    tables |= _curated(tmp_path, tables, WINDOWS[0], *STEPS[:3])
    del curated_patients[:]
    for window in WINDOWS:
        whole = _curated(tmp_path, tables, window, *STEPS[:3])
        assert _differing(_curated(tmp_path, tables, window, *STEPS), whole) == {}
    # All windows whole, and again those that move somebody.
    assert len(curated_patients) > len(WINDOWS) and set(curated_patients) == {_everybody(tables)}


def _everybody(tables: Tables) -> int:
    return tables[Link.table()]["patient_id"].n_unique()


def _moved(root: Path, tables: Tables) -> list[str]:
    """Return the patients whose index tumour one of the windows changes."""
    index = {
        window: _curated(root, tables, window, *STEPS)["curated.diagnosis"].filter("index_tumour")
        for window in WINDOWS
    }
    one, *others = (frame.select("patient_id", "tumour_id") for frame in index.values())
    gone = [one.join(o, on=o.columns, how="anti", nulls_equal=True)["patient_id"] for o in others]
    return pl.concat(gone).unique().sort().to_list()


def test_nobody_is_curated_for_a_window_that_moves_no_index_tumour(tmp_path, curated_patients):
    tables = _refreshed(SEEDS[0], tmp_path)
    del curated_patients[:]
    _curated(tmp_path, tables, WINDOWS[0], *STEPS)
    assert curated_patients == []
    moved = _moved(tmp_path, tables)
    assert curated_patients and max(curated_patients) <= len(moved) < _everybody(tables) / 2
