"""Decide which tumour numbers mean the same tumour.

A number means one tumour within one reporter (sender and Melder). Two numbers are one tumour if the rules
of IARC and ENCR (:mod:`schemas.iarc`) count them as one primary. A tumour that is coded as a metastasis,
or that follows a documented relapse of the same kind at the same site, is a relapse of the known tumour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from sarcoma_pipeline.curation import assignments_differ
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames
from schemas import iarc, sarcoma_codes, typed
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import EXAMINATIONS, Side, peers

TWO_NUMBERS = Rule(
    "diagnosis.tumour-under-two-ids",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The same tumour (site, histology group, no relapse in between) is reported under two numbers. It "
    "is taken as one tumour, and the earliest date of diagnosis counts.",
    remedy="Merge the two Tumor_IDs in the tumour documentation.",
    source="IARC/ENCR 2004; oBDS Tumor_ID",
    sides=peers(columns=("tumour_id", "diagnosis_date")),
)
NUMBER_REUSED = Rule(
    "diagnosis.number-of-two-tumours",
    "warning",
    on="typed.tumour_assignment",
    scope="source",
    what="Two reporters use the same Tumor_ID for tumours of different sites and dates; they are kept apart.",
    remedy="Compare the Tumorzuordnung of both reporters and correct the wrong site or date.",
    source="oBDS Tumor_ID: unique per patient and Melder",
    sides=peers("tumour_id", columns=("icd10_code", "diagnosis_date")),
)
RELAPSE_AS_TUMOUR = Rule(
    "diagnosis.relapse-as-tumour",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="A relapse or a metastasis (behaviour /6, C77 to C79, or a second report after a documented "
    "relapse) is reported as a new tumour. It is taken as a relapse of the known tumour.",
    remedy="In the tumour documentation, report it in a Verlauf with the known Tumor_ID, and delete the "
    "Diagnose.",
    source="IARC/ENCR 2004, rule 2: no new primary from recurrence or metastasis",
    sides=(
        Side("typed.diagnosis", ("diagnosis_date", "icd10_code", "icdo3_morphology")),
        EXAMINATIONS.at_times(),
    ),
)

DOUBLE_CODING_DAYS = 92
"""Two subsites, sides or a benign and a malignant code reported within three months are of one tumour."""

RECORDS = (
    typed.Diagnosis,
    typed.Surgery,
    typed.Radiotherapy,
    typed.SystemicTherapy,
    typed.Assessment,
    typed.Metastasis,
    typed.Toxicity,
)
"""Typed tables whose records belong to a tumour."""


KEY = ("patient_id", "reporter", "tumour_id")
"""A tumour number is unique within patient and reporter."""


@dataclass
class _Node:
    """A tumour number as used by one reporter."""

    patient: str
    reporter: str | None
    number: str | None
    site: str | None
    side: str | None
    morphology: str | None
    date: dt.date | None
    secondary: bool
    complete: bool
    record: str
    icd: str | None = None
    of: _Node | None = None
    relapse: bool = False
    notes: list[Rule] = field(default_factory=list)

    def root(self) -> _Node:
        return self if self.of is None else self.of.root()

    def order(self) -> tuple[bool, dt.date, bool, str, str]:
        return (self.date is None, self.date or dt.date.max, not self.complete, self.number or "",
                self.reporter or "")  # fmt: skip


def joined(told: Frames, assignments: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the tumour of each number.

    Args:
        told: the typed tables of :data:`RECORDS` with their reporters.
        assignments: ``typed.tumour_assignment``.

    Returns:
        One row per number: the columns of :data:`KEY`, ``tumour`` (its name) and ``of_relapse_report``
        (whether it is a relapse reported as a tumour); findings.
    """
    nodes = _nodes(told, assignments)
    relapses = _relapses(told)
    by_patient: dict[str, list[_Node]] = {}
    for node in nodes:
        by_patient.setdefault(node.patient, []).append(node)
    for patient, some in by_patient.items():
        if len(some) > 1:
            _join(some, relapses.get(patient, []))
    seen = [Observation.empty()]
    for rule, table, column in (
        (TWO_NUMBERS, typed.Diagnosis.table(), "tumour_id"),
        (NUMBER_REUSED, typed.TumourAssignment.table(), "icd10_code"),
        (RELAPSE_AS_TUMOUR, typed.Diagnosis.table(), "icdo3_morphology"),
    ):
        broken = [n for n in nodes if rule in n.notes]
        rows = pl.DataFrame(
            {"record_id": [n.record for n in broken], "value": [_shown(n, rule) for n in broken]},
            schema={"record_id": pl.String, "value": pl.String},
        )
        seen.append(observation(rows, rule, table, column, pl.col("value")))
    facts = pl.DataFrame(
        [(n.patient, n.reporter, n.number, n.icd or n.site, n.date) for n in nodes],
        schema={**dict.fromkeys((*KEY, "site"), pl.String), "date": pl.Date},
        orient="row",
    )
    seen.append(assignments_differ.observe(assignments, facts))
    return _named(by_patient), pl.concat(seen)


