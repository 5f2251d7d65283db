"""Declare the faults of files, and of parts of a file that are no record; ``received.unread`` names them."""

from __future__ import annotations

from schemas.rule import Rule, Severity


def _fault(
    id_: str, what: str, remedy: str, *, severity: Severity = "error", source: str = "plain logic"
) -> Rule:
    # A waiver has no record to let through, because nothing was read; only notices can be waived.
    return Rule(
        id_, severity, on="received.unread", scope="file", what=what, remedy=remedy, source=source,
        waivable=severity != "error",
    )  # fmt: skip


EMPTY = _fault(
    "file.empty",
    "The file has no content, or no record in it.",
    (
        "Ask the sender to export and deliver the file again. If there is truly nothing to report, "
        "remove the file from the drop folder."
    ),
)
TRUNCATED = _fault(
    "file.truncated",
    (
        "The file is incomplete: it ends in the middle. The records before that point were read, the rest is "
        "missing."
    ),
    ("Ask the sender to deliver the whole file again. Compare its size with the size in the sending system."),
)
WRONG_FORMAT = _fault(
    "file.wrong-format",
    "The content does not have the format that sources.toml states for this path.",
    (
        "Open the file in a text editor. Move it to the folder of its format, or ask the sender to "
        "export it in the stated format."
    ),
)
WRONG_SCHEMA = _fault(
    "file.wrong-schema",
    "The file has a format of tumour documentation other than oBDS 3. It was not read.",
    "Have the tumour documentation system export oBDS 3 (versions 3.0.0 to 3.0.5), or convert the file. "
    "Files in the format in which registries deliver to the RKI cannot be used.",
    source="oBDS 3.0.4 schema; ADT/GEKID 2.2; oBDS_RKI 3.0.0.8a",
)
COLUMN_MISSING = _fault(
    "file.column-missing",
    "The header lacks a column that the mapping in sources.toml needs. Its rows were not read.",
    (
        "Compare the header with sources.toml. Ask the sender to export the column, or correct its name"
        " in the mapping."
    ),
)
ROW_MALFORMED = _fault(
    "file.row-malformed",
    "The row has more or fewer cells than the header. The row was not read.",
    (
        "In the exporting program, look for a delimiter or a line break inside a cell of this row. "
        "Switch on quoting of cells."
    ),
)
QUOTE_UNCLOSED = _fault(
    "file.quote-unclosed",
    "A cell begins with a quotation mark that is not closed, or is closed but not followed by a delimiter. "
    "The mark was read as part of the text, and the line as a separate row.",
    "Look at the row. In the exporting program, switch on quoting of cells, or remove the mark.",
    severity="warning",
    source="RFC 4180",
)
COLUMN_TWICE = _fault(
    "file.column-twice",
    "A column that sources.toml maps or ignores occurs twice in the header. The first one was read under "
    "this name, the others as additional columns.",
    "Give every column of the table its own name, and use the right name in sources.toml.",
    severity="warning",
)
UNIT_DIFFERS = _fault(
    "file.unit-differs",
    "The unit of the column in the row of units differs from the unit in which its values are read.",
    "Set scale for the column in sources.toml to the factor that the value names, or correct the row of "
    "units.",
    severity="warning",
)
SHEET_MISSING = _fault(
    "file.sheet-missing",
    "The spreadsheet has no sheet with the name in sources.toml. The file was not read.",
    "Compare the key sheet in sources.toml with the tabs of the spreadsheet; `sarcoma check` lists them.",
)
SHEET_NOT_READ = _fault(
    "file.sheet-not-read",
    "The spreadsheet has further sheets with the same header, for example one per year. Only the first "
    "visible sheet is read.",
    "Have all rows put into one sheet, or name each sheet in a source of its own in sources.toml (key "
    "sheet). Hide sheets that are not meant.",
    severity="warning",
)
TOTALS_ROW = _fault(
    "file.totals-row",
    "The key of the row is a word for a total (Summe, Total, Mittelwert ...). The row was not read.",
    "Remove totals and means below the table before it is delivered.",
    severity="warning",
)
ROW_ONLY_KEY = _fault(
    "file.row-only-key",
    "Nothing but the key of the row is filled: a remark below the table, or a patient of whom nothing is "
    "known.",
    "If it is a remark, remove it from the table, or name its row in skipped_rows in sources.toml. If it is "
    "a patient, fill in the row.",
    severity="warning",
)
UNREADABLE = _fault(
    "file.unreadable",
    "The file, or this part of it, cannot be read.",
    (
        "Open the file with the program that wrote it. If that fails as well, ask the sender to export "
        "it again; if not, check permissions and encoding."
    ),
)
ENTITY = _fault(
    "file.entity",
    (
        "The XML declares a document type or entities. An oBDS export needs neither, and they can be an"
        " attack."
    ),
    "Ask the sender where the file comes from. Have it exported again without a DOCTYPE.",
    source="OWASP, XML External Entity Prevention",
)
TOO_LARGE = _fault(
    "file.too-large",
    ("The file needs more memory or time than one file may use. The content before that point was read."),
    (
        "Ask the sender to export it in parts. If the file is correct, raise the limit under [limits] in "
        "sources.toml."
    ),
)
TOO_DEEP = _fault(
    "file.too-deep",
    (
        "The XML elements are nested more deeply than in any oBDS export. The content before that point was"
        " read."
    ),
    "Ask the sender where the file comes from. Have it exported again.",
)
LINE_TOO_LONG = _fault(
    "file.line-too-long",
    "A line is longer than the limit. This line was skipped, the other lines were read.",
    (
        "Check whether the exporting program lost the line breaks. If the line is correct, raise the limit "
        "under [limits] in sources.toml."
    ),
)
TOO_MANY_COLUMNS = _fault(
    "file.too-many-columns",
    "The table has more columns than the limit. The file was not read.",
    (
        "Compare the delimiter with sources.toml. In a spreadsheet, delete the empty columns at the "
        "right and save it again."
    ),
)
SYMLINK = _fault(
    "file.symlink",
    "The entry is a symbolic link. Links are not followed, so nothing was read.",
    "Copy the file itself into the drop folder and remove the link.",
)
SPECIAL = _fault(
    "file.special",
    "The entry is a pipe, a socket or a device, not an ordinary file. It was not opened.",
    "Remove it from the drop folder. Ask who put it there.",
)
CHANGING = _fault(
    "file.changing",
    "The file changed while it was read. The records that were read may be incomplete.",
    (
        "If it was still being delivered, do nothing: the next refresh reads it again. Ask the sender "
        "to deliver under a name that begins with a dot and to rename the complete file."
    ),
)
ATTRIBUTE_REPEATED = _fault(
    "file.attribute-repeated",
    "An attribute of the DICOM file occurs twice or out of order, or a sequence that should have one item "
    "has several. The last attribute and the first item were read.",
    "Export the object again. If the fault occurs again, report it to the vendor of the exporting system.",
    severity="warning",
    source="DICOM PS3.5 section 7.1; PS3.3: a single item shall be included",
)
NAME = _fault(
    "file.name",
    "The file's name contains control characters or bytes that are not text. The file was read.",
    "Rename the file at the sender. Findings show these characters as escapes.",
    severity="notice",
)
HIDDEN = _fault(
    "file.hidden",
    "The name begins with a dot, like that of an incomplete delivery. The file was not read.",
    (
        "If the transfer is still running, do nothing. If it was interrupted, ask the sender to deliver "
        "again. If the file is a delivery, rename it; if not, remove it from the drop folder."
    ),
    severity="warning",
)
LEFT_BEHIND = _fault(
    "file.left-behind",
    "A program left this file in the folder; it contains no records and was not read. The value says what "
    "it is.",
    (
        "Remove it from the drop folder. If it marks a file that somebody has open, ask them to close that "
        "file, and compare its content with the sender's."
    ),
    severity="notice",
)
REPLACED = _fault(
    "file.replaced-unseen",
    (
        "The content has changed since the last reading, but not the size or the time of modification. The "
        "file was read again."
    ),
    (
        "Ask the sender whether they replaced the file, for example by a copy that keeps the time. If not, "
        "compare it with the original: the disk or the transfer may have damaged it."
    ),
    severity="warning",
)
UNEXPECTED = _fault(
    "file.unexpected",
    "No source in sources.toml reads this file or this part of it.",
    "Move the file to the folder of its source, or add its path to a source in sources.toml.",
    severity="notice",
)

MODULE_MISSING = _fault(
    "file.module-missing",
    "A Meldung has none of the modules of oBDS (Diagnose, OP, ST, SYST, Verlauf, Tod, Pathologie, "
    "Tumorkonferenz). Only the tumour that it names and an objection are used, and it replaces an earlier "
    "version of the report.",
    "In the tumour documentation, look up the Meldung and export it again with its module. If its content is "
    "an extension of oBDS, ask the vendor for an export of plain oBDS 3.",
    severity="warning",
    source="oBDS 3.0.4 schema: a Meldung has one module",
)

FILE_FAULTS = {rule.id: rule for rule in list(globals().values()) if isinstance(rule, Rule)}
"""Every fault by its id."""
