"""A formula whose result is not in the file is reported: its cell is not empty."""

import io
import re
import zipfile

import pytest
import xlsxwriter

from schemas import typed, typed_diagnosis  # noqa: F401


def book(size: str, prefix: str = "") -> bytes:
    """Return a workbook with two patients; the size of the first one is this cell of the sheet's XML."""
    whole, changed = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(whole) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ("Pat", "Datum", "Größe"))
        sheet.write_row(1, 0, (1, "10.01.2015"))
        sheet.write_formula(1, 2, "=5+0.5", None, 77)
        sheet.write_row(2, 0, (2, "11.01.2015", 4.5))
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name).decode()
            if "worksheets/" in name:
                content, found = re.subn(r'<c r="C2"[^>]*>.*?</c>', size, content)
                assert found == 1
                if prefix:
                    content = re.sub(r"<(/?)(?=[a-zA-Z])", rf"<\1{prefix}:", content)
                    content = content.replace("xmlns=", f"xmlns:{prefix}=")
            new.writestr(name, content)
    return changed.getvalue()


@pytest.mark.parametrize("prefix", ["", "x"])
@pytest.mark.parametrize(
    "cell",
    [
        '<c r="C2"><f>5+0.5</f></c>',
        '<c r="C2"><f>5+0.5</f><v></v></c>',
        '<c r="C2" t="n" s="0">\n <f>SUM(A1:A2)</f> <v/>\n</c>',
        '<c r="C2"><f t="shared" si="0"/></c>',
    ],
)
def test_a_formula_without_a_result_is_a_finding(read, cell, prefix):
    found = read(book(cell, prefix), format="xlsx")
    assert [size for _, size in found.diagnoses()] == [None, 4.5]
    assert ("value.number-unreadable", "tumour_size_cm", "#FORMULA!") in found.observed


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        ('<c r="C2"><f>5+0.5</f><v>5.5</v></c>', 5.5),
        ('<c r="C2" t="str"><f>IF(A1,"","")</f><v></v></c>', None),  # the result is an empty text
        ('<c r="C2" s="0"/>', None),
    ],
)
def test_a_formula_with_a_result_and_an_empty_cell_are_none(read, cell, size):
    found = read(book(cell), format="xlsx")
    assert [row[1] for row in found.diagnoses()] == [size, 4.5]
    assert found.observed == []
