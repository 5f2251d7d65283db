"""Which version of an oBDS report counts; expected values by the rules on reports (Meldungen)."""

from __future__ import annotations

from itertools import count

import polars as pl
import pytest

from sarcoma_pipeline.curation import objections, reports
from schemas import received as r
from tests.oracle import in_process


class Export:
    """Reports as files deliver them."""

    def __init__(self) -> None:
        self.rows: dict[type[r.ObdsMeldung], list[dict[str, str | None]]] = {}
        self.files: dict[str, str] = {}
        self.numbers = count(1)

    def add(
        self, contract=r.ObdsSurgery, *, file="a.xml", on="2020-01-01", meldung="M1", patient="1", melder="K",
        at=1, within="/OP", **values,
    ) -> str:  # fmt: skip
        file_id = self.files.setdefault(file, f"file {99 - len(self.files)}")
        record_id = f"r{next(self.numbers)}"
        said = repr((contract.table(), sorted(values.items())))
        self.rows.setdefault(contract, []).append(
            {
                "record_id": record_id, "file_id": file_id, "record_key": record_id, "content_hash": said,
                "position": f"line {at} /oBDS/Menge_Patient/Patient[1]/Menge_Meldung/Meldung[{at}]{within}",
                "first_refresh": "R1", "Absender_ID": "S", "Melder_ID": melder, "Meldung_ID": meldung,
                "Patient_ID": patient, "Meldedatum": on, **values,
            }
        )  # fmt: skip
        return record_id

    @property
    def received(self) -> dict[str, pl.DataFrame]:
        return {c.table(): c.conform(pl.DataFrame(rows)) for c, rows in self.rows.items()}

    def rows_of(self, table: str, records: pl.Series) -> pl.DataFrame:
        return self.received[table].filter(pl.col("record_id").is_in(records.implode()))

    @property
    def paths(self) -> pl.DataFrame:
        return pl.DataFrame({"file_id": list(self.files.values()), "path": list(self.files)})

    def sorted(self) -> reports.Sorted:
        return reports.sort_out(self.received, self.paths)

    def gone(self) -> dict[str, str]:
        return dict(self.sorted().disposition.select("record_id", "disposition").iter_rows())

    def found(self) -> set[tuple[str, str]]:
        return set(self.sorted().observed.select("rule_id", "record_id").iter_rows())


@pytest.fixture
def export() -> Export:
    return Export()


def test_the_report_with_the_later_meldedatum_counts_whatever_its_file_is_called(export):
    old = export.add(file="z.xml", on="2020-01-01", Lokale_Beurteilung_Residualstatus="R0")
    export.add(file="a.xml", on="2020-02-01", Lokale_Beurteilung_Residualstatus="R1")
    assert export.gone() == {old: "out of scope"}
    assert export.found() == {("record.corrected", old)}


def test_of_two_versions_of_one_day_the_later_file_name_counts_with_a_finding(export):
    export.add(file="b.xml", Lokale_Beurteilung_Residualstatus="R1")
    old = export.add(file="a.xml", Lokale_Beurteilung_Residualstatus="R0")
    assert export.gone() == {old: "out of scope"}
    assert ("report.same-day-versions", old) in export.found()


def test_of_two_versions_in_one_file_the_later_position_counts_by_number(export):
    old = export.add(at=9, Lokale_Beurteilung_Residualstatus="R0")
    export.add(at=10, Lokale_Beurteilung_Residualstatus="R1")
    assert export.gone() == {old: "out of scope"}


def test_a_missing_meldedatum_is_the_earliest(export):
    export.add(file="a.xml", on="2020-01-01", Intention="K")
    old = export.add(file="b.xml", on=None, Intention="P")
    assert export.gone() == {old: "out of scope"}


def test_a_copy_is_never_newer_even_with_a_later_meldedatum(export):
    export.add(file="a.xml", on="2020-01-01", Intention="K")
    again = export.add(file="b.xml", on="2020-05-01", Intention="K")
    assert export.gone() == {again: "duplicate"}
    assert export.found() == set()


def test_an_old_version_that_comes_again_does_not_undo_its_correction(export):
    old = export.add(file="a.xml", on="2020-01-01", Intention="K")
    export.add(file="b.xml", on="2020-02-01", Intention="P")
    again = export.add(file="c.xml", on="2020-03-01", Intention="K")
    assert export.gone() == {old: "out of scope", again: "duplicate"}
    assert ("report.old-version-again", again) in export.found()


