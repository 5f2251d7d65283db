"""Report findings on the reports of a tumour: contradictions, and reports too late to count."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation import baseline, best_of, diagnosis_codes, reports_differ
from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import Frames
from schemas import sarcoma_codes, typed
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import DIAGNOSES, OPERATIONS, TREATMENTS, peers

HISTOLOGIES_DIFFER = Rule(
    "diagnosis.histologies-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two reports name different subtypes. The subtype of the definitive specimen counts (after other "
    "therapy, that of the biopsy), then that of the pathology report, then that of the newer report.",
    remedy="Compare the pathology reports; correct Morphologie_ICD_O of the one that was revised.",
    source="WHO 2020; ICD-O-3.2",
    sides=peers(),
)
STAGES_DIFFER = Rule(
    "diagnosis.stages-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two reports give different T, N or M categories of the same kind (clinical or pathological).",
    remedy="Compare the TNM of both reports with the pathology or imaging report.",
    source="UICC TNM",
    sides=peers(),
)
GRADES_DIFFER = Rule(
    "diagnosis.report-grades-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two reports of the same kind (biopsy or specimen) give different grades. The pathology report "
    "counts, otherwise the newer report.",
    remedy="Compare Grading and the FNCLCC grade of both with the pathology report. Correct the wrong one.",
    source="FNCLCC (Coindre); oBDS Histologie/Grading",
    overruled=True,
    sides=peers(),
)
VALUES_DIFFER = Rule(
    "diagnosis.values-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two records give one tumour different sizes, depths or ages at diagnosis. The source named first "
    "in the precedence counts, then the newer record.",
    remedy="Compare both with the pathology or imaging report, and correct the wrong one in its table.",
    source="docs/formats.md, tables",
    overruled=True,
    sides=peers(),
)
_MEASURED = ("tumour_size_cm", "tumour_depth", "age_at_diagnosis_years")
GRADED_AFTER_THERAPY = Rule(
    "diagnosis.graded-after-therapy",
    "notice",
    on="typed.diagnosis",
    scope="patient",
    what="The only FNCLCC grade was determined after therapy: the grade at diagnosis is not known.",
    remedy="In the tumour documentation, add the grade of the biopsy to its Pathologie or to the Diagnose.",
    source="FNCLCC: not graded after neoadjuvant therapy",
    sides=TREATMENTS,
)
STAGED_AFTER_THERAPY = Rule(
    "diagnosis.staged-after-therapy",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="A pTNM without y is dated after another therapy than surgery, or has no date: it does not count as "
    "the stage at diagnosis.",
    remedy="In the tumour documentation, add y_Symbol if the specimen was treated before, or the date "
    "of the TNM if it is older than the therapy.",
    source="UICC TNM: y after multimodality therapy",
    sides=TREATMENTS,
)
HISTOLOGY_LATER = Rule(
    "diagnosis.histology-of-later-specimen",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The histology that counts is that of a specimen taken long after the first resection, or, without "
    "a resection whose date is known, long after the diagnosis: perhaps from a relapse.",
    remedy="In the tumour documentation, add the histology of the biopsy or of the first resection to its "
    "Pathologie, its OP or the Diagnose.",
    source="baseline: histology of the primary before therapy",
    sides=(OPERATIONS.at_times(),),
)
METASTASIS_LATER = Rule(
    "metastasis.later-in-diagnosis",
    "warning",
    on="typed.metastasis",
    scope="patient",
    what="A Diagnose documents a metastasis that was found after the synchronous window: it is a relapse.",
    remedy="Report the metastasis in the Verlauf in which it was found, and delete it from the Diagnose.",
    source="oBDS 3.0.4 Menge_FM; TNM: M is that at diagnosis",
    sides=(DIAGNOSES.at_times(),),
)


_OTHERS = ("histology", "t", "n", "m", "fnclcc", "grade")
"""Prefixes of the columns ``…_others`` of ``baseline.choose``."""


def observe(
    tumour: pl.DataFrame,
    told: pl.DataFrame,
    best: pl.DataFrame,
    early: pl.DataFrame,
    sound: Frames,
    precedence: Sequence[str],
) -> pl.DataFrame:
    """Return contradictions between the reports of a tumour, and values not usable for its diagnosis.

    Args:
        tumour: the tumours with the chosen values.
        told: their reports, with their roles.
        best: the chosen reports, and those with another value (``baseline.choose``).
        early: metastases, with whether they were present at diagnosis.
        sound: the typed tables with their tumours.
        precedence: kinds of source, the most credible first.
    """
    table = typed.Diagnosis.table()
    seen = [Observation.empty()]
    several = best.select(pl.col(f"{name}_others").list.len().sum().alias(name) for name in _OTHERS)
    for name, column, rule in (
        ("histology", "icdo3_morphology", HISTOLOGIES_DIFFER),
        ("t", "t_stage", STAGES_DIFFER),
        ("n", "n_stage", STAGES_DIFFER),
        ("m", "m_stage", STAGES_DIFFER),
        ("fnclcc", "fnclcc_grade", GRADES_DIFFER),
        ("grade", "grade", GRADES_DIFFER),
    ):
        if not several[name].item():
            continue
        others = best.select(record_id=f"{name}_others").explode("record_id").drop_nulls().unique()
        rows = told.join(others, on="record_id", how="semi").filter(pl.col(column).is_not_null())
        if name == "histology":
            rows = _other_histology(rows, best)
        seen.append(observation(rows, rule, table, column, pl.col(column)))
    graded = told.filter("after", pl.col("fnclcc_grade").is_in(["G1", "G2", "G3"])).join(
        best.filter(pl.col("fnclcc_grade").is_null()), on=TUMOUR, how="semi", nulls_equal=True
    )
    seen.append(observation(graded, GRADED_AFTER_THERAPY, table, "fnclcc_grade", pl.col("fnclcc_grade")))
    seen += _out_of_time(tumour, told, best)
    later = early.filter(~pl.col("at_diagnosis"), pl.col("metastasis_date").is_not_null())
    seen.append(
        observation(
            later, METASTASIS_LATER, typed.Metastasis.table(), "metastasis_date", pl.col("metastasis_date")
        )
    )
    seen += diagnosis_codes.observe(tumour, told, sound)
    usable = told.filter(~pl.col("role").is_in([baseline.RELAPSE, baseline.FOLLOW_UP]))
    seen.append(reports_differ.observe(tumour, usable, _MEASURED, VALUES_DIFFER, table))
    own = told.filter("complete", ~pl.col("of_relapse_report"))
    seen.append(best_of.observe(own, precedence))
    return pl.concat(seen)


def _out_of_time(tumour: pl.DataFrame, told: pl.DataFrame, best: pl.DataFrame) -> list[pl.DataFrame]:
    """Return stages that were left out, and histologies that were used, because of the date of the report."""
    table = typed.Diagnosis.table()
    sarcomas = tumour.filter(pl.col("histology_group").is_not_null() | pl.col("index_tumour"))
    own = told.join(sarcomas.select(TUMOUR), on=TUMOUR, how="semi", nulls_equal=True)
    marked = pl.any_horizontal(pl.col("after_therapy", "of_relapse", "by_autopsy").fill_null(False))
    before = (pl.col("report_date") < pl.col("first_therapy")).fill_null(False)
    staged = own.filter(
        pl.col("treatment_order") == baseline.THERAPY_FIRST,
        pl.col("role") != baseline.TABLE,
        ~(marked | before | pl.col("of_relapse_report")),
    )
    seen = []
    for letter in ("t", "n"):
        stage = pl.col(f"{letter}_stage")
        at_fault = staged.filter(pl.col(f"{letter}_prefix") == "p", stage.is_not_null())
        seen.append(observation(at_fault, STAGED_AFTER_THERAPY, table, f"{letter}_stage", stage))
    late = best.filter(pl.col("histology_rule") == baseline.LATER)
    ids = late.select(record_id="histology_record_ids").explode("record_id").drop_nulls().unique()
    morphology = pl.col("icdo3_morphology")
    of_late = own.join(ids, on="record_id", how="semi").filter(morphology.is_not_null())
    seen.append(observation(of_late, HISTOLOGY_LATER, table, "icdo3_morphology", morphology))
    return seen


def _other_histology(rows: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    """Return the reports whose histology is another subtype, or another group, than the chosen one."""
    group = {
        name: sarcoma_codes.histology_group(
            pl.col(column), pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.String)
        ).fill_null("no sarcoma")
        for name, column in (("own", "icdo3_morphology"), ("of", "_chosen"))
    }
    chosen = best.select(*TUMOUR, _chosen="icdo3_morphology")
    joined = rows.join(chosen, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    codes = {name: sarcoma_codes.code(pl.col(name)) for name in ("icdo3_morphology", "_chosen")}
    # A code without a subtype (8850, liposarcoma NOS) contradicts no subtype of its group.
    named = [
        (sarcoma_codes.specificity(pl.col(name)) < 2) & ~code.str.ends_with("0")
        for name, code in codes.items()
    ]
    subtypes = codes["icdo3_morphology"] != codes["_chosen"]
    return joined.filter((group["own"] != group["of"]) | pl.all_horizontal(*named, subtypes))
