"""What a refresh never publishes, tried as a user would get it wrong: `sarcoma check` says it before.

Each case is twelve patients of a table with one mistake. The words are those of the reason, or None where the
mistake concerns too few to hold anything back.
"""

from collections.abc import Callable

import pytest

from tests.operations.conftest import SEX, STAND, STATUS, STUDY, entity, source

HEAD = ["Pat", "Geschlecht", "ED", "Status", "Stand", "ICD", "Morph", "RT", "Plan", "M", "Intent"]
Row = dict[str, str]


def _patient(n: int) -> Row:
    dead = n % 3
    cells = (
        str(100 + n), "mw"[n % 2], f"{n:02}.02.2015", "tot" if dead else "lebt", f"{n:02}.06.20{17 + dead}",
        "C49.2", "8802/3", f"{n:02}.05.2015", "prae", "0", "kurativ",
    )  # fmt: skip
    return dict(zip(HEAD, cells, strict=True))


VITAL = entity("vital_status", "Pat", STATUS, STAND)
CHOSEN = "\n".join(
    entity("vital_status", "Pat", f'status = {{ constant = "{status}" }}', STAND).replace(
        "\n\n[source", f'\nwhen = [{{ column = "Status", equals = ["{word}"] }}]\n\n[source'
    )
    for word, status in (("tot", "deceased"), ("lebt", "alive"))
)
SOURCES = source(
    "sheet", '"t.csv"', "Pat",
    entity("person", "Pat", SEX),
    entity(
        "diagnosis", "Pat", 'diagnosis_date = "ED"', 'icd10_code = "ICD"', 'icdo3_morphology = "Morph"',
        'm_stage = { column = "M", codes = { 0 = "M0", 1 = "M1" } }',
    ),
    entity(
        "radiotherapy", "Pat", 'start_date = "RT"',
        'radiation_sequence = { column = "Plan", codes = { prae = "preoperative" } }',
        'intent = { column = "Intent", codes = { kurativ = "curative", palliativ = "palliative" } }',
    ),
    VITAL,
)  # fmt: skip
FOLLOW = "\n" + source("follow-up", '"f.csv"', "Pat", VITAL)


def _study(*criteria: str, more: str = "") -> str:
    head, _, rest = STUDY.partition("[[criteria]]")
    steps = [f'[[criteria]]\nname = "c{n}"\nlabel = "c{n}"\n{rule}\n\n' for n, rule in enumerate(criteria)]
    return head + "".join(steps) + "[[endpoints]]" + rest.partition("[[endpoints]]")[2] + more


OBSERVED = _study('rule = "observed"')


def _all(**cells: str) -> Callable[[int, Row], Row]:
    return lambda _, row: row | cells


def _some(which: Callable[[int, Row], bool], **cells: str) -> Callable[[int, Row], Row]:
    return lambda n, row: row | cells if which(n, row) else row


def _dead(_: int, row: Row) -> bool:
    return row["Status"] == "tot"


def _same(n: int, row: Row) -> Row:
    return row


