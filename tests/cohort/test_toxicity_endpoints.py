"""Endpoints of toxicity: who is documented, what counts, when the risk ends and by what."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.relapses import LOCAL
from sarcoma_pipeline.cohort.timeline import Timeline
from sarcoma_pipeline.cohort.toxicity_endpoints import derive, states
from schemas.assumptions import Assumptions
from schemas.cohort_toxicity import CohortToxicity
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.curated import Diagnosis, Surgery
from schemas.gate import Gate
from schemas.toxicity_toml import ToxicityEndpoint

ACUTE = ToxicityEndpoint(name="acute", title="Acute", window="acute", least_grade=3, by="sequence")
SKIN = ACUTE.model_copy(update={"categories": ("skin",)})
LATE = ACUTE.model_copy(update={"window": "late"})
NEW = ACUTE.model_copy(update={"ctcae_versions": ("5.0",)})
WOUND = ToxicityEndpoint(name="wound", title="W", measure="major wound complication", by="sequence")


def told(**row) -> dict:
    return {
        "pseudonym": "p", "therapy": "radiotherapy", "of_primary_treatment": True, "statement": "present",
        "kind": "side effect", "window": "acute", "evidence": ["r"],
    } | row  # fmt: skip


def frame(*rows: dict) -> pl.DataFrame:
    if not rows:
        return CohortToxicity.empty()
    return CohortToxicity.conform(pl.DataFrame(list(rows), infer_schema_length=None))


# Each with its state: event, unclear; None for not documented.
@pytest.mark.parametrize(
    ("endpoint", "rows", "state"),
    [
        (ACUTE, [told(grade=3)], (True, False)),
        (ACUTE, [told(grade=2)], (False, False)),
        (ACUTE, [told(grade=2), told(grade=4)], (True, False)),
        (ACUTE, [told(statement="none", grade=0)], (False, False)),
        (ACUTE, [told(statement="unknown", window=None)], None),
        (ACUTE, [told(grade=3, window="late")], None),
        (ACUTE, [told(grade=3, window=None)], None),
        (ACUTE, [told(grade=2), told(grade=3, window=None)], (False, True)),
        (ACUTE, [told(grade=None)], (False, True)),
        (ACUTE.model_copy(update={"unclear": "with"}), [told(grade=None)], (True, True)),
        (ACUTE, [told(grade=3, of_primary_treatment=False)], None),
        (ACUTE, [told(grade=3, therapy="systemic therapy")], None),
        (NEW, [told(grade=3, ctcae_version="5.0")], (True, False)),
        (NEW, [told(grade=3, ctcae_version="4.03")], (False, True)),
        (NEW, [told(grade=3)], (False, True)),
        (NEW, [told(statement="none", grade=0)], (False, False)),
        (SKIN, [told(grade=3, category="skin")], (True, False)),
        (SKIN, [told(grade=3, category="bone")], (False, False)),
        (SKIN, [told(grade=3, category=None)], (False, True)),
        (SKIN, [told(grade=2, category=None)], (False, False)),
        (LATE, [told(statement="none", grade=0)], None),
        (LATE, [told(grade=3)], None),
        (LATE, [told(grade=3, window="late")], (True, False)),
        (WOUND, [told(therapy="surgery", major_wound_complication=True)], (True, False)),
        (WOUND, [told(therapy="surgery", statement="none", major_wound_complication=False)], (False, False)),
        (WOUND, [told(therapy="surgery", major_wound_complication=None)], (False, True)),
        (WOUND, [told(therapy="surgery", statement="unknown", major_wound_complication=None)], None),
        (WOUND, [told(grade=4)], None),
    ],
)
def test_not_documented_is_not_none(endpoint, rows, state):
    found = states(frame(*rows), endpoint).select("event", "unclear").rows()
    assert found == ([] if state is None else [state])


def test_the_days_and_records_of_what_was_told():
    rows = [
        told(grade=4, onset_day=50, evidence=["c", "a"]), told(grade=3, onset_day=40, evidence=["b"]),
        told(grade=1, onset_day=30, evidence=["a"]), told(statement="unknown", onset_day=90, evidence=["z"]),
        told(statement="none", onset_day=60, evidence=["d"]), told(grade=5, onset_day=20, window="late"),
    ]  # fmt: skip
    for given in (rows, rows[::-1]):
        (found,) = states(frame(*given), ACUTE).rows(named=True)
        assert (found["onset"], found["stated"]) == (40, 60)
        assert found["evidence"] == ["a", "b", "c", "d", "r"]
    unclear = [told(grade=None, onset_day=35), told(grade=3, onset_day=40)]
    for choice, onset in (("with", 35), ("without", 40)):
        (found,) = states(frame(*unclear), ACUTE.model_copy(update={"unclear": choice})).rows(named=True)
        assert (found["onset"], found["unclear"]) == (onset, False)


# --- one patient: irradiated on days 30 to 65, operated on day 100, examined up to day 1000 --------------

EVENTS = [("radiotherapy start", 30, "primary course"), ("definitive resection", 100, None)]
SEEN = ("assessment", 1000, None)


def relapsed(day: int) -> tuple[str, int, None]:
    return (LOCAL, day, None)


def one(endpoint, *rows: dict, events=(SEEN,), amputated=(), resected=(), codes="5-864.5", **steps) -> tuple:
    """The time, what ended it, and on what it rests."""
    days = [*EVENTS, *events, *(("surgery", day, None) for day in (*amputated, *resected))]
    happened = pl.DataFrame(
        [
            {"patient_id": "i", "kind": k, "day": d, "detail": detail, "record_ids": ["r"]}
            for k, d, detail in days
        ],
        schema_overrides={"day": pl.Int32, "detail": pl.String},
    )
    milestones = pl.DataFrame(
        [{"patient_id": "i", "radiotherapy_start": 30, "radiotherapy_end": 65, "resected_on": 100} | steps],
        schema_overrides=dict.fromkeys(("radiotherapy_start", "radiotherapy_end", "resected_on"), pl.Int32),
    )
    tumour = Diagnosis.conform(pl.DataFrame([{"patient_id": "i", "tumour_id": "t", "index_tumour": True}]))
    operated = [(day, codes) for day in amputated] + [(day, "5-782.b") for day in resected]
    surgery = Surgery.empty()
    if operated:
        rows_of = [
            {
                "patient_id": "i",
                "tumour_id": "t",
                "surgery_day": day,
                "ops_codes": [code],
                "residual_status": "R0",
            }
            for day, code in operated
        ]
        surgery = Surgery.conform(pl.DataFrame(rows_of, schema_overrides={"surgery_day": pl.Int32}))
    made = derive(
        {"curated.diagnosis": tumour, "curated.surgery": surgery},
        Timeline(happened, milestones, Assumptions()),
        pl.DataFrame({"patient_id": ["i"], "pseudonym": ["p"]}),
        frame(*rows),
        [endpoint],
        Gate(),
    )
    CohortToxicityEndpoint.enforce(made)
    return made.select("time_days", "outcome", "time_basis").row(0)


MILD = told(grade=1, window="late", onset_day=300)
GRAVE = told(grade=3, window="late", onset_day=430)
OLDER = told(grade=3, window="late")
FURTHER = ("radiotherapy start", 700, "further course")


# Late toxicity is counted from day 30: day 1000 is 970 days later.
@pytest.mark.parametrize(
    ("options", "rows", "around", "end"),
    [
        ({}, [GRAVE], {}, (400, "toxicity", "date")),
        ({}, [MILD], {}, (970, "censored", None)),
        ({}, [], {}, (None, None, None)),
        ({"undocumented": "without"}, [], {}, (970, "censored", None)),
        ({"followed_until": "last statement"}, [MILD], {}, (270, "censored", None)),
        ({}, [MILD], {"events": ()}, (0, "censored", None)),
        # Without a date it began between day 121 and day 1000: the middle is day 560.
        ({}, [OLDER], {}, (530, "toxicity", "middle")),
        ({}, [OLDER], {"events": (SEEN, ("death", 600, None))}, (330, "toxicity", "middle")),
        ({}, [MILD], {"events": (SEEN, ("death", 2000, None))}, (1970, "death", None)),
        ({"death_days": 365}, [MILD], {"events": (SEEN, ("death", 2000, None))}, (970, "censored", None)),
        ({"death_days": 365}, [MILD], {"events": (SEEN, ("death", 1365, None))}, (1335, "death", None)),
        ({"competing": ("amputation",)}, [MILD], {"events": (SEEN, ("death", 600, None))},
         (570, "censored", None)),
        ({}, [MILD], {"amputated": (500,)}, (470, "amputation", None)),
        ({}, [GRAVE], {"amputated": (460,)}, (400, "toxicity", "date")),
        ({}, [GRAVE], {"amputated": (400,)}, (370, "amputation", None)),
        ({}, [MILD], {"amputated": (20,)}, (970, "censored", None)),
        ({}, [MILD], {"amputated": (500,), "codes": "5-866.3"}, (970, "censored", None)),
        ({"competing": ("death",)}, [MILD], {"amputated": (500,)}, (970, "censored", None)),
        ({}, [MILD], {"events": (SEEN, FURTHER)}, (670, "censored", None)),
        ({"further_radiotherapy": "ignore"}, [MILD], {"events": (SEEN, FURTHER)}, (970, "censored", None)),
        # A boost that begins within the course is no further irradiation.
        ({}, [MILD], {"events": (SEEN, ("radiotherapy start", 58, "further course"))},
         (970, "censored", None)),
        ({}, [MILD], {"events": (SEEN, ("radiotherapy start", 58, "further course"),
                                 ("radiotherapy end", 70, "further course"))}, (970, "censored", None)),
        ({}, [MILD], {"radiotherapy_start": None}, (None, None, None)),
        # On one day the toxicity counts before the death.
        ({}, [GRAVE], {"events": (SEEN, ("death", 430, None))}, (400, "toxicity", "date")),
    ],
)  # fmt: skip
def test_late_toxicity_competes_with_death_and_amputation(options, rows, around, end):
    assert one(LATE.model_copy(update=options), *rows, **around) == end


COMPLICATED = told(therapy="surgery", major_wound_complication=True, onset_day=140)
HEALED = told(therapy="surgery", statement="none", major_wound_complication=False)


@pytest.mark.parametrize(
    ("rows", "around", "end"),
    [
        ([COMPLICATED], {}, (40, "toxicity", "date")),
        ([HEALED], {}, (120, "censored", None)),
        ([HEALED], {"events": ()}, (120, "censored", None)),
        ([COMPLICATED | {"onset_day": None}], {}, (60, "toxicity", "middle")),
        ([HEALED], {"events": (("death", 150, None),)}, (50, "death", None)),
        ([HEALED], {"events": (("death", 221, None),)}, (120, "censored", None)),
        ([HEALED], {"amputated": (130,)}, (30, "amputation", None)),
        # An amputation that is the definitive resection heals or not, as another wound does.
        ([COMPLICATED], {"amputated": (100,)}, (40, "toxicity", "date")),
        # Radiotherapy after the operation does not end the risk of the wound.
        (
            [HEALED],
            {"events": (SEEN, ("radiotherapy start", 150, "further course"))},
            (120, "censored", None),
        ),
        ([HEALED], {"resected_on": None}, (None, None, None)),
        # A re-resection on day 140 has its own 120 days; a revision on day 250 is 150 days after the first.
        ([HEALED], {"resected": (100, 140)}, (160, "censored", None)),
        ([COMPLICATED | {"onset_day": 250}], {"resected": (100, 140)}, (150, "toxicity", "date")),
        ([HEALED], {"resected": (100, 191)}, (120, "censored", None)),
        # An operation on the day of a relapse or after it is no re-resection; one on the day before is.
        ([HEALED], {"resected": (100, 140), "events": (SEEN, relapsed(140))}, (120, "censored", None)),
        ([HEALED], {"resected": (100, 140), "events": (SEEN, relapsed(141))}, (160, "censored", None)),
    ],
)
def test_a_wound_is_followed_for_120_days(rows, around, end):
    assert one(WOUND, *rows, **around) == end


def test_acute_side_effects_have_no_time():
    assert one(ACUTE, told(grade=3)) == (None, None, None)


@pytest.mark.parametrize(
    ("endpoint", "died", "flag"),
    [(ACUTE, 120, True), (ACUTE, 121, False), (LATE, 120, False), (WOUND, 220, True), (WOUND, 99, False)],
)
def test_who_died_within_the_window(endpoint, died, flag):
    row = HEALED if endpoint is WOUND else told(grade=1, window=endpoint.window)
    for choice, counted in (("without", True), ("leave out", not flag)):
        asked = endpoint.model_copy(update={"died_in_window": choice})
        made = derived(asked, row, died)
        assert made.select("died_in_window", "counted").row(0) == (flag, counted)


@pytest.mark.parametrize("endpoint", [ACUTE, WOUND])
def test_who_had_it_and_died_within_the_window_counts(endpoint):
    row = COMPLICATED if endpoint is WOUND else told(grade=3)
    made = derived(endpoint.model_copy(update={"died_in_window": "leave out"}), row, 110)
    assert made.select("event", "died_in_window", "counted").row(0) == (True, False, True)


@pytest.mark.parametrize(
    ("undocumented", "died", "choice", "counted"),
    [
        ("leave out", 400, "without", False),
        ("without", 400, "without", True),
        ("without", 110, "without", True),
        ("without", 110, "leave out", False),
        ("without", 400, "leave out", True),
    ],
)
def test_whether_a_patient_of_whom_nobody_told_counts(undocumented, died, choice, counted):
    asked = ACUTE.model_copy(update={"undocumented": undocumented, "died_in_window": choice})
    made = derived(asked, told(grade=3, pseudonym="another"), died)
    assert made.select("documented", "event", "unclear", "counted").row(0) == (False, None, False, counted)


def derived(endpoint, row, died) -> pl.DataFrame:
    happened = pl.DataFrame(
        {"patient_id": ["i"], "kind": ["death"], "day": [died], "detail": [None], "record_ids": [["r"]]},
        schema_overrides={"day": pl.Int32, "detail": pl.String},
    )
    milestones = pl.DataFrame(
        {"patient_id": ["i"], "radiotherapy_start": [30], "radiotherapy_end": [65], "resected_on": [100]},
        schema_overrides=dict.fromkeys(("radiotherapy_start", "radiotherapy_end", "resected_on"), pl.Int32),
    )
    tumour = Diagnosis.conform(pl.DataFrame([{"patient_id": "i", "tumour_id": "t", "index_tumour": True}]))
    return derive(
        {"curated.diagnosis": tumour, "curated.surgery": Surgery.empty()},
        Timeline(happened, milestones, Assumptions()),
        pl.DataFrame({"patient_id": ["i"], "pseudonym": ["p"]}),
        frame(row),
        [endpoint],
        Gate(),
    )


@pytest.mark.parametrize(
    ("rows", "around", "end"),
    [
        # Another course begins after the end of the first, day 65; without an end after day 90 of it.
        ([MILD], {"events": (SEEN, ("radiotherapy start", 65, "further course"))}, (970, "censored", None)),
        ([MILD], {"events": (SEEN, ("radiotherapy start", 66, "further course"))}, (36, "censored", None)),
        (
            [MILD],
            {"events": (SEEN, ("radiotherapy start", 120, "further course")), "radiotherapy_end": None},
            (970, "censored", None),
        ),
        (
            [MILD],
            {"events": (SEEN, ("radiotherapy start", 121, "further course")), "radiotherapy_end": None},
            (91, "censored", None),
        ),
        ([GRAVE | {"onset_day": 700}], {"events": (SEEN, FURTHER)}, (670, "toxicity", "date")),
        ([GRAVE | {"onset_day": 701}], {"events": (SEEN, FURTHER)}, (670, "censored", None)),
        # An amputation on the day on which the risk begins was before it.
        ([MILD], {"amputated": (30,)}, (970, "censored", None)),
        ([MILD], {"amputated": (31,)}, (1, "amputation", None)),
        # On one day the toxicity comes first, then the amputation.
        ([GRAVE], {"amputated": (430,)}, (400, "toxicity", "date")),
        ([MILD], {"amputated": (500,), "events": (SEEN, ("death", 500, None))}, (470, "amputation", None)),
        # One from before the irradiation began at once, and nobody leaves before that day.
        ([GRAVE | {"onset_day": 20}], {}, (0, "toxicity", "date")),
        ([MILD], {"events": (("assessment", 10, None),)}, (0, "censored", None)),
        ([OLDER], {"events": (("assessment", 60, None),)}, (91, "toxicity", "middle")),
        ([MILD], {"events": (("assessment", 500, None), SEEN)}, (970, "censored", None)),
        ([OLDER], {"events": (SEEN, FURTHER)}, (380, "toxicity", "middle")),
        ([OLDER], {"amputated": (200,)}, (130, "toxicity", "middle")),
        # The first toxicity of the least grade counts.
        ([GRAVE | {"onset_day": 500}, GRAVE, MILD], {}, (400, "toxicity", "date")),
    ],
)
def test_the_day_that_ends_the_risk_of_late_toxicity(rows, around, end):
    for order in (rows, rows[::-1]):
        assert one(LATE, *order, **around) == end


def test_a_patient_with_something_dated_impossibly_late_has_no_time():
    (_, last) = Gate().plausible("d") or (0, 0)
    for day, end in ((int(last), (int(last) - 30, "censored", None)), (int(last) + 1, (None, None, None))):
        assert one(LATE, MILD, events=(("assessment", day, None),)) == end


@pytest.mark.parametrize(("died", "end"), [(1365, (1335, "death", None)), (1366, (970, "censored", None))])
def test_a_death_within_a_year_of_the_last_examination_competes(died, end):
    late = LATE.model_copy(update={"death_days": 365})
    assert one(late, MILD, events=(SEEN, ("death", died, None))) == end


@pytest.mark.parametrize(
    ("rows", "around", "end"),
    [
        # The definitive resection was on day 100: its 120 days end with day 220.
        ([COMPLICATED | {"onset_day": 220}], {}, (120, "toxicity", "date")),
        ([COMPLICATED | {"onset_day": 221}], {}, (120, "censored", None)),
        ([HEALED], {"events": (("death", 220, None),)}, (120, "death", None)),
    ],
)
def test_the_last_day_of_a_wound(rows, around, end):
    assert one(WOUND, *rows, **around) == end
