"""What a statement on toxicity says, which statements are one, and to which course those of tables belong."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import toxicity
from schemas import typed
from schemas.curated import Surgery, SystemicTherapy
from schemas.curated_radiotherapy import RadiotherapyCourse


@pytest.mark.parametrize(
    ("values", "statement"),
    [
        ({"category": "fibrosis"}, "present"),
        ({"code": "10016642", "code_system": "MedDRA"}, "present"),
        ({"term": "Fibrose"}, "present"),
        ({"grade": 1}, "present"),
        ({"grade": 0}, "none"),
        ({"grade": 0, "term": "Fibrose"}, "present"),
        ({"statement": "none"}, "none"),
        ({"statement": "none", "grade": 2}, "present"),
        ({}, "unknown"),
    ],
)
def test_a_category_a_code_words_or_a_grade_says_that_there_was_toxicity(values, statement):
    made = curated_rows({"record_id": "r1"} | values)
    assert made.select("statement", "revision", "kind").rows() == [(statement, False, "side effect")]


def curated_rows(
    *told: dict[str, object],
    courses: tuple[dict[str, object], ...] = (),
    operations: tuple[dict[str, object], ...] = (),
    systemic: tuple[dict[str, object], ...] = (),
) -> pl.DataFrame:
    """Curate statements of tables on one patient; the same whatever their order."""
    own = {"patient_id": pl.String, "tumour_id": pl.String}
    rows = [
        {"patient_id": "p", "tumour_id": "t", "source": "table", "therapy": "radiotherapy"} | t for t in told
    ]
    stated = pl.DataFrame(rows, schema=typed.Toxicity.polars_schema() | own)
    made_courses, made_operations, made_systemic = (
        pl.DataFrame(
            [{"patient_id": "p", "tumour_id": "t"} | row for row in some],
            schema=c.polars_schema() | {f"{day}{end}": pl.Int32 for end in ("", "_earliest", "_latest")},
        )
        for c, day, some in (
            (RadiotherapyCourse, "start_day", courses), (Surgery, "surgery_day", operations),
            (SystemicTherapy, "start_day", systemic),
        )
    )  # fmt: skip
    first, second = (
        toxicity.curate({typed.Toxicity.table(): some}, made_courses, made_operations, made_systemic)
        for some in (stated, stated.reverse())
    )
    assert first.rows() == second.rows()
    return first


COURSE = {"course_id": "1", "start_date": dt.date(2012, 3, 1), "record_ids": ["c"], "target": 1}


def test_equal_statements_are_one_with_the_highest_grade_its_version_and_the_words_of_the_first_record():
    dermatitis = {"statement": "present", "category": "skin", "onset_date": dt.date(2012, 4, 1)}
    made = curated_rows(
        dermatitis | {"record_id": "r2", "term": "Dermatitis ", "grade": 3, "ctcae_version": "4.03"},
        dermatitis | {"record_id": "r1", "term": "dermatitis", "grade": 2, "ctcae_version": "5.0"},
        dermatitis | {"record_id": "r3", "term": "DERMATITIS", "grade": None, "ctcae_version": "5.0"},
        courses=(COURSE,),
    )
    assert made.select("term", "grade", "ctcae_version", "record_ids", "attribution").rows() == [
        ("dermatitis", 3, "4.03", ["r1", "r2", "r3"], "only therapy before")
    ]


@pytest.mark.parametrize(
    ("starts", "onset", "placed"),
    [
        ([0], 0, 0),  # the first day of the course
        ([1], 0, None),
        ([0, 10], 10, None),  # two began before
        ([0, 11], 10, 0),
        ([0], None, 0),  # the only course, though the onset has no day
        ([0, 900], None, None),
    ],
)
def test_a_statement_of_a_table_belongs_to_the_only_course_that_began_up_to_its_day(starts, onset, placed):
    first = dt.date(2012, 3, 1)

    def day(after: int | None) -> dt.date | None:
        return None if after is None else first + dt.timedelta(after)

    courses = [COURSE | {"course_id": str(n), "start_date": day(n)} for n in starts]
    made = curated_rows(
        {"record_id": "r1", "category": "fibrosis", "onset_date": day(onset)}, courses=(*courses,)
    )
    assert made["therapy_date"].to_list() == [day(placed)]
    assert made["attribution"].to_list() == [None if placed is None else "only therapy before"]
    # A source that counts days.
    counted = [COURSE | {"course_id": str(n), "start_date": None, "start_day": n} for n in starts]
    made = curated_rows({"record_id": "r1", "category": "fibrosis", "onset_day": onset}, courses=(*counted,))
    assert made["therapy_day"].to_list() == [placed]


@pytest.mark.parametrize(
    ("therapy", "what", "values", "counts"),
    [
        ("systemic therapy", "given", ("yes", "no"), False),
        ("systemic therapy", "given", ("yes", None), True),
        ("systemic therapy", "given", (None, "no"), False),
        ("surgery", "intent", ("curative", "diagnostic"), False),
        ("surgery", "intent", ("curative", None), True),
    ],
)
def test_drugs_that_were_not_given_and_a_biopsy_are_no_therapy_of_a_side_effect(
    therapy, what, values, counts
):
    date = "surgery_date" if therapy == "surgery" else "start_date"
    both = tuple(
        {date: dt.date(2012, month, 1), what: value, "record_ids": [f"t{month}"]}
        for month, value in zip((3, 2), values, strict=True)
    )
    told = {"record_id": "r1", "therapy": therapy, "term": "Sepsis", "onset_date": dt.date(2012, 4, 1)}
    made = curated_rows(told, operations=both) if therapy == "surgery" else curated_rows(told, systemic=both)
    # Of two therapies none is guessed.
    assert made["therapy_date"].to_list() == [None if counts else dt.date(2012, 3, 1)]


def test_a_wound_revision_belongs_to_the_last_operation_before_it_by_dates_or_days():
    days = (10, 40, 70, 90)
    kinds = ("5-782.b", "5-782.b", "5-916.a1", "5-782.b")

    def made(dated: bool) -> pl.DataFrame:
        rows = [
            {"patient_id": "p", "tumour_id": None, "ops_codes": [ops], "intent": "curative",
             "record_ids": [f"r{day}"],
             "surgery_date": dt.date(2012, 1, 1) + dt.timedelta(day) if dated else None,
             "surgery_day": day, "surgery_day_earliest": day, "surgery_day_latest": day}
            for day, ops in zip(days, kinds, strict=True)
        ]  # fmt: skip
        ends = {f"surgery_day{end}": pl.Int32 for end in ("", "_earliest", "_latest")}
        schema = Surgery.polars_schema() | ends
        first, second = (
            toxicity.wound_revisions(pl.DataFrame(some, schema=schema)) for some in (rows, rows[::-1])
        )
        assert first.rows() == second.rows()
        return first

    assert made(True)["therapy_date"].to_list() == [dt.date(2012, 2, 10)]
    assert made(True)["onset_date_precision"].to_list() == ["day"]
    assert made(False)["therapy_day_told"].to_list() == [40]
    assert made(False)["onset_date_precision"].to_list() == [None]