def test_an_old_version_exported_again_before_the_correction_is_only_a_copy(export):
    export.add(file="a.xml", on="2020-01-01", Intention="K")
    again = export.add(file="b.xml", on="2020-02-01", Intention="K")
    export.add(file="c.xml", on="2020-03-01", Intention="P")
    assert ("report.old-version-again", again) not in export.found()


def test_a_report_is_replaced_whole_with_every_module(export):
    first = export.add(file="a.xml", on="2020-01-01", Intention="K")
    second = export.add(
        r.ObdsFollowUp, file="a.xml", on="2020-01-01", within="/Verlauf", Gesamtbeurteilung_Tumorstatus="Y"
    )
    export.add(file="b.xml", on="2020-02-01", Intention="K")
    assert export.gone() == {first: "out of scope", second: "out of scope"}


def test_other_reporters_and_other_senders_reports_are_other_reports(export):
    export.add(melder="K", Intention="K")
    export.add(melder="L", file="b.xml", Intention="P")
    assert export.gone() == {}


def test_a_reporter_is_known_by_the_iknr_when_there_is_one(export):
    old = export.add(melder="1", Melder_IKNR="260000001", Intention="K")
    export.add(melder="2", Melder_IKNR="260000001", file="b.xml", on="2020-02-01", Intention="P")
    other = export.add(melder="1", Melder_IKNR="260000002", file="c.xml", on="2020-03-01", Intention="P")
    assert export.gone() == {old: "out of scope"}
    assert other not in export.gone()


def test_the_same_report_under_another_patient_is_a_finding_and_replaces_nothing(export):
    one = export.add(patient="1", Intention="K")
    two = export.add(patient="2", file="b.xml", on="2020-02-01", Intention="P")
    assert export.gone() == {}
    assert export.found() == {("report.other-patient", one), ("report.other-patient", two)}


def test_reports_without_an_id_replace_nothing(export):
    export.add(meldung=None, Intention="K")
    export.add(meldung=None, file="b.xml", on="2020-02-01", Intention="P")
    assert export.gone() == {}


def test_the_order_of_rows_and_files_changes_nothing(export):
    for file, on, said in [("c.xml", "2020-01-01", "K"), ("a.xml", "2020-01-01", "P"), ("b.xml", None, "S")]:
        export.add(file=file, on=on, Intention=said)
    one = export.sorted()
    turned = {t: f.reverse() for t, f in export.received.items()}
    two = reports.sort_out(turned, export.paths.reverse())
    assert one.disposition.equals(two.disposition)
    assert one.observed.sort("rule_id", "record_id").equals(two.observed.sort("rule_id", "record_id"))


def test_a_value_that_the_newer_version_lacks_is_withdrawn_with_a_finding(export):
    old = export.add(on="2020-01-01", Intention="K", Lokale_Beurteilung_Residualstatus="R1")
    new = export.add(file="b.xml", on="2020-02-01", Intention="P")
    found = reports.withdrawals(export.sorted(), export.rows_of)
    assert found.select("rule_id", "record_id", "column_name").rows() == [
        ("report.value-withdrawn", old, "Lokale_Beurteilung_Residualstatus")
    ]
    assert new in found["note"][0]


def test_a_part_that_the_newer_version_lacks_is_withdrawn_with_a_finding(export):
    export.add(on="2020-01-01", Intention="K")
    old = export.add(r.ObdsFollowUp, on="2020-01-01", within="/Verlauf", Gesamtbeurteilung_Tumorstatus="Y")
    export.add(file="b.xml", on="2020-02-01", Intention="K")
    found = reports.withdrawals(export.sorted(), export.rows_of)
    assert found["record_id"].to_list() == [old]
    assert "no such part" in found["note"][0]


def test_a_changed_value_is_no_withdrawal(export):
    export.add(on="2020-01-01", Intention="K")
    export.add(file="b.xml", on="2020-02-01", Intention="P", Lokale_Beurteilung_Residualstatus="R0")
    assert reports.withdrawals(export.sorted(), export.rows_of).is_empty()


