"""Rules on single values: dates, numbers and codes that cannot be read, or were read with an assumption."""

from __future__ import annotations

import polars as pl

from schemas.rule import Rule

# A finding of an "unreadable" or "unknown" rule has the severity that its column declares.
DATE_UNREADABLE = Rule(
    "value.date-unreadable",
    "error",
    what="The text is not a calendar date in the format that the source uses.",
    remedy="In the system that sent the record, correct the date in the named column.",
)
NUMBER_UNREADABLE = Rule(
    "value.number-unreadable",
    "error",
    what="The text is not a number.",
    remedy=(
        "In the system that sent the record, enter a plain number in the named column, without unit or "
        "remark."
    ),
)
CODE_UNKNOWN = Rule(
    "value.code-unknown",
    "error",
    what="The code is not in the code list of the named column.",
    remedy=(
        "Correct the code in the system that sent the record. For a table, add a new code to the "
        "column's codes in sources.toml."
    ),
    source="oBDS 3.0.4, DICOM PS3.3, sources.toml",
)
TNM_SIGN_UNKNOWN = Rule(
    "diagnosis.tnm-sign-unknown",
    "warning",
    what="The prefix (c, p, u) or the symbol (y, r, a) of a TNM category has a code that oBDS does not know. "
    "The prefix counts as c, in a pTNM as p; the symbol counts as absent.",
    remedy="In the tumour documentation, correct the prefix or the symbol of the TNM.",
    source="oBDS 3.0.4 TNM_Typ",
)
REPORT_DATE_UNREADABLE = Rule(
    "diagnosis.report-date-unreadable",
    "warning",
    what="Tumor_Histologiedatum or the date of the TNM cannot be read. Another date of the report counts, if "
    "it has one.",
    remedy="In the tumour documentation, correct Tumor_Histologiedatum or the date of the TNM.",
    source="oBDS 3.0.4 Tumor_Histologiedatum, TNM/Datum",
)
EXACTNESS_UNKNOWN = Rule(
    "date.exactness-unknown",
    "warning",
    what="Datumsgenauigkeit has a code that oBDS does not know (it knows E, T, M and V). The date counts as "
    "exact to the day.",
    remedy="In the tumour documentation, correct the exactness of the date, or ask the vendor what the code "
    "means.",
    source="oBDS 3.0.4 Datumsgenauigkeit",
)
DATE_CENTURY = Rule(
    "date.century-unclear",
    "error",
    what="The year has two digits, and both centuries are possible (neither in the future nor before the "
    "birth). The date was not read.",
    remedy="Write the year with four digits in the table, and %Y in its date_format in sources.toml.",
)
DATE_PARTIAL = Rule(
    "date.partial",
    "notice",
    what="The date is exact only to the month or the year. The middle of that interval is used.",
    remedy=(
        "If the day is known, enter it and set Datumsgenauigkeit to E in the tumour documentation. "
        "Otherwise nothing needs to be done."
    ),
    source="oBDS Datumsgenauigkeit",
)
DATE_FROM_NUMBER = Rule(
    "date.from-number",
    "notice",
    what="The cell of the spreadsheet is formatted as a number or as text, and its column is mapped to a "
    "date. It was read as the day that a spreadsheet counts with this number.",
    remedy="Format the column as a date in the spreadsheet and look at the days it then shows. If the number "
    "is something else, such as a year or a duration, correct the mapping in sources.toml.",
    source="ECMA-376 part 1, 18.17.4.1: days counted from 1900 or 1904",
)
NUMBER_FROM_DATE = Rule(
    "number.from-date",
    "notice",
    what="The cell of the spreadsheet is formatted as a date, and its column is mapped to a number. It was "
    "read as the number that the spreadsheet shows as this day.",
    remedy="Format the column as a number in the spreadsheet and look at the numbers it then shows.",
    source="ECMA-376 part 1, 18.17.4.1: days counted from 1900",
)
DATE_LEGACY_FORMAT = Rule(
    "date.legacy-format",
    "notice",
    what="The date is written as 00.MM.YYYY, the format before oBDS 3. It was read as a partial date.",
    remedy="Ask the vendor of the exporting system to write oBDS 3: a full date with Datumsgenauigkeit.",
    source="ADT/GEKID before oBDS 3",
)
DATE_COUNTED_AS_DAY = Rule(
    "date.counted-as-day",
    "warning",
    what="The date of an operation, an irradiation or an examination is exact to the month or the year only. "
    "The middle of the days that it may mean counts; the sensitivity analysis uses the first and the last.",
    remedy="Enter the exact day in the source: OP/Datum, Bestrahlung/Beginn and Ende, "
    "Untersuchungsdatum_Verlauf, or the column of the table.",
    source="oBDS 3.0.4: these dates are days",
)
NUMBER_DAMAGED = Rule(
    "identity.number-damaged",
    "error",
    on="received.table_row",
    what="The patient number is an error of a spreadsheet, was rounded to a power of ten (1.23E+11), or is a "
    "word such as unbekannt: it names nobody. The record is not used.",
    remedy="In the table, restore the patient number from the original list. Format the column as text "
    "before the numbers are entered.",
)
_DAMAGED = (
    r"^\d+[.,]\d+[eE][+-]?\d+$|^\d+[eE]\+\d+$"
    r"|^#(REF|BEZUG|N/A|NV|VALUE|WERT|NAME|DIV/0|NULL|NUM|ZAHL|ERROR|BINARY)[!?]?$"
)
"""Large numbers as a spreadsheet shows them in a narrow column, and its errors in English and German."""
_NO_NUMBER = (
    r"^(?i:unbek(annt|\.)?|unknown|keine?|none|null|nan|n\.? ?a\.?|n\.? ?n\.?|k\. ?a\.?|ohne( nummer)?|neu"
    r"|tba|tbd|keine? (nummer|angaben?|nr\.?)|fehlt|missing)$|^[-–—?.*/x]+$"
)
"""Placeholders for an unknown number: two persons with the same placeholder are not linked."""


def damaged(number: pl.Expr) -> pl.Expr:
    """Return whether a spreadsheet damaged a patient number: two persons may have the same one then."""
    return number.str.strip_chars().str.contains(f"{_DAMAGED}|{_NO_NUMBER}").fill_null(False)
