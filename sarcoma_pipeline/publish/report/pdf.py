"""The page on paper: printed by a Chromium, if the machine has one.

The browser that people read the page with lays out the same HTML and paged CSS; tags, links and vectors stay.
A printing library of Python's own would need Pango and a second set of style rules, for a worse copy.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 120


def browser() -> str | None:
    """Where a Chromium is, None if there is none."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_pdf(html: Path, pdf: Path, chromium: str) -> bool:
    """Print a local page; ``pdf`` is replaced in one step, or left as it was.

    Args:
        html: the page.
        pdf: where the print goes, in a folder that exists.
        chromium: the browser's path, see `browser`.

    Returns:
        Whether there is a new PDF.
    """
    with tempfile.TemporaryDirectory(dir=pdf.parent, prefix=".printing-") as scratch:
        half = Path(scratch) / "report.pdf"
        command = [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
            f"--user-data-dir={scratch}/profile", f"--print-to-pdf={half}", html.resolve().as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)
        except (subprocess.SubprocessError, OSError):
            return False
        if not half.exists():
            return False
        half.replace(pdf)
    return True
