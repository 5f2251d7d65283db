"""Whole refreshes: every released value that moved is explained, and what nothing explains is shown first."""

import re

import polars as pl
import pytest

from tests.refreshed import Place

pytestmark = pytest.mark.slow

_EXAM = """
SELECT l.pseudonym, f.path, r.Meldung_ID AS report, r.Untersuchungsdatum_Verlauf AS day
FROM meta.lineage l
JOIN received.obds_follow_up r USING (record_id)
JOIN meta.files f ON f.file_id = r.file_id
JOIN cohort.endpoints e ON e.pseudonym = l.pseudonym AND e.endpoint = l.subject
JOIN cohort.eligibility w ON w.pseudonym = l.pseudonym AND w.criterion = 'window' AND w.value < '2020'
WHERE l.subject = 'DFS' AND l.role = 'decided' AND e.event_kind = 'censored' AND len(e.evidence) = 1
    AND len(l.rule_ids) = 0 AND r.Untersuchungsdatum_Verlauf < '2020-06-01'
ORDER BY l.pseudonym
"""
"""The examinations that alone decide where a patient is censored, of those whom a window until 2019 keeps."""

_DECIDABLE = """
SELECT f.finding_id, i.pseudonym FROM quality.impact i JOIN quality.findings f USING (record_id)
WHERE i.quantity = 'eligibility' AND i.admitted = 'eligible' AND f.rule_id = 'diagnosis.date-unusable'
ORDER BY 1
"""


def _report(text: str, report: str) -> tuple[int, int]:
    """Return where a report begins and ends in an export."""
    start = text.index(f'<Meldung Meldung_ID="{report}"')
    return start, text.index("</Meldung>", start) + len("</Meldung>")


def _in_days(day: str, days: int) -> str:
    return str(pl.Series([day]).str.to_date().dt.offset_by(f"{days}d").item())


@pytest.fixture(scope="module")
def night(demo, tmp_path_factory) -> tuple[Place, dict[str, str], str]:
    """The night after: a silent change, a new examination, a decision, a permuted and a renamed file."""
    place = demo.copied(tmp_path_factory.mktemp("movement") / "root")
    silent, new = place.warehouse(_EXAM).head(2).rows(named=True)
    path = place.drop / silent["path"]
    text = path.read_text()
    start, end = _report(text, silent["report"])
    report = text[start:end]
    assert silent["day"] in report
    path.write_text(text[:start] + report.replace(silent["day"], _in_days(silent["day"], 14)) + text[end:])

    path = place.drop / new["path"]
    text = path.read_text()
    start, end = _report(text, new["report"])
    added = text[start:end].replace(new["report"], "new-1").replace(new["day"], _in_days(new["day"], 200))
    path.write_text(text[:end] + added + text[end:])

    finding, decided = place.warehouse(_DECIDABLE).row(0)
    words = ("--by", "S. Teward", "--reason", "checked", "--until", "2099-12-31")
    assert place.sarcoma("findings", "waive", finding, *words).exit_code == 0

    reply = place.drop / "registry/meldeamt_nord.csv"
    head, *lines = reply.read_bytes().splitlines()
    reply.write_bytes(b"\n".join([head, *reversed(lines)]) + b"\n")
    plan = sorted((place.drop / "dicom").rglob("RD*.dcm"))[3]
    plan.rename(plan.with_name("renamed.dcm"))

    told = place.refresh()
    assert told.exit_code == 0, told.output
    return place, {"silent": silent["pseudonym"], "new": new["pseudonym"], "decided": decided}, told.output


def _causes(place: Place, pseudonym: str) -> list[tuple[list[str], bool]]:
    return place.warehouse(
        f"SELECT DISTINCT causes, unexplained FROM meta.movement WHERE pseudonym = '{pseudonym}' ORDER BY ALL"
    ).rows()


def test_nothing_moved_on_the_first_night(demo):
    assert demo.warehouse("FROM meta.movement").is_empty()
    assert demo.published("FROM meta.movement").is_empty()
    assert demo.warehouse("FROM quality.findings WHERE rule_id LIKE 'release.%'").is_empty()


def test_a_silently_replaced_date_is_a_finding_with_patient_values_and_file(night):
    place, who, _ = night
    assert _causes(place, who["silent"]) == [(["file changed"], True)]
    (found,) = place.warehouse("FROM quality.findings WHERE rule_id = 'release.moved-unexplained'").rows(
        named=True
    )
    assert found["pseudonym"] == who["silent"]
    assert found["path"].startswith("obds/tudok_") and found["file_id"]
    before, now = (int(days) for days in re.findall(r"\d+", found["value"]))
    assert now - before == 14
    assert f"DFS time_days: {before} → {now}" in found["note"]
    changed = place.warehouse(
        f"SELECT change, differing FROM meta.movement_record WHERE pseudonym = '{who['silent']}'"
    )
    assert changed.rows() == [("changed", ["Untersuchungsdatum_Verlauf"])]


