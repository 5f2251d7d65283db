"""Draw patients for a chart review, and state the released values that the charts are compared with.

The sample is stratified by centre, sources and outcome, each stratum in proportion to its size. Within a
stratum, patients are ordered by a hash of seed and pseudonym: the same release and seed give the same sample,
whatever the order of rows.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from schemas.language import marked
from schemas.vocabularies import DISTANT_RELAPSE, LOCAL_RELAPSE, RELAPSES, VOCABULARIES

Kind = Literal["code", "number", "date", "text"]


@dataclass(frozen=True)
class Variable:
    """One value that is abstracted from the chart.

    Attributes:
        name: its name; for most, the column of ``cohort.patients``.
        title: what to look up.
        kind: how values are compared.
        codes: allowed words of a code.
        tolerance: largest difference of equal numbers.
        event: whether "none" is a value: the event did not happen.
    """

    name: str
    title: str
    kind: Kind
    codes: tuple[str, ...] = ()
    tolerance: float = 0.0
    event: bool = False


def _coded(name: str, title: str, vocabulary: str = "") -> Variable:
    return Variable(name, title, "code", VOCABULARIES[vocabulary or name])


VARIABLES = (
    _coded("sex", marked("Sex")),
    Variable("diagnosis_date", marked("Date of the first pathological diagnosis (biopsy)"), "date"),
    Variable("icdo3_morphology", marked("Morphology, ICD-O-3 (8802/3)"), "text"),
    Variable("icd10_site", marked("Site, ICD-10 (C49.2)"), "text"),
    _coded("t_stage", marked("T category at diagnosis")),
    _coded("n_stage", marked("N category at diagnosis")),
    _coded("fnclcc_grade", marked("FNCLCC grade at diagnosis")),
    Variable("tumour_size_cm", marked("Largest diameter at diagnosis, cm"), "number", tolerance=0.05),
    _coded("tumour_depth", marked("Depth")),
    Variable("resected", marked("Definitive resection of the primary"), "code", ("yes", "no")),
    _coded("residual_status", marked("Residual status of the definitive resection")),
    _coded("radiation_sequence", marked("Radiotherapy in relation to surgery")),
    Variable("dose_gy", marked("Total dose, Gy"), "number", tolerance=0.05),
    Variable("fractions", marked("Fractions"), "number"),
    _coded("technique", marked("Technique")),
    _coded("chemotherapy", marked("Chemotherapy for the primary"), "yes_no_unknown"),
    Variable("local_relapse_date", marked("Date of the first local relapse, or none"), "date", event=True),
    Variable(
        "distant_relapse_date", marked("Date of the first distant relapse, or none"), "date", event=True
    ),
    Variable("death_date", marked("Date of death, or none"), "date", event=True),
)
"""Variables of the sheet, in its order."""

_DATED = {
    "local_relapse_date": LOCAL_RELAPSE, "distant_relapse_date": DISTANT_RELAPSE, "death_date": "death"
}  # fmt: skip


def strata(patients: pl.DataFrame, events: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    """Return the stratum of each patient: the centre, the sources of their records, and the outcome.

    Args:
        patients: ``cohort.patients``; without ``centre``, the study has one drop folder.
        events: ``cohort.events``.
        sources: ``pseudonym`` and ``source``, a row for each source of a patient.
    """
    named = (
        sources.select("pseudonym", "source")
        .unique()
        .sort("pseudonym", "source")
        .group_by("pseudonym", maintain_order=True)
    )
    kinds = events.group_by("pseudonym").agg(
        _dead=(pl.col("kind") == "death").any(), _relapsed=pl.col("kind").is_in(RELAPSES).any()
    )
    outcome = (
        pl.when("_dead")
        .then(pl.lit("died"))
        .when("_relapsed")
        .then(pl.lit("relapse"))
        .otherwise(pl.lit("neither"))
    )
    centre = pl.format("{}; ", "centre").fill_null("")
    return (
        patients.select("pseudonym", _centre=centre if "centre" in patients.columns else pl.lit(""))
        .join(named.agg(_sources=pl.col("source").str.join(" + ")), on="pseudonym", how="left")
        .join(kinds, on="pseudonym", how="left")
        .select(
            "pseudonym",
            stratum=pl.format("{}{}; {}", "_centre", pl.col("_sources").fill_null("no source"), outcome),
        )
        .sort("pseudonym")
    )


def shares(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """Return how many patients each stratum gives: in proportion to its size, by largest remainders.

    Args:
        sizes: stratum to its number of patients.
        n: patients of the sample; all patients if there are fewer.
    """
    whole = sum(sizes.values())
    n = min(n, whole)
    exact = {name: divmod(n * size, whole) for name, size in sizes.items()}
    given = {name: full for name, (full, _) in exact.items()}
    order = sorted(exact, key=lambda name: (-exact[name][1], name))
    for name in order[: n - sum(given.values())]:
        given[name] += 1
    return given


def draw(stratified: pl.DataFrame, n: int, seed: int) -> pl.DataFrame:
    """Return the drawn patients: ``pseudonym`` and ``stratum``, in an order that tells nothing.

    Args:
        stratified: the result of :func:`strata`.
        n: patients to draw.
        seed: any number; the same seed draws the same patients of the same cohort.
    """
    sizes = dict(stratified.group_by("stratum").len().iter_rows())
    if not sizes:
        return stratified
    ordered = stratified.with_columns(
        _order=pl.Series([_ticket(seed, p) for p in stratified["pseudonym"]], dtype=pl.String)
    ).sort("_order", "pseudonym")
    wanted = shares(sizes, n)
    drawn = [ordered.filter(pl.col("stratum") == name).head(k) for name, k in sorted(wanted.items())]
    return pl.concat(drawn).sort("_order", "pseudonym").drop("_order")


def _ticket(seed: int, pseudonym: str) -> str:
    return hashlib.blake2b(f"{seed}\x1f{pseudonym}".encode(), digest_size=16).hexdigest()


def truth(
    drawn: pl.DataFrame, patients: pl.DataFrame, events: pl.DataFrame, zero: pl.DataFrame
) -> pl.DataFrame:
    """Return the released values of the drawn patients, as text: ``pseudonym``, ``variable``, ``value``.

    Args:
        drawn: the result of :func:`draw`.
        patients: ``cohort.patients``.
        events: ``cohort.events``, in days since the diagnosis.
        zero: ``pseudonym`` and ``diagnosis_date`` from the warehouse: a release has no dates.
    """
    wide = drawn.select("pseudonym").join(patients, on="pseudonym", how="left", maintain_order="left")
    day_zero = dict(zero.select("pseudonym", "diagnosis_date").iter_rows())
    first = {
        (name, kind): day
        for name, kind, day in events.group_by("pseudonym", "kind").agg(pl.col("day").min()).iter_rows()
    }
    rows = []
    for row in wide.iter_rows(named=True):
        began = day_zero.get(row["pseudonym"])
        for variable in VARIABLES:
            if variable.name == "diagnosis_date":
                value = began
            elif variable.name in _DATED:
                day = first.get((row["pseudonym"], _DATED[variable.name]))
                value = None if day is None or began is None else began + dt.timedelta(days=int(day))
            else:
                value = row.get(variable.name)
            rows.append((row["pseudonym"], variable.name, _text(value)))
    schema = {name: pl.String() for name in ("pseudonym", "variable", "value")}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)
