"""Observe oBDS reports whose elements contradict each other where one of them decides a result."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from sarcoma_pipeline.curation.obds_nested import entries
from sarcoma_pipeline.curation.target_regions import is_site
from schemas import vocabularies as v
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule

RESIDUAL_OVERALL = Rule(
    "surgery.overall-residual-better",
    "warning",
    on="typed.surgery",
    what="The residual status of all tumour is better than the local one, which is a part of it. The local "
    "one counts.",
    remedy="In the tumour documentation, compare Lokale_Beurteilung_Residualstatus and "
    "Gesamtbeurteilung_Residualstatus with the pathology report. Correct the wrong one.",
    source="oBDS 3.0.4 OP_Typ, Residualstatus",
    alone="both are in the record itself",
)
SUBSTANCES = Rule(
    "systemic-therapy.substances-against-kind",
    "warning",
    on="typed.systemic_therapy",
    what="Substances are documented, and Therapieart says that nothing is given (AS, WS, WW); or a substance "
    "is a cytostatic (ATC L01A to L01D), and Therapieart names no chemotherapy. Therapieart counts.",
    remedy="In the tumour documentation, compare Therapieart and Menge_Substanz with the letter. Correct the "
    "wrong one.",
    source="oBDS 3.0.4 SYST_Typ; ATC L01",
    alone="both are in the record itself",
)
CAUSE = Rule(
    "vital-status.cause-against-flag",
    "warning",
    on="typed.vital_status",
    what="The tumour is among the causes of death, and Tod_tumorbedingt says that the death is not related "
    "to it. Tod_tumorbedingt counts.",
    remedy="In the tumour documentation, compare Tod_tumorbedingt and Menge_Todesursachen with the death "
    "certificate. Correct the wrong one.",
    source="oBDS 3.0.4 Tod_Typ",
    alone="both are in the record itself",
)

OTHER_SIDE = Rule(
    "radiotherapy.side-against-tumour",
    "warning",
    on="typed.radiotherapy",
    what="A curative irradiation of the tumour's region is documented for the side opposite to the tumour's. "
    "It counts as one of the tumour.",
    remedy="In the tumour documentation, compare Seite_Zielgebiet and Seitenlokalisation with the plan. "
    "Correct the wrong one.",
    source="oBDS 3.0.4 Seite_Zielgebiet_Typ, Seitenlokalisation_Typ",
    alone="both sides are in the record itself",
)

_RANK = {code: int(status[1]) for code, status in v.OBDS_RESIDUAL.items() if status != "RX"}
_CHEMOTHERAPY = list(v.OBDS_SYSTEMIC_COMPONENTS["chemotherapy"])
_CYTOSTATIC = r"^L01[A-D]"


def contradictions(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return the records of a received table whose elements contradict each other.

    Args:
        frame: records of the table.
        table: its name.
    """
    if table not in _OF_TABLE:
        return Observation.empty()
    rule, column, shown, at_fault = _OF_TABLE[table]
    return observation(at_fault(frame), rule, table, column, shown)


def _better_overall(frame: pl.DataFrame) -> pl.DataFrame:
    local, overall = (
        pl.col(f"{part}_Residualstatus")
        .str.strip_chars()
        .replace_strict(_RANK, default=None, return_dtype=pl.Int32)
        for part in ("Lokale_Beurteilung", "Gesamtbeurteilung")
    )
    return frame.filter(overall < local)


def _other_substances(frame: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col("Therapieart").str.strip_chars()
    given = entries("Menge_Substanz", "Bezeichnung", "ATC")
    cytostatic = given.list.eval(pl.element().struct.field("ATC").str.contains(_CYTOSTATIC)).list.any()
    nothing = kind.is_in(list(v.OBDS_SURVEILLANCE)) & (given.list.len() > 0)
    return frame.filter(nothing | (cytostatic & ~kind.is_in(_CHEMOTHERAPY)))


def _other_side(frame: pl.DataFrame) -> pl.DataFrame:
    sides = pl.concat_str("Seitenlokalisation", "Seite_Zielgebiet")
    opposite = frame.filter(sides.is_in(["LR", "RL"]), pl.col("Intention") == "K")
    places = opposite.select("Zielgebiet", "Primaertumor_ICD").iter_rows()
    own = [region is None or is_site(region, site) for region, site in places]
    return opposite.filter(pl.Series(own, dtype=pl.Boolean))


def _denied_cause(frame: pl.DataFrame) -> pl.DataFrame:
    codes = entries("Menge_Todesursachen", "Code").list.eval(
        pl.element().struct.field("Code").str.slice(0, 3)
    )
    return frame.filter((pl.col("Tod_tumorbedingt") == "N") & codes.list.contains(_ORGAN))


_ORGAN = pl.col("Primaertumor_ICD").str.slice(0, 3)
_RESIDUAL = "Gesamtbeurteilung_Residualstatus"
_OF_TABLE: dict[str, tuple[Rule, str, pl.Expr, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "received.obds_surgery": (RESIDUAL_OVERALL, _RESIDUAL, pl.col(_RESIDUAL), _better_overall),
    "received.obds_systemic_therapy": (SUBSTANCES, "Therapieart", pl.col("Therapieart"), _other_substances),
    "received.obds_radiotherapy": (
        OTHER_SIDE, "Seite_Zielgebiet", pl.col("Seite_Zielgebiet"), _other_side,
    ),
    "received.obds_death": (CAUSE, "Tod_tumorbedingt", _ORGAN, _denied_cause),
}  # fmt: skip
"""Received table to the rule, the column at fault, what is shown of it, and the records at fault."""
