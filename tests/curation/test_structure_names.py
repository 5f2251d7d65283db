"""What a structure is, from its type, its name and the study's own names."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sarcoma_pipeline.curation.structure_names import counted, meaning
from schemas.structure_names import METRICS, OF_TYPE, PROPOSED, ROLES, USUAL
from schemas.structures_toml import StructureNames


@pytest.mark.parametrize(
    "name, tg263, role",
    [
        ("GTV", "GTV", "target"), ("GTV_MRT", "GTV", "target"), ("CTV1", "CTV", "target"),
        ("CTV 50", "CTV", "target"), ("PTV_50.4Gy", "PTV", "target"),
        ("PTV 59,4 Gy", "PTV_High", "target boost"), ("PTV_6000cGy", "PTV_High", "target boost"),
        ("PTV 3", None, None), ("PTV-Haut", None, None), ("PTV_5000", "PTV", "target"),
        ("PTV_Low", "PTV", "target"), ("PTV2", "PTV_High", "target boost"),
        ("PTV_66", "PTV_High", "target boost"), ("PTV Boost", "PTV_High", "target boost"),
        ("CTVp_High", "CTV_High", "target boost"), ("ITV", "ITV", "target"),
        ("Tumorbett", "TumorBed", "target source"), ("Narbe", "Scar", "target source"),
        ("Ödem", "Edema", "target source"), ("Oedem", "Edema", "target source"),
        ("Femur_R", "Femur_R", "bone"), ("Femur re", "Femur_R", "bone"), ("re. Femur", "Femur_R", "bone"),
        ("Oberschenkelknochen links", "Femur_L", "bone"), ("FemurL", "Femur_L", "bone"),
        ("Femur", "Femur", "bone"), ("Hüftkopf_li", "Femur_Head_L", "bone"),
        ("Hueftkopf_li", "Femur_Head_L", "bone"), ("Femur_Head_R", "Femur_Head_R", "bone"),
        ("Schenkelhals re", "Femur_Neck_R", "bone"), ("Wadenbein", "Fibula", "bone"),
        ("Wachstumsfuge re", "GrowthPlate_R", "bone"), ("Knochen", "Bone", "bone"),
        ("Knie li", "Knee_L", "joint"), ("Kniekehle", None, None), ("Ellenbogen", "Elbow", "joint"),
        ("Schultergelenk", "Joint_Glenohum", "joint"), ("Hautstreifen", None, "skin corridor"),
        ("Skin_Strip", None, "skin corridor"), ("Lymphcorridor", None, "skin corridor"),
        ("Haut", "Skin", "skin"), ("N. ischiadicus re", "Nrv_Peripheral_R", "nerve"),
        ("A. femoralis re", "A_Femoral_R", "vessel"), ("Gefäß-Nerven-Bündel", None, "neurovascular"),
        ("GNB", None, "neurovascular"), ("Hoden li", "Testis_L", "gonad"),
        ("Hoden bds.", "Testis", "gonad"), ("Ovarien", "Ovaries", "gonad"), ("Ovar re", "Ovary_R", "gonad"),
        ("Penis", "Penis", "genital"), ("Skrotum", "Scrotum", "genital"), ("Damm", "Perineum", "genital"),
        ("Analkanal", "Anus", "anus"), ("Rektum", "Rectum", "pelvis"), ("Blase", "Bladder", "pelvis"),
        ("Femurkopf_Links", "Femur_Head_L", "bone"), ("Hüftkopf rechts", "Femur_Head_R", "bone"),
        ("rechter Femur", "Femur_R", "bone"), ("Femur bds.", "Femurs", "bone"),
        ("linkes Knie", "Knee_L", "joint"), ("Wachstumsfugen", "GrowthPlate", "bone"),
        ("Femurschaft li", "Femur_Shaft_L", "bone"), ("Femur prox. re", None, None),
        ("Hüftpfanne re", "Acetabulum_R", "bone"), ("Darmbein li", "Bone_Ilium_L", "bone"),
        ("Knochen re", "Bone_R", "bone"), ("Gefäß-Nerven-Straße", None, "neurovascular"),
        ("Gefäss-Nerven-Strang", None, "neurovascular"), ("Haut 5mm", "Skin", "skin"),
        ("Hautstreifen medial", None, "skin corridor"), ("Lymphabflussstreifen", None, "skin corridor"),
        ("Hautbrücke", None, "skin corridor"), ("Ischiasnerv", "Nrv_Peripheral", "nerve"),
        ("N. tibialis li", "Nrv_Peripheral_L", "nerve"), ("Plexus brachialis re", "BrachialPlex_R", "nerve"),
        ("Plexus sacralis", "SacralPlex", "nerve"), ("Hoden beide", "Testis", "gonad"),
        ("Enddarm", "Rectum", "pelvis"), ("Dünndarm", "Bowel_Small", "trunk"),
        ("Darm", "Bowel", "trunk"), ("Darmpaket", "Bag_Bowel", "trunk"), ("Lungen", "Lungs", "trunk"),
        ("Lunge bds", "Lungs", "trunk"), ("Nieren", "Kidneys", "trunk"), ("Körper", "External", "body"),
        ("Bolus 5mm", "Bolus", "device"), ("Clip 2", None, "device"),
        ("Planungszielvolumen", "PTV", "target"), ("KZV", "CTV", "target"), ("Zielvolumen", None, None),
        ("GTV+Ödem", None, None), ("GTV_alt", None, None), ("GTV alternativ", "GTV", "target"),
        ("PTV_alt", None, None), ("Myelon", "SpinalCord", "trunk"), ("Lunge re", "Lung_R", "trunk"),
        ("Außenkontur", "External", "body"), ("BODY", "External", "body"), ("Bolus 1", "Bolus", "device"),
        ("zPTV_opt", None, "helper"), ("Hilfsstruktur", None, "helper"), ("Ring1", None, "helper"),
        ("PTV_opt", None, "helper"), ("NT", None, "helper"), ("Dosis 95%", None, "helper"),
        ("Zehe", None, None), ("Optikus", None, None), ("X1", None, None), ("", None, None),
    ],
)  # fmt: skip
def test_usual_names(name, tg263, role):
    found = meaning(name)
    assert (found.tg263, found.role) == (tg263, role)
    assert found.decided_by == (None if role is None else "name")
    assert found.metrics == (METRICS.get(role, ()) if role else ())
    assert not found.contradicts


@pytest.mark.parametrize(
    "name, type_, tg263, role, decided_by, contradicts",
    [
        ("Zielvolumen", "PTV", "PTV", "target", "type", False),
        ("Ziel", "ptv ", "PTV", "target", "type", False),
        ("PTV Boost", "PTV", "PTV_High", "target boost", "type", False),
        ("ITV", "CTV", "ITV", "target", "type", False),
        ("CTV", "PTV", "PTV", "target", "type", True),
        ("Femur_R", "PTV", "PTV", "target", "type", True),
        ("PTV", "ORGAN", "PTV", "target", "name", True),
        ("PTV", "MARKER", None, "device", "type", True),
        ("PTV_opt", "PTV", None, "helper", "name", False),
        ("Tumorbett", "CTV", "CTV", "target", "type", False),
        ("Haut", "EXTERNAL", "External", "body", "type", False),
        ("Lt Lung", "AVOIDANCE", "Lung_L", "trunk", "name", False),
        ("Nodes", "AVOIDANCE", None, "helper", "type", False),
        ("PTV", "AVOIDANCE", None, "helper", "type", True),
        ("Femur_R", "ORGAN", "Femur_R", "bone", "name", False),
        ("X1", "ORGAN", None, None, None, False),
        (None, None, None, None, None, False),
        (None, "EXTERNAL", "External", "body", "type", False),
    ],
)
def test_the_type_comes_before_the_usual_name(name, type_, tg263, role, decided_by, contradicts):
    found = meaning(name, type_)
    assert (found.tg263, found.role, found.decided_by) == (tg263, role, decided_by)
    assert found.contradicts is contradicts


ROOTS = (
    "A_Femoral Acetabulum Acetabulums Anus Bag_Bowel Bladder Bolus Bone Bone_Ilium Bone_Pelvic Bowel "
    "Bowel_Large Bowel_Small BrachialPlex BrachialPlexs CTV Edema Elbow External Femur Femur_Head "
    "Femur_Neck Femur_Shaft Femur_Shafts Femurs Fibula GTV Genitals GrowthPlate Heart Humerus ICTV "
    "IGTV ITV Joint_Glenohum Kidney Kidneys Knee Liver Lung Lungs Nrv_Peripheral Ovaries Ovary PTV "
    "Penis Perineum Radius Rectum SacralPlex Scar Scrotum Skin SpinalCord Testis TumorBed "
)
"""The roots of TG-263 that are used here, copied from the list of a public validator."""


def test_every_name_is_one_of_tg_263_or_is_said_to_be_proposed():
    used = {name for one in USUAL for name in (one.tg263, one.both) if name}
    assert {name.removesuffix("_High") for name in used} == {*ROOTS.split(), *PROPOSED}


@pytest.mark.parametrize(
    "name, encoding, shown, tg263",
    [
        ("Hüftkopf re", "utf-8", "Hüftkopf re", "Femur_Head_R"),
        ("Hüftkopf re", "latin-1", "Hüftkopf re", "Femur_Head_R"),
        ("Gefäß", "utf-8", "Gefäß", None),
        ("Körper", "cp850", "K\ufffdrper", None),
    ],
)
def test_a_name_in_another_character_set_than_it_says(name, encoding, shown, tg263):
    """``read``: as a reader returns bytes of the encoding under ISO_IR 100, or under none."""
    read = name.encode(encoding).decode("latin-1")
    assert meaning(read, "ORGAN").tg263 == tg263
    assert next(one.name for one in counted([[(read, "ORGAN")]])) == shown


def test_composed_and_decomposed_umlauts_are_one_name():
    (found,) = counted([[("Hu\u0308ftkopf re", None)], [("Hüftkopf re", None)]])
    assert (found.name, found.count, found.meaning.tg263) == ("Hüftkopf re", 2, "Femur_Head_R")


OWN = (
    StructureNames(names=("OSK re",), tg263="Femur_R", role="bone", metrics=("V50",)),
    StructureNames(patterns=(r"zv.*boost",), tg263="PTV_High", role="target boost"),
)


def test_the_study_s_own_names_come_first():
    found = meaning(" osk RE ", "ORGAN", OWN)
    assert (found.tg263, found.role, found.decided_by, found.metrics) == (
        "Femur_R",
        "bone",
        "study",
        ("V50",),
    )
    found = meaning("ZV Boost", "GTV", OWN)
    assert (found.role, found.metrics) == ("target boost", METRICS["target boost"])
    assert meaning("ZV Boost 2", None, OWN).role is None
    assert meaning("OSK re links", None, OWN).role is None


@pytest.mark.parametrize(
    "keys",
    [
        {"role": "bone"},
        {"names": ["a"], "role": "muscle"},
        {"patterns": ["("], "role": "bone"},
        {"names": ["a"], "role": "bone", "metrics": ["V"]},
        {"names": ["a"], "role": "bone", "metrics": ["D0.1"]},
        {"names": ["a"]},
    ],
)
def test_names_that_say_nothing_are_refused(keys):
    with pytest.raises(ValidationError):
        StructureNames.model_validate(keys)


def test_metrics_that_a_study_may_ask_for():
    asked = ("mean", "max", "HI", "CI", "D98", "V40", "V12.5", "V95%")
    assert StructureNames(names=("a",), role="bone", metrics=asked).metrics == asked


def test_names_are_counted_by_structure_set_and_the_unmapped_come_first():
    sets = [
        [("GTV", "GTV"), ("X1", "ORGAN"), ("CTV", "PTV")],
        [("GTV", "GTV"), ("X1", "ORGAN"), ("X1", "ORGAN"), ("A9", None)],
        [("GTV", "GTV"), (" X1 ", "ORGAN"), (None, None)],
    ]
    for order in (sets, sets[::-1]):
        found = counted(order)
        assert [(one.name, one.interpreted_type, one.count) for one in found] == [
            ("X1", "ORGAN", 3), ("", None, 1), ("A9", None, 1), ("CTV", "PTV", 1), ("GTV", "GTV", 3),
        ]  # fmt: skip


def test_one_name_of_two_types_is_two_names_in_the_order_of_the_types():
    sets = [[("X1", None)], [("X1", "ORGAN")], [("X1", "MARKER X")]]
    for order in (sets, sets[::-1]):
        assert [one.interpreted_type for one in counted(order)] == [None, "MARKER X", "ORGAN"]


def test_every_role_of_the_tables_is_known():
    assert {one.role for one in USUAL} | {role for _, role in OF_TYPE.values()} <= set(ROLES)
    assert set(METRICS) <= set(ROLES)
