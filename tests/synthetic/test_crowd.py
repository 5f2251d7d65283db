"""A drop folder of any size: the same bytes from the same seed, and defects at the given rate."""

import hashlib

import pytest

from sarcoma_pipeline.synthetic import crowd, people
from tests.refresh.conftest import REPOSITORY, lay

DATA = REPOSITORY / "data/demo"


def _bytes(folder):
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def test_the_same_seed_gives_the_same_bytes_whatever_the_processes(tmp_path):
    for name, seed, processes in (("a", 5, 1), ("b", 5, 2), ("c", 6, 1)):
        crowd.write(tmp_path / name, 230, seed, DATA, defect_rate=0.2, plans=0.05, processes=processes)
    a, b, c = (_bytes(tmp_path / name) for name in "abc")
    assert a == b and a != c


@pytest.mark.parametrize("kind", crowd.KINDS)
def test_every_kind_can_be_planted_in_whoever_fits(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(crowd, "KINDS", {kind: crowd.KINDS[kind], "no information": lambda _: True})
    planted = crowd.write(tmp_path, 30, 3, DATA, defect_rate=1, plans=0)
    assert planted[kind] > 0


def test_no_two_names_are_the_same():
    names = {people.crowd_name(i) for i in range(200_000)}
    assert len(names) == 200_000


def test_a_refresh_of_a_crowd_finds_its_defects_and_everybody(tmp_path):
    place = lay(tmp_path)
    planted = crowd.write(place.drop, 60, 4, place.root / "data/demo", defect_rate=0.3)
    told = place.refresh()
    assert told.exit_code == 0, told.output
    assert place.warehouse("SELECT count(DISTINCT patient_id) FROM curated.patient").item() == 60
    assert place.published("SELECT count(*) FROM patients").item() > 40
    found = set(place.warehouse("SELECT DISTINCT rule_id FROM quality.findings")["rule_id"])
    wanted = {"examination in the future": "date.in-future", "unknown answer": "value.code-unknown"}
    assert all(wanted[k] in found for k in wanted.keys() & planted.keys()) and wanted.keys() & planted.keys()
    assert place.sarcoma("doctor").exit_code == 0