EXCLUDED = 'the criterion "c0" (c0) excludes all 12 patients'
CASES: dict[str, tuple[Callable[[int, Row], Row], str, str, str | None]] = {
    "nothing is wrong": (_same, OBSERVED, SOURCES, None),
    "criterion: histology": (_all(Morph="8140/3"), _study('rule = "histology"'), SOURCES, EXCLUDED),
    "criterion: site": (_same, _study('rule = "site"\nvalues = ["trunk"]'), SOURCES, EXCLUDED),
    "criterion: no metastasis": (_all(M="1"), _study('rule = "no_metastasis"'), SOURCES, EXCLUDED),
    "criterion: curative": (_all(Intent="palliativ"), _study('rule = "curative"'), SOURCES, EXCLUDED),
    "criterion: radiotherapy": (
        _same, _study('rule = "radiotherapy"\nvalues = ["postoperative additive"]'), SOURCES, EXCLUDED),
    "criterion: technique": (
        _same, _study('rule = "radiotherapy"\nvalues = ["preoperative"]\ntechniques = ["VMAT"]'), SOURCES,
        EXCLUDED),
    "criterion: window": (
        _same, _study('rule = "window"\nstart = 2018-01-01\nend = 2019-01-01'), SOURCES, EXCLUDED),
    "criterion: known": (_same, _study('rule = "known"\ncolumn = "tumour_size_cm"'), SOURCES, EXCLUDED),
    "criterion: observed, and no day of a status": (
        _all(Status="", Stand=""), OBSERVED, SOURCES, "no patient is eligible"),
    # Each of the two leaves six patients, both together none.
    "two criteria together": (
        lambda n, row: row | ({"M": "1"} if n % 2 else {"Intent": "palliativ"}),
        _study('rule = "no_metastasis"', 'rule = "curative"'), SOURCES,
        'the criterion "c1" (c1) excludes all 6 patients'),
    "status: a word without a code": (
        _some(_dead, Status="verstorben"), OBSERVED, SOURCES, '8 of 12 filled cells of column "Status"'),
    "status: a word that no condition knows": (
        _some(_dead, Status="verstorben"), OBSERVED, SOURCES.replace(VITAL, CHOSEN),
        '8 of 12 filled cells of column "Status" of source "sheet" meet no condition'),
    "status: a word that no condition knows, of a few": (
        _some(lambda n, row: n == 3, Status="verschollen"), OBSERVED, SOURCES.replace(VITAL, CHOSEN), None),
    "numbers that a spreadsheet damaged": (
        lambda n, row: row | {"Pat": "#REF!"} if n % 3 else row, OBSERVED, SOURCES,
        '8 of 12 filled cells of column "Pat" of source "sheet" are patient numbers that a spreadsheet'),
    "numbers that a spreadsheet damaged, half of them": (
        lambda n, row: row | {"Pat": "#REF!"} if n % 2 else row, OBSERVED, SOURCES, None),
    "dates in another format": (
        lambda n, row: row | {"Stand": row["Stand"].replace(".", "/")}, OBSERVED, SOURCES, 'column "Stand"'),
    "dates in another format, a third": (
        lambda n, row: row if n % 3 else row | {"Stand": row["Stand"].replace(".", "/")}, OBSERVED, SOURCES,
        None),
    # The other source is read whole: together not even half of the cells are unreadable.
    "dates in another format, in one of two sources": (
        _same, OBSERVED, SOURCES + FOLLOW, '7 of 7 filled cells of column "Stand" of source "follow-up"'),
    "deaths without a date": (
        _some(_dead, Stand=""), OBSERVED, SOURCES, "OS has no event, although deaths of 8 persons"),
    "deaths before the diagnosis": (
        _some(_dead, Stand="01.06.1917"), OBSERVED, SOURCES, "OS has no event, although deaths of 8 persons"),
    "deaths of which none has a cause": (
        _same, OBSERVED.replace('["death"]', '["tumour-related death"]'), SOURCES, "OS has no event"),
    "all deaths on the day of the export": (
        _all(Stand="01.06.2019"), OBSERVED, SOURCES, "all deaths of the tables, of 8 persons, are on one"),
    "all lives on the day of the export": (
        _some(lambda n, row: row["Status"] == "lebt", Stand="01.06.2019"), OBSERVED, SOURCES, None),
    "the last contact is the diagnosis": (
        lambda n, row: row | {"Stand": row["ED"], "RT": ""}, OBSERVED, SOURCES,
        "the median follow-up of 12 patients"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_right_is_never_published(place, case):
    change, study, sources, reason = CASES[case]
    rows = [";".join(change(n, _patient(n)).values()) for n in range(1, 13)]
    place.write(rows, header=";".join(HEAD), study=study, sources=sources)
    if '"f.csv"' in sources:
        lines = [f"{100 + n};lebt;2020-01-{n:02}" for n in range(1, 8)]
        (place.drop / "f.csv").write_text("\n".join(["Pat;Status;Stand", *lines]) + "\n")
    told = place.check()
    assert told["configuration"] == []
    never = [n for n in told["notices"] if n["rule"] == "check.never-published"]
    if reason is None:
        assert never == []
    else:
        assert any(reason in n["what"] for n in never), never
        assert all(n["remedy"] for n in never)


def test_an_endpoint_of_which_nobody_is_at_risk(place):
    rows = [";".join((_patient(n) | {"RT": ""}).values()) for n in range(1, 13)]
    at_risk = OBSERVED.replace('censor = "last', 'entry = "radiotherapy start"\ncensor = "last')
    place.write(rows, header=";".join(HEAD), study=at_risk, sources=SOURCES)
    told = place.check()
    assert ["endpoint", "OS: no patient is at risk"] in told["preview"]
    (never,) = [n["what"] for n in told["notices"] if n["rule"] == "check.never-published"]
    assert "OS has no event, although deaths of 8 persons were read: no patient is at risk of it" in never


def test_a_level_that_does_not_exist_is_refused_before(place):
    place.write(study=_study('rule = "site"\nvalues = ["extremitis"]'))
    (fault,) = place.check()["configuration"]
    assert 'did you mean "extremities"' in fault["message"]


def test_two_criteria_that_nobody_can_fulfil_are_refused_before(place):
    two = ('rule = "site"\nvalues = ["extremities"]', 'rule = "site"\nvalues = ["trunk"]')
    place.write(study=_study(*two))
    (fault,) = place.check()["configuration"]
    assert "nobody can fulfil both" in fault["message"]


def test_a_column_without_any_value_and_a_table_of_the_dead_are_told(place):
    rows = [";".join((_patient(n) | {"Geschlecht": "", "Status": "tot"}).values()) for n in range(1, 13)]
    place.write(rows, header=";".join(HEAD), study=OBSERVED, sources=SOURCES)
    told = {n["rule"]: n["column"] for n in place.check()["notices"]}
    assert told["check.column-empty"] == 'column "Geschlecht" of source "sheet"'
    assert "check.nobody-censored" in told
