"""How texts of the program are shown: without what a terminal would obey instead of print."""

ID_SHOWN = 12
"""Digits of a file's id that are shown; they name it among millions."""


def printable(text: str) -> str:
    """Escape control characters, line breaks and changes of direction."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
