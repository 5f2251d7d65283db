"""Letters ask each sender about their own records only, and answers come back as acknowledgements."""

import dataclasses
import datetime as dt
import io
import stat
import zipfile

import fastexcel
import polars as pl
import pytest
import xlsxwriter

from sarcoma_pipeline.quality import decision_log, ledger, letter_sheet
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from sarcoma_pipeline.quality.letter_words import answers, words
from sarcoma_pipeline.quality.letters import letters
from schemas.language import LANGUAGES
from schemas.ledger import Decision, LedgerEntry
from schemas.quality import FindingRecord
from schemas.sources_toml import Sources
from schemas.vocabularies import LETTER_ANSWER

DUE = {"en": "2026-04-01", "de": "01.04.2026"}
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SOURCES = Sources.model_validate(
    {
        "source": [
            {"name": "north", "kind": "registry", "files": ["n"], "columns": {"event_date": "Datum"},
             "owner": "Offices", "contact": "o@x.example", "system": "Register"},
            {"name": "south", "kind": "registry", "files": ["s"], "columns": {"event_date": "Tag"},
             "owner": "Offices", "contact": "o@x.example", "system": "Register"},
            {"name": "obds", "kind": "obds", "files": ["o"]},
        ]
    }
)  # fmt: skip


def entry(finding, **more):
    common = {
        "finding_id": finding, "rule_id": "vital-status.death-date-conflict", "severity": "warning",
        "status": "open", "first_seen": "R1", "last_seen": "R1", "times_seen": 1, "reopened_count": 0,
        "content_hash": f"h-{finding}", "path": "n", "position": "line 9", "table_name": "typed.vital_status",
        "what": "Two dates.", "remedy": "Compare them.",
    }  # fmt: skip
    return common | more


def record(finding, name, source, position, value, *, at_fault=False, column="status_date"):
    return {
        "finding_id": finding, "record_id": name, "at_fault": at_fault, "source": source, "path": source,
        "position": position, "table_name": "typed.vital_status", "column_name": column, "value": value,
        "role": "other", "why": "",
    }  # fmt: skip


def found(*entries):
    return LedgerEntry.conform(pl.DataFrame(entries, infer_schema_length=None))


def records(*rows):
    return FindingRecord.conform(pl.DataFrame(rows, infer_schema_length=None))


@pytest.fixture
def two():
    """Letters about two findings: one between an office and the documentation, one of the other office."""
    return letters(
        found(entry("aa"), entry("bb", due=dt.date(2026, 4, 1))),
        records(
            record("aa", "r1", "obds", "line 10", "2013-06-01", at_fault=True),
            record("aa", "r2", "north", "line 9", "2013-06-09"),
            record("bb", "r3", "south", "line 10", "=HYPERLINK(1)", at_fault=True),
        ),
        SOURCES,
    )


def test_each_sender_gets_their_own_records_and_only_the_values_of_others(two):
    assert [(one.owner, one.sources) for one in two] == [("obds", ("obds",)), ("Offices", ("north", "south"))]
    documentation, offices = two
    assert documentation.questions.select("finding_id", "position", "value", "others").rows() == [
        ("aa", "line 10", "2013-06-01", "north: Datum = 2013-06-09")
    ]
    assert offices.questions.select("finding_id", "path", "position", "field").rows() == [
        ("aa", "north", "line 9", "Datum"),
        ("bb", "south", "line 10", "Tag"),
    ]
    assert "line 10" not in offices.questions["others"][0], "another sender's position is none of theirs"


def test_two_senders_of_one_name_have_two_letters():
    source = {"kind": "obds", "owner": "Doku", "files": ["o"]}
    two = [
        {**source, "name": "a", "contact": "a@x.example"},
        {**source, "name": "b", "contact": "b@x.example"},
    ]
    made = letters(
        found(entry("aa")),
        records(
            record("aa", "r1", "a", "line 1", "1", at_fault=True), record("aa", "r2", "b", "line 2", "2")
        ),
        Sources.model_validate({"source": two}),
    )
    assert [one.file_name for one in made] == ["doku", "doku-2"]


def test_a_finding_of_the_whole_study_has_no_sender():
    assert letters(found(entry("aa")), records(record("aa", "r", None, "", None)), SOURCES) == []


