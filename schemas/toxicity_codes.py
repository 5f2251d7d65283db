"""Declare the code lists of toxicity: complications of oBDS, wound revisions of the OPS, words, and windows.

Which of the criteria of O'Sullivan 2002 for a major wound complication the data can show is said at
:data:`WOUND_REVISION_OPS`.
"""

from __future__ import annotations

ACUTE_DAYS = 90
"""Last day of acute toxicity, counted from the first day of radiotherapy; later toxicity is late.

oBDS 3.0.4, Nebenwirkung_Typ: "akute Nebenwirkungen bis zum 90 Tag nach Bestrahlungsbeginn"."""

WOUND_DAYS = 120
"""Last day of a major wound complication after the operation (O'Sullivan 2002, Lancet 359:2235)."""

SEVERE_WOUND_GRADE = 3
"""CTCAE grade from which a wound complication counts as major: an operation or an admission is indicated
(CTCAE 5.0, wound complication and wound dehiscence)."""

CODE_FORMATS = {
    "MedDRA": r"^10\d{6}$", "oBDS": r"^[A-Z]{3}$", "ICD-10": r"^[A-Z]\d\d(\.\d\d?)?$",
    "OPS": r"^\d-\d{2}[\da-z](\.[\da-z]{1,2})?$",
}  # fmt: skip
"""Code system to the format of its codes; every MedDRA code begins with 10."""

OBDS_COMPLICATIONS = {
    "ABD": "wound", "ABS": "infection", "ASF": "wound", "ANI": "other", "AEP": "other", "ALR": "other",
    "ANS": "other", "AEE": "other", "API": "other", "BIF": "other", "BOG": "other", "BOE": "other",
    "BSI": "other", "CHI": "infection", "DAI": "other", "DPS": "other", "DIC": "other", "DEP": "other",
    "DLU": "skin", "DSI": "other", "ENF": "other", "GER": "other", "HEM": "other", "HUR": "other",
    "HAE": "other", "HFI": "other", "HNK": "wound", "HZI": "other", "HRS": "other", "HNA": "nerve",
    "HOP": "other", "HYB": "other", "HYF": "other", "IFV": "vessel", "KAS": "other", "KES": "other",
    "KIM": "other", "KRA": "other", "KDS": "other", "LEV": "other", "LOE": "other", "LYF": "wound",
    "LYE": "wound", "MES": "other", "MIL": "other", "MED": "infection", "MAT": "vessel", "MYI": "other",
    "RNB": "wound", "NAB": "wound", "NIN": "wound", "OES": "other", "OSM": "infection", "PAF": "other",
    "PIT": "other", "PAB": "other", "PPA": "nerve", "PAV": "vessel", "PER": "infection", "PLB": "wound",
    "PEY": "infection", "PLE": "other", "PMN": "infection", "PNT": "other", "PDA": "other", "PAE": "vessel",
    "RPA": "nerve", "RIN": "other", "SKI": "infection", "SES": "infection", "SFH": "other", "STK": "other",
    "TZP": "other", "TIA": "other", "TRZ": "other", "WUH": "wound", "WSS": "wound",
}  # fmt: skip
"""Every Kuerzel of Komplikation_Typ (oBDS 3.0.4) to the category of the complication."""

REVISION_NEEDED = ("RNB",)
"""Kuerzel whose text says that an operation was needed: RNB is "Nachblutung, revisionsbedürftig"."""

ICD10_WOUND = ("T81.0", "T81.3", "T81.4")
"""ICD-10-GM 2024: haemorrhage and haematoma, disruption of a wound, and infection after a procedure."""

