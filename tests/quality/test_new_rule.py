"""A rule written in one place fires, has its Dagster check and stands in the docs."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.quality import rule_registry
from schemas import rule

ROOT = Path(__file__).parents[2]

RULE = """
import polars as pl
from sarcoma_pipeline.quality.rule_registry import Frames, rule, verdicts

@rule(
    "plugged.small-tumour",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="The tumour is smaller than 1 cm.",
    remedy="In the tumour documentation, check the size.",
    missing="{missing}",
)
def _small_tumour(frames: Frames) -> pl.DataFrame:
    return verdicts(frames["diagnosis"], pl.col("tumour_size_cm") < 1, "tumour_size_cm")
"""

USE = """
import sys
from pathlib import Path
import polars as pl
import sarcoma_pipeline.quality
sarcoma_pipeline.quality.__path__.append(sys.argv[1])
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.quality import cross_record, rule_catalogue
from sarcoma_pipeline.study import project
from schemas.curated import Link
from schemas.quality import Finding
from sarcoma_pipeline.curation.typed_records import TYPED
from tests.quality.clean import row
from schemas import typed

sizes = {"small": 0.5, "sound": 5.0, "unknown": None}
made = {c.table(): c.empty() for c in TYPED}
made["typed.diagnosis"] = typed.Diagnosis.conform(
    pl.DataFrame([row(typed.Diagnosis, name, tumour_size_cm=size) for name, size in sizes.items()])
)
link = Link.conform(pl.DataFrame([{"person_ref": "number:1", "patient_id": "number:1"}]))
seen = cross_record.observe(made, link).filter(pl.col("rule_id") == "plugged.small-tumour")
print(sorted(seen["record_id"]))
print([k.to_user_string() for k in build_definitions(project.load("sts_imrt", Path.cwd()))
       .resolve_asset_graph().asset_check_keys if k.name == "plugged_rules"])
print([line for line in rule_catalogue.markdown().splitlines() if "plugged" in line])
print(rule_catalogue.catalogue().filter(pl.col("rule_id") == "plugged.small-tumour").height)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("missing", "fires_on"), [("kept", ["small"]), ("broken", ["small", "unknown"])])
def test_a_rule_needs_its_own_module_only(tmp_path, missing, fires_on):
    (tmp_path / "rules_of_the_test.py").write_text(RULE.format(missing=missing))
    run = subprocess.run([sys.executable, "-c", USE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    fired, checks, docs, catalogued = run.stdout.splitlines()
    assert fired == str(fires_on)
    assert checks == "['sts_imrt/typed/diagnosis:plugged_rules']"
    assert "| warning | plausibility | typed.diagnosis | The tumour is smaller than 1 cm. |" in docs
    assert f"| {missing} |" in docs
    assert catalogued == "1"


@pytest.fixture(autouse=True)
def own_catalogue(monkeypatch):
    monkeypatch.setattr(rule, "DECLARED", {})


def _rule(missing=None, **more) -> rule.Rule:
    return rule.Rule(
        "test.one", "warning", what="It is wrong.", remedy="Correct it.", missing=missing, **more
    )


def _at_fault(missing, found) -> list[str]:
    rule.DECLARED.clear()
    judged = rule_registry.JudgedRule(_rule(missing), lambda _: found)
    return judged.at_fault(rule_registry.Frames(read=lambda _: {}))["record_id"].to_list()


def test_a_verdict_that_a_missing_value_leaves_open_needs_a_meaning():
    frame = pl.DataFrame({"record_id": ["a", "b", "c"], "x": [1, 2, None]})
    verdicts = rule_registry.verdicts(frame, pl.col("x") > 1, "x")
    assert _at_fault("kept", verdicts) == ["b"]
    assert _at_fault("broken", verdicts) == ["b", "c"]
    with pytest.raises(ValueError, match="missing"):
        _at_fault(None, verdicts)
    with pytest.raises(ValueError, match="missing"):
        _at_fault("kept", verdicts.drop("broken"))


def test_of_several_records_at_fault_one_per_group_is_a_finding():
    frame = pl.DataFrame({"record_id": ["a", "b", "c"], "x": [1, 2, 2], "series": ["s", "s", "t"]})
    verdicts = rule_registry.verdicts(frame, pl.col("x") > 0, "x", once_per="series")
    assert _at_fault("kept", verdicts) == ["a", "c"]


def test_no_two_rules_share_an_id():
    _rule()
    with pytest.raises(ValueError, match="declared twice"):
        _rule()


def test_a_rule_of_a_contract_says_what_a_missing_value_means():
    with pytest.raises(ValueError, match="missing"):
        _rule(column="x", holds=pl.col("x") > 1).kept()
    rule.DECLARED.clear()
    frame = pl.DataFrame({"x": [0, 2, None]})
    broken = _rule("broken", column="x", holds=pl.col("x") > 1)
    assert frame.select(broken.kept()).to_series().to_list() == [False, True, False]
