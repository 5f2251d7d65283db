"""The limits of the house: the length of files, and slow modules that exist."""

from pathlib import Path

from tests.markers import slow_modules

ROOT = Path(__file__).parents[2]
MOST_LINES = 420
"""About 400: a line more than that need not be split at once."""
LONGER = {
    "sarcoma_pipeline/publish/report/steward.js": "the page has one script, which works without network"
}
"""File to the reason why it is longer."""


def test_no_file_is_too_long():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for part in ("sarcoma_pipeline", "schemas", "tests")
        for ending in ("py", "js", "css", "R")
        for path in (ROOT / part).rglob(f"*.{ending}")
    }
    assert len(lengths) > 500 and LONGER.keys() <= lengths.keys()
    too_long = {path: n for path, n in lengths.items() if n > MOST_LINES and path not in LONGER}
    assert too_long == {}, "split them by subject"


def test_slow_modules_are_there():
    assert [str(path) for path in slow_modules() if not path.is_file()] == []
