"""The same seed draws the same patients, a sheet is blind, and error rates have exact intervals."""

import datetime as dt
import io
import random
import zipfile
from collections import Counter

import fastexcel
import polars as pl
import pytest

from sarcoma_pipeline.quality import chart_review, chart_sheet
from sarcoma_pipeline.quality.chart_review import compared, review
from sarcoma_pipeline.quality.chart_sample import VARIABLES, draw, shares, strata, truth
from sarcoma_pipeline.survival.proportions import exact_interval
from schemas.language import speaking

OF = {variable.name: variable for variable in VARIABLES}
TODAY = dt.date(2026, 5, 1)

# binom.test(errors, of)$conf.int of R 4
R_INTERVALS = [
    (0, 20, 0.000000000, 0.168433471),
    (1, 20, 0.001265089, 0.248732763),
    (3, 20, 0.032070937, 0.378926827),
    (20, 20, 0.831566529, 1.000000000),
    (7, 133, 0.021419680, 0.105434729),
]


@pytest.mark.parametrize(("errors", "of", "low", "high"), R_INTERVALS)
def test_the_interval_is_that_of_binom_test(errors, of, low, high):
    assert exact_interval(errors, of) == pytest.approx((low, high), abs=1e-9)


def test_nothing_reviewed_has_no_interval():
    assert exact_interval(0, 0) is None


@pytest.mark.parametrize(
    ("sizes", "n", "given"),
    [
        ({"a": 50, "b": 30, "c": 20}, 10, {"a": 5, "b": 3, "c": 2}),
        # Quotas 3.33, 3.33, 3.33: the one place left goes to the first name.
        ({"b": 5, "a": 5, "c": 5}, 10, {"a": 4, "b": 3, "c": 3}),
        ({"a": 97, "b": 3}, 10, {"a": 10, "b": 0}),
        ({"a": 2, "b": 1}, 20, {"a": 2, "b": 1}),
    ],
)
def test_each_stratum_gives_in_proportion_to_its_size(sizes, n, given):
    assert shares(sizes, n) == given


def stratified():
    return pl.DataFrame({"pseudonym": [f"p{i:02}" for i in range(30)], "stratum": ["a", "b", "b"] * 10})


@pytest.mark.parametrize("shuffle", range(5))
def test_the_sample_is_the_same_whatever_the_order_of_rows(shuffle):
    frame = stratified()
    order = list(range(frame.height))
    random.Random(shuffle).shuffle(order)
    assert draw(frame[order], 9, 7).equals(draw(frame, 9, 7))


def test_another_seed_draws_others_and_strata_keep_their_shares():
    first, second = draw(stratified(), 9, 7), draw(stratified(), 9, 8)
    assert set(first["pseudonym"]) != set(second["pseudonym"])
    assert Counter(first["stratum"]) == Counter(second["stratum"]) == {"a": 3, "b": 6}
    assert draw(stratified(), 99, 7).height == 30
    assert draw(stratified().clear(), 9, 7).is_empty()


def test_a_stratum_is_sources_and_outcome():
    patients = pl.DataFrame({"pseudonym": ["dead", "relapse", "well", "bare"]})
    events = pl.DataFrame(
        {"pseudonym": ["dead", "dead", "relapse", "well"], "day": [5, 9, 4, 3],
         "kind": ["local relapse", "death", "distant relapse", "alive"]}
    )  # fmt: skip
    sources = pl.DataFrame({"pseudonym": ["dead", "dead", "relapse", "well"], "source": ["t", "o", "o", "o"]})
    assert dict(strata(patients, events, sources).iter_rows()) == {
        "dead": "o + t; died", "relapse": "o; relapse", "well": "o; neither", "bare": "no source; neither",
    }  # fmt: skip
    centres = patients.with_columns(centre=pl.Series(["north", "south", None, "north"]))
    assert dict(strata(centres, events, sources).iter_rows()) == {
        "dead": "north; o + t; died", "relapse": "south; o; relapse", "well": "o; neither",
        "bare": "north; no source; neither",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "released", "given", "result"),
    [
        ("fnclcc_grade", "G2", "g2", "equal"),
        ("fnclcc_grade", "G2", "G3", "differs"),
        ("fnclcc_grade", "G2", "GX", "not in chart"),
        ("fnclcc_grade", "G2", "unbekannt", "not in chart"),
        ("fnclcc_grade", None, "G3", "differs"),
        ("fnclcc_grade", "G2", "  ", "not reviewed"),
        ("tumour_size_cm", "5.2", "5,2", "equal"),
        ("tumour_size_cm", "5.2", "5.3", "differs"),
        ("fractions", "25", "25", "equal"),
        ("diagnosis_date", "2012-03-04", "04.03.2012", "equal"),
        ("diagnosis_date", "2012-03-04", "2012-03-05", "differs"),
        ("local_relapse_date", None, "keine", "equal"),
        ("local_relapse_date", None, "2013-01-01", "differs"),
        ("local_relapse_date", "2013-01-01", "none", "differs"),
        ("local_relapse_date", "2013-01-01", "?", "not in chart"),
        ("icdo3_morphology", "8802/3", "8802/3", "equal"),
        ("icd10_site", "C49.2", "c49.2", "equal"),
        ("resected", "yes", "no", "differs"),
    ],
)
def test_a_chart_is_compared_with_the_released_value(name, released, given, result):
    assert compared(OF[name], released, given) == result


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("fnclcc_grade", "high"),
        ("tumour_size_cm", "big"),
        ("diagnosis_date", "spring"),
        ("diagnosis_date", "none"),
    ],
)
def test_a_cell_that_is_no_value_is_refused_with_the_patient(name, given):
    with pytest.raises(ValueError, match=rf"p1: {name}"):
        review(drawn([("p1", name, "x")]), {"p1": {name: given}}, TODAY)


