"""A letter, answered and read back; the finding is resolved by the next delivery."""

import fastexcel
import xlsxwriter

RULE = "surgery.before-diagnosis"


def _finding(place):
    return place.warehouse(
        "SELECT l.finding_id, l.status, l.answer, l.assignee, f.path, r.position, r.value "
        "FROM quality.ledger AS l JOIN quality.finding_records AS r USING (finding_id) "
        f"JOIN meta.files AS f ON f.file_id = r.file_id WHERE l.rule_id = '{RULE}' AND r.at_fault"
    ).row(0, named=True)


def _question(place, folder, finding, *options):
    """Write the letters; return the German one of the tumour documentation, and its row on a finding."""
    said = place.sarcoma("findings", "letters", "--into", str(folder), "--language", "de", *options)
    assert said.exit_code == 0, said.output
    sheet = (
        fastexcel.read_excel(folder / "tumordokumentation.de.xlsx").load_sheet(0, dtypes="string").to_polars()
    )
    return sheet, sheet.filter(sheet["Nummer"] == finding).row(0, named=True)


def test_a_letter_is_answered_and_the_finding_resolved_after_the_next_delivery(copy, tmp_path):
    before = _finding(copy)
    folder = tmp_path / "letters"
    row = _question(copy, folder / "masked", before["finding_id"])[1]
    place = before["position"].replace("line ", "Zeile ")
    assert (row["Stelle"], row["Gelieferter Wert"]) == (place, "9999-99-99")
    blank, row = _question(copy, folder / "plain", before["finding_id"], "--as-delivered")
    assert (row["Datei"], row["Gelieferter Wert"]) == (before["path"], before["value"])

    returned = tmp_path / "answered.xlsx"
    with xlsxwriter.Workbook(returned) as book:
        out = book.add_worksheet("Rückfragen")
        out.write_row(0, 0, blank.columns)
        for number, cells in enumerate(blank.iter_rows(named=True), 1):
            if cells["Nummer"] == before["finding_id"]:
                cells |= {"Antwort": "berichtigt", "Bemerkung": "OP-Bericht", "Beantwortet von": "Doku"}
            for place, text in enumerate(cells.values()):
                out.write_string(number, place, text or "")
    read = copy.sarcoma("findings", "answers", str(returned), "--by", "S")
    assert read.exit_code == 0 and "1 decision recorded" in read.output, read.output
    assert f"{blank.height - 1} questions without an answer" in read.output
    shown = copy.sarcoma("findings", "list", "--rule", RULE).output
    assert "acknowledged" in shown and "answer of the sender: corrected" in shown

    # The documentation corrects the date: the operation came after the diagnosis (2010-01-14).
    delivered = copy.drop / before["path"]
    text = delivered.read_text("utf-8")
    line = int(before["position"].split()[1])
    lines = text.split("\n")
    date = next(i for i in range(line - 1, len(lines)) if before["value"] in lines[i])
    lines[date] = lines[date].replace(before["value"], "2010-02-14")
    delivered.write_text("\n".join(lines), "utf-8")
    assert copy.refresh().exit_code == 0
    after = copy.warehouse(
        f"SELECT status, answer FROM quality.ledger WHERE finding_id = '{before['finding_id']}'"
    ).row(0)
    assert after == ("resolved", "corrected")
    again = copy.sarcoma("findings", "answers", str(returned), "--by", "S")
    assert again.exit_code == 0 and "is resolved" in again.output
