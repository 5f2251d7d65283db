"""Report codes of the index tumour that a person must decide: version, site and stage."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import Frames
from schemas import sarcoma_codes, site_codes, typed
from schemas.observations import observation
from schemas.rule import Rule

MORPHOLOGY_VERSION_MISSING = Rule(
    "diagnosis.morphology-version-missing",
    "notice",
    on="typed.diagnosis",
    scope="patient",
    what="8832/3 is given without its ICD-O version. It means dermatofibrosarcoma before 3.2 and its "
    "fibrosarcomatous variant in 3.2. The variant is assumed.",
    remedy="In the tumour documentation, add Morphologie_ICD_O/Version.",
    source="ICD-O-3.1 and 3.2, 8832",
    alone="the version is missing in the record itself",
)
SKIN_SITE = Rule(
    "diagnosis.sarcoma-of-skin",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="A soft tissue sarcoma is coded to the skin (C44): it is eligible only in a study that includes "
    "sarcomas of the skin.",
    remedy="Check whether the tumour lies in the subcutis or deeper. If so, correct the site to C49 in the "
    "tumour documentation.",
    source="ICD-O-3.2: C44 skin, C49 subcutaneous and other soft tissue",
    alone="the code is in the record itself",
)
SITE_MAY_BE_VISCERAL = Rule(
    "diagnosis.site-may-be-visceral",
    "notice",
    on="typed.diagnosis",
    scope="patient",
    what="The site is soft tissue of thorax, abdomen or pelvis, and it is not known whether this means the "
    "wall or an inner organ. The wall is assumed.",
    remedy="Add Zielgebiet of the irradiation in the tumour documentation, or the depth of the tumour in "
    "the department's table.",
    source="AJCC 8: trunk (chapter 41) and visceral sites (chapter 42)",
    alone="the code is in the record itself",
)
NOT_STAGED = Rule(
    "diagnosis.t-not-applicable",
    "notice",
    on="typed.diagnosis",
    scope="patient",
    what="A T category of edition 8 or later is given for a sarcoma that the edition does not stage.",
    remedy="If the T category is intended, nothing needs to be done. In edition 8, angiosarcoma, Kaposi "
    "sarcoma and dermatofibrosarcoma have none.",
    source="UICC TNM 8, soft tissues",
    alone="T category and histology are of one report",
)


def observe(tumour: pl.DataFrame, told: pl.DataFrame, sound: Frames) -> list[pl.DataFrame]:
    """Return findings on codes of the index tumour.

    Args:
        tumour: ``curated.diagnosis``.
        told: the reports with their tumours.
        sound: the typed tables with their tumours.
    """
    table = typed.Diagnosis.table()
    index = tumour.filter("index_tumour").with_columns(_site=pl.coalesce("icdo3_topography", "icd10_code"))
    sarcoma = index.filter(pl.col("histology_group").is_not_null())
    four = sarcoma_codes.code(pl.col("icdo3_morphology"))
    told_by_target = sound[typed.Radiotherapy.table()].filter(pl.col("target_region").is_not_null())
    inside = sarcoma.filter(
        pl.col("_site").str.slice(0, 5).is_in(list(site_codes.MAY_BE_VISCERAL)),
        pl.col("tumour_depth").is_null(),
    ).join(told_by_target, on=TUMOUR, how="anti", nulls_equal=True)
    version = sarcoma.filter(four == "8832", pl.col("morphology_version").is_null())
    not_staged = index.filter(
        four.is_in(list(sarcoma_codes.NOT_STAGED)),
        pl.col("tnm_edition") >= site_codes.FIRST_EDITION_WITH_T4,
        pl.col("t_stage").is_in(["T1", "T2", "T3", "T4"]),
    )
    skin = sarcoma.filter(pl.col("_site").str.starts_with(site_codes.SKIN))
    site = told.filter("complete").group_by(TUMOUR).agg(record_id=pl.col("record_id").min())

    def at_site(rows: pl.DataFrame, rule: Rule) -> pl.DataFrame:
        found = rows.join(site, on=TUMOUR, nulls_equal=True, maintain_order="left")
        return observation(found, rule, table, "icdo3_topography", pl.col("_site"))

    def at(rows: pl.DataFrame, rule: Rule, column: str, evidence: str) -> pl.DataFrame:
        found = rows.with_columns(record_id=pl.col(evidence).list.first())
        return observation(found, rule, table, column, pl.col(column))

    return [
        at_site(skin, SKIN_SITE),
        at_site(inside, SITE_MAY_BE_VISCERAL),
        at(version, MORPHOLOGY_VERSION_MISSING, "icdo3_morphology", "histology_record_ids"),
        at(not_staged, NOT_STAGED, "t_stage", "t_record_ids"),
    ]