def drawn(rows):
    return pl.DataFrame(
        [("s", "R1", 7, *row) for row in rows], schema=chart_review.SAMPLE, orient="row"
    )  # fmt: skip


def test_rates_are_of_what_the_charts_tell_and_every_difference_is_named():
    rows = [(f"p{i}", "fnclcc_grade", "G2") for i in range(22)] + [("p0", "tumour_size_cm", None)]
    sheet = {f"p{i}": {"fnclcc_grade": "G2"} for i in range(1, 20)}
    sheet |= {"p0": {"fnclcc_grade": "G3", "tumour_size_cm": ""}, "p20": {"fnclcc_grade": "?"}}
    result, differing = review(drawn(rows), sheet, TODAY)
    grade = result.filter(variable="fnclcc_grade").row(0, named=True)
    assert (grade["reviewed"], grade["errors"], grade["not_in_chart"], grade["patients"]) == (20, 1, 1, 22)
    assert (grade["ci_low"], grade["ci_high"]) == pytest.approx((0.001265089, 0.248732763), abs=1e-9)
    size = result.filter(variable="tumour_size_cm").row(0, named=True)
    assert (size["reviewed"], size["error_rate"], size["ci_low"]) == (0, None, None)
    assert result.filter(variable="all")["errors"].item() == 1
    assert differing.rows() == [("p0", "fnclcc_grade", "G2", "G3")]


def test_a_patient_of_another_sample_is_refused():
    with pytest.raises(ValueError, match="p9 is no patient of the sample"):
        review(drawn([("p1", "sex", "male")]), {"p9": {}}, TODAY)


def test_the_truth_has_the_dates_of_the_first_events():
    patients = pl.DataFrame({"pseudonym": ["a", "b"], "sex": ["male", None], "resected": [True, None],
                             "tumour_size_cm": [5.25, None]})  # fmt: skip
    events = pl.DataFrame({"pseudonym": ["a", "a"], "kind": ["local relapse"] * 2, "day": [90, 31]})
    zero = pl.DataFrame({"pseudonym": ["a"], "diagnosis_date": [dt.date(2012, 1, 1)]})
    values = truth(pl.DataFrame({"pseudonym": ["a", "b"]}), patients, events, zero)
    told = {(p, v): value for p, v, value in values.iter_rows()}
    assert told["a", "diagnosis_date"] == "2012-01-01" and told["a", "local_relapse_date"] == "2012-02-01"
    assert told["a", "resected"] == "yes" and told["a", "tumour_size_cm"] == "5.25"
    assert {told["b", v] for v in ("sex", "diagnosis_date", "death_date", "resected")} == {None}
    assert values.height == 2 * len(VARIABLES)


def test_a_sheet_is_blind_and_is_read_back(tmp_path):
    path = tmp_path / "s.xlsx"
    chart_sheet.write(path, "s", pl.Series(["p2", "p1"]))
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as book:
        cells = book.read("xl/worksheets/sheet1.xml").decode()
    # Two rows of two cells below the header: nothing else is filled.
    assert cells.count("<c ") == len(VARIABLES) + 3 + 2 * 2
    sample_id, read = chart_sheet.read(path)
    assert (sample_id, list(read)) == ("s", ["p2", "p1"])
    assert all(read["p1"][v.name] == "" for v in VARIABLES)
    with pytest.raises(FileExistsError):
        chart_sheet.write(path, "s", pl.Series(["p1"]))


@pytest.mark.parametrize("content", [b"", b"none", b"PK\x03\x04"])
def test_what_is_no_sheet_is_refused_in_words(tmp_path, content):
    path = tmp_path / "s.xlsx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"s\.xlsx"):
        chart_sheet.read(path)


def test_a_sheet_read_again_replaces_its_result_and_a_torn_line_is_dropped(tmp_path):
    log = tmp_path / "d" / "reviews.csv"
    rows = [("p1", "sex", "male")]
    for given in ("female", "male"):
        chart_review.append(log, review(drawn(rows), {"p1": {"sex": given}}, TODAY)[0])
    first = chart_review.digest(log)
    log.write_bytes(log.read_bytes() + b"s,R1,2026")
    kept = chart_review.reviews(log)
    assert kept.select("variable", "errors").rows() == [("sex", 0), ("all", 0)]
    assert chart_review.digest(log) == first
    assert chart_review.digest(tmp_path / "none.csv") is None
    assert log.stat().st_mode & 0o777 == 0o600


def test_what_to_look_up_is_said_in_the_language_of_the_study():
    with speaking("de"):
        made = chart_sheet.sheet("s1", pl.Series(["p1"]))
    told = fastexcel.read_excel(made).load_sheet(1, header_row=None).to_polars().rows()
    assert told[9][:2] == ("tumour_depth", "Tiefe")
    assert told[9][2].startswith("eines von: superficial, deep; unknown, wenn")
    names = [row[0] for row in told[1:-1]]
    assert names == [v.name for v in VARIABLES], "what is read back stays as it is"
