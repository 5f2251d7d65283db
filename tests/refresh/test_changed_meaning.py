"""Files whose meaning is changed; short version of ``tests/reliability/test_moves_long.py``."""

import random

import pytest

from tests.reliability import moves

pytestmark = pytest.mark.slow


def test_no_value_moves_in_silence_when_thirty_files_change(copy):
    outcome = moves.run(copy, 30, seed=6)
    assert outcome.moved and outcome.files == 30
    assert (outcome.unaccounted, outcome.silent, outcome.blocked) == ([], [], [])


def test_every_kind_of_change_is_drawn(demo, tmp_path):
    """A mutator that changes nothing would prove nothing."""
    draw, kinds = random.Random(1), set()
    every = sorted(p for p in demo.drop.rglob("*") if p.suffix in (".xml", ".dcm", ".csv"))
    for number in range(250):
        source = draw.choice(every if number % 2 else [p for p in every if p.suffix != ".dcm"])
        path = tmp_path / f"{number}{source.suffix}"
        path.write_bytes(source.read_bytes())
        kind = moves.mutate(path, draw)
        if kind != "nothing" and path.read_bytes() != source.read_bytes():
            kinds.add(kind)
    assert {kind.partition(":")[0] for kind in kinds} == {"obds", "dicom", "table"}
    assert {"obds: date", "obds: part again", "obds: report removed", "obds: unit", "dicom: lengths",
            "dicom: items", "table: quote", "table: row removed"} <= kinds  # fmt: skip
