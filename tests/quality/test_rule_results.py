"""How many records each rule judged, how many break it, by source, and whether that is too many."""

import datetime as dt
import random

import polars as pl
import pytest

from sarcoma_pipeline.quality import rule_catalogue, rule_results
from sarcoma_pipeline.quality.rule_results import results
from sarcoma_pipeline.warehouse import centres
from schemas.contract import CONTRACTS
from schemas.quality import RuleResult
from schemas.rule_category import of_id
from schemas.thresholds import Threshold

D = dt.date


def _frames():
    """Three surgeries: one in time, one from the future, one without a date; two files; a link of each."""
    days = [D(2020, 1, 1), D(2022, 1, 1), None]
    surgery = CONTRACTS["typed.surgery"].conform(
        pl.DataFrame(
            {"record_id": ["s1", "s2", "s3"], "surgery_date": days, "received_on": [D(2021, 12, 1)] * 3}
        )
    )
    file = {"path": "p", "size_bytes": 1, "mtime_ns": 1, "content_hash": "c", "first_refresh": "R1"}
    files = CONTRACTS["meta.files"].conform(
        pl.DataFrame(
            [
                {**file, "file_id": f"f{n}", "kind": "obds" if n else "table", "source": "o" if n else "t"}
                for n in range(40)
            ]
        )
    )
    account = CONTRACTS["quality.accounting"].conform(
        pl.DataFrame({"file_id": ["f0", "f1"], "records": [30, 70], "values_read": [100, 300]})
    )
    courses = CONTRACTS["curated.radiotherapy_course"].conform(
        pl.DataFrame({"record_ids": [["s1", "s3"], ["s2"]]})
    )
    return {t: c.empty() for t, c in CONTRACTS.items()} | {
        "typed.surgery": surgery,
        "meta.files": files,
        "quality.accounting": account,
        "curated.radiotherapy_course": courses,
    }


FRAMES = _frames()
SOURCES = pl.DataFrame({"record_id": ["s1", "s2", "s3"], "source": ["t", "o", "o"]})
FINDINGS = pl.DataFrame(
    {
        "rule_id": [
            "date.in-future",
            "file.empty",
            "file.empty",
            "surgery.after-death",
            "value.code-unknown",
        ],
        "records": [1, 1, None, 60, 4],
        "status": ["open", "waived", "open", "reopened", "open"],
        "source": ["o", "t", "o", None, "t"],
    }
)
NONE = RuleResult.empty()


def judged(thresholds=(), before=NONE, refresh="R2", frames=FRAMES, sources=SOURCES):
    return results(
        lambda table, /, *, columns: frames[table].select(columns),
        sources,
        FINDINGS,
        thresholds,
        before,
        refresh,
    )


@pytest.fixture(scope="module")
def found():
    return judged()


def row(found: pl.DataFrame, rule: str, source: str | None = None) -> tuple[object, ...]:
    of = found.filter(pl.col("rule_id") == rule, pl.col("source").eq_missing(pl.lit(source)))
    return of.select("judged", "broken", "waived", "percent").row(0)


def test_every_rule_has_one_result_for_all_sources(found):
    whole = found.filter(pl.col("source").is_null())
    assert whole["rule_id"].to_list() == list(rule_catalogue.rules())


def test_a_rule_judges_the_records_that_have_its_values(found):
    # The surgery without a date is not judged.
    assert row(found, "date.in-future") == (2, 1, 0, 50.0)
    assert row(found, "date.in-future", "o") == (1, 1, 0, 100.0)
    assert row(found, "date.in-future", "t") == (1, 0, 0, 0.0)


def test_a_rule_on_files_judges_all_files_and_a_waived_record_does_not_count(found):
    assert row(found, "file.empty") == (40, 2, 1, 2.5)
    assert row(found, "file.empty", "t") == (1, 1, 1, 0.0)
    assert row(found, "obds.namespace-missing") == (39, 0, 0, 0.0)


def test_a_rule_on_values_judges_the_values_that_were_read(found):
    assert row(found, "value.code-unknown") == (400, 4, 0, 1.0)
    assert row(found, "value.code-unknown", "t") == (100, 4, 0, 4.0)


def test_a_curated_row_counts_once_and_with_each_of_its_sources(found):
    assert [row(found, "course.undecided", s)[0] for s in (None, "o", "t")] == [2, 2, 1]