WOUND_REVISION_OPS = (
    "5-850",  # incision of muscle, tendon and fascia; wound debridement confined to them
    "5-866",  # revision of an amputation stump
    "5-869.1",  # wound debridement across layers
    "5-892",  # other incision of skin and subcutaneous tissue, drainage included
    "5-893",  # until 2008 or before: surgical wound debridement of skin, today 5-896
    "5-896",  # surgical wound debridement of skin and subcutaneous tissue
    "5-900.1",  # secondary suture of skin and subcutaneous tissue
    "5-907.1",  # revision of a free skin graft
    "5-907.2",  # revision of a local flap
    "5-907.3",  # revision of a pedicled distant flap
    "5-907.4",  # revision of a free flap
    "5-916",  # temporary soft tissue cover, placing and change of a vacuum therapy included
)
"""OPS (BfArM), prefixes of codes: an operation with one of them, and no code of another operation than these
and :data:`CLOSURE_OPS`, is a wound revision if an operation on the tumour came before.

Checked against: the notes of 5-896, which name 5-850 and 5-869.1 for deeper wounds and 8-192 for debridement
without anaesthesia; the group 5-89 to 5-92 of OPS 2024 (5-892 to 5-896 have the site in the sixth place);
hospital reports, for 5-916.a0 and .a1, and for 5-900.04, which they name a simple closure after an injury
(5-900.0 is no secondary suture). From memory, searched for in stored pages and public repositories and not
found (docs/formats.md): 5-900.1, the parts of 5-907 (5-907.0, the correction of a scar, is no wound
complication), 5-866, and in which year 5-893 became 5-896.

O'Sullivan 2002 (Lancet 359:2235-41; the abstract was read: wound complications within 120 days of surgery)
counts, as later series quote it: (1) a second operation under anaesthesia for the wound (debridement,
drainage, secondary closure, flap, graft; so in a trial protocol, doi 10.1186/s13063-022-06468-6); (2) an
invasive procedure without anaesthesia, mainly aspiration of a seroma; (3) readmission for wound care, such as
intravenous antibiotics; (4) persistent deep packing (Miller 2016, J Surg Oncol 114:385) or dressing changes
(173 patients with 50 Gy and then surgery, 1996 to 2003). Its full text was not found; the size of an area
that is packed is from memory. The data show (1) by OPS and by oBDS OP/Intention R, and a bleeding that needed
a revision. They do not show (2) to (4), unless a table gives a grade: a count of major wound complications is
a lower bound."""

CLOSURE_OPS = ("5-857", "5-858", "5-900", "5-901", "5-902", "5-903", "5-904", "5-905", "5-906")
"""OPS 2024: flaps of muscle and fascia, suture, skin grafts, local and distant flaps. Alone they may
reconstruct what the tumour's resection left; with a wound code they close a revised wound."""

ADDITIONAL_OPS = ("5-93", "5-98", "5-99", "1-", "3-", "6-", "8-", "9-")
"""OPS 2024: additional codes (5-983 is the reoperation) and chapters that are no operation."""

AMPUTATION_OPS = ("5-862", "5-863", "5-864", "5-865")
"""OPS 2024, group 5-86 (replantation, exarticulation and amputation of limbs): amputation and exarticulation
of upper limb, hand, lower limb, foot; fingers and toes (in 5-863 and 5-865) included. Public notes of
surgeons say the same of 5-864 (a lower leg) and 5-865 (a foot), and a public page of the OPS that 5-861 is a
replantation; the titles of 5-862, 5-863 and 5-866 (revision of a stump) are from memory, searched for and
not found."""

WORDS: tuple[tuple[str, str], ...] = (
    ("wound", r"wund|wound|serom|dehisz|dehisc|hämatom|hematoma"),
    ("fibrosis", r"fibros|indurat|verhärt"),
    ("oedema", r"ödem|oedem|edema"),
    ("bone", r"fra[ck]tur|knochen|osteo|bone"),
    ("joint", r"gelenk|joint|kontraktur|contracture|steif|stiff"),
    ("nerve", r"neuro|nerv|plexus|paräs|paraes|parese"),
    ("skin", r"dermat|haut|skin|erythe|epithel|desquam|teleang|ulkus|ulcer"),
    ("infection", r"infe[ck]t|abs[zc]e|sepsis"),
    ("blood", r"anämi|anemi|leuko|neutro|thrombo[zc]y|lympho"),
)
"""Category to the words of a Bezeichnung (German and English, without case); the first that fits counts.
Other words are "other"."""
