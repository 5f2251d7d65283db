"""Read and compare target regions of irradiations (oBDS Zielgebiet, code lists of 2014 and of 2021)."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.parse import Reading
from schemas.code_lists import TARGETS_2014, TARGETS_2021
from schemas.rule import Rule

OTHER_LIST = Rule(
    "radiotherapy.target-of-other-list",
    "warning",
    on="typed.radiotherapy",
    what="The code of the target region is not of the list that its element names (CodeVersion2014 or "
    "CodeVersion2021). A code of 2014 without its final dot is read with it; another one counts as of the "
    "list that has it.",
    remedy="In the tumour documentation, correct Zielgebiet: codes of 2014 end with a dot (4.8.), with a + "
    "or a - after it for the lymph nodes; codes of 2021 do not (4.7).",
    source="oBDS 3.0.4 oBDS_Zielgebiet2014_Typ, oBDS_Zielgebiet2021_Typ",
)

NO_SIDE = (None, "unknown", "not applicable")
"""Sides that exclude no side."""
_TARGETS = {
    "C49.0": ("7.1",), "C49.1": ("7.2", "6.9.", "6.10.", "6.11.", "6.12."),
    "C49.2": ("7.3", "6.8.", "6.13.", "6.14.", "6.15.", "6.16."), "C49.3": ("7.4", "3.3."),
    "C49.4": ("7.5", "4.9", "4.9."), "C49.5": ("7.6", "7.7", "5."), "C49.6": ("7.7",), "C48": ("4.7", "4.8."),
}  # fmt: skip
"""Site of the tumour to the oBDS target regions that contain it: of 2021, and with a final dot of 2014."""


def reading() -> Reading:
    """Return the reading of Zielgebiet: the code as its list writes it; another text as delivered."""
    delivered, list_ = pl.col("Zielgebiet").str.strip_chars(), pl.col("Zielgebiet_CodeVersion")
    dotted = delivered + "."
    lost_dot = (list_ == "2014") & dotted.is_in(list(TARGETS_2014))
    other = ((list_ == "2014") & delivered.is_in(list(TARGETS_2021))) | (
        (list_ == "2021") & delivered.is_in(list(TARGETS_2014))
    )
    return Reading(
        pl.when(lost_dot).then(dotted).otherwise(delivered),
        notes=((OTHER_LIST, (lost_dot | other).fill_null(False)),),
    )


def one_region(one: str, other: str, site: str | None) -> bool:
    """Return whether two codes are one region: equal, or of both versions and both the tumour's region."""
    versions = _of_2014(one) != _of_2014(other)
    return one == other or (versions and is_site(one, site) and is_site(other, site))


def is_site(region: str | None, site: str | None) -> bool:
    """Return whether a target region contains the site of the tumour; with lymph nodes or without."""
    plain = region.rstrip("+-") if region else region
    return any(plain in regions for prefix, regions in _TARGETS.items() if site and site.startswith(prefix))


def _of_2014(region: str) -> bool:
    return region.rstrip("+-").endswith(".")
