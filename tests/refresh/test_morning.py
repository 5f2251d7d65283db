"""A steward's morning: checks with their tables, the effect of a fault on the study, notifications."""

import json
from typing import Any

import dagster as dg
import polars as pl
import pytest

from sarcoma_pipeline.orchestration import told_of_run
from sarcoma_pipeline.orchestration.assets import rule_checks
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.study import project


@pytest.fixture
def instance(demo, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(demo.home))
    with dg.DagsterInstance.get() as opened:
        yield opened


def _evaluations(instance) -> dict[str, Any]:
    (run,) = instance.get_runs(limit=1)
    entries = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [e.dagster_event.asset_check_evaluation_data for e in entries]
    return {f"{e.check_name} on {e.asset_key.path[-1]}": e for e in found}


def test_a_failed_check_shows_its_records(instance, demo):
    checks = _evaluations(instance)
    check = checks["diagnosis_rules on diagnosis"]
    assert not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    table = check.metadata["failing records"]
    assert 0 < len(table.records) <= 10
    for record in table.records:
        row = record.data
        assert row["finding"] and row["file"] and row["position"] and row["what"] and row["remedy"]
    known = set(demo.warehouse("SELECT finding_id FROM quality.ledger")["finding_id"])
    assert {r.data["finding"] for r in table.records} <= known


def test_each_rule_group_has_a_check_with_its_worst_severity(instance, demo):
    checks = _evaluations(instance)
    found = demo.warehouse(
        "SELECT rule_id, bool_or(severity = 'error') AS error, "
        "bool_or(severity <> 'notice') AS serious FROM quality.findings GROUP BY 1"
    )
    for (group, table), rules in rule_checks.groups().items():
        of_group = found.filter(found["rule_id"].is_in(rules))
        error, serious = of_group["error"].any(), of_group["serious"].any()
        check = checks[f"{group.replace('-', '_')}_rules on {table.split('.')[-1]}"]
        assert check.passed is not serious, group
        if serious:
            assert (check.severity == dg.AssetCheckSeverity.ERROR) is error, group
    assert checks["accounting_identity on accounting"].passed


def test_the_second_refresh_alarms_about_what_is_new(copy, monkeypatch):
    """A known error stays visible without an alarm; a new one is reported, in the terminal and in the UI."""
    (copy.drop / "obds/new.xml").touch()
    assert copy.refresh().exit_code == 0
    monkeypatch.setenv("DAGSTER_HOME", str(copy.home))
    with dg.DagsterInstance.get() as opened:
        checks = _evaluations(opened)
        (run,) = opened.get_runs(limit=1)
    known = checks["diagnosis_rules on diagnosis"]
    assert known.passed and known.description.startswith("nothing new; known: ")
    assert {r.data["news"] for r in known.metadata["failing records"].records} == {"known"}
    of_file = checks["file_rules on unread"]
    assert not of_file.passed and of_file.metadata["news"].value == 1
    assert of_file.metadata["failing records"].records[0].data["news"] == "new"
    assert checks["accounting_identity on accounting"].passed
    new = copy.warehouse(
        "SELECT severity, rule_id, count(*) AS n FROM quality.ledger "
        "WHERE times_seen = 1 AND resolved_at IS NULL AND severity <> 'notice' GROUP BY ALL ORDER BY ALL"
    )
    assert "file.empty" in set(new["rule_id"]) and new.height < 4
    written = (copy.root / f"data/notifications/sts_imrt/{run.run_id}.txt").read_text()
    assert written.startswith("Subject: [sarcoma] sts_imrt: news: 1 error")
    news = written.partition("News since the last refresh:\n")[2].partition("\n\n")[0].splitlines()
    assert "          The file has no content, or no record in it." in news, "a sentence says what is wrong"
    assert [line for line in news if not line.startswith(" " * 10)] == [
        f"  {severity:7} {rule}: {n} new" for severity, rule, n in new.rows()
    ]
    # Nothing is new any more: no mail is sent.
    assert copy.refresh().exit_code == 0
    with dg.DagsterInstance.get() as opened:
        (run,) = opened.get_runs(limit=1)
        checks = _evaluations(opened)
    assert all(check.passed for name, check in checks.items() if "_rules on " in name)
    assert not (copy.root / f"data/notifications/sts_imrt/{run.run_id}.txt").exists()


def test_a_change_is_counted(copy, monkeypatch):
    (copy.drop / "obds/new.xml").touch()
    assert copy.refresh().exit_code == 0
    monkeypatch.setenv("DAGSTER_HOME", str(copy.home))
    with dg.DagsterInstance.get() as opened:
        checks = _evaluations(opened)
    assert checks["file_rules on unread"].metadata["change since last refresh"].value == 1
    assert "+1 since the last refresh" in checks["file_rules on unread"].description
    assert checks["diagnosis_rules on diagnosis"].metadata["change since last refresh"].value == 0


