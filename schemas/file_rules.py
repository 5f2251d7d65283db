"""Faults of whole files and of what in them is no record, in the words of a steward."""

from __future__ import annotations

from schemas.contract import Rule

FILE_RULES = (
    Rule(
        "file.empty",
        "error",
        "The file holds nothing.",
        "Ask the sender to deliver it again.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.truncated",
        "error",
        "The file breaks off; what stood before the break was read.",
        "Ask the sender to deliver it again; the rest is missing until then.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.wrong-format",
        "error",
        "The content is not what the file's name or folder says.",
        "Look at the first bytes, move it to the right folder or have it exported again.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.column-missing",
        "error",
        "A column that the mapping needs is missing.",
        "Compare the header with sources.toml; mend the export or the mapping.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.row-malformed",
        "error",
        "The row has more or fewer cells than the header.",
        "Look for a delimiter or a line break within a cell; have the cell quoted.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.unreadable",
        "error",
        "The file cannot be read at all.",
        "Open it with its own program; have it exported again if that fails too.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.entity",
        "error",
        "The XML declares a document type or entities; an export needs neither.",
        "Ask the sender where the file comes from; have it exported again without a DOCTYPE.",
        "file",
        source="OWASP, XML External Entity Prevention",
        waivable=False,
    ),
    Rule(
        "file.too-large",
        "error",
        "The file asks for more memory than a single file may; what stood before that point was read.",
        "Have it exported in parts; if it is sound, raise the limit under [limits] in sources.toml.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.too-deep",
        "error",
        "The elements are nested deeper than any export; what stood before was read.",
        "Ask the sender where the file comes from; have it exported again.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.line-too-long",
        "error",
        "A line is longer than any row can be; it was passed over, the other lines were read.",
        "Look whether the line breaks were lost; if the line is sound, raise the limit under [limits] in "
        "sources.toml.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.too-many-columns",
        "error",
        "The table has more columns than any table for people; nothing was read.",
        "Look at the delimiter and the sheet's used range; have it exported again.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.symlink",
        "error",
        "The entry is a link to another place; links are not followed.",
        "Put the file itself into the drop folder.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.special",
        "error",
        "The entry is no ordinary file but a pipe, a socket or a device; it was not opened.",
        "Remove it, and ask who put it there.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.changing",
        "error",
        "The file changed while it was read; what was read may be half of it.",
        "Nothing, if it was still being delivered: the next refresh reads it again. Have files delivered "
        "under a name that begins with a dot and renamed when they are whole.",
        "file",
        waivable=False,
    ),
    Rule(
        "file.name",
        "notice",
        "The file's name holds control characters or bytes that are no text; it was read all the same.",
        "Rename it; findings show such characters as escapes.",
        "file",
    ),
    Rule(
        "file.unexpected",
        "notice",
        "No source in sources.toml reads this file.",
        "Move it, or name its kind in sources.toml.",
        "file",
    ),
)
"""Faults of whole files; ``received.unread`` names the one that a file shows."""
