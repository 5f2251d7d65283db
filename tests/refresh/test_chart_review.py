"""A drawn sample, abstracted and read back, stands in the next release and in its report."""

import duckdb
import fastexcel
import polars as pl
import xlsxwriter


def _drawn(place, path, seed=7):
    said = place.sarcoma("sample", "--n", "20", "--seed", str(seed), "--into", str(path))
    assert said.exit_code == 0, said.output
    return fastexcel.read_excel(path).load_sheet("charts", dtypes="string").to_polars()


def test_the_next_release_and_its_report_have_the_error_rates(copy, tmp_path):
    sheet = _drawn(copy, tmp_path / "s.xlsx")
    assert sheet.height == 20 and _drawn(copy, tmp_path / "again.xlsx").equals(sheet)
    with duckdb.connect(str(copy.root / "data/published/sts_imrt/cohort.duckdb"), read_only=True) as release:
        grades = dict(release.execute("SELECT pseudonym, fnclcc_grade::VARCHAR FROM patients").fetchall())
        assert release.execute("SELECT count(*) FROM meta.chart_review").fetchall() == [(0,)]
    known = [name for name in sheet["pseudonym"] if grades[name] in ("G1", "G2", "G3")]
    wrong = known[0]
    rows = sheet.with_columns(
        fnclcc_grade=pl.Series(
            [
                {"G1": "G2", "G2": "G3", "G3": "G1"}[grades[name]] if name == wrong else grades[name] or "?"
                for name in sheet["pseudonym"]
            ]
        )
    )
    returned = tmp_path / "returned.xlsx"
    with xlsxwriter.Workbook(returned) as book:
        out = book.add_worksheet("charts")
        out.write_row(0, 0, rows.columns)
        for number, cells in enumerate(rows.iter_rows(), 1):
            out.write_row(number, 0, [cell or "" for cell in cells])
    said = copy.sarcoma("sample", "--read", str(returned))
    assert said.exit_code == 0, said.output
    assert f"differs: {wrong} fnclcc_grade" in said.output

    assert copy.refresh().exit_code == 0
    with duckdb.connect(str(copy.root / "data/published/sts_imrt/cohort.duckdb"), read_only=True) as release:
        kept = release.execute(
            "SELECT reviewed, errors, patients FROM meta.chart_review WHERE variable = 'fnclcc_grade'"
        ).fetchall()
        assert kept == [(len(known), 1, 20)]
        text = str(release.execute("FROM meta.chart_review").fetchall())
    assert not any(name in text for name in sheet["pseudonym"])
    report = (copy.root / "data/published/sts_imrt/report/index.html").read_text("utf-8")
    assert "Chart review of 20 patients" in report