def test_each_version_is_compared_with_the_next_one(export):
    export.add(on="2020-01-01", Intention="K", Lokale_Beurteilung_Residualstatus="R1")
    second = export.add(file="b.xml", on="2020-02-01", Intention="P", Lokale_Beurteilung_Residualstatus="R0")
    export.add(file="c.xml", on="2020-03-01", Intention="P")
    found = reports.withdrawals(export.sorted(), export.rows_of)
    assert found["record_id"].to_list() == [second]


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ([("2020-01-01", "W")], "since 2020-01-01"),
        ([("2020-01-01", "I"), ("2020-02-01", "W")], "since 2020-02-01"),
        ([("2020-01-01", "W"), ("2020-02-01", "I")], None),
        ([("2020-01-01", "W"), ("2020-02-01", "A")], "since 2020-01-01"),
        ([("2020-01-01", "W"), ("2020-02-01", "I"), ("2020-03-01", "W")], "since 2020-03-01"),
        # Consented twice, objected twice: since the first objection after the last consent.
        ([("2020-01-01", "I"), ("2020-02-01", "W"), ("2020-03-01", "I"), ("2020-04-01", "W"),
          ("2020-05-01", "W")], "since 2020-04-01"),
        ([("2020-01-01", "W"), ("2020-02-01", None)], "since 2020-01-01"),
        ([("2020-01-01", "I"), ("2020-02-01", "V")], None),
        ([(None, "W"), ("2020-02-01", "I")], "since an unknown day"),
        ([(None, "I"), ("2020-02-01", "W")], "since 2020-02-01"),
        ([("2020-01-01", "W"), (None, "I")], "since 2020-01-01"),
        ([("2020-01-01", "W"), ("2020-01-01", "I")], "since 2020-01-01"),
        ([("2020-01-01", "I"), ("2020-01-01", "W"), ("2020-02-01", "I")], None),
    ],
)  # fmt: skip
def test_an_objection_stands_until_the_same_reporter_takes_it_back(export, told, stands):
    for number, (on, reason) in enumerate(told, start=1):
        export.add(file=f"{number}.xml", meldung=f"M{number}", on=on, Meldebegruendung=reason)
    found = objections.objections(export.received, export.paths)
    assert found["note"].to_list() == ([stands] if stands else [])


def test_another_reporter_takes_no_objection_back(export):
    export.add(melder="K", Meldebegruendung="W")
    export.add(melder="L", meldung="M2", file="b.xml", on="2021-01-01", Meldebegruendung="I")
    assert objections.objections(export.received, export.paths).height == 1


def test_nothing_of_a_patient_who_objects_is_curated_whatever_its_source(records):
    records.patient("1")
    records.diagnosis(number="1", Meldung_ID="M1", Melder_ID="K", Absender_ID="S", Meldebegruendung="W")
    reply = records.reply(hospital_number="1", answer="lebt", answered_on="01.02.2020")
    records.patient("2", family="Meier", given="Eva", born="1960-01-01")
    records.diagnosis(number="2", Meldung_ID="M2", Melder_ID="K", Absender_ID="S", Meldebegruendung="I")
    made = records.run()
    assert made["patient"]["patient_id"].to_list() == ["number:2"]
    assert made["diagnosis"]["patient_id"].to_list() == ["number:2"]
    assert "patient.objection" in made.rules()
    assert made.accounting["unaccounted"].sum() == 0
    assert made.accounting["out_of_scope"].sum() == 3
    assert reply not in {r for ids in made["vital_status"]["record_ids"] for r in ids}


def test_an_objection_in_a_meldung_without_a_module_counts(tmp_path):
    """Definitions, section 1: with W the records are set aside, whatever else the Meldung says."""
    built = in_process.build(tmp_path, {"a.xml": _told("I", "<Tod/>"), "b.xml": _told("W", "", "2020-02-01")})
    assert built["patient"].is_empty()
    rules = set(built.made.observed["rule_id"])
    assert {"patient.objection", "file.module-missing"} <= rules


@pytest.mark.parametrize(("module", "dead"), [("<Tod/>", True), ("", False)])
def test_a_newer_version_without_a_module_withdraws_the_older_one(tmp_path, module, dead):
    built = in_process.build(
        tmp_path, {"a.xml": _told("I", "<Tod/>"), "b.xml": _told("I", module, "2020-02-01")}
    )
    assert (built["vital_status"]["status"].to_list() == ["deceased, date unknown"]) == dead


def _told(reason, module, on="2020-01-01"):
    return (
        '<oBDS xmlns="http://www.basisdatensatz.de/oBDS/XML" Schema_Version="3.0.4">'
        f'<Absender Absender_ID="S"/><Meldedatum>{on}</Meldedatum>'
        '<Menge_Patient><Patient Patient_ID="1"><Patienten_Stammdaten>'
        "<Nachname>N</Nachname><Vornamen>V</Vornamen><Geschlecht>W</Geschlecht>"
        '<Geburtsdatum Datumsgenauigkeit="E">1950-03-04</Geburtsdatum></Patienten_Stammdaten><Menge_Meldung>'
        f'<Meldung Meldung_ID="M" Melder_ID="K"><Meldebegruendung>{reason}</Meldebegruendung>'
        f'<Tumorzuordnung Tumor_ID="1"/>{module}</Meldung></Menge_Meldung></Patient></Menge_Patient></oBDS>'
    ).encode()


