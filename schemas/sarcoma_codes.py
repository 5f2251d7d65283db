"""List ICD-O-3 morphologies of soft tissue sarcomas, with term, histology group and source.

Behaviour is /3 unless stated otherwise. Morphologies that are a sarcoma of bone if they lie in bone are
marked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

Source = Literal["3.1", "3.2", "WHO 2020"]
"""Classification that contains the code with behaviour /3: ICD-O-3.1 (2013; retired or merged in 3.2),
ICD-O-3.2 (2019), or the WHO classification of 2020 (oBDS version ``bb``).
"""


@dataclass(frozen=True)
class Morphology:
    """One morphology of a soft tissue sarcoma.

    Attributes:
        code: four digits.
        term: preferred term.
        group: histology group.
        source: newest classification that contains it.
        by_site: whether it is a sarcoma of bone in C40 or C41.
    """

    code: str
    term: str
    group: str = "others"
    source: Source = "3.2"
    by_site: bool = False


MORPHOLOGIES = (
    Morphology("8802", "Undifferentiated pleomorphic sarcoma", "UPS"),
    Morphology("8805", "Undifferentiated sarcoma", "UPS"),
    Morphology("8830", "Malignant fibrous histiocytoma", "UPS"),
    Morphology("8850", "Liposarcoma NOS", "liposarcoma"),
    Morphology("8851", "Well differentiated liposarcoma", "liposarcoma"),
    Morphology("8852", "Myxoid liposarcoma", "liposarcoma"),
    Morphology("8853", "Round cell liposarcoma", "liposarcoma", "3.1"),
    Morphology("8854", "Pleomorphic liposarcoma", "liposarcoma"),
    Morphology("8855", "Mixed liposarcoma", "liposarcoma"),
    Morphology("8857", "Fibroblastic liposarcoma", "liposarcoma"),
    Morphology("8858", "Dedifferentiated liposarcoma", "liposarcoma"),
    Morphology("8859", "Myxoid pleomorphic liposarcoma", "liposarcoma", "WHO 2020"),
    Morphology("8811", "Myxofibrosarcoma", "myxofibrosarcoma"),
    Morphology("9040", "Synovial sarcoma NOS", "synovial sarcoma"),
    Morphology("9041", "Synovial sarcoma, spindle cell", "synovial sarcoma"),
    Morphology("9042", "Synovial sarcoma, epithelioid cell", "synovial sarcoma"),
    Morphology("9043", "Synovial sarcoma, biphasic", "synovial sarcoma"),
    Morphology("8710", "Glomangiosarcoma"),
    Morphology("8711", "Glomus tumour, malignant"),
    Morphology("8714", "Perivascular epithelioid tumour, malignant"),
    Morphology("8800", "Sarcoma NOS"),
    Morphology("8801", "Spindle cell sarcoma"),
    Morphology("8803", "Small cell sarcoma"),
    Morphology("8804", "Epithelioid sarcoma"),
    Morphology("8806", "Desmoplastic small round cell tumour"),
    Morphology("8810", "Fibrosarcoma NOS", by_site=True),
    Morphology("8813", "Fascial fibrosarcoma"),
    Morphology("8814", "Infantile fibrosarcoma"),
    Morphology("8815", "Solitary fibrous tumour, malignant"),
    Morphology("8825", "Low-grade myofibroblastic sarcoma"),
    Morphology("8832", "Fibrosarcomatous dermatofibrosarcoma protuberans"),
    Morphology("8840", "Low-grade fibromyxoid sarcoma"),
    Morphology("8842", "Ossifying fibromyxoid tumour, malignant"),
    Morphology("8890", "Leiomyosarcoma NOS", by_site=True),
    Morphology("8891", "Epithelioid leiomyosarcoma"),
    Morphology("8894", "Angiomyosarcoma"),
    Morphology("8895", "Myosarcoma"),
    Morphology("8896", "Myxoid leiomyosarcoma"),
    Morphology("8900", "Rhabdomyosarcoma NOS"),
    Morphology("8901", "Pleomorphic rhabdomyosarcoma"),
    Morphology("8902", "Mixed type rhabdomyosarcoma"),
    Morphology("8910", "Embryonal rhabdomyosarcoma"),
    Morphology("8912", "Spindle cell rhabdomyosarcoma"),
    Morphology("8920", "Alveolar rhabdomyosarcoma"),
    Morphology("8921", "Ectomesenchymoma"),
    Morphology("8963", "Malignant rhabdoid tumour"),
    Morphology("8990", "Malignant mesenchymoma"),
    Morphology("9044", "Clear cell sarcoma of soft tissue"),
    Morphology("9120", "Angiosarcoma", by_site=True),
    Morphology("9130", "Haemangioendothelioma, malignant", by_site=True),
    Morphology("9133", "Epithelioid haemangioendothelioma", by_site=True),
    Morphology("9137", "Intimal sarcoma"),
    Morphology("9150", "Haemangiopericytoma, malignant"),
    Morphology("9170", "Lymphangiosarcoma"),
    Morphology("9180", "Extraskeletal osteosarcoma", by_site=True),
    Morphology("9231", "Extraskeletal myxoid chondrosarcoma", by_site=True),
    Morphology("9240", "Mesenchymal chondrosarcoma", by_site=True),
    Morphology("9251", "Giant cell tumour of soft parts, malignant", by_site=True),
    Morphology("9252", "Malignant tenosynovial giant cell tumour"),
    Morphology("9260", "Ewing sarcoma", source="3.1", by_site=True),
    Morphology("9364", "Ewing sarcoma", by_site=True),
    Morphology("9365", "Askin tumour", by_site=True),
    Morphology("9366", "Round cell sarcoma with EWSR1-non-ETS fusions", source="WHO 2020", by_site=True),
    Morphology("9367", "CIC-rearranged sarcoma", source="WHO 2020", by_site=True),
    Morphology("9368", "Sarcoma with BCOR genetic alterations", source="WHO 2020", by_site=True),
    Morphology("9540", "Malignant peripheral nerve sheath tumour"),
    Morphology("9542", "Malignant peripheral nerve sheath tumour, epithelioid"),
    Morphology("9560", "Neurilemmoma, malignant"),
    Morphology("9561", "Malignant Triton tumour"),
    Morphology("9571", "Malignant perineurioma"),
    Morphology("9580", "Granular cell tumour, malignant"),
    Morphology("9581", "Alveolar soft part sarcoma"),
)
"""Morphologies of soft tissue sarcomas.

