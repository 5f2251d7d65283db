"""Escapes what a terminal would obey instead of print."""


def printable(text: str) -> str:
    """Escape control characters, line breaks and changes of direction."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
