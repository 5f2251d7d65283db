"""Prints the report as PDF with Chromium, if one is installed.

Chromium is used because it lays out the same HTML and paged CSS that people see on screen; tags, links and
vector graphics are kept. A Python printing library would need Pango and a second set of style rules.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 120
"""Timeout of the browser; printing takes about 3 s."""


def browser() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(html: Path, pdf: Path, chromium: str) -> bool:
    """Print a local page; ``pdf`` is replaced in one step, or not changed at all.

    Args:
        html: the page.
        pdf: target file, in an existing folder.
        chromium: the browser's path, from `browser`.

    Returns:
        Whether the PDF was written.
    """
    with tempfile.TemporaryDirectory(dir=pdf.parent, prefix=".printing-") as scratch:
        partial = Path(scratch) / "report.pdf"
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={scratch}/profile", f"--print-to-pdf={partial}", html.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        except (subprocess.SubprocessError, OSError):
            return False
        if not partial.exists():
            return False
        partial.replace(pdf)
    return True
