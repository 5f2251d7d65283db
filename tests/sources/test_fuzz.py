"""Mutated files through every reader and curation: no crash, no hang, every record accounted for.

A few hundred here; ``tests/reliability/fuzz.py`` runs as many as one likes. What was found lies in
``corpus``, each file named after its fault and, by its ending, its reader.
"""

from pathlib import Path

import pytest

from tests.sources import fuzzing

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.slow
def test_mutated_files_break_no_promise(tmp_path):
    outcome = fuzzing.run(tmp_path, 400, seed=2026)
    assert outcome.failures == {}
    assert outcome.files == 400
    # Neither so mild that nothing is wrong with the files nor so wild that nothing is read.
    assert len(outcome.rules) >= 6 and len(outcome.records) >= 10
    foreseen = {"xlsx", "parquet"}  # their readers say no more than that they gave up
    assert {one.partition(":")[0] for one in outcome.gave_up} <= foreseen


def _reader(path: Path) -> str:
    return path.suffix.removeprefix(".")


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_what_was_found_stays_mended(path):
    frames = fuzzing.read(path, _reader(path), path.name).frames()
    assert fuzzing.broken_promise(frames) is None
    assert fuzzing.unaccounted([frames]) is None


def test_what_was_found_is_accounted_for_together():
    assert fuzzing.unaccounted([fuzzing.read(p, _reader(p), p.name).frames() for p in CORPUS]) is None


def test_an_item_that_swallows_the_next_gives_no_dose():
    path = next(p for p in CORPUS if p.name.startswith("item-swallows"))
    frames = fuzzing.read(path, "dicom", path.name).frames()
    assert frames["received.dicom_plan"]["TargetPrescriptionDose"].to_list() == [None]
    assert frames["received.unread"]["position"].to_list() == ["file DoseReferenceSequence"]


def test_a_meldung_within_a_meldung_loses_no_module():
    path = next(p for p in CORPUS if p.name.startswith("meldung-within"))
    frames = fuzzing.read(path, "obds", path.name).frames()
    modules = {t: f["Meldung_ID"].to_list() for t, f in frames.items() if "Meldung_ID" in f.columns}
    assert modules == {
        "received.obds_surgery": ["outer"],
        "received.obds_death": ["inner"],
        "received.obds_tumour_board": ["outer"],
    }


def test_a_module_that_stands_twice_is_two_records():
    path = next(p for p in CORPUS if p.name.startswith("module-twice"))
    frames = fuzzing.read(path, "obds", path.name).frames()
    assert frames["received.obds_surgery"]["Module_ID"].to_list() == ["1", "2"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_files(tmp_path):
    found = fuzzing.seeds(tmp_path)
    assert list(fuzzing.cases(found, 30, 5)) == list(fuzzing.cases(found, 30, 5))
    assert list(fuzzing.cases(found, 30, 5)) != list(fuzzing.cases(found, 30, 6))