Not included: 8856 (intramuscular lipoma), 8880 (hibernoma) and 9541 (melanotic neurofibroma), which are
benign; 8833 (pigmented dermatofibrosarcoma), which is /1 in ICD-O-3.2.
"""

DERMATOFIBROSARCOMA = ("8832", "8833")
"""In ICD-O-3.1 and before, /3 of these is the ordinary and the pigmented dermatofibrosarcoma protuberans. In
ICD-O-3.2 both are /1, and 8832/3 is the fibrosarcomatous variant: the version decides what 8832/3 means."""

BEFORE_3_2 = ("31", "32")
"""oBDS ``Morphologie_ICD_O/Version``: ICD-O-3 of 2003 and its first revision of 2014."""

NOT_STAGED = {
    "8832": "dermatofibrosarcoma", "8833": "dermatofibrosarcoma", "9120": "angiosarcoma",
    "9140": "Kaposi sarcoma",
}  # fmt: skip
"""Sarcomas without a T category in edition 8 (UICC TNM 8, soft tissues; AJCC 8 chapter 40)."""

UNSPECIFIC = ("8000", "8001", "8002", "8003", "8004", "8005", "8010", "8020", "8800")
"""Morphologies that name no type of tumour or sarcoma: any other histological finding takes precedence."""

GIVES_WAY = ("8801", "8802", "8803", "8804", "8805")
"""Within one report, a named subtype takes precedence over these (with 8800, the range 8800 to 8805)."""


def code(morphology: pl.Expr) -> pl.Expr:
    """Return the four digits of a morphology such as ``8802/3``."""
    return morphology.str.slice(0, 4)


def behaviour(morphology: pl.Expr) -> pl.Expr:
    """Return the behaviour, the digit after the stroke."""
    return morphology.str.slice(5, 1)


def histology_group(morphology: pl.Expr, version: pl.Expr, site: pl.Expr) -> pl.Expr:
    """Return the histology group of a soft tissue sarcoma; null for anything else.

    Args:
        morphology: ``8802/3``.
        version: oBDS version of the morphology; null if not given.
        site: ICD-O-3 or ICD-10 site, which identifies sarcomas of bone.
    """
    group = code(morphology).replace_strict(
        {m.code: m.group for m in MORPHOLOGIES}, default=None, return_dtype=pl.String
    )
    in_bone = site.str.slice(0, 3).is_in(["C40", "C41"]).fill_null(False)
    of_bone = in_bone & code(morphology).is_in([m.code for m in MORPHOLOGIES if m.by_site])
    dermatofibrosarcoma = code(morphology).is_in(list(DERMATOFIBROSARCOMA)) & version.is_in(
        list(BEFORE_3_2)
    ).fill_null(False)
    return pl.when((behaviour(morphology) == "3") & ~of_bone & ~dermatofibrosarcoma).then(group)


def specificity(morphology: pl.Expr) -> pl.Expr:
    """Return how specific a morphology is: 0 a named subtype, 1 one of 8801 to 8805, 2 unspecific."""
    four = code(morphology)
    return (
        pl.when(four.is_in(list(UNSPECIFIC)))
        .then(2)
        .when(four.is_in(list(GIVES_WAY)))
        .then(1)
        .otherwise(0)
        .cast(pl.Int32)
    )
