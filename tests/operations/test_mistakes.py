"""What people get wrong in a first study, and what they see: none becomes a number without a word.

Each case is a mistake in a sound study of twelve patients; the rule is one that `sarcoma check` then names.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import xlsxwriter

from tests.operations.conftest import SEX, STAND, STATUS, STUDY, Place, entity, source

SOURCES = "\n".join([
    source(
        "sheet", '"t.csv", "t.xlsx"', "Pat",
        entity("person", "Pat", 'birth_date = "Geb"', SEX),
        entity(
            "diagnosis", "Pat", 'diagnosis_date = "ED"', 'tumour_size_cm = { column = "Größe", scale = 1.0 }'
        ),
        more='decimal = ","\n',
    ),
    source("follow-up", '"f.csv"', "Nr", entity("vital_status", "Nr", STATUS, STAND)),
])  # fmt: skip

HEAD = ["Pat", "Geb", "Geschlecht", "ED", "Größe"]
PATIENTS = [
    [f"0{n}", f"{n}.05.19{n}", "mw"[n % 2], f"{n + 3}.02.2015", f"{n % 9 + 1},5"] for n in range(13, 25)
]
FOLLOW_HEAD = ["Nr", "Status", "Stand"]
FOLLOW = [[f"0{n}", "tot" if n % 3 else "lebt", f"{n}.06.20{17 + n % 3}"] for n in range(13, 25)]


def _lines(head: list[str], rows: list[list[str]], above: tuple[str, ...] = ()) -> str:
    return "\n".join([*above, *(";".join(row) for row in [head, *rows])]) + "\n"


@dataclass
class Delivery:
    """The two tables and the configuration."""

    head: list[str]
    rows: list[list[str]]
    follow_head: list[str]
    follow: list[list[str]]
    sources: str = SOURCES
    above: tuple[str, ...] = ()
    text: str | None = None

    def column(self, name: str, change: Callable[[str], str]) -> "Delivery":
        for head, rows in ((self.head, self.rows), (self.follow_head, self.follow)):
            if name in head:
                for row in rows:
                    row[head.index(name)] = change(row[head.index(name)])
        return self

    def map(self, old: str, new: str) -> "Delivery":
        assert old in self.sources
        self.sources = self.sources.replace(old, new)
        return self

    def put(self, place: Place) -> None:
        place.write(study=STUDY, sources=self.sources)
        (place.drop / "t.csv").write_text(self.text or _lines(self.head, self.rows, self.above))
        (place.drop / "f.csv").write_text(_lines(self.follow_head, self.follow))


def _delivery() -> Delivery:
    return Delivery(list(HEAD), [list(r) for r in PATIENTS], list(FOLLOW_HEAD), [list(r) for r in FOLLOW])


def _with(**changes) -> Callable[[Delivery], Delivery]:
    def change(delivery: Delivery) -> Delivery:
        for name, value in changes.items():
            setattr(delivery, name, value)
        return delivery

    return change


def _row(delivery: Delivery, number: int, name: str, value: str) -> Delivery:
    of_patients = name in delivery.head
    head = delivery.head if of_patients else delivery.follow_head
    rows = delivery.rows if of_patients else delivery.follow
    rows[number][head.index(name)] = value
    return delivery


MISTAKES: dict[str, tuple[Callable[[Delivery], Delivery], str]] = {
    "the birth is mapped as the diagnosis": (
        lambda d: d.map('diagnosis_date = "ED"', 'diagnosis_date = "Geb"'), "diagnosis.on-birth"),
    "month and day are swapped in the format": (
        lambda d: d.map('key = ["Nr"]\ndate_format = "%d.%m.%Y"', 'key = ["Nr"]\ndate_format = "%m.%d.%Y"'),
        "value.date-unreadable"),
    "sexes are coded 1 and 2": (
        lambda d: d.column("Geschlecht", lambda c: {"m": "1", "w": "2"}[c]), "value.code-unknown"),
    "the status has a word without a code": (
        lambda d: d.column("Status", lambda c: {"tot": "verstorben"}.get(c, c)), "value.code-unknown"),
    "decimal commas are read as dots": (
        lambda d: d.map('decimal = ","', 'decimal = "."'), "value.number-unreadable"),
    "decimal dots are read as commas": (
        lambda d: d.column("Größe", lambda c: c.replace(",", ".")), "value.number-unreadable"),
    "the header stands in row 4": (_with(above=("Sarkomregister", "Stand 2021", "")), "file.column-missing"),
    "a row of totals": (
        lambda d: (d.rows.append(["Summe", "", "", "", "60"]), d)[1], "file.totals-row"),
    "a row of units": (
        lambda d: (d.rows.insert(0, ["-", "TT.MM.JJJJ", "m/w", "TT.MM.JJJJ", "cm"]), d)[1],
        "value.date-unreadable"),
    "a merged header": (lambda d: (d.head.__setitem__(3, ""), d)[1], "file.column-missing"),
    "a header that appears twice": (lambda d: (d.head.__setitem__(4, "ED"), d)[1], "file.column-twice"),
    "a header that was renamed": (lambda d: (d.head.__setitem__(4, "Tumor"), d)[1], "file.column-missing"),
    "ids that became floats": (
        lambda d: d.column("Nr", lambda c: f"{int(c)}.0"), "identity.number-differs-in-form"),
    "ids that lost their zeros": (
        lambda d: d.column("Nr", lambda c: str(int(c))), "identity.number-differs-in-form"),
    "another list of patients": (lambda d: d.column("Nr", lambda c: f"9{c}"), "identity.no-patient"),
    "the wrong delimiter": (lambda d: d.map('delimiter = ";"\nfiles = ["t', 'delimiter = ","\nfiles = ["t'),
                            "file.column-missing"),
    "years of two digits": (lambda d: d.column("ED", lambda c: f"{c[:-4]}15"), "value.date-unreadable"),
    "an unclosed quotation mark": (lambda d: _row(d, 2, "Größe", '"4,5'), "file.quote-unclosed"),
    "a spreadsheet's error": (lambda d: _row(d, 2, "ED", "#REF!"), "value.date-unreadable"),
    "a death without its date": (lambda d: _row(d, 1, "Stand", ""), "vital-status.death-date-unknown"),
    "a death before the diagnosis": (lambda d: _row(d, 1, "Stand", "14.06.2012"), "death.before-diagnosis"),
    "a day in the future": (lambda d: _row(d, 1, "Stand", "14.06.2091"), "date.in-future"),
    "a patient twice": (lambda d: (d.rows.append(list(d.rows[0])), d)[1], "check.key-repeated"),
    "a comment in a cell": (lambda d: _row(d, 0, "Größe", "5,5 (MRT)"), "value.number-unreadable"),
    "the last contact is the diagnosis": (
        lambda d: _same_day(d), "check.never-published"),
}  # fmt: skip


def _same_day(delivery: Delivery) -> Delivery:
    days = {row[0]: row[3] for row in delivery.rows}
    for row in delivery.follow:
        row[2] = days[row[0]]
    return delivery


def seen(place: Place, change: Callable[[Delivery], Delivery]) -> list[tuple[str, str, str]]:
    """Return severity, rule and words of what the check names, notices left out."""
    change(_delivery()).put(place)
    return [
        (n["severity"], n["rule"], n["what"]) for n in place.check()["notices"] if n["severity"] != "notice"
    ]


def test_without_a_mistake_nothing_is_named(place):
    assert seen(place, lambda d: d) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(place, mistake):
    change, rule = MISTAKES[mistake]
    assert rule in {found for _, found, _ in seen(place, change)}


def test_the_birth_is_mapped_as_the_size(place):
    """No file is needed to see it: one column cannot hold a date and a number."""
    _delivery().map('column = "Größe"', 'column = "Geb"').put(place)
    told = place.check()
    (fault,) = told["configuration"]
    assert told["exit"] == 2 and fault["file"] == "sources.toml" and '"Geb"' in fault["message"]


def test_the_wrong_sheet(place):
    delivery = _delivery()
    delivery.put(place.write())
    (place.drop / "t.csv").unlink()
    with xlsxwriter.Workbook(place.drop / "t.xlsx") as workbook:
        workbook.add_worksheet("Notizen").write(0, 0, "not this one")
        sheet = workbook.add_worksheet("Patienten")
        for number, row in enumerate([HEAD, *PATIENTS]):
            sheet.write_row(number, 0, row)
    sources = SOURCES.replace(
        'format = "csv"\ndelimiter = ";"\nfiles = ["t', 'format = "xlsx"\nfiles = ["t', 1
    )
    (place.folder / "sources.toml").write_text(sources)
    assert {"file.column-missing", "check.sheet-unread"} <= place.rules()


@pytest.mark.parametrize(
    ("header", "key", "says"),
    [
        ("Größe (mm)", 'tumour_size_cm = "Größe (mm)"', 'scale = 0.1'),
        ("Zeit (Monate)", 'diagnosis_day = "Zeit (Monate)"', "scale = 30.4375"),
        ("survival_years", 'diagnosis_day = "survival_years"', "scale = 365.25"),
    ],
)  # fmt: skip
def test_a_unit_in_the_header_that_nothing_converts_is_refused(place, header, key, says):
    sources = SOURCES.replace('tumour_size_cm = { column = "Größe", scale = 1.0 }', key)
    place.write(sources=sources)
    told = place.check()
    assert told["exit"] == 2 and says in told["configuration"][0]["message"]
    place.write(sources=sources.replace(f'"{header}"', f'{{ column = "{header}", scale = 1.0 }}'))
    assert place.check()["exit"] != 2
