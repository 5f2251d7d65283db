"""What is doubtful about volumes and doses is a finding, with all structures of its plan or structure set."""

from dataclasses import replace

from sarcoma_pipeline.curation import dose_findings
from sarcoma_pipeline.curation.dose_volume.doubts import MEANINGS
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.planned_doses import ObjectAt, PlanFiles, Planned, Wanted, Work
from schemas.structures_toml import StructureNames

SET, DOSE = ObjectAt("RS.dcm", "file", "1", 10), ObjectAt("RD.dcm", "file", "2", 10)


def _plan(fractions: int = 25) -> PlanFiles:
    groups = (PlannedGroup("1", fractions, frozenset({"1"})),)
    return PlanFiles(PlanOfDose("1.2", groups, fractions, 1.0), (DOSE,))


def work() -> Work:
    return Work(SET, (_plan(),), (50.0,))


def test_the_key_of_a_calculation_changes_with_files_plan_and_settings():
    one = work()
    keys = {
        one.key("settings"),
        one.key("other settings"),
        replace(one, levels=(60.0,)).key("settings"),
        replace(one, structures=replace(one.structures, content_hash="0")).key("settings"),
        replace(one, plans=(_plan(20),)).key("settings"),
    }
    assert len(keys) == 5
    # The name of the file does not matter.
    assert replace(one, structures=replace(one.structures, path="x")).key("settings") in keys


def test_every_doubt_is_a_finding_on_its_plan_or_structure_set():
    one = Planned("k", "P", "C", True, "1.2", "1.3", "plan", "set", ("plan", "set"), work())
    told = [{"id": id_, "value": "v", "structure": "PTV"} for id_ in MEANINGS]
    told.append({"id": "contours.gap", "value": "2", "structure": "GTV"})
    seen = dose_findings.observe(Wanted((one,), (("plan", "2 plans of phase 1"),)), {"k": {"doubts": told}})
    assert set(seen["rule_id"]) == set(MEANINGS) and seen.height == len(MEANINGS)
    place = dict(seen.select("rule_id", "record_id").iter_rows())
    assert {place[r] for r in ("contours.gap", "target.order", "margin.frame-differs")} == {"set"}
    assert {place[r] for r in ("dose.units", "dvh.differs", "dose.course-not-added")} == {"plan"}
    value = dict(seen.select("rule_id", "value").iter_rows())
    assert value["contours.gap"] == "GTV: 2; PTV: v"
    assert value["dose.course-not-added"] == "2 plans of phase 1; PTV: v"
    assert dose_findings.observe(Wanted((one,), ()), {}).is_empty()


def test_a_name_that_is_not_mapped_is_one_finding_with_its_count():
    sets = [
        ("tps", [("PTV", "PTV"), ("Strukturx", "ORGAN")]),
        ("tps", [("Strukturx", "ORGAN")]),
        ("tps", [("CTV", "PTV")]),
        ("other", [("Strukturx", None)]),
    ]
    seen = dose_findings.names(sets, ()).select("rule_id", "record_id", "value").rows()
    assert sorted(seen) == [
        ("structures.type-contradicts", "dataset:tps", "CTV, type PTV: 1 structure set"),
        ("structures.unmapped", "dataset:other", "Strukturx: 1 structure set"),
        ("structures.unmapped", "dataset:tps", "Strukturx, type ORGAN: 2 structure sets"),
    ]
    own = [StructureNames(names=("strukturX",), role="helper"), StructureNames(names=("CTV",), role="target")]
    assert dose_findings.names(sets, own).is_empty()


def test_the_doubts_of_all_calculations_on_one_record_are_one_finding():
    one = Planned("k", "P", "C", True, "1.2", "1.3", "plan", "set", ("plan", "set"), work())
    other = replace(one, calculation="m", plan_record="plan 2")
    results = {
        "k": {"doubts": [doubt("contours.gap", "2", "GTV"), doubt("dose.units", "RELATIVE")]},
        "m": {"doubts": [doubt("contours.gap", "2", "GTV"), doubt("contours.gap", "1", "CTV"),
                         doubt("dose.units", "missing")]},
    }  # fmt: skip
    for planned in ((one, other), (other, one)):
        seen = dose_findings.observe(Wanted(planned, ()), results)
        assert seen.select("rule_id", "record_id", "column_name", "value").rows() == [
            ("contours.gap", "set", "roi_names", "CTV: 1; GTV: 2"),
            ("dose.units", "plan", "prescribed_dose_gy", "RELATIVE"),
            ("dose.units", "plan 2", "prescribed_dose_gy", "missing"),
        ]


def doubt(id_: str, value: str, structure: str = "") -> dict[str, str]:
    return {"id": id_, "value": value, "structure": structure}


def test_a_structure_without_a_name_is_told_as_such():
    seen = dose_findings.names([("tps", [("", "ORGAN"), (None, "ORGAN"), ("", None)])], ())
    assert seen.select("column_name", "value").rows() == [
        ("(no name)", "(no name): 1 structure set"),
        ("(no name), type ORGAN", "(no name), type ORGAN: 1 structure set"),
    ]
