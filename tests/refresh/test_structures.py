"""``sarcoma structures`` on a refreshed study."""

import json

import pytest

pytestmark = pytest.mark.end_to_end


def test_the_names_of_structures_are_listed_with_what_they_mean(demo):
    told = demo.sarcoma("structures", "--json")
    assert told.exit_code == 0, told.output
    found = {(one["name"], one["type"]): one for one in json.loads(told.output)}
    assert {key: (one["tg263"], one["role"], one["decided_by"]) for key, one in found.items()} == {
        ("External", "EXTERNAL"): ("External", "body", "type"),
        ("GTV", "GTV"): ("GTV", "target", "type"),
        ("CTV", "CTV"): ("CTV", "target", "type"),
        ("PTV", "PTV"): ("PTV", "target", "type"),
        ("PTV boost", "PTV"): ("PTV_High", "target boost", "type"),
    }
    assert demo.sarcoma("structures", "--unmapped", "--json").output.strip() == "[]"
    assert "0 to be mapped" in demo.sarcoma("structures").output
    assert found["PTV", "PTV"]["structure_sets"] >= found["PTV boost", "PTV"]["structure_sets"] > 0
