"""Random patients, valid by the oBDS schema: curated tables hold what a second derivation finds in the XML.

A difference is decided from the text: the schema's documentation, or docs/definitions.md.
"""

from __future__ import annotations

import pytest

from tests.oracle.compared import differences
from tests.oracle.grammar import Element, schema
from tests.oracle.in_process import build
from tests.oracle.patients import Person, Writer, document
from tests.oracle.rederived import tables


def exports(seed: int, count: int, fill: float) -> dict[str, Element]:
    """Two exports: the later one replaces some reports, repeats others and tells of further patients."""
    writer = Writer(seed, fill)
    persons = [writer.person(str(1000 + number)) for number in range(count)]
    first = document(persons[: count * 2 // 3])
    again: list[Person] = []
    for person in persons[count // 3 :]:
        newer = person.copy()
        if writer.draw.random() < 0.5:
            place = writer.draw.randrange(len(newer.reports))
            newer.reports[place] = writer.version(person, place)
        again.append(newer)
    return {"a.xml": first, "b.xml": document(again, "2020-06-01")}


def compare(folder, seed: int, count: int, fill: float) -> None:
    documents = exports(seed, count, fill)
    for one in documents.values():
        schema().validates(one)
    found = list(differences(build(folder, documents), tables(documents)))
    assert found == [], f"seed {seed}: {found[:3]}"


def test_a_few_patients(tmp_path):
    compare(tmp_path, 1, 40, 0.4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_two_hundred_patients(tmp_path, seed):
    compare(tmp_path, seed, 40, 0.2 + seed / 10)


@pytest.mark.marathon
def test_thousands_of_patients(tmp_path_factory):
    for seed in range(100, 150):
        compare(tmp_path_factory.mktemp("drop"), seed, 100, 0.2 + seed % 6 / 10)