@pytest.mark.parametrize("at_once", [1, 5, 1_000])
def test_rows_are_counted_by_source_however_many_are_looked_up_at_once(monkeypatch, at_once):
    monkeypatch.setattr(rule_results, "_AT_ONCE", at_once)
    chosen = random.Random(at_once)
    for _ in range(5):
        ids = [f"r{n}" for n in range(12)]
        of = {name: chosen.choice(["o", "t", None]) for name in ids[:10]}
        lists = [chosen.sample(ids, chosen.randrange(4)) for _ in range(6)]
        frames = dict(FRAMES)
        frames["typed.plan"] = CONTRACTS["typed.plan"].conform(pl.DataFrame({"record_id": ids}))
        for table in ("curated.radiotherapy_course", "cohort.patients"):
            given = pl.DataFrame({"record_ids": lists}, schema={"record_ids": pl.List(pl.String)})
            frames[table] = CONTRACTS[table].conform(given)
        found = judged(frames=frames, sources=pl.DataFrame([*of.items()], SOURCES.schema, orient="row"))
        for source in (None, "o", "t"):
            plans = [name for name in ids if source in (None, of.get(name))]
            rows = [some for some in lists if source is None or source in map(of.get, some)]
            for rule, expected in (
                ("dose.far-from-prescription", plans),
                ("course.dates-differ", rows),
                ("patient.time-implausible", rows),
            ):
                here = found.filter(pl.col("rule_id") == rule, pl.col("source").eq_missing(pl.lit(source)))
                assert here["judged"].to_list() == ([len(expected)] if expected or not source else [])


def test_a_rule_that_nothing_breaks_is_there(found):
    assert row(found, "file.unreadable")[1:] == (0, 0, 0.0)


def test_more_broken_than_judged_is_all_of_them(found):
    # 60 records in three surgeries: a repeated fault over files that are gone.
    assert row(found, "surgery.after-death") == (3, 60, 0, 100.0)


def test_a_rule_on_a_whole_delivery_counts_no_records(found):
    (rule, *_) = [n for n, r in rule_catalogue.rules().items() if r.scope == "dataset"]
    assert row(found, rule)[0] is None and row(found, rule)[3] is None


THRESHOLDS = (
    Threshold(rule="date.in-future", max_percent=49.9, check="error"),
    Threshold(severity="error", max_percent=2.5),
    Threshold(severity="notice", max_percent=0),
)


def test_a_share_above_its_threshold_says_since_when():
    first = judged(THRESHOLDS, refresh="R1")
    own = first.filter(pl.col("source").is_null()).select("rule_id", "max_percent", "check", "above_since")
    of = {name: more for name, *more in own.iter_rows()}
    assert of["date.in-future"] == [49.9, "error", "R1"]
    # Not above: exactly as much as is allowed.
    assert of["file.empty"] == [2.5, "warning", None]
    assert of["surgery.after-death"] == [2.5, "warning", "R1"]
    assert of["surgery.missing"] == [None, None, None], "a warning has no threshold here"
    assert first.drop_nulls("source")["max_percent"].null_count() == first.drop_nulls("source").height
    again = judged(THRESHOLDS, before=first, refresh="R2")
    assert again.equals(first), "it is not news a second time"
    assert judged(before=first, refresh="R3")["above_since"].null_count() == first.height


def test_centres_are_added_up():
    both = pl.concat(
        [
            judged(THRESHOLDS).with_columns(_centre=pl.lit("north")),
            judged().with_columns(_centre=pl.lit("south")),
        ]
    )
    pooled = RuleResult.conform(centres.pooled("quality.rule_results", both))
    assert row(pooled, "file.empty") == (80, 4, 2, 2.5)
    assert row(pooled, "delivery.records-lost")[0] is None
    whole = pooled.filter(pl.col("source").is_null(), pl.col("rule_id") == "date.in-future")
    assert whole.select("max_percent", "check", "above_since").row(0) == (49.9, "error", "R2")
    assert pooled.select("rule_id", "source").is_unique().all()


def test_a_threshold_of_no_rule_is_refused_with_the_one_that_was_meant():
    wrong = Threshold(rule="file.emtpy", max_percent=1)
    assert rule_catalogue.unknown([*THRESHOLDS, wrong]) == [
        'study.toml, thresholds: there is no rule "file.emtpy", did you mean "file.empty"?'
    ]


@pytest.mark.parametrize(
    ("rule", "category"),
    [
        # Kahn 2016: presence of values; formats, codes, keys and computations; values that can be true.
        ("surgery.date-missing", "completeness"),
        ("follow-up.none", "completeness"),
        ("file.empty", "completeness"),
        ("file.unreadable", "conformance"),
        ("value.code-unknown", "conformance"),
        ("value.missing", "completeness"),
        ("dicom.patient-id-mismatch", "conformance"),
        ("dicom.file-meta-missing", "conformance"),
        ("plan.beam-dose-differs", "conformance"),
        ("assessment.after-death", "plausibility"),
        ("diagnosis.t-against-size", "plausibility"),
        ("record.duplicate", "plausibility"),
    ],
)
def test_the_category_of_a_rule(rule, category):
    assert of_id(rule) == category == rule_catalogue.rules()[rule].category
