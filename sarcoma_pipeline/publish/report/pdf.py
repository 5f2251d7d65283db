"""Prints the report as PDF with Chromium, if one is installed.

Chromium is used because it lays out the same HTML and paged CSS that people see on screen; tags, links,
bookmarks and vector graphics are kept. A Python printing library would need Pango and a second set of style
rules.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_TRAILER = re.compile(rb"trailer\s*<<(?P<entries>.*?)>>\s*startxref\s+(?P<start>\d+)\s+%%EOF", re.DOTALL)
_INFO, _SIZE, _ROOT = (re.compile(p) for p in (rb"/Info (\d+) 0 R", rb"/Size (\d+)", rb"/Root (\d+) 0 R"))

_SECONDS = 120
"""Timeout of the browser; printing takes about 3 s."""


def browser() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(html: Path, pdf: Path, chromium: str, author: str = "") -> bool:
    """Print a local page; ``pdf`` is replaced in one step, or not changed at all.

    Args:
        html: the page.
        pdf: target file, in an existing folder.
        chromium: the browser's path, from `browser`.
        author: who is named as the author of the PDF; Chromium names nobody.

    Returns:
        Whether the PDF was written.
    """
    with tempfile.TemporaryDirectory(dir=pdf.parent, prefix=".printing-") as scratch:
        partial = Path(scratch) / "report.pdf"
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--user-data-dir={scratch}/profile", f"--print-to-pdf={partial}", html.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        except (subprocess.SubprocessError, OSError):
            return False
        if not partial.exists():
            return False
        if author:
            partial.write_bytes(with_author(partial.read_bytes(), author))
        partial.replace(pdf)
    return True


def with_author(pdf: bytes, author: str) -> bytes:
    """Add the author to a PDF by an incremental update (ISO 32000-1, 7.5.6), which leaves its pages alone.

    A PDF whose trailer or information object is not as Chromium writes them is returned as it is.
    """
    trailers = list(_TRAILER.finditer(pdf))
    if not trailers:
        return pdf
    last = trailers[-1]["entries"]
    info, size, root = (found and found[1] for found in (p.search(last) for p in (_INFO, _SIZE, _ROOT)))
    if not (info and size and root):
        return pdf
    objects = re.compile(rb"(?:^|\s)" + info + rb" 0 obj\s*<<(?P<entries>.*?)>>\s*endobj", re.DOTALL)
    versions = list(objects.finditer(pdf))
    if not versions or b"/Author" in versions[-1]["entries"]:
        return pdf
    old = versions[-1]
    name = "feff" + author.encode("utf-16-be").hex()
    body = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    entry = b"%s 0 obj\n<<%s\n/Author <%s>>>\nendobj\n" % (info, old["entries"], name.encode())
    table = b"xref\n%s 1\n%010d 00000 n \n" % (info, len(body))
    trailer = b"trailer\n<</Size %s\n/Root %s 0 R\n/Info %s 0 R\n/Prev %s>>\nstartxref\n%d\n%%%%EOF\n" % (
        size, root, info, trailers[-1]["start"], len(body) + len(entry),
    )  # fmt: skip
    return body + entry + table + trailer
