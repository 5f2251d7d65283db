"""Faults of files, and of parts of a file that are no record. A row of ``received.unread`` names one."""

from __future__ import annotations

from schemas.rule import Rule, Severity


def _fault(
    id_: str, what: str, remedy: str, *, severity: Severity = "error", source: str = "plain logic"
) -> Rule:
    # What was not read cannot be let through: only a notice can be waived.
    return Rule(
        id_, severity, on="received.unread", scope="file", what=what, remedy=remedy, source=source,
        waivable=severity != "error",
    )  # fmt: skip


EMPTY = _fault(
    "file.empty",
    "The file holds nothing.",
    "Ask the sender to deliver it again.",
)
TRUNCATED = _fault(
    "file.truncated",
    "The file breaks off; what stood before the break was read.",
    "Ask the sender to deliver it again; the rest is missing until then.",
)
WRONG_FORMAT = _fault(
    "file.wrong-format",
    "The content is not what the file's name or folder says.",
    "Look at the first bytes, move it to the right folder or have it exported again.",
)
COLUMN_MISSING = _fault(
    "file.column-missing",
    "A column that the mapping needs is missing.",
    "Compare the header with sources.toml; mend the export or the mapping.",
)
ROW_MALFORMED = _fault(
    "file.row-malformed",
    "The row has more or fewer cells than the header.",
    "Look for a delimiter or a line break within a cell; have the cell quoted.",
)
UNREADABLE = _fault(
    "file.unreadable",
    "The file cannot be read at all.",
    "Open it with its own program; have it exported again if that fails too.",
)
ENTITY = _fault(
    "file.entity",
    "The XML declares a document type or entities; an export needs neither.",
    "Ask the sender where the file comes from; have it exported again without a DOCTYPE.",
    source="OWASP, XML External Entity Prevention",
)
TOO_LARGE = _fault(
    "file.too-large",
    "The file asks for more memory than a single file may; what stood before that point was read.",
    "Have it exported in parts; if it is sound, raise the limit under [limits] in sources.toml.",
)
TOO_DEEP = _fault(
    "file.too-deep",
    "The elements are nested deeper than any export; what stood before was read.",
    "Ask the sender where the file comes from; have it exported again.",
)
LINE_TOO_LONG = _fault(
    "file.line-too-long",
    "A line is longer than any row can be; it was passed over, the other lines were read.",
    "Look whether the line breaks were lost; if the line is sound, raise the limit under [limits] in "
    "sources.toml.",
)
TOO_MANY_COLUMNS = _fault(
    "file.too-many-columns",
    "The table has more columns than any table for people; nothing was read.",
    "Look at the delimiter and the sheet's used range; have it exported again.",
)
SYMLINK = _fault(
    "file.symlink",
    "The entry is a link to another place; links are not followed.",
    "Put the file itself into the drop folder.",
)
SPECIAL = _fault(
    "file.special",
    "The entry is no ordinary file but a pipe, a socket or a device; it was not opened.",
    "Remove it, and ask who put it there.",
)
CHANGING = _fault(
    "file.changing",
    "The file changed while it was read; what was read may be half of it.",
    "Nothing, if it was still being delivered: the next refresh reads it again. Have files delivered under a "
    "name that begins with a dot and renamed when they are whole.",
)
NAME = _fault(
    "file.name",
    "The file's name holds control characters or bytes that are no text; it was read all the same.",
    "Rename it; findings show such characters as escapes.",
    severity="notice",
)
UNEXPECTED = _fault(
    "file.unexpected",
    "No source in sources.toml reads this file.",
    "Move it, or name its kind in sources.toml.",
    severity="notice",
)

FILE_FAULTS = {rule.id: rule for rule in list(globals().values()) if isinstance(rule, Rule)}
"""Every fault by its id."""