def test_a_new_examination_and_a_decision_explain_what_they_move(night):
    place, who, _ = night
    assert _causes(place, who["new"]) == [(["file changed"], False)]
    assert _causes(place, who["decided"]) == [(["decision"], False)]


def test_nothing_else_moved_through_a_permuted_and_a_renamed_file(night):
    place, who, _ = night
    moved = place.warehouse("SELECT DISTINCT pseudonym FROM meta.movement")["pseudonym"]
    assert set(moved) == set(who.values())


def test_estimates_moved_because_patients_moved(night):
    estimates = night[0].warehouse("SELECT DISTINCT causes, unexplained FROM analysis.estimate_movement")
    assert estimates.rows() == [(["patients"], False)]


def test_the_release_has_the_account_without_what_identifies(night):
    place, who, _ = night
    moved = place.published("FROM meta.movement")
    assert set(moved["pseudonym"]) == set(who.values())
    assert "reason" not in moved.columns
    assert moved.height == place.warehouse("FROM meta.movement").height
    shown = place.published("FROM meta.movement_record").write_json() + moved.write_json()
    assert "tudok" not in shown


def test_it_is_shown_first_in_summary_status_and_page(night):
    place, who, output = night
    lines = output[output.index("sts_imrt: published") :].splitlines()
    assert "nothing says why" in lines[1] and "MOVED" in lines[1]
    status = place.sarcoma("status").output.splitlines()
    assert status[0].startswith("moved") and "nothing says why" in status[0]
    assert any(line.startswith("PROBLEM") and "nothing says why" in line for line in status)
    page = (place.root / "data/published/sts_imrt/steward.html").read_text()
    section = page[page.index('<section class="moved"') : page.index('<div class="facts">')]
    assert who["silent"] in section and re.search(r"DFS time_days: \d+ → \d+", section)


def test_the_diff_names_files_decisions_and_causes(night):
    place, who, _ = night
    told = place.sarcoma("release", "diff", "previous", "current").output
    silent = [line for line in told.splitlines() if who["silent"] in line and "time_days:" in line]
    assert silent and all("file changed; UNEXPLAINED" in line for line in silent)
    assert re.search(r"file changed: obds/tudok_\S+\.xml", told)
    assert re.search(
        r"decision of S\. Teward: waive \w+ \(diagnosis\.date-unusable, patient \w+\): checked", told
    )


def test_a_criterion_moves_patients_by_configuration_and_the_finding_stays_until_it_is_decided(
    night, tmp_path
):
    place, who, _ = night
    place = place.copied(tmp_path / "root")
    study = place.root / "data/studies/sts_imrt/study.toml"
    study.write_text(study.read_text().replace("end = 2020-12-31", "end = 2019-12-31"))
    assert place.refresh().exit_code == 0
    left = place.warehouse(
        "SELECT DISTINCT causes, criterion, unexplained FROM meta.movement WHERE new = 'absent'"
    )
    assert left.rows() == [(["configuration"], "window", False)]
    finding = place.warehouse("SELECT finding_id FROM quality.findings WHERE rule_id LIKE 'release.%'").item()
    seen = place.sarcoma("findings", "acknowledge", finding, "--by", "S", "--reason", "corrected on purpose")
    assert seen.exit_code == 0, seen.output
    assert place.refresh().exit_code == 0
    assert place.warehouse("FROM meta.movement WHERE unexplained").is_empty()
    status = place.warehouse(f"SELECT status FROM quality.ledger WHERE finding_id = '{finding}'")
    assert status.item() == "resolved"
    assert who["silent"] not in place.sarcoma("status").output


_ONLY_PLAN = """
SELECT l.pseudonym, f.path FROM meta.lineage l
JOIN received.dicom_plan r USING (record_id) JOIN meta.files f ON f.file_id = r.file_id
WHERE l.subject = 'patient' GROUP BY 1, 2 QUALIFY count(*) OVER (PARTITION BY l.pseudonym) = 1 ORDER BY 1, 2
"""


def test_a_plan_that_can_no_longer_be_read_explains_why_its_patient_left(demo, tmp_path):
    """The finding on the file says what is wrong: no second one says that it cannot be explained."""
    place = demo.copied(tmp_path / "root")
    who, name = place.warehouse(_ONLY_PLAN).row(0)
    path = place.drop / name
    path.write_bytes(path.read_bytes()[:400])
    told = place.refresh()
    assert told.exit_code == 0, told.output
    assert place.warehouse(f"FROM cohort.patients WHERE pseudonym = '{who}'").is_empty()
    assert _causes(place, who) == [(["file changed"], False)]
    (rules,) = place.warehouse(
        f"SELECT new_rules FROM meta.movement_record WHERE pseudonym = '{who}' AND change = 'vanished'"
    ).row(0)
    assert rules and set(rules) <= {"file.truncated", "file.unreadable"}
    # Folders are masked in findings: they may be numbers of patients.
    found = place.warehouse(
        f"FROM quality.findings WHERE path LIKE '%{path.name}' OR rule_id = 'release.moved-unexplained'"
    )
    assert set(found["rule_id"]) == {*rules, "delivery.records-lost"}
