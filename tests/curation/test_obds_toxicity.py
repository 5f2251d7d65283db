"""What oBDS reports say of complications and side effects: one row per statement."""

import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import obds_toxicity
from sarcoma_pipeline.curation.parse import with_steps
from schemas import received as r

COLUMNS = ("statement", "category", "code_system", "code", "grade", "stated_window", "number")


def read(contract, *records):
    rows = [{"record_id": f"r{n}"} | record for n, record in enumerate(records)]
    received = contract.conform(pl.DataFrame(rows, schema=contract.polars_schema()))
    split = obds_toxicity.rows(contract.table(), received)
    readings = obds_toxicity.readings(contract.table())
    some = {name: readings[name] for name in COLUMNS if name in readings}
    typed = with_steps(split, some.values()).select(
        "record_id", **{name: reading.value for name, reading in some.items()}
    )
    return typed.sort("record_id", "number").select(name for name in ("record_id", *some)).rows()


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        ({}, []),
        ({"Komplikation_nein_oder_unbekannt": "N"}, [("none", None, None, None, 1)]),
        ({"Komplikation_nein_oder_unbekannt": "U"}, [("unknown", None, None, None, 1)]),
        ({"Menge_Komplikation": [{"Kuerzel": "WUH"}]}, [("present", "wound", "oBDS", "WUH", 1)]),
        ({"Menge_Komplikation": [{"Kuerzel": "XXX"}]}, [("present", None, "oBDS", None, 1)]),
        ({"Menge_Komplikation": [{"ICD": "T81.4"}]}, [("present", "wound", "ICD-10", "T81.4", 1)]),
        ({"Menge_Komplikation": [{"ICD": "T81.40"}]}, [("present", "wound", "ICD-10", "T81.40", 1)]),
        ({"Menge_Komplikation": [{"ICD": "I26.9"}]}, [("present", "other", "ICD-10", "I26.9", 1)]),
        ({"Menge_Komplikation": [{"Kuerzel": "WUH", "ICD": "I26.9"}]},
         [("present", "wound", "oBDS", "WUH", 1)]),
        ({"Menge_Komplikation": [{"Kuerzel": "WUH"}, {"Kuerzel": "SES"}]},
         [("present", "wound", "oBDS", "WUH", 1), ("present", "infection", "oBDS", "SES", 2)]),
        ({"Menge_Komplikation": []}, []),
    ],
)  # fmt: skip
def test_complications_of_an_operation(values, rows):
    told = {k: v if isinstance(v, str) else json.dumps(v) for k, v in values.items()}
    assert read(r.ObdsSurgery, told) == [("r0", *row) for row in rows]


ACUTE = {r.ObdsRadiotherapy: "acute", r.ObdsSystemicTherapy: None}


@pytest.mark.parametrize("contract", [r.ObdsRadiotherapy, r.ObdsSystemicTherapy])
@pytest.mark.parametrize(
    ("values", "statement", "code_system", "code", "grade", "in_window"),
    [
        ({"Grad_maximal2_oder_unbekannt": "K"}, "none", None, None, 0, True),
        ({"Grad_maximal2_oder_unbekannt": "1"}, "present", None, None, 1, True),
        ({"Grad_maximal2_oder_unbekannt": "2"}, "present", None, None, 2, True),
        ({"Grad_maximal2_oder_unbekannt": "U"}, "unknown", None, None, None, False),
        ({"Menge_Nebenwirkung": '[{"Grad": "3", "MedDRA_Code": "10017076"}]'},
         "present", "MedDRA", "10017076", 3, True),
        ({"Menge_Nebenwirkung": '[{"Grad": "5"}]'}, "present", None, None, 5, True),
        ({"Menge_Nebenwirkung": '[{"Grad": "6"}]'}, "present", None, None, None, True),
        ({"Menge_Nebenwirkung": '[{"Grad": "0"}]'}, "present", None, None, 0, True),
    ],
)  # fmt: skip
def test_side_effects_of_a_therapy(contract, values, statement, code_system, code, grade, in_window):
    window = ACUTE[contract] if in_window else None
    assert read(contract, values) == [("r0", statement, None, code_system, code, grade, window, 1)]


def test_the_statements_of_each_record_are_numbered_by_themselves():
    two = {"Menge_Nebenwirkung": '[{"Grad": "3"}, {"Grad": "4"}]', "Grad_maximal2_oder_unbekannt": "2"}
    made = read(r.ObdsRadiotherapy, two, {"Menge_Nebenwirkung": '[{"Grad": "1"}]'})
    assert [(row[0], row[5], row[-1]) for row in made] == [
        ("r0", 2, 1), ("r0", 3, 2), ("r0", 4, 3), ("r1", 1, 1),
    ]  # fmt: skip
