"""List the usual names of structures in planning systems, with their names after TG-263 and their roles.

A pattern meets a name in plain letters: lower case, umlauts as two letters, every other sign as one blank,
and without the side. The names were compared with the list of TG-263's roots in a public validator; those
that it lacks are in ``PROPOSED``. The German habits are guesses, some of them seen in public scripts
(Femurkopf_Links, Hüftkopf rechts, Körper); a study adds its own in ``[[structures]]`` of ``study.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal[
    "target",
    "target boost",
    "target source",
    "bone",
    "joint",
    "skin corridor",
    "skin",
    "nerve",
    "vessel",
    "neurovascular",
    "gonad",
    "genital",
    "anus",
    "pelvis",
    "trunk",
    "body",
    "device",
    "helper",
]
"""What a structure is for."""

ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class UsualName:
    """Names that mean one structure.

    Attributes:
        pattern: regular expression that the whole plain name must match.
        tg263: name after TG-263 without its side; None: TG-263 has none.
        role: what the structure is for.
        sided: whether a side belongs to the name.
        both: name after TG-263 of both sides together; None: as ``tg263``.
    """

    pattern: str
    tg263: str | None
    role: Role
    sided: bool = False
    both: str | None = None


PROPOSED = ("Ankle", "Hip", "Humerus_Head", "Tibia", "Ulna")
"""Names in the manner of TG-263 for structures that it does not list."""


_GRAYS = r"(?: \d{1,2})?(?: ?gy)?"
_BOOST = rf"(?:2|(?:5[7-9]|[67]\d)(?:{_GRAYS}|\d\d(?: ?cgy)?)|boost|bst|sib|hd|high)"
_FIRST = rf"(?:1|(?:4\d|5[0-6])(?:{_GRAYS}|\d\d(?: ?cgy)?)|low|mid)"
"""What marks a boost (57 Gy or more) and the first volume."""


_GTV = r"gtv(?!.* ?(?:oedem|edema|ohne|minus|alt|old)\b).*"
"""A GTV of any image or time, but not with its oedema, a part of it, or one that was replaced."""


def _targets() -> list[UsualName]:
    return [
        one
        for kind in ("gtv", "ctv", "ptv")
        for one in (
            UsualName(rf"{kind} ?[pn]? ?{_BOOST}", f"{kind.upper()}_High", "target boost"),
            UsualName(rf"{kind} ?[pn]? ?{_FIRST}?" if kind != "gtv" else _GTV, kind.upper(), "target"),
        )
    ]


USUAL = (
    UsualName(
        r"z? ?(?:(?:hilf|help|opt|ring|dummy|ns|nt|avoid|dosis|dose|iso)\b.*"
        r"|(?:hilfs|optim|dosis|isozentr|isocent).*)"
        r"|z ?[gcp]tv.*|ring ?\d+|.* (?:opt|ring|hilf|help|dummy)(?: \d+)?",
        None,
        "helper",
    ),
    *_targets(),
    UsualName(r"planungs ?zielvolumen|pzv", "PTV", "target"),
    UsualName(r"klinisches ?zielvolumen|kzv", "CTV", "target"),
    UsualName(r"makroskopisches ?tumor ?volumen", "GTV", "target"),
    UsualName(r"itv.*", "ITV", "target"),
    UsualName(r"igtv", "IGTV", "target"),
    UsualName(r"ictv", "ICTV", "target"),
    UsualName(
        r"(?:tumor|resektions) ?bett|op ?gebiet|(?:tumou?r ?)?bed|boost ?bett", "TumorBed", "target source"
    ),
    UsualName(r"(?:op ?)?narbe|scar", "Scar", "target source"),
    UsualName(r"(?:peritumorales )?oedem|edema|oedema", "Edema", "target source"),
    UsualName(
        r"(?:hueft|femur|oberschenkel) ?kopf|(?:caput femoris)|femur head|femoral head",
        "Femur_Head",
        "bone",
        True,
    ),
    UsualName(r"(?:schenkel|femur) ?hals|femur neck|femoral neck", "Femur_Neck", "bone", True),
    UsualName(r"femur ?schaft|femur shaft", "Femur_Shaft", "bone", True, "Femur_Shafts"),
    UsualName(r"femora|femurs", "Femurs", "bone"),
    UsualName(r"femur|oberschenkel(?: ?knochen)?", "Femur", "bone", True, "Femurs"),
    UsualName(r"humeruskopf|humerus head|oberarmkopf", "Humerus_Head", "bone", True),
    UsualName(r"humerus|oberarm(?: ?knochen)?", "Humerus", "bone", True),
    UsualName(r"radius|speiche", "Radius", "bone", True),
    UsualName(r"ulna|elle", "Ulna", "bone", True),
    UsualName(r"tibia|schienbein", "Tibia", "bone", True),
    UsualName(r"fibula|wadenbein", "Fibula", "bone", True),
    UsualName(r"becken(?: ?knochen)?|bone pelvic|pelvis", "Bone_Pelvic", "bone", True),
    UsualName(r"hueft ?pfanne|acetabulum", "Acetabulum", "bone", True, "Acetabulums"),
    UsualName(r"(?:os )?ilium|darmbein|bone ilium", "Bone_Ilium", "bone", True),
    UsualName(r"epiphysen?(?: ?fugen?)?|wachstums ?fugen?|growth ?plate", "GrowthPlate", "bone", True),
    UsualName(r"knochen|bone", "Bone", "bone", True),
    UsualName(r"knie(?: ?gelenk)?|knee(?: joint)?", "Knee", "joint", True),
    UsualName(r"ell(?:en)?bogen(?: ?gelenk)?|elbow(?: joint)?", "Elbow", "joint", True),
    UsualName(r"schulter(?: ?gelenk)?|joint glenohum|shoulder(?: joint)?", "Joint_Glenohum", "joint", True),
    UsualName(r"hueft ?gelenk|hip(?: joint)?", "Hip", "joint", True),
    UsualName(r"sprung ?gelenk|osg|ankle(?: joint)?", "Ankle", "joint", True),
    UsualName(
        r"(?:(?:haut|lymph|lymphabfluss) ?(?:streifen|korridor|corridor|bruecke)|schon ?streifen"
        r"|(?:skin|limb) ?(?:strip|corridor))(?: (?:medial|lateral|ventral|dorsal|\d+ ?[cm]m))?",
        None,
        "skin corridor",
        True,
    ),
    UsualName(r"(?:haut|skin)(?: ?\d+ ?mm)?", "Skin", "skin"),
    UsualName(r"plexus brachialis|brachial ?plex(?:us)?", "BrachialPlex", "nerve", True, "BrachialPlexs"),
    UsualName(r"plexus sacralis|sacral ?plex(?:us)?", "SacralPlex", "nerve", True),
    UsualName(
        r"(?:n|nerv|nervus)? ?ischiadicus|ischias ?nerv|sciatic nerve|plexus.*|nerv(?:us|en)?|nrv.*"
        r"|(?:n|nerv|nervus) (?:femoralis|tibialis|peron(?:a)?eus|fibularis|radialis|medianus|ulnaris)",
        "Nrv_Peripheral",
        "nerve",
        True,
    ),
    UsualName(r"(?:a|art|arteria)? ?femoralis|femoral artery|a femoral", "A_Femoral", "vessel", True),
    UsualName(
        r"gefae(?:ss|s) ?nerv.*|gnb|gns|nvb|bundlenv",
        None,
        "neurovascular",
        True,
    ),
    UsualName(r"gefaesse?|vessels?", None, "vessel", True),
    UsualName(r"hoden|testis|testicles?|testes", "Testis", "gonad", True),
    UsualName(r"ovar(?:ien|ies)?", "Ovaries", "gonad"),
    UsualName(r"ovar(?:ium|y)?", "Ovary", "gonad", True, "Ovaries"),
    UsualName(r"penis", "Penis", "genital"),
    UsualName(r"s[ck]rotum", "Scrotum", "genital"),
    UsualName(r"genitale?|genitals|vulva|genitalia", "Genitals", "genital"),
    UsualName(r"damm|perineum", "Perineum", "genital"),
    UsualName(r"anus|anal ?kanal|canal anal", "Anus", "anus"),
    UsualName(r"re[ck]tum|enddarm|mastdarm", "Rectum", "pelvis"),
    UsualName(r"(?:harn ?)?blase|bladder", "Bladder", "pelvis"),
    UsualName(r"duenn ?darm|small bowel|bowel small", "Bowel_Small", "trunk"),
    UsualName(r"dick ?darm|large bowel|bowel large", "Bowel_Large", "trunk"),
    UsualName(r"darm|bowel", "Bowel", "trunk"),
    UsualName(r"darm ?(?:sack|paket)|bowel bag|bag bowel", "Bag_Bowel", "trunk"),
    UsualName(r"rueckenmark|myelon|spinal ?kanal|spinal ?cord", "SpinalCord", "trunk"),
    UsualName(r"lungen(?: gesamt)?|lunge gesamt|lungs", "Lungs", "trunk"),
    UsualName(r"lunge|lung", "Lung", "trunk", True, "Lungs"),
    UsualName(r"nieren|kidneys", "Kidneys", "trunk"),
    UsualName(r"niere|kidney", "Kidney", "trunk", True, "Kidneys"),
    UsualName(r"leber|liver", "Liver", "trunk"),
    UsualName(r"herz|heart", "Heart", "trunk"),
    UsualName(
        r"(?:aussen|koerper)(?: ?kontur)?|kontur|body|external|patient(?: outline)?", "External", "body"
    ),
    UsualName(r"bolus ?\d*(?: ?[cm]m)?", "Bolus", "device"),
    UsualName(r"tisch|couch.*|lagerung.*|table|marker ?\d*|clips?(?: ?\d+)?", None, "device"),
)
"""The usual names, the first that matches."""

OF_TYPE: dict[str, tuple[str | None, Role]] = {
    "GTV": ("GTV", "target"),
    "CTV": ("CTV", "target"),
    "PTV": ("PTV", "target"),
    "EXTERNAL": ("External", "body"),
    "BOLUS": ("Bolus", "device"),
    "AVOIDANCE": (None, "helper"),
    "BRACHY_CHANNEL": (None, "device"),
    "BRACHY_ACCESSORY": (None, "device"),
    "BRACHY_SRC_APP": (None, "device"),
    "CONTROL": (None, "helper"),
    "DOSE_REGION": (None, "helper"),
    "DOSE_MEASUREMENT": (None, "helper"),
    "FIXATION": (None, "device"),
    "IRRAD_VOLUME": (None, "helper"),
    "ISOCENTER": (None, "helper"),
    "MARKER": (None, "device"),
    "REGISTRATION": (None, "helper"),
    "SUPPORT": (None, "device"),
    "TREATED_VOLUME": (None, "helper"),
}
"""RTROIInterpretedType to TG-263 name and role, for types that decide them (PS3.3 C.8.8.8.1)."""

TYPES_DIFFER = "\\"
"""What stands between the types of a structure that was observed several times with different types."""

METRICS: dict[Role, tuple[str, ...]] = {
    "target": ("D98", "D95", "D50", "D2", "V95%", "HI", "CI"),
    "target boost": ("D98", "D95", "D50", "D2", "V95%", "HI", "CI"),
    "bone": ("mean", "V40", "max"),
    "joint": ("V50",),
    "skin corridor": ("V20",),
    "nerve": ("max",),
    "vessel": ("max",),
    "neurovascular": ("max",),
    "gonad": ("mean",),
}
"""Metrics of a role beside volume and mean dose; bone after Casey 2021."""