@pytest.mark.parametrize(
    "lacking", [b' Meldung_ID="M"', b' Melder_ID="K"', b"<Meldedatum>2020-02-01</Meldedatum>"]
)
def test_an_objection_counts_whatever_its_report_lacks(tmp_path, lacking):
    objection = _told("W", "<Tod/>", "2020-02-01")
    assert lacking in objection
    files = {"a.xml": _told("I", "<Tod/>"), "b.xml": objection.replace(lacking, b"")}
    assert in_process.build(tmp_path, files)["patient"].is_empty()


@pytest.mark.parametrize(
    ("reason", "doubtful"),
    [("Widerspruch", 1), ("X", 1), ("I", 0), ("a", 0), (" D ", 0), ("V", 0), (None, 0)],
)
def test_a_reason_that_is_no_code_is_a_finding_and_no_objection(export, reason, doubtful):
    record = export.add(Meldebegruendung=reason)
    found = objections.objections(export.received, export.paths)
    assert found.select("rule_id", "record_id").rows() == [("report.reason-unknown", record)] * doubtful


def test_blanks_around_a_number_hide_no_objection(tmp_path):
    written = [
        _told("I", "<Tod/>"),
        _told("W", "", "2020-02-01").replace(b'Patient_ID="1"', b'Patient_ID=" 1 "'),
    ]
    built = in_process.build(tmp_path, {f"{n}.xml": content for n, content in enumerate(written)})
    assert built["patient"].is_empty()


def test_two_older_versions_of_one_day_are_a_finding_too(export):
    first = export.add(file="a.xml", on="2020-01-01", Intention="K")
    second = export.add(file="b.xml", on="2020-01-01", Intention="P")
    export.add(file="c.xml", on="2020-02-01", Intention="X")
    assert export.gone() == {first: "out of scope", second: "out of scope"}
    told = {record for rule, record in export.found() if rule == "report.same-day-versions"}
    assert told == {first}, "the second one was corrected on another day"


def test_a_consent_further_down_in_the_same_export_takes_no_objection_back(export):
    export.add(file="a.xml", meldung="M1", on="2020-01-01", Meldebegruendung="I")
    export.add(file="a.xml", meldung="M2", on="2020-01-01", Meldebegruendung="W")
    export.add(file="a.xml", meldung="M3", on="2020-01-01", Meldebegruendung="I")
    assert objections.objections(export.received, export.paths)["note"].to_list() == ["since 2020-01-01"]


@pytest.mark.parametrize("later", ["2020-02-01Z", "2020-02-01+01:00", " 2020-02-01\n", "01.02.2020"])
def test_the_day_of_a_report_may_have_a_time_zone_or_the_format_of_older_exports(export, later):
    older = export.add(file="b.xml", on="2020-01-01", Intention="K")
    export.add(file="a.xml", on=later, Intention="P")
    assert export.gone() == {older: "out of scope"}


def test_only_an_objection_sets_a_patient_aside(export):
    export.add(patient=" 1 ", Meldebegruendung="W")
    export.add(patient="1", meldung="M3", melder="L", Meldebegruendung="W")
    export.add(patient="2", meldung="M2", Meldebegruendung="Widerspruch")
    found = objections.objections(export.received, export.paths)
    assert sorted(found["rule_id"]) == ["patient.objection", "patient.objection", "report.reason-unknown"]
    assert objections.objecting(found, export.rows_of).to_list() == ["number:1"]
    unknown = found.filter(rule_id="report.reason-unknown")
    assert objections.objecting(unknown, export.rows_of).is_empty()


def test_the_records_of_who_objects_leave_under_every_reference():
    link = pl.DataFrame(
        {
            "person_ref": ["number:1", "record:x", "number:2"],
            "patient_id": ["number:1", "number:1", "number:2"],
        }
    )
    typed = {
        "typed.person": pl.DataFrame({"record_id": ["a", "b"], "person_ref": ["number:1", "number:2"]}),
        "typed.surgery": pl.DataFrame(
            {"record_id": ["c", "a", "d"], "person_ref": ["record:x", "number:1", None]}
        ),
    }
    kept, out = objections.without_objecting(link, typed, pl.Series(["number:1"]))
    assert kept["person_ref"].to_list() == ["number:2"]
    assert out.select("record_id", "disposition").rows() == [("a", "out of scope"), ("c", "out of scope")]
    kept, out = objections.without_objecting(link, typed, pl.Series([], dtype=pl.String))
    assert kept.height == 3 and out.is_empty()
