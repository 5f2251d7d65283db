"""Observe oBDS reports whose elements contradict each other where one of them decides a result."""

from __future__ import annotations

import polars as pl

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
    if table == "received.obds_surgery":
        local, overall = (
            pl.col(f"{part}_Residualstatus")
            .str.strip_chars()
            .replace_strict(_RANK, default=None, return_dtype=pl.Int32)
            for part in ("Lokale_Beurteilung", "Gesamtbeurteilung")
        )
        column = "Gesamtbeurteilung_Residualstatus"
        return observation(frame.filter(overall < local), RESIDUAL_OVERALL, table, column, pl.col(column))
    if table == "received.obds_systemic_therapy":
        kind = pl.col("Therapieart").str.strip_chars()
        given = _array("Menge_Substanz", "Bezeichnung", "ATC")
        cytostatic = given.list.eval(pl.element().struct.field("ATC").str.contains(_CYTOSTATIC)).list.any()
        against = (kind.is_in(list(v.OBDS_SURVEILLANCE)) & (given.list.len() > 0)) | (
            cytostatic & ~kind.is_in(_CHEMOTHERAPY)
        )
        return observation(frame.filter(against), SUBSTANCES, table, "Therapieart", pl.col("Therapieart"))
    if table == "received.obds_radiotherapy":
        sides = pl.concat_str("Seitenlokalisation", "Seite_Zielgebiet")
        opposite = frame.filter(sides.is_in(["LR", "RL"]), pl.col("Intention") == "K")
        places = opposite.select("Zielgebiet", "Primaertumor_ICD").iter_rows()
        own = [region is None or is_site(region, site) for region, site in places]
        at_fault = opposite.filter(pl.Series(own, dtype=pl.Boolean))
        return observation(at_fault, OTHER_SIDE, table, "Seite_Zielgebiet", pl.col("Seite_Zielgebiet"))
    if table == "received.obds_death":
        organ = pl.col("Primaertumor_ICD").str.slice(0, 3)
        codes = _array("Menge_Todesursachen", "Code").list.eval(
            pl.element().struct.field("Code").str.slice(0, 3)
        )
        named = (pl.col("Tod_tumorbedingt") == "N") & codes.list.contains(organ)
        return observation(frame.filter(named), CAUSE, table, "Tod_tumorbedingt", organ)
    return Observation.empty()


def _array(column: str, *keys: str) -> pl.Expr:
    return pl.col(column).str.json_decode(pl.List(pl.Struct(dict.fromkeys(keys, pl.String))))
