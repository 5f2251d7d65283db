"""Generated drop folders of any size: reproducible from the seed, with defects at the given rate."""

import datetime as dt
import hashlib
import itertools
import random

import polars as pl
import pytest

from sarcoma_pipeline.synthetic import crowd, people
from tests.refreshed import REPOSITORY, lay

DATA = REPOSITORY / "data/demo"


def _bytes(folder):
    found = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_whatever_the_processes(tmp_path):
    for name, seed, processes in (("a", 5, 1), ("b", 5, 2), ("c", 6, 1)):
        crowd.write(tmp_path / name, 230, seed, DATA, defect_rate=0.2, plans=0.05, processes=processes)
    a, b, c = (_bytes(tmp_path / name) for name in "abc")
    assert a == b and a != c


@pytest.mark.parametrize("kind", crowd.KINDS)
def test_every_kind_of_defect_can_be_seeded(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(crowd, "KINDS", {kind: crowd.KINDS[kind], "no information": lambda *_: True})
    of_plans = crowd.KINDS[kind] is crowd._planned
    planted = crowd.write(tmp_path, 30, 3, DATA, defect_rate=1, plans=0.2 * of_plans)
    assert planted[kind] > 0


def test_no_two_names_are_the_same():
    names = {people.crowd_name(i) for i in range(200_000)}
    assert len(names) == 200_000


def test_times_are_individual_and_keep_their_order():
    eligible, ineligible = crowd._known(DATA)
    draw = random.Random(1)
    for row in eligible + ineligible:
        made = [crowd.moved(row, draw) for _ in range(40)]
        if (row["last_known_alive_date"] - row["diagnosis_date"]).days > 400:
            assert len({m["last_known_alive_date"] - m["diagnosis_date"] for m in made}) > 10
        named = [n for n, value in row.items() if isinstance(value, dt.date) and n != "birth_date"]
        for before, after in itertools.permutations(named, 2):
            assert row[before] > row[after] or all(m[before] <= m[after] for m in made)
        assert max(m[n] for m in made for n in named) <= max(crowd._LAST_EVENT, *(row[n] for n in named))


@pytest.mark.end_to_end
@pytest.mark.slow
def test_a_refresh_finds_all_patients_and_defects(tmp_path):
    place = lay(tmp_path)
    planted = crowd.write(place.drop, 60, 6, place.root / "data/demo", defect_rate=0.3)
    told = place.refresh()
    assert told.exit_code == 0, told.output
    assert place.warehouse("SELECT count(DISTINCT patient_id) FROM curated.patient").item() == 60
    assert 20 < place.published("SELECT count(*) FROM patients").item() < 55
    found = set(place.warehouse("SELECT DISTINCT rule_id FROM quality.findings")["rule_id"])
    rule = dict(pl.read_csv(DATA / "defects.csv").select("kind", "rule_id").iter_rows())
    assert len(planted) > 5 and not {kind for kind in planted if rule[kind] not in found}
    assert place.sarcoma("doctor").exit_code == 0
