"""Which tumour of a patient the study is about, and how its numbers are found."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import index_tumour, tumour_numbers
from sarcoma_pipeline.curation.index_tumour import Preference
from schemas import curated, typed, typed_tumour
from schemas.configuration import Criterion, Study

D = dt.date
ANY = Preference()
P = {"patient_id": pl.String, "tumour_id": pl.String}


def frame(contract: Any, *rows: dict[str, Any], **more: Any) -> dict[str, pl.DataFrame]:
    told = [{"patient_id": "p", "source": "table", "record_id": f"r{n}"} | row for n, row in enumerate(rows)]
    return {contract.table(): pl.DataFrame(told, schema=contract.polars_schema() | P | more)}


def tumours(*rows: dict[str, Any]) -> pl.DataFrame:
    told = [
        {"patient_id": "p", "tumour_id": str(n + 1), "histology_group": "liposarcoma", "region": "limb"} | row
        for n, row in enumerate(rows)
    ]
    return pl.DataFrame(told, schema=curated.Diagnosis.polars_schema())


def chosen(*rows: dict[str, Any], irradiations=(), operations=(), preference=ANY) -> str | None:
    sound = frame(typed.Radiotherapy, *({"irradiated": True} | one for one in irradiations)) | frame(
        typed.Surgery, *operations
    )
    first, second = (
        index_tumour.choose(some, sound, preference)["index"].item()
        for some in (tumours(*rows), tumours(*rows).reverse())
    )
    assert first == second
    return first


def test_the_study_asks_for_its_sites_and_its_first_window():
    first = {"rule": "window", "start": D(2005, 1, 1), "end": D(2015, 12, 31)}
    second = {"rule": "window", "start": D(2010, 1, 1), "end": D(2020, 12, 31)}
    site = {"rule": "site", "values": ("limb", "trunk")}
    histology = {"rule": "histology", "values": ("liposarcoma",), "start": D(1990, 1, 1)}
    for steps, preference in (
        ([histology, first, site], Preference(("limb", "trunk"), D(2005, 1, 1), D(2015, 12, 31))),
        ([first, second], Preference((), D(2005, 1, 1), D(2015, 12, 31))),
        ([histology], Preference()),
    ):
        criteria = tuple(Criterion(name=f"c{n}", label="C", **step) for n, step in enumerate(steps))
        study = Study(name="s", title="S", description="S", drop="drop", criteria=criteria, endpoints=())
        assert index_tumour.preference(study) == preference


EARLY, LATE = {"diagnosis_date": D(2010, 1, 1)}, {"diagnosis_date": D(2014, 1, 1)}
LIMB = Preference(regions=("limb",))
DAY = D(2014, 6, 1)


def irradiated(tumour: str | None, day: dt.date | None = DAY, **values: Any) -> dict[str, Any]:
    return {"tumour_id": tumour, "start_date": day} | values


@pytest.mark.parametrize(
    ("rows", "treatment", "index"),
    [
        ([EARLY, LATE], {}, "1"),
        ([LATE, EARLY], {}, "2"),
        ([{}, LATE], {}, "2"),  # an unknown day is no earliest one
        ([{"diagnosis_day": 5}, {"diagnosis_day": 3}], {}, "2"),
        ([EARLY, EARLY], {}, "1"),
        ([EARLY | {"histology_group": None}, LATE], {"irradiations": [irradiated("1")]}, "2"),
        ([EARLY, LATE], {"irradiations": [irradiated("2")]}, "2"),
        ([EARLY, LATE], {"irradiations": [irradiated("2", irradiated=False)]}, "1"),
        ([EARLY, LATE], {"operations": [{"tumour_id": "2", "intent": "curative"}]}, "2"),
        ([EARLY, LATE], {"operations": [{"tumour_id": "2", "intent": "diagnostic"}]}, "1"),
        (
            [EARLY, LATE],
            {"irradiations": [irradiated("2")], "operations": [{"tumour_id": "1", "intent": "curative"}]},
            "2",
        ),
        # Records without a number belong to the tumour without one.
        ([EARLY, LATE | {"tumour_id": None}], {"irradiations": [irradiated(None)]}, None),
        ([EARLY, LATE | {"tumour_id": None}], {"operations": [{"intent": "curative"}]}, None),
        # A region of the study comes before irradiation; another one and an unknown one are alike.
        ([EARLY | {"region": "trunk"}, LATE], {"preference": LIMB, "irradiations": [irradiated("1")]}, "2"),
        ([EARLY | {"region": None}, LATE | {"region": "trunk"}], {"preference": LIMB}, "1"),
        ([EARLY | {"region": "trunk"}, LATE], {}, "1"),
    ],
)
def test_the_index_tumour_is_a_sarcoma_of_the_region_irradiated_operated_on_and_the_earliest(
    rows, treatment, index
):
    assert chosen(*rows, **treatment) == index


@pytest.mark.parametrize(
    ("window", "days", "index"),
    [
        ({"start": DAY}, [DAY], "2"),
        ({"start": DAY}, [DAY - dt.timedelta(1)], "1"),
        ({"end": DAY}, [DAY], "2"),
        ({"end": DAY}, [DAY + dt.timedelta(1)], "1"),
        ({"start": DAY, "end": DAY}, [DAY - dt.timedelta(1), DAY + dt.timedelta(1)], "1"),
        ({"start": DAY, "end": DAY}, [DAY - dt.timedelta(1), DAY], "2"),
        ({}, [DAY], "1"),
        ({"start": DAY}, [None], "1"),
    ],
)
def test_an_irradiation_on_the_first_and_the_last_day_of_the_window_is_within_it(window, days, index):
    both = [irradiated("1", None), *(irradiated("2", day) for day in days)]
    assert chosen(EARLY, LATE, irradiations=both, preference=Preference(**window)) == index


def test_the_index_tumours_are_in_the_order_of_the_patients():
    rows = [{"patient_id": f"p{n:02}", "tumour_id": "1"} for n in range(60)]
    sound = frame(typed.Radiotherapy) | frame(typed.Surgery)
    made = index_tumour.choose(tumours(*reversed(rows)), sound, ANY)
    assert made["patient_id"].to_list() == [row["patient_id"] for row in rows]


# --- numbers ---------------------------------------------------------------------------------------------


def joined(**of: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    told: dict[str, pl.DataFrame] = {}
    for contract in tumour_numbers.RECORDS:
        rows = of.get(contract.__name__, [])
        told |= frame(contract, *rows, reporter=pl.String)
    assignments = frame(typed_tumour.TumourAssignment)[typed_tumour.TumourAssignment.table()]
    names, _ = tumour_numbers.joined(told, assignments)
    return sorted(names.select("tumour_id", "tumour", "of_relapse_report").rows())


@pytest.mark.parametrize("contract", tumour_numbers.RECORDS[1:], ids=lambda one: one.__name__)
def test_a_number_that_only_a_row_of_a_table_names_is_a_tumour(contract):
    rows = {contract.__name__: [{"tumour_id": "2"}, {"tumour_id": None}]}
    assert joined(**rows) == [("2", "2", False)]
    # oBDS names its tumour in the Tumorzuordnung.
    assert joined(**{contract.__name__: [{"tumour_id": "2", "source": "oBDS"}]}) == []


SARCOMA = {"icdo3_topography": "C49.2", "icdo3_morphology": "8802/3", "origin": "table", "complete": True}


@pytest.mark.parametrize(
    ("days", "name"), [((40, 10), "2"), ((10, 40), "1"), ((-3, 2), "1"), ((0, None), "1")]
)
def test_a_tumour_is_named_by_its_earliest_number_where_the_source_counts_days(days, name):
    reports = [
        SARCOMA | {"tumour_id": number, "diagnosis_day": day}
        for number, day in zip(("1", "2"), days, strict=True)
    ]
    assert joined(Diagnosis=reports) == [("1", name, False), ("2", name, False)]


def _after(days: int | None) -> dt.date | None:
    return None if days is None else D(2012, 1, 1) + dt.timedelta(days)


def reported(
    *reports: tuple[str, int | None, dict[str, Any]], **of: list[dict[str, Any]]
) -> set[tuple[Any, ...]]:
    rows = [
        SARCOMA | {"tumour_id": number, "diagnosis_date": _after(day)}
        | more
        for number, day, more in reports
    ]  # fmt: skip
    first, second = (joined(Diagnosis=some, **of) for some in (rows, rows[::-1]))
    assert first == second
    return {(number, tumour) for number, tumour, _ in first}


ELSEWHERE = {"icdo3_topography": "C49.1"}


@pytest.mark.parametrize(
    ("other", "days", "one"),
    [
        (ELSEWHERE, 92, True),
        (ELSEWHERE, 93, False),
        (ELSEWHERE, -92, True),
        (ELSEWHERE, -93, False),
        (ELSEWHERE, None, True),  # an unknown day tells nothing apart
        ({"icdo3_topography": "C49.9"}, 93, True),
        ({"icdo3_topography": "C49.8"}, 93, True),
        ({"icdo3_topography": "C49"}, 93, True),
        ({"laterality": "right"}, 92, True),
        ({"laterality": "right"}, 93, False),
        ({"laterality": None}, 93, True),
        ({"icdo3_morphology": "8850/0"}, 92, True),
        ({"icdo3_morphology": "8850/0"}, 93, False),
        ({"icdo3_topography": None}, 0, False),  # without a site nobody knows
    ],
)
def test_two_codes_of_one_organ_are_one_tumour_up_to_three_months_apart(other, days, one):
    names = reported(("1", 0, {"laterality": "left"}), ("2", days, {"laterality": "left"} | other))
    assert (len({tumour for _, tumour in names}) == 1) is one


@pytest.mark.parametrize(
    ("day", "number", "relapse"),
    [
        (100, "1", True),
        (100, "2", True),
        (100, "3", False),  # the relapse of another tumour
        (400, "1", True),  # up to the day of the later report
        (401, "1", False),
        (0, "1", False),
        (1, "1", True),
        (None, "1", False),
    ],
)
@pytest.mark.parametrize("status", ["overall_status", "local_status", "regional_status"])
def test_a_second_report_is_a_relapse_where_one_was_documented_since_the_first(day, number, relapse, status):
    exam = {"tumour_id": number, status: "relapse", "source": "oBDS",
            "assessment_date": _after(day)}  # fmt: skip
    reports = [SARCOMA | {"tumour_id": "1", "diagnosis_date": D(2012, 1, 1)},
               SARCOMA | {"tumour_id": "2", "diagnosis_date": D(2012, 1, 1) + dt.timedelta(400)}]  # fmt: skip
    assert joined(Diagnosis=reports, Assessment=[exam]) == [("1", "1", False), ("2", "1", relapse)]


@pytest.mark.parametrize("undated", [0, 1])
def test_no_relapse_lies_between_reports_of_which_one_has_no_day(undated):
    days = [_after(0), _after(400)]
    days[undated] = None
    reports = [
        SARCOMA | {"tumour_id": number, "diagnosis_date": day}
        for number, day in zip(("1", "2"), days, strict=True)
    ]
    exam = {"tumour_id": "1", "overall_status": "relapse", "assessment_date": _after(100), "source": "oBDS"}
    names = joined(Diagnosis=reports, Assessment=[exam])
    assert [relapse for *_, relapse in names] == [False, False]


def test_a_metastasis_of_unknown_histology_belongs_to_the_only_tumour():
    lung = {"icdo3_topography": "C34.1", "icdo3_morphology": None, "icd10_code": "C78.0"}
    assert dict(reported(("1", 0, {}), ("M", 100, lung)))["M"] == "1"


@pytest.mark.parametrize(
    ("site", "days", "one"),
    [
        ("C49.2", 400, True),  # of one organ
        ("C50.4", 0, True),  # on one day
        ("C50.4", 400, False),
        ("C50.4", None, False),
        (None, 400, True),  # nothing says that it is another one
    ],
)
def test_one_number_of_two_reporters_is_one_tumour_of_one_organ_or_one_day(site, days, one):
    reports = [
        SARCOMA | {"tumour_id": "1", "diagnosis_date": _after(0), "reporter": "A"},
        SARCOMA
        | {"tumour_id": "1", "diagnosis_date": _after(days), "reporter": "B", "icdo3_topography": site}
        | ({"icdo3_morphology": "8500/3"} if site == "C50.4" else {}),
    ]
    names = joined(Diagnosis=reports)
    assert len({tumour for _, tumour, _ in names}) == (1 if one else 2)


def test_a_metastasis_belongs_to_the_last_tumour_before_it_with_its_histology():
    breast = {"icdo3_topography": "C50.4", "icdo3_morphology": "8500/3"}
    bone = {"icdo3_topography": "C40.2", "icdo3_morphology": "8802/3"}
    lung = {"icdo3_topography": "C34.1", "icdo3_morphology": "8802/6"}

    def of(day: int) -> str | None:
        names = reported(("1", 0, {}), ("2", 500, bone), ("3", 600, breast), ("M", day, lung))
        return dict(names)["M"]

    assert (of(499), of(500), of(700), of(-5)) == ("1", "2", "2", "1")
