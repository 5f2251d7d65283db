"""Make texts safe for a terminal: escape characters that would control it."""

ID_SHOWN = 12
"""Number of digits shown of a file's id; they are unique among millions of files."""


def printable(text: str) -> str:
    """Escape control characters, line breaks and marks of text direction."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
