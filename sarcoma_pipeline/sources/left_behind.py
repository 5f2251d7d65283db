"""Recognise files that programs leave in a folder, by their names."""

from __future__ import annotations

import re

_KINDS = (
    (r"\.DS_Store|\.localized|\.AppleDouble|\.AppleDB|\.AppleDesktop", "how macOS shows a folder"),
    (r"\._.+", "what macOS keeps beside a file on another system"),
    (r"\.Spotlight-V100|\.fseventsd|\.TemporaryItems|\.Trashes|\.apdisk", "what macOS keeps on a disk"),
    (r"(eh)?thumbs(_vista)?\.db|desktop\.ini", "how Windows shows a folder"),
    (r"\.~lock\..+#", "LibreOffice's mark that somebody has a file open, or that it crashed"),
    (r"~\$.+", "Office's mark that somebody has a file open, or that it crashed"),
    (r"\.git(keep|ignore|attributes)|\.keep", "a place-holder that keeps an empty folder in version control"),
    (r"\.directory|\.Trash-\d+|\.hidden", "how a Linux desktop shows a folder"),
    (r"\.nfs[0-9a-f]{8,}", "a deleted file that a program still has open"),
    (r"\.smbdelete.+|\.fuse_hidden.+", "a deleted file that a program still has open"),
)
_FLAGS = re.IGNORECASE | re.ASCII | re.DOTALL
_BY_NAME = tuple((re.compile(form, _FLAGS), what) for form, what in _KINDS)
_ANY = re.compile("|".join(f"(?:{form})" for form, _ in _KINDS), _FLAGS)


def left_behind(name: str) -> str | None:
    """Return which leftover of a program has such a name; None if a person may have put the file there."""
    # Nearly every file is none of them: one question is enough for it.
    if not _ANY.fullmatch(name):
        return None
    return next((what for form, what in _BY_NAME if form.fullmatch(name)), None)