def test_as_delivered_shows_own_values_and_those_of_others_masked():
    masked = [
        record("aa", "r1", "obds", "line 1", "xxxx", at_fault=True),
        record("aa", "r2", "north", "line 2", "yyyy"),
    ]  # fmt: skip
    plain = [{**row, "value": f"plain {row['value']}"} for row in masked]
    documentation, offices = letters(found(entry("aa")), records(*masked), SOURCES, records(*plain))
    assert documentation.questions["value"].item() == "plain xxxx"
    assert documentation.questions["others"].item().endswith("= yyyy")
    assert offices.questions["value"].item() == "plain yyyy"


def test_the_letters_are_the_same_whatever_the_order_of_rows():
    rows = [record("aa", f"r{i}", "obds", f"line {i}", str(i), at_fault=i == 0) for i in range(12)]
    there = letters(found(entry("aa"), entry("bb")), records(*rows), SOURCES)
    back = letters(found(entry("bb"), entry("aa")), records(*reversed(rows)), SOURCES)
    assert there[0].questions.equals(back[0].questions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_cell_of_a_letter_is_a_formula(two, language):
    content = letter_sheet.spreadsheet(two[1], language, "=Study()", "R1")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if "worksheets/sheet" in name]
        texts = book.read("xl/sharedStrings.xml").decode()
    assert len(sheets) == 2 and not any("<f>" in sheet or "<f " in sheet for sheet in sheets)
    assert "'=HYPERLINK(1)" in texts and "'=Study()" in texts
    read = fastexcel.read_excel(content).load_sheet(0, dtypes="string").to_polars()
    assert read.columns[0] == words(language)["finding_id"]
    assert read[words(language)["due"]].fill_null("").to_list() == ["", DUE[language]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_escapes_what_a_sender_wrote_and_loads_nothing(language):
    one = letters(
        found(entry("aa")),
        records(record("aa", "r", "obds", "line 1", "<script>alert(1)</script>", at_fault=True)),
        SOURCES,
    )[0]
    html = letter_sheet.page(one, language, "A & B", "R1")
    assert "<script" not in html and "&lt;script&gt;" in html and "A &amp; B" in html
    assert f'lang="{language}"' in html and "default-src 'none'" in html
    assert all(answer in html for answer in answers(language))


def test_a_page_breaks_names_where_they_are_joined_and_has_no_empty_column(two):
    named = two[1].questions.with_columns(path=pl.lit("tables/nach_<b>.csv"))
    html = letter_sheet.page(dataclasses.replace(two[1], questions=named), "de", "S", "R1")
    assert "tables<wbr>/nach_&lt;b&gt;.<wbr>csv" in html
    assert ">Antwort bis</th>" in html
    assert ">Antwort bis</th>" not in letter_sheet.page(two[0], "de", "S", "R1")


@pytest.mark.parametrize(
    ("owner", "name"), [("Meldeämter Süd & Straße", "meldeaemter-sued-strasse"), ("Hôpital", "hopital")]
)
def test_an_umlaut_of_an_owner_is_two_letters(two, owner, name):
    sources = Sources.model_validate(
        {"source": [{"kind": "obds", "name": "obds", "owner": owner, "files": ["o"]}]}
    )
    made = letters(
        found(entry("aa")), records(record("aa", "r", "obds", "line 1", "1", at_fault=True)), sources
    )
    assert [one.file_name for one in made] == [name]


def test_only_the_owner_reads_a_letter_and_none_is_overwritten(two, tmp_path):
    paths = letter_sheet.write(tmp_path, two[1], "de", "S", "R1")
    assert [p.name for p in paths] == ["offices.de.xlsx", "offices.de.html"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in paths} == {0o600}
    with pytest.raises(FileExistsError):
        letter_sheet.write(tmp_path, two[1], "de", "S", "R1")


def answered(path, letter, language, filled):
    """Write a letter as a sender sends it back: their answers by finding, everything else as it was."""
    blank = letter_sheet.spreadsheet(letter, language, "S", "R1")
    sheet = fastexcel.read_excel(blank).load_sheet(0, dtypes="string").to_polars()
    said = words(language)
    with xlsxwriter.Workbook(path) as book:
        out = book.add_worksheet(said["sheet"])
        out.write_row(0, 0, sheet.columns)
        for number, row in enumerate(sheet.iter_rows(named=True), 1):
            given = filled.get(row[said["finding_id"]], {})
            for place, column in enumerate(sheet.columns):
                key = next((k for k in given if said[k] == column), None)
                out.write(number, place, given[key] if key else row[column])
    return path


STANDING = found(entry("aa"), entry("bb"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", range(len(LETTER_ANSWER)))
def test_an_answer_is_an_acknowledgement_with_the_senders_words(two, tmp_path, language, place):
    given = {"aa": {"answer": f" {answers(language)[place].upper()} ", "remark": "letter of 3 May",
                    "answered_by": "N. N."}}  # fmt: skip
    read = letter_sheet.read(answered(tmp_path / "a.xlsx", two[1], language, given), "S", STANDING)
    (request,) = read.requests
    assert (request.finding_id, request.action, request.answer) == ("aa", "acknowledge", LETTER_ANSWER[place])
    assert request.reason == f"answer of the sender (N. N.): {LETTER_ANSWER[place]}: letter of 3 May"
    assert read.unanswered == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"answer": "maybe"}, "none of those offered"),
        ({"remark": "seen"}, "without an answer"),
    ],
)
def test_a_sheet_with_a_fault_is_refused_as_a_whole(two, tmp_path, given, told):
    path = answered(tmp_path / "a.xlsx", two[1], "en", {"aa": given, "bb": {"answer": "corrected"}})
    with pytest.raises(DecisionRefused, match=told):
        letter_sheet.read(path, "S", STANDING)


