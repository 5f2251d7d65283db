"""Every worked example of docs/radiotherapy.md, as files and reports: situation, rule, result.

``pytest -s`` prints the table that stands in the page; a test keeps the two alike.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Records
from tests.curation.clinic import Clinic, Situation, clinic_of
from tests.curation.conftest import Case, findings
from tests.curation.rt_files import (
    ION_PLAN,
    ION_RECORD,
    Field,
    days,
    electrons,
    hdr,
    level,
    plan,
    record,
    records,
)

PAGE = Path(__file__).parents[2] / "docs/radiotherapy.md"


class Expected(NamedTuple):
    """One course as a careful reader would have it."""

    prescribed: float | None
    fractions: int | None
    delivered: float | None
    rule: str
    finding: str | None = None


def _other(single: float = 2.0, meterset: float = 310.0, **more: Any) -> list[Field]:
    """Beams of another optimisation: the same dose, other monitor units."""
    return [Field(single / 2, meterset, **more), Field(single / 2, meterset, turns="CC", **more)]


def _full_replan(case: Case) -> None:
    case.course()
    case.files(plan("1.1"), plan("1.2", date="20150312", beams=_other(), relations=[("1.1", "PREDECESSOR")]))


def _full_replan_with_records(case: Case) -> None:
    _full_replan(case)
    case.files(records("1.1", "20150302", 8), records("1.2", "20150312", 17, start=9))


def _rest_linked(case: Case) -> None:
    case.files(
        plan("1.1"),
        plan("1.2", 34, 17, date="20150312", beams=_other(), relations=[("1.1", "PREDECESSOR")]),
    )


def _rest_unlinked(case: Case) -> None:
    case.files(plan("1.1"), plan("1.2", 34, 17, date="20150312", beams=_other()))


def _boost(case: Case) -> None:
    case.course(66, 2, end="2015-04-15")
    case.files(
        plan("1.1"), plan("1.2", 16, 8, date="20150401", label="BOOST", references=[level(16, "PTV boost")]),
        records("1.1", "20150302", 25), records("1.2", "20150406", 8),
    )  # fmt: skip


def _integrated_boost(case: Case) -> None:
    case.course(60, 2.4, Boost="SIB")
    case.files(plan("1.1", 60, references=[level(50, "PTV50"), level(60, "PTV60")]))


def _two_techniques(case: Case) -> None:
    case.course()
    fixed = [Field(2.0, kind="STATIC", turns="NONE", shapes=[(-20, 20), (-20, 20)])]
    case.files(plan("1.1", 10, 5, beams=fixed), plan("1.2", 40, 20, date="20150309"))


def _two_sites(case: Case) -> None:
    case.course()
    case.files(plan("1.1", label="OBERSCHENKEL"), plan("1.2", label="LEISTE", isocentre=(0.0, 0.0, 300.0)))


def _quality_assurance(case: Case) -> None:
    case.course()
    case.files(plan("1.1"), plan("1.2", 2, 1, intent="VERIFICATION", relations=[("1.1", "VERIFIED_PLAN")]))


def _copy(case: Case) -> None:
    case.course()
    case.files(plan("1.1"), plan("1.2", date="20150224"))


def _daily(case: Case) -> None:
    case.course()
    for number, day in enumerate(days("20150302", 25), start=1):
        uid = f"1.{number}"
        case.files(plan(uid, date=f"{day:%Y%m%d}", beams=_other(meterset=300 + number)))
        case.files(record(uid, day, number))


def _four_years_later(case: Case) -> None:
    case.course()
    case.files(plan("1.1"), plan("1.2", 30, 10, date="20190305", label="LUNGE", intent="PALLIATIVE"))


def _aborted(case: Case) -> None:
    case.course(30, 2, end="2015-03-20", Ende_Grund="A")
    case.files(plan("1.1"), records("1.1", "20150302", 15))


def _dose_changes(case: Case) -> None:
    case.files(
        plan("1.1"), plan("1.2", 33, 15, date="20150313", beams=_other(2.2)),
        records("1.1", "20150302", 10), records("1.2", "20150316", 15, start=11),
    )  # fmt: skip


def _brachytherapy(case: Case) -> None:
    case.course(Stellung_OP="A", start="2015-07-01", end="2015-08-04")
    case.files(plan("1.1", date="20150620"), hdr("1.2", 15, 5, date="20150601"))


def _protons(case: Case) -> None:
    case.course(Strahlenart="PN")
    beams = [Field(2.0, kind="STATIC", radiation="PROTON", energy=150, turns="NONE", shapes=None)]
    case.files(
        plan("1.1", beams=beams, sop_class=ION_PLAN),
        records("1.1", "20150302", 25, sop_class=ION_RECORD),
    )


def _two_courses(case: Case) -> None:
    case.files(plan("1.1"), plan("1.2", 16, 8, date="20150610", label="BOOST"))


def _electrons(case: Case) -> None:
    case.course()
    case.files(plan("1.1", date="20150225"), electrons("1.2", 12, 1, label="IOERT"))


EXAMPLES: dict[str, tuple[Callable[[Case], None], list[Expected]]] = {
    "full replan, linked": (_full_replan, [Expected(50, 25, None, "D3")]),
    "full replan with records 8 + 17": (_full_replan_with_records, [Expected(50, 25, 50, "D2")]),
    "replan for the rest (34/17), linked": (
        _rest_linked, [Expected(50, 25, None, "D4", "plan.without-course")],
    ),
    "replan for the rest, unlinked and undocumented": (
        _rest_unlinked, [Expected(None, None, None, "D10", "course.undecided")],
    ),
    "50 + boost of 16 with records": (_boost, [Expected(66, 33, 66, "D6")]),
    "integrated boost 50 / 60": (_integrated_boost, [Expected(60, 25, None, "D0")]),
    "3D 10/5, then VMAT 40/20, documented 50": (_two_techniques, [Expected(50, 25, None, "D6")]),
    "thigh and groin": (_two_sites, [Expected(50, 25, None, "D7", "course.parallel-sites")]),
    "quality assurance plan beside": (_quality_assurance, [Expected(50, 25, None, "D0")]),
    "re-approved copy": (_copy, [Expected(50, 25, None, "D0", "plan.copy")]),
    "25 daily adaptive plans": (_daily, [Expected(50, 25, 50, "D2")]),
    "second course four years later": (
        _four_years_later,
        [Expected(50, 25, None, "D0"), Expected(30, 10, None, "D0", "plan.outside-courses")],
    ),
    "aborted after 15 of 25": (_aborted, [Expected(50, 25, 30, "D0", "course.delivered-less")]),
    "records change from 2.0 to 2.2 Gy": (
        _dose_changes, [Expected(None, None, None, "D10", "course.undecided")],
    ),
    "HDR after R1, then 50 Gy": (_brachytherapy, [Expected(50, 25, None, "D0 D9")]),
    "protons": (_protons, [Expected(50, 25, 50, "D0")]),
    "preoperative 50, surgery, boost 16": (
        _two_courses,
        [Expected(50, 25, None, "D0", "plan.without-course"), Expected(16, 8, None, "D0")],
    ),
    "intraoperative electrons beside 50 Gy": (_electrons, [Expected(50, 25, None, "D0 D9")]),
}  # fmt: skip
"""Situation to how it is delivered, and the courses of a careful reader."""


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def line(situation: str, expected: list[Expected]) -> str:
    """One line of the table."""
    doses = " and ".join(f"{_number(e.prescribed)} / {_number(e.delivered)}" for e in expected)
    found = ", ".join(f"`{e.finding}`" for e in expected if e.finding) or "–"
    rules = ", ".join(dict.fromkeys(e.rule for e in expected))
    return f"| {situation} | {rules} | {doses} | {found} |"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """A patient of every example, curated together."""
    told = {name: Situation(deliver, []) for name, (deliver, _) in EXAMPLES.items()}
    return clinic_of(tmp_path_factory.mktemp("clinic"), told)


@pytest.mark.parametrize("situation", EXAMPLES)
def test_worked_example(situation: str, clinic: Clinic) -> None:
    _, expected = EXAMPLES[situation]
    outcome = clinic.of(situation)
    columns = ("prescribed_dose_gy", "fractions", "delivered_dose_gy", "rule")
    frame = outcome["radiotherapy_course"].sort("prescribed_dose_gy", descending=True, nulls_last=True)
    got = [
        (dose, n, None if given is None else round(given, 6), rule)
        for dose, n, given, rule in frame.select(columns).rows()
    ]
    print(line(situation, expected), got)
    assert got == [(e.prescribed, e.fractions, e.delivered, e.rule) for e in expected]
    wanted = {e.finding for e in expected if e.finding}
    assert wanted <= findings(outcome)
    if not wanted:
        assert not {f for f in findings(outcome) if f.startswith(("course.", "plan.", "records."))}


def test_protons_are_given_in_gy_rbe(clinic: Clinic) -> None:
    row = clinic.of("protons")["radiotherapy_course"].row(0, named=True)
    assert (row["dose_unit"], row["radiation"], row["technique"]) == ("Gy(RBE)", "protons", "proton")
    assert row["beam_energy_mv"] is None


def test_brachytherapy_and_intraoperative_electrons_are_phases_of_their_own(clinic: Clinic) -> None:
    outcome = clinic.of("HDR after R1, then 50 Gy")
    phases = outcome["radiotherapy_phase"].select("kind", "prescribed_dose_gy", "rule").rows()
    assert phases == [("external beam", 50.0, "D0"), ("brachytherapy", 15.0, "D9")]
    row = outcome["radiotherapy_course"].row(0, named=True)
    assert (row["technique"], row["radiation"], row["kind"]) == ("VMAT", "photons", "external beam")


def test_the_page_holds_the_table() -> None:
    page = PAGE.read_text("utf-8")
    for situation, (_, expected) in EXAMPLES.items():
        assert line(situation, expected) in page, situation


@pytest.mark.slow
def test_the_order_of_the_files_changes_nothing(tmp_path: Path) -> None:
    for situation, (deliver, expected) in EXAMPLES.items():
        case = Case(Records(), tmp_path).patient()
        deliver(case)
        for table, frame in case.records.frames.items():
            case.records.frames[table] = frame.reverse()
        rows = case.run()["radiotherapy_course"].select("prescribed_dose_gy", "fractions").rows()
        assert sorted(rows, key=str) == sorted([(e.prescribed, e.fractions) for e in expected], key=str), (
            situation
        )