def test_a_successful_run_with_failed_checks_is_notified(instance, demo):
    (run,) = instance.get_runs(limit=1)
    night = told_of_run.night(instance, run.run_id)
    assert night.failed == [] and night.checks == []
    found = demo.warehouse("SELECT rule_id, severity, count(*) FROM quality.findings GROUP BY 1, 2")
    assert sorted((r.rule, r.severity, r.news["new"]) for r in night.rules) == sorted(found.rows())
    assert not any(r.known for r in night.rules)
    # The terminal has told already, and the sensor of a daemon does not tell again.
    (written,) = (demo.root / "data/notifications/sts_imrt").iterdir()
    told = written.read_text()
    assert "diagnosis.before-birth" in told
    written.write_text("told")
    definitions = build_definitions(project.load(demo.study, demo.root))
    sensor = definitions.resolve_sensor_def("notify_failed_checks")
    finished = next(
        e.dagster_event
        for e in instance.all_logs(run.run_id)
        if e.dagster_event and e.dagster_event.event_type == dg.DagsterEventType.RUN_SUCCESS
    )
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name, dagster_event=finished, dagster_instance=instance, dagster_run=run
    )
    sensor(context)
    assert written.read_text() == "told"
    written.unlink()
    sensor(context)
    assert written.read_text() == told


def test_a_failed_run_is_notified_with_its_reason(place, monkeypatch):
    empty = place()
    empty.refresh()
    monkeypatch.setenv("DAGSTER_HOME", str(empty.home))
    with dg.DagsterInstance.get() as opened:
        (run,) = opened.get_runs(limit=1)
        failed = told_of_run.night(opened, run.run_id).failed
    assert [t.what for t in failed] == ["cohort_duckdb"]
    assert "the last release is unchanged" in failed[0].reason


# --- impact -------------------------------------------------------------------------------------------


def _finding(place, rule: str) -> str:
    return place.warehouse(f"SELECT finding_id FROM quality.findings WHERE rule_id = '{rule}'").item(0, 0)


def test_every_record_in_quarantine_has_an_impact(demo):
    weighed = demo.warehouse("FROM quality.impact")
    held = demo.warehouse("SELECT record_id FROM quality.quarantine")
    assert set(weighed["record_id"]) == set(held["record_id"])
    assert set(weighed.filter(pl.col("pseudonym").is_null())["quantity"]) == {"can only be corrected"}


def test_the_predicted_impact_equals_the_effect_of_a_waiver(copy):
    """Compare the predicted impact with the effect of real waivers, one of a century."""
    century = _finding(copy, "diagnosis.before-birth")
    timed = copy.warehouse(
        "SELECT min_by(finding_id, (rule_id, finding_id)) AS f FROM quality.impact "
        "JOIN quality.findings USING (record_id) WHERE quantity = 'OS'"
    )["f"].item()
    told = copy.warehouse(
        "SELECT finding_id, i.* FROM quality.impact i JOIN quality.findings USING (record_id) "
        f"WHERE finding_id IN ('{century}', '{timed}')"
    )
    of_century = told.filter(pl.col("finding_id") == century)
    assert of_century.filter(pl.col("quantity") == "eligibility")["admitted"].to_list() == ["eligible"]
    out = copy.sarcoma("findings", "impact", century)
    assert out.exit_code == 0
    assert "patients: 86 → 87" in out.output
    same = json.loads(copy.sarcoma("findings", "impact", century, "--json").output)
    assert {"number": "patients", "now": "86", "admitted": "87"} in same["moved"]
    assert out.output.splitlines()[-1].startswith(f"{len(same['moved'])} of {same['numbers']} numbers ")
    for finding in (century, timed):
        words = ("findings", "waive", finding, "--by", "S", "--reason", "r", "--until", "2999-12-31")
        assert copy.sarcoma(*words).exit_code == 0
    assert copy.refresh().exit_code == 0, "a century holds back nobody"
    for (pseudonym,), rows in told.group_by("pseudonym"):
        now = copy.warehouse(f"SELECT * FROM cohort.endpoints WHERE pseudonym = '{pseudonym}'")
        said = {row["quantity"]: row["admitted"] for row in rows.iter_rows(named=True)}
        times = {
            r["endpoint"]: f"{r['time_months']:.1f} months, {r['event_kind']}" for r in now.rows(named=True)
        }
        if rows["finding_id"][0] == century:
            # The diagnosis lies a century before the birth: no time is possible, which is a finding.
            assert times == {}
            assert not set(said) & {"OS", "DFS", "DMFS", "LRFS"}
        else:
            assert "OS" in said
            assert {e: t for e, t in said.items() if e in times} == {e: times[e] for e in said if e in times}
    assert copy.warehouse("FROM quality.findings WHERE rule_id = 'patient.time-implausible'").height == 1


def test_a_record_without_a_patient_has_no_impact(demo):
    out = demo.sarcoma("findings", "impact", _finding(demo, "identity.no-patient"))
    assert out.exit_code == 0
    assert "can only be corrected" in out.output
    unknown = demo.sarcoma("findings", "impact", "nobody")
    assert unknown.exit_code == 2 and "there is no such finding" in unknown.output


def test_the_list_shows_the_impact_of_a_waiver(demo):
    listed = demo.sarcoma("findings", "list", "--rule", "diagnosis.before-birth")
    assert "if waived: " in listed.output and "→ eligible" in listed.output
