"""Declare the switches of the cohort: which tumours count, and how the baseline is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from schemas.switch import Switch


class CohortAssumptions(BaseModel):
    """The switches of the tumours and of the baseline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # --- which tumour ---------------------------------------------------------------------------------

    skin_cancer: Annotated[
        Literal["ignored", "counted"],
        Switch(
            "2",
            {
                "ignored": "Non-melanoma skin cancer is no second malignancy.",
                "counted": "Non-melanoma skin cancer counts as a second malignancy.",
            },
            "how many second malignancies are basal or squamous cell carcinomas of the skin",
        ),
    ] = "ignored"
    carcinoma_in_situ: Annotated[
        Literal["ignored", "counted"],
        Switch(
            "2",
            {
                "ignored": "An in situ tumour is no second malignancy.",
                "counted": "An in situ tumour counts as a second malignancy.",
            },
            "the effect of in situ tumours",
        ),
    ] = "ignored"
    synchronous_malignancy_days: Annotated[
        NonNegativeInt,
        Switch(
            "2",
            "Another malignancy up to {value} days after time zero is synchronous and no event.",
            "whether a tumour found during the staging of the sarcoma counts as a second malignancy",
            (0, 60, 180),
        ),
    ] = 30
    same_organ: Annotated[
        Literal["all soft tissue", "subsite"],
        Switch(
            "2",
            {
                "all soft tissue": "A later sarcoma of the same histology group, anywhere in the soft "
                "tissues, is no new primary (IARC: one organ).",
                "subsite": "A later sarcoma of the same histology group at another subsite of the soft "
                "tissues "
                "is a second malignancy.",
            },
            "whether the rule of one organ hides second sarcomas",
        ),
    ] = "all soft tissue"

    # --- baseline -------------------------------------------------------------------------------------

    metastasis_at_diagnosis: Annotated[
        Literal["before therapy", "within window", "staged only"],
        Switch(
            "3",
            {
                "before therapy": "A metastasis dated within the synchronous window and before the first "
                "therapy "
                "belongs to the diagnosis (M1).",
                "within window": "A metastasis dated within the synchronous window belongs to the diagnosis"
                " (M1), even if therapy had begun.",
                "staged only": "Only the M category and the metastases in the report of the diagnosis count"
                " as M1; a metastasis after time zero is an event.",
            },
            "whether metastases found during the work-up are events or reasons for exclusion",
        ),
    ] = "before therapy"
    synchronous_metastasis_days: Annotated[
        NonNegativeInt,
        Switch(
            "3",
            "The synchronous window of metastases ends {value} days after time zero.",
            "the effect of the length of the window",
            (30, 182),
        ),
    ] = 92
    reresection_days: Annotated[
        NonNegativeInt,
        Switch(
            "3",
            "A re-resection up to {value} days after the definitive resection, without a relapse in "
            "between, belongs to it, and its residual status counts.",
            "whether staged resections are read as one",
            (0, 180),
        ),
    ] = 90
    residual_status: Annotated[
        Literal["definitive resection", "last resection"],
        Switch(
            "3",
            {
                "definitive resection": "Residual status is that of the definitive resection.",
                "last resection": "Residual status is that of the last resection before a relapse.",
            },
            "whether the choice of the resection changes Table 1",
        ),
    ] = "definitive resection"
    residual_status_unknown: Annotated[
        Literal["missing", "RX"],
        Switch(
            "3",
            {
                "missing": "An undocumented residual status is missing; patients without a resection have "
                "none.",
                "RX": "An undocumented residual status, or none because there was no resection, is shown as "
                "RX.",
            },
            "how many RX were never assessed",
            acts="cohort",
        ),
    ] = "missing"
    chemotherapy: Annotated[
        Literal["primary", "ever"],
        Switch(
            "3",
            {
                "primary": "Chemotherapy is that of the index tumour before the first relapse.",
                "ever": "Chemotherapy of the index tumour counts at any time.",
            },
            "how much of the chemotherapy was given for a relapse",
            acts="cohort",
        ),
    ] = "primary"
    study_window: Annotated[
        Literal["radiotherapy start", "radiotherapy end", "diagnosis"],
        Switch(
            "7",
            {
                "radiotherapy start": "The study window refers to the first day of radiotherapy.",
                "radiotherapy end": "The study window refers to the last day of radiotherapy.",
                "diagnosis": "The study window refers to the date of diagnosis.",
            },
            "who enters or leaves at the ends of the window",
            acts="cohort",
        ),
    ] = "radiotherapy start"
    skin_sites: Annotated[
        Literal["exclude", "include"],
        Switch(
            "6",
            {
                "exclude": "Sarcomas coded to the skin (C44) are not eligible.",
                "include": "Sarcomas coded to the skin (C44) are eligible by their region.",
            },
            "the effect of sarcomas of the skin",
            acts="cohort",
        ),
    ] = "exclude"
    t_category: Annotated[
        Literal["by treatment", "clinical", "pathological"],
        Switch(
            "7",
            {
                "by treatment": "T is pathological if surgery came first, otherwise clinical.",
                "clinical": "T is always clinical.",
                "pathological": "T is pathological, and missing without an untreated specimen.",
            },
            "how much the T category depends on the method of measurement",
            acts="cohort",
        ),
    ] = "by treatment"
    grade: Annotated[
        Literal["by treatment", "biopsy", "specimen"],
        Switch(
            "7",
            {
                "by treatment": "The FNCLCC grade is that of the specimen if surgery came first, otherwise "
                "that of the biopsy.",
                "biopsy": "The FNCLCC grade is that of the biopsy.",
                "specimen": "The FNCLCC grade is that of an untreated specimen.",
            },
            "whether biopsies under-grade",
            acts="cohort",
        ),
    ] = "by treatment"
    undifferentiated_sarcoma: Annotated[
        Literal["UPS", "older name only", "others"],
        Switch(
            "7",
            {
                "UPS": "Undifferentiated sarcoma (8805) and malignant fibrous histiocytoma (8830) count "
                "as UPS.",
                "older name only": "Malignant fibrous histiocytoma (8830) counts as UPS, undifferentiated "
                "sarcoma (8805) is among the others.",
                "others": "Only undifferentiated pleomorphic sarcoma (8802) is UPS; 8805 and 8830 are "
                "others.",
            },
            "whether the older names of UPS form a separate group",
            acts="cohort",
        ),
    ] = "UPS"
    spindle_cell_sarcoma: Annotated[
        Literal["others", "UPS"],
        Switch(
            "7",
            {
                "others": "Spindle cell sarcoma (8801) is among the others.",
                "UPS": "Spindle cell sarcoma (8801) counts as UPS.",
            },
            "whether unclassified spindle cell sarcomas belong to UPS",
            acts="cohort",
        ),
    ] = "others"
    additive_radiotherapy: Annotated[
        Literal["its own", "adjuvant"],
        Switch(
            "7",
            {
                "its own": "Radiotherapy after an incomplete resection (additive) is a separate group.",
                "adjuvant": "Radiotherapy after an incomplete resection (additive) counts as adjuvant.",
            },
            "whether additive radiotherapy is separated from adjuvant",
            acts="cohort",
        ),
    ] = "its own"
    nerve_sites: Annotated[
        Literal["include", "exclude"],
        Switch(
            "7",
            {
                "include": "Sarcomas of peripheral nerves (C47) are eligible by their region.",
                "exclude": "Sarcomas of peripheral nerves (C47) are not eligible.",
            },
            "the effect of sarcomas coded to nerves",
            acts="cohort",
        ),
    ] = "include"
    visceral_sites: Annotated[
        Literal["include", "exclude"],
        Switch(
            "7",
            {
                "include": "Sarcomas of C49.3 to C49.5 are eligible as tumours of the wall of the trunk.",
                "exclude": "Sarcomas of C49.3 to C49.5, which may be visceral, are not eligible.",
            },
            "the effect of sarcomas that may lie inside the trunk",
            acts="cohort",
        ),
    ] = "include"
    atypical_lipomatous_tumour: Annotated[
        Literal["exclude", "include"],
        Switch(
            "7",
            {
                "exclude": "Atypical lipomatous tumour (8850/1) is no sarcoma and not eligible.",
                "include": "Atypical lipomatous tumour (8850/1) counts as liposarcoma and is eligible.",
            },
            "the effect of tumours that differ from well differentiated liposarcoma (8851/3) only by site",
            acts="cohort",
        ),
    ] = "exclude"
    t_edition: Annotated[
        Literal["7", "8", "as reported"],
        Switch(
            "7",
            {
                "7": "T is given in categories of TNM edition 7. If the reported category does not "
                "determine it, the size does; without a size, T is missing.",
                "8": "T is given in categories of TNM edition 8. If the reported category does not "
                "determine it, the size does; without a size, T is missing.",
                "as reported": "T is as reported, in any edition.",
            },
            "how much depends on the edition of the TNM",
            acts="cohort",
        ),
    ] = "7"
    dose: Annotated[
        Literal["prescribed", "delivered"],
        Switch(
            "7",
            {
                "prescribed": "The dose is the prescribed one.",
                "delivered": "The dose is the sum of the treatment records; without records it is missing.",
            },
            "how far the delivered dose is below the prescribed one",
            acts="cohort",
        ),
    ] = "prescribed"
    boost: Annotated[
        Literal["counted", "not counted"],
        Switch(
            "7",
            {
                "counted": "The dose is that of the highest level, including a boost.",
                "not counted": "The dose is that without a boost: of the first phase, or of the lowest "
                "level of an integrated boost; if the boost cannot be separated, it is "
                "missing.",
            },
            "how much of the dose is boost",
            acts="cohort",
        ),
    ] = "counted"
