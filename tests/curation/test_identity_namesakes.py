"""Two patient numbers with names that are alike; expected by how clinics write the names of one person."""

from itertools import permutations

import pytest

RULE = "identity.two-numbers-alike"
ANNA = {"family": "Müller", "given": "Anna", "born": "1950-03-04", "sex": "W"}


def numbers(outcome) -> list[str]:
    return sorted(outcome.observed.filter(rule_id=RULE)["value"])


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ({"family": "Mueller"}, True),
        ({"family": "Müller-Lüdenscheidt"}, True),
        ({"family": "Lüdenscheidt-Müller"}, True),
        ({"family": "Schmidt", "Geburtsname": "Müller"}, True),
        ({"family": "Schmidt", "Menge_Frueherer_Name": '["Mueller"]'}, True),
        ({"given": "Anna Maria"}, True),
        ({"given": "Anna-Maria"}, True),
        ({"given": "Ànna"}, True),
        # Twins, a namesake, and a person of whom less is known.
        ({"given": "Berta"}, False),
        ({"given": "Karl", "sex": "M"}, False),
        ({"born": "1950-03-05", "family": "Mueller"}, False),
        ({"sex": "M", "family": "Mueller"}, False),
        ({"family": "Schmidt"}, False),
        ({"family": None}, False),
        ({"given": None}, False),
        ({"born": None, "family": "Mueller"}, False),
        # Exactly equal names have the finding identity.two-numbers.
        ({}, False),
    ],
)
def test_names_under_two_numbers_that_are_alike_are_found(records, other, alike):
    records.patient("1", **ANNA)
    records.patient("2", **(ANNA | other))
    outcome = records.run()
    assert outcome["patient"].height == 2, "nobody is linked by a name that is only alike"
    assert numbers(outcome) == (["1", "2"] if alike else [])
    assert ("identity.two-numbers" in outcome.rules()) == (not other)


@pytest.mark.parametrize("order", permutations(["1", "2", "3"]))
def test_the_order_of_the_patients_decides_nothing(records, order):
    names = {"1": "Müller", "2": "Mueller", "3": "Meyer"}
    for number in order:
        records.patient(number, **(ANNA | {"family": names[number]}))
    assert numbers(records.run()) == ["1", "2"]