def _shown(node: _Node, rule: Rule) -> str | None:
    return node.number if rule is TWO_NUMBERS else " ".join(filter(None, (node.site, node.morphology)))


# --- numbers of tumours --------------------------------------------------------------------------------


def _nodes(told: Frames, assignments: pl.DataFrame) -> list[_Node]:
    """Return the tumour numbers, each with the facts of its best report."""
    reports = told[typed.Diagnosis.table()].filter(pl.col("origin") != "follow-up")
    rank = pl.when("complete").then(0).otherwise(1)
    said = pl.concat(
        [
            reports.select(
                *KEY, *NEWEST_LAST, "laterality", "icdo3_morphology", "icd10_code",
                site=pl.coalesce(["icdo3_topography", "icd10_code"]),
                date=pl.coalesce("diagnosis_date", _counted("diagnosis_day")),
                rank=rank, complete="complete",
            ),
            assignments.select(
                *KEY, *NEWEST_LAST, "laterality", "icdo3_morphology", "icd10_code",
                site=pl.col("icd10_code"), date="diagnosis_date", rank=pl.lit(2, dtype=pl.Int32),
                complete=pl.lit(False),
            ),
            *(_of_tables(told[c.table()]) for c in RECORDS[1:] if not told[c.table()].is_empty()),
        ],
        how="diagonal",
    )  # fmt: skip
    # A record without a tumour number is left out unless it documents the diagnosis.
    said = said.filter(pl.col("tumour_id").is_not_null() | (pl.col("rank") == 0))
    newest = [pl.col(c) for c in NEWEST_LAST]
    best = said.sort(*KEY, "rank", *newest, descending=[False] * 4 + [True] * len(newest), nulls_last=True)

    def first(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().first()

    morphology = pl.col("icdo3_morphology")
    by_worth = [
        sarcoma_codes.behaviour(morphology) != "3",
        sarcoma_codes.specificity(morphology),
        pl.col("rank"),
    ]
    facts = best.group_by(KEY, maintain_order=True).agg(
        site=first("site"),
        side=first("laterality"),
        date=first("date"),
        icd10_code=first("icd10_code"),
        complete=pl.col("complete").any(),
        record=pl.col("record_id").first(),
        morphology=morphology.sort_by(by_worth, nulls_last=True, maintain_order=True).drop_nulls().first(),
    )
    facts = facts.with_columns(secondary=iarc.is_secondary(pl.col("icd10_code"), pl.col("morphology")))
    return [
        _Node(
            r["patient_id"], r["reporter"], r["tumour_id"], r["site"], r["side"], r["morphology"], r["date"],
            r["secondary"], r["complete"], r["record"], r["icd10_code"],
        )
        for r in facts.iter_rows(named=True)
    ]  # fmt: skip


def _counted(day: str) -> pl.Expr:
    """Return a day counted by the source as a date that is used only for sorting.

    The curated tables get no invented date.
    """
    return pl.lit(dt.date(1900, 1, 1)) + pl.duration(days=pl.col(day))


def _of_tables(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("source") != "oBDS", pl.col("tumour_id").is_not_null()).select(
        *KEY, *NEWEST_LAST, rank=pl.lit(3, dtype=pl.Int32), complete=pl.lit(False)
    )


def _relapses(told: Frames) -> dict[str, list[tuple[str | None, str | None, dt.date]]]:
    """Return the documented relapses of each patient: reporter, number and day."""
    exams = told[typed.Assessment.table()]
    found = exams.filter(
        pl.any_horizontal(pl.col("overall_status", "local_status", "regional_status") == "relapse")
    ).select(*KEY, day="assessment_date")
    staged = told[typed.Diagnosis.table()].filter("of_relapse").select(*KEY, day="report_date")
    days: dict[str, list[tuple[str | None, str | None, dt.date]]] = {}
    for patient, *rest in pl.concat([found, staged]).drop_nulls("day").sort(*KEY, "day").iter_rows():
        days.setdefault(patient, []).append(tuple(rest))
    return days


# --- which numbers are one tumour ----------------------------------------------------------------------


def _join(nodes: list[_Node], relapses: Sequence[tuple[str | None, str | None, dt.date]]) -> None:
    """Join the numbers of one patient, the earliest first."""
    nodes.sort(key=_Node.order)
    for i, later in enumerate(nodes):
        for earlier in nodes[:i]:
            _join_same_number(earlier, later)
    roots = [n for n in nodes if n.of is None]
    primaries = [n for n in roots if not n.secondary]
    for i, later in enumerate(primaries):
        for earlier in primaries[:i]:
            if earlier.of is None and _one_primary(earlier, later):
                later.of = earlier
                later.relapse = _relapsed_between(earlier, later, nodes, relapses)
                later.notes.append(RELAPSE_AS_TUMOUR if later.relapse else TWO_NUMBERS)
                break
    for secondary in (n for n in roots if n.secondary):
        known = _known_tumour(secondary, [p for p in primaries if p.of is None])
        if known is not None:
            secondary.of, secondary.relapse = known, True
            secondary.notes.append(RELAPSE_AS_TUMOUR)


def _join_same_number(earlier: _Node, later: _Node) -> None:
    if earlier.number != later.number or later.of is not None:
        return
    alike = _same_organ(earlier, later) or (earlier.date == later.date and later.date is not None)
    if alike or None in (earlier.site, later.site):
        later.of = earlier.root()
    else:
        later.notes.append(NUMBER_REUSED)


def _one_primary(one: _Node, other: _Node) -> bool:
    """Return whether two numbers mean one tumour."""
    if None in (one.site, other.site) or not _same_organ(one, other) or not _same_histology(one, other):
        return False
    if one.date and other.date and abs((other.date - one.date).days) > DOUBLE_CODING_DAYS:
        return not _elsewhere(one, other) and _benign(one) == _benign(other)
    return True


def _benign(node: _Node) -> bool:
    """Return whether a tumour is benign: it is no early report of a malignant one of its group."""
    return (node.morphology or "")[4:] == "/0"


def _same_organ(one: _Node, other: _Node) -> bool:
    a, b = (iarc.organ(pl.lit(n.site, dtype=pl.String)) for n in (one, other))
    return _judge(a == b)


def _same_histology(one: _Node, other: _Node) -> bool:
    a, b = (pl.lit(n.morphology, dtype=pl.String) for n in (one, other))
    return _judge(iarc.same_histology(a, b))


def _judge(expression: pl.Expr) -> bool:
    return bool(pl.select(expression).item())


def _elsewhere(one: _Node, other: _Node) -> bool:
    """Return whether the two are at specified, different subsites of one organ, or on opposite sides."""
    sub = [(n.site or "")[3:5] for n in (one, other)]
    vague = any(s in ("", ".8", ".9") for s in sub)
    return (sub[0] != sub[1] and not vague) or {one.side, other.side} == {"left", "right"}


def _relapsed_between(
    earlier: _Node, later: _Node, nodes: Sequence[_Node],
    relapses: Sequence[tuple[str | None, str | None, dt.date]],
) -> bool:  # fmt: skip
    """Return whether a relapse of the earlier tumour is documented up to the day of the later report."""
    if earlier.date is None or later.date is None:
        return False
    own = {(n.reporter, n.number) for n in nodes if n.root() is earlier.root()}
    return any(
        (reporter, number) in own and earlier.date < day <= later.date for reporter, number, day in relapses
    )


def _known_tumour(secondary: _Node, primaries: Sequence[_Node]) -> _Node | None:
    """Return the tumour of a metastasis: the last one before it with the same histology."""
    like = [p for p in primaries if _same_histology(p, secondary)]
    if not like:
        return None
    specific = [p for p in like if p.morphology and secondary.morphology]
    like = specific or like
    before = [p for p in like if p.date and secondary.date and p.date <= secondary.date]
    return before[-1] if before else like[0]


def _named(by_patient: dict[str, list[_Node]]) -> pl.DataFrame:
    """Return the tumour of each reported number; it is named by the number of its earliest report."""
    rows = []
    for patient, nodes in by_patient.items():
        taken: dict[str, _Node] = {}
        for node in sorted(nodes, key=_Node.order):
            root = node.root()
            name = root.number
            if name is not None and taken.setdefault(name, root) is not root:
                name = f"{name} ({root.reporter})"
                taken.setdefault(name, root)
            rows.append((patient, node.reporter, node.number, name, node.relapse or root.relapse))
    return pl.DataFrame(
        rows,
        schema={**dict.fromkeys((*KEY, "tumour"), pl.String), "of_relapse_report": pl.Boolean},
        orient="row",
    )
