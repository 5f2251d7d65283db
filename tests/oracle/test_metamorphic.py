"""What must not matter does not: order, form and repetition of a delivery, and what else is delivered.

Random patients valid by the oBDS schema go through reader, curation and cohort. Then the delivery is changed
in a way that says nothing new about them. Every curated and every cohort row about them must stay as it was,
except for the columns that only name records. Messy patients have several differing reports of one event in
one file: there the later one counts, so that their order matters, but never without a finding.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from lxml import etree

from schemas.configuration import Sources
from tests.oracle.grammar import NS, Element, schema
from tests.oracle.in_process import Built, build
from tests.oracle.patients import Person, Tumour, Writer, document

DIFFERS = re.compile("differ|conflict|corrected")
MELDER = ("M1", "M2")
Files = dict[str, bytes]


def people(seed: int, *, messy: bool, count: int = 8) -> tuple[Writer, list[Person]]:
    """Random patients; messy ones have several differing reports of one event."""
    writer = Writer(seed)
    persons = [writer.person(str(100 + number)) for number in range(count)]
    for person in persons if messy else ():
        for _ in range(writer.draw.randint(0, 3)):
            writer.again(person, writer.draw.choice(MELDER))
    return writer, persons


def as_bytes(*what: Any, **how: Any) -> Any:
    return etree.tostring(*what, **how)


def written(document: Element) -> bytes:
    return as_bytes(document, encoding="UTF-8", xml_declaration=True)


def delivered(persons: list[Person], reported: str = "2020-01-01") -> bytes:
    return written(document(persons, reported, melder=MELDER))


def same(
    before: Built,
    after: Built,
    but: frozenset[str] = frozenset(),
    *,
    findings: bool = True,
    but_columns: tuple[str, ...] = (),
) -> None:
    """Nothing said about anybody else has changed.

    Args:
        before: the delivery.
        after: the changed one.
        but: patients that the change is about.
        findings: whether the rules that are broken are compared as well.
        but_columns: columns that may change.
    """
    old, new = _said(before, but_columns), after.said(but_columns)
    keys = {key for key in old.keys() | new.keys() if key[1] not in but}
    changed = {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}
    assert changed == {}
    if findings:
        kept = [
            {who: rules for who, rules in found.items() if who not in but}
            for found in (_findings(before), after.findings())
        ]
        assert kept[0] == kept[1]


@lru_cache(maxsize=1)
def _said(before: Built, but_columns: tuple[str, ...]) -> dict[tuple[str, str], list[str]]:
    """What is said before a change; many changed deliveries are compared with it."""
    return before.said(but_columns)


@lru_cache(maxsize=1)
def _findings(before: Built) -> dict[str, list[str]]:
    return before.findings()


def contradicted(built: Built) -> frozenset[str]:
    """Patients with a finding that two reports differ."""
    told = built.findings(notices=True)
    return frozenset(who for who, rules in told.items() if any(DIFFERS.search(rule) for rule in rules))


# --- the same values in another form ------------------------------------------------------------------


def shuffled_patients(persons: list[Person], draw: random.Random) -> bytes:
    return delivered(draw.sample(persons, len(persons)))


def shuffled_reports(persons: list[Person], draw: random.Random) -> bytes:
    mixed = [person.copy() for person in persons]
    for person in mixed:
        draw.shuffle(person.reports)
    return delivered(mixed)


def another_prefix(persons: list[Person], _: random.Random) -> bytes:
    text = delivered(persons).decode()
    text = re.sub(r"<(/?)([A-Za-z])", r"<\1reg:\2", text)
    return text.replace(f'xmlns="{NS}"', f'xmlns:reg="{NS}"').encode()


def blank_lines_and_comments(persons: list[Person], draw: random.Random) -> bytes:
    root = document(persons, melder=MELDER)
    for element in list(root.iter()):
        if len(element):
            element.text = draw.choice(("\n\n", "\t", "\r\n  ", None))
            for child in list(element):
                child.tail = draw.choice(("\n", "  \n\n", None))
                if draw.random() < 0.1:
                    child.addprevious(etree.Comment("von Hand"))
                if draw.random() < 0.1:
                    child.addprevious(etree.ProcessingInstruction("druck", "neue Seite"))
    return b"\n" + etree.tostring(root, encoding="UTF-8") + b"\n\n"


def other_attribute_order(persons: list[Person], _: random.Random) -> bytes:
    root = document(persons, melder=MELDER)
    for element in root.iter():
        attributes = dict(reversed(element.attrib.items()))
        element.attrib.clear()
        element.attrib.update(attributes)
    return as_bytes(root, encoding="UTF-8")


def other_encoding(persons: list[Person], _: random.Random) -> bytes:
    return as_bytes(document(persons, melder=MELDER), encoding="UTF-16")


def character_references(persons: list[Person], _: random.Random) -> bytes:
    text = delivered(persons).decode()
    return re.sub(r"(?<=>)(\w)", lambda m: f"&#x{ord(m[1]):x};", text).encode()


def other_schema_version(persons: list[Person], _: random.Random) -> bytes:
    return written(document(persons, version="3.0.3", melder=MELDER))


FORMS: tuple[Callable[[list[Person], random.Random], bytes], ...] = (
    shuffled_patients,
    shuffled_reports,
    another_prefix,
    blank_lines_and_comments,
    other_attribute_order,
    other_encoding,
    character_references,
    other_schema_version,
)


@pytest.fixture(params=[0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 2))])
def seed(request) -> int:
    return request.param


@pytest.mark.marathon
def test_hundreds_of_deliveries(folder):
    for seed in range(1000, 1100):
        for messy in (False, True):
            test_the_form_of_a_delivery_says_nothing(folder, seed, messy)
            test_files_may_be_cut_renamed_and_repeated(folder, seed, messy)
        test_a_newer_version_replaces_the_older_whole(folder, seed)
        test_another_patient_changes_nobody(folder, seed)
        test_another_tumour_changes_nothing_about_the_sarcoma(folder, seed)
        test_rows_may_stand_in_any_order_and_form(folder, seed)


@pytest.fixture
def folder(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("drop")


@pytest.mark.parametrize("messy", [pytest.param(False, marks=pytest.mark.slow), True], ids=["clean", "messy"])
def test_the_form_of_a_delivery_says_nothing(folder, seed, messy):
    _, persons = people(seed, messy=messy)
    original = document(persons, melder=MELDER)
    schema().validates(original)
    before = build(folder(), {"a.xml": written(original)})
    assert before["diagnosis"].height >= len(persons)
    draw = random.Random(seed)
    for form in FORMS:
        after = build(folder(), {"a.xml": form(persons, draw)})
        ordered = messy and form is shuffled_reports
        known = contradicted(before) & contradicted(after) if ordered else frozenset()
        try:
            same(before, after, known, findings=not ordered)
        except AssertionError as changed:
            raise AssertionError(form.__name__) from changed


# --- the same values in other files -------------------------------------------------------------------


@pytest.mark.parametrize("messy", [pytest.param(False, marks=pytest.mark.slow), True], ids=["clean", "messy"])
def test_files_may_be_cut_renamed_and_repeated(folder, seed, messy):
    _, persons = people(seed, messy=messy)
    draw = random.Random(seed)
    whole = delivered(persons)
    before = build(folder(), {"a.xml": whole})
    cut = len(persons) // 2
    halves = [delivered(persons[:cut]), delivered(persons[cut:])]
    parts: list[list[Person]] = [[], []]
    for person in persons:
        # The same patient in both files, each report in one of them.
        for part, keep in zip(parts, (True, False), strict=True):
            one = person.copy()
            one.reports = [r for n, r in enumerate(person.reports) if (n % 2 == 0) is keep]
            part.append(one)
    parts = [[one for one in part if one.reports] for part in parts]
    later = delivered([p for p in persons if draw.random() < 0.5] or persons, "2020-06-01")
    for name, files in {
        "halves": {"b.xml": halves[0], "a.xml": halves[1]},
        "reports apart": {"a.xml": delivered(parts[0]), "b.xml": delivered(parts[1])},
        "reports apart, the other way round": {"b.xml": delivered(parts[0]), "a.xml": delivered(parts[1])},
        "twice": {"a.xml": whole, "z.xml": whole},
        "twice, read first": {"0.xml": whole, "a.xml": whole},
        "some again, later": {"a.xml": whole, "b.xml": later},
        "some again, later, named before": {"a.xml": later, "b.xml": whole},
    }.items():
        after = build(folder(), files)
        apart = messy and name.startswith("reports apart")
        known = contradicted(before) & contradicted(after) if apart else frozenset()
        try:
            same(before, after, known, findings=not apart)
        except AssertionError as changed:
            raise AssertionError(name) from changed


def test_a_newer_version_replaces_the_older_whole(folder, seed):
    """Delivered after the old one or before it: as if only the newer one had been sent.

    On which day a report was told first does change: what the newer export repeats is not newer.
    """
    writer, persons = people(seed, messy=False)
    newer = [person.copy() for person in persons]
    for person in newer:
        place = writer.draw.randrange(len(person.reports))
        person.reports[place] = writer.version(person, place)
    expected = build(folder(), {"b.xml": delivered(newer, "2020-06-01")})
    old, new = delivered(persons), delivered(newer, "2020-06-01")
    orders = (
        {"a.xml": old, "b.xml": new},
        {"b.xml": old, "a.xml": new},
        {"0.xml": old, "a.xml": new, "z.xml": old},
    )
    for files in orders:
        after = build(folder(), files)
        same(expected, after, findings=False, but_columns=("told_date", "told_day"))


# --- what else is delivered ---------------------------------------------------------------------------


def test_another_patient_changes_nobody(folder, seed):
    writer, persons = people(seed, messy=True)
    before = build(folder(), {"a.xml": delivered(persons)})
    stranger = writer.person("900")
    but = frozenset({"number:900"})
    for name in ("0.xml", "b.xml"):
        same(before, build(folder(), {"a.xml": delivered(persons), name: delivered([stranger])}), but)
    same(before, build(folder(), {"a.xml": delivered([stranger, *persons])}), but)


def test_another_tumour_changes_nothing_about_the_sarcoma(folder, seed):
    """A skin cancer with operations, irradiation, drugs and relapses of its own is no part of its course."""
    writer, persons = people(seed, messy=False)
    before = build(folder(), {"a.xml": delivered(persons)})
    for person in persons:
        zero = next(tumour.on for _, tumour, _ in person.told)
        away = zero.replace(year=zero.year + 1, day=min(zero.day, 28))
        writer.disease(person, Tumour("9", "C44.3", "8090/3", away, "E"), away)
    after = build(folder(), {"a.xml": delivered(persons)})
    assert after["diagnosis"].height == before["diagnosis"].height + len(persons)
    old, new = before.said(), after.said()
    for (table, who), rows in old.items():
        if table in ("cohort.endpoints", "cohort.not_at_risk", "cohort.eligibility", "curated.patient"):
            # Who is treated for another tumour is alive: overall survival is censored later.
            assert _but_survival(new.get((table, who))) == _but_survival(rows), (table, who)
        elif table not in ("cohort.patients", "curated.vital_status"):
            # The other tumour's rows come on top.
            assert not (set(rows) - set(new[table, who])), (table, who)


def _but_survival(rows: list[str] | None) -> list[str] | None:
    return None if rows is None else [row for row in rows if not row.startswith("('OS'")]


# --- rows of tables and replies -----------------------------------------------------------------------

SOURCES = Sources.model_validate(
    {
        "source": [
            {"name": "obds", "kind": "obds", "files": ["*.xml"]},
            {
                "name": "office", "kind": "registry", "files": ["*.reply.csv"],
                "columns": {
                    "reference": "Az", "hospital_number": "Nr", "answer": "Auskunft", "event_date": "Tag",
                    "answered_on": "Stand",
                },
            },
            {
                "name": "sheet", "kind": "table", "format": "csv", "files": ["*.sheet.csv"], "key": ["Nr"],
                "delimiter": ";", "decimal": ",", "date_format": "%d.%m.%Y",
                "entities": [
                    {
                        "entity": "assessment",
                        "columns": {
                            "hospital_number": "Nr", "assessment_date": "Tag",
                            "local_status": {
                                "column": "lokal", "codes": {"frei": "no tumour", "LR": "relapse"},
                            },
                        },
                    },
                    {"entity": "diagnosis", "columns": {"hospital_number": "Nr", "tumour_size_cm": "cm"}},
                ],
            },
        ]
    }
)  # fmt: skip


def rows_of_tables(persons: list[Person], draw: random.Random) -> tuple[list[str], list[str]]:
    """Replies and table rows about the patients; some of them contradict each other."""
    replies, sheet = [], []
    for person in persons:
        day = f"{draw.randint(1, 28):02}.{draw.randint(1, 12):02}.{draw.randint(2019, 2020)}"
        answer = draw.choice(("lebt;", f"verstorben;{day}", f"verzogen;{day}"))
        replies.append(f"A{person.number};{person.number};{answer};01.03.2021")
        for _ in range(draw.randint(0, 2)):
            seen = f"{draw.randint(1, 28):02}.{draw.randint(1, 12):02}.2018"
            sheet.append(f"{person.number};{seen};{draw.choice(('frei', 'LR', ''))};{draw.randint(2, 20)},5")
    return replies, sheet


def written_rows(header: str, rows: list[str]) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


REPLY, SHEET = "Az;Nr;Auskunft;Tag;Stand", "Nr;Tag;lokal;cm"


def test_rows_may_stand_in_any_order_and_form(folder, seed):
    _, persons = people(seed, messy=False)
    draw = random.Random(seed)
    replies, sheet = rows_of_tables(persons, draw)
    export = delivered(persons)

    def told(office: bytes, table: bytes) -> Built:
        return build(folder(), {"a.xml": export, "b.reply.csv": office, "c.sheet.csv": table}, SOURCES)

    before = told(written_rows(REPLY, replies), written_rows(SHEET, sheet))
    assert before.made.typed["typed.vital_status"].filter(source="registry office").height == len(persons)
    assert before.made.typed["typed.assessment"].filter(source="table").height == len(sheet)
    backwards = [";".join(reversed(row.split(";"))) for row in replies]
    blank = [part for row in replies for part in (row, draw.choice(("", ";;;;")))]
    forms = {
        "rows": written_rows(REPLY, draw.sample(replies, len(replies))),
        "columns": written_rows(";".join(reversed(REPLY.split(";"))), backwards),
        "blank lines": written_rows(REPLY, blank),
        "quotes": written_rows(REPLY, ['"' + row.replace(";", '";"') + '"' for row in replies]),
        "line ends": written_rows(REPLY, replies).replace(b"\n", b"\r\n"),
        "byte order mark": b"\xef\xbb\xbf" + written_rows(REPLY, replies),
    }
    for name, office in forms.items():
        try:
            same(before, told(office, written_rows(SHEET, sheet)))
        except AssertionError as changed:
            raise AssertionError(name) from changed
    mixed = told(written_rows(REPLY, replies), written_rows(SHEET, draw.sample(sheet, len(sheet))))
    # Two rows of one patient with two sizes: the later one counts, and a finding says so.
    same(before, mixed, contradicted(before) & contradicted(mixed), findings=False)