@pytest.mark.parametrize(
    "now", [{"status": "resolved", "resolved_at": "R2"}, {"status": "waived"}, {"content_hash": "h2"}]
)
def test_an_answer_that_comes_too_late_is_passed_over_and_told(two, tmp_path, now):
    path = answered(tmp_path / "a.xlsx", two[1], "en", {"aa": {"answer": "corrected"}})
    read = letter_sheet.read(path, "S", found(entry("aa", **now), entry("bb")))
    assert read.requests == [] and len(read.passed_over) == 1 and "aa" in read.passed_over[0]


@pytest.mark.parametrize("content", [b"", b"no spreadsheet", b"PK\x03\x04broken"])
def test_what_is_no_letter_is_refused_in_words(tmp_path, content):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(DecisionRefused, match=r"a\.xlsx"):
        letter_sheet.read(path, "S", STANDING)


def decided(log, *requests, at=NOW):
    decision_log.record(log, STANDING, requests, at)
    return ledger.standing(STANDING, decision_log.read(log), at.date()).row(0, named=True)


def test_assignee_due_day_and_answer_stay_until_the_finding_is_reopened(tmp_path):
    log = tmp_path / "log.csv"
    due = dt.date(2026, 3, 31)
    first = decided(
        log, Request("aa", "acknowledge", "S", "assigned", assignee="Documentation", due="31.03.2026")
    )
    assert (first["status"], first["assignee"], first["due"], first["answer"]) == (
        "acknowledged", "Documentation", due, None,
    )  # fmt: skip
    later = decided(
        log, Request("aa", "acknowledge", "S", "letter", answer="corrected"), at=NOW + dt.timedelta(1)
    )
    assert (later["assignee"], later["due"], later["answer"]) == ("Documentation", due, "corrected")
    again = decided(log, Request("aa", "reopen", "S", "still wrong"), at=NOW + dt.timedelta(2))
    assert (again["status"], again["assignee"], again["due"], again["answer"]) == (
        "reopened",
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (Request("aa", "acknowledge", "S", "r", assignee="D", due="2026-02-28"), "in the past"),
        (Request("aa", "acknowledge", "S", "r", assignee="D", due="soon"), "is not a day"),
        (Request("aa", "waive", "S", "r", until="2026-05-01", assignee="D"), "only an acknowledgement"),
        (Request("aa", "acknowledge", "S", "r", answer="perhaps"), "unknown answer"),
    ],
)
def test_what_cannot_be_assigned_is_refused(tmp_path, request_, told):
    with pytest.raises(DecisionRefused, match=told):
        decision_log.record(tmp_path / "log.csv", STANDING, [request_], NOW)


@pytest.mark.parametrize("columns", [8, 9])
def test_a_log_of_an_earlier_version_is_read_and_continued(tmp_path, columns):
    log = tmp_path / "log.csv"
    names = tuple(Decision.polars_schema())[:columns]
    values = ("d1", "aa", "acknowledge", "S", "2026-01-01T00:00:00.000000+00:00", "r", "", "h-aa", "")[
        :columns
    ]
    log.write_text(f"{','.join(names)}\n{','.join(values)}\n")
    row = decided(log, Request("aa", "acknowledge", "S", "assigned", assignee="D"))
    assert row["assignee"] == "D"
    assert decision_log.read(log)["decision_id"].to_list()[0] == "d1" and decision_log.read(log).height == 2
