"""An id is found by itself or its beginning, and not all ids are looked through for each that is given."""

import random

from sarcoma_pipeline.quality.ids import SHORTEST, Ids


def meant(given: str, known: set[str]) -> list[str]:
    """The definition, naively."""
    if given in known:
        return [given]
    return sorted(one for one in known if one.startswith(given)) if len(given) >= SHORTEST else []


def test_ids_are_found_as_by_looking_through_all_of_them():
    chosen = random.Random(7)
    known = {"".join(chosen.choice("ab0") for _ in range(chosen.randint(3, 8))) for _ in range(400)}
    ids = Ids(known)
    asked = [one[: chosen.randint(0, len(one))] for one in sorted(known)] + ["", "zzzz", "aaaaaaaaaaaa"]
    found = {given: ids.beginning_with(given) for given in [*asked, *known]}
    assert found == {given: meant(given, known) for given in found}
    assert {len(some) for some in found.values()} >= {0, 1, 2}


class Counted(str):
    """A text that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __lt__(self, other: str) -> bool:
        Counted.compared += 1
        return str.__lt__(self, other)


def test_a_look_does_not_go_through_all_ids(monkeypatch):
    ids = Ids(f"{n:08x}" for n in range(10_000))
    monkeypatch.setattr(ids, "_sorted", [Counted(one) for one in ids._sorted])
    assert ids.beginning_with("0000270f") == ["0000270f"]
    assert len(ids.beginning_with("000027")) == 16
    assert 0 < Counted.compared < 100
