"""Choose how many threads polars uses, before it is imported: it cannot be told later."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sarcoma_pipeline.study import project as projects

_THREADS = "POLARS_MAX_THREADS"
_FILES, _BYTES = 16_384, 64 << 20
"""A study with fewer files, of fewer bytes in all, is small: up to some 3 000 patients, each with a plan."""


def choose(study: str) -> None:
    """Have polars use one thread if the study is small, unless ``POLARS_MAX_THREADS`` says otherwise.

    Several threads wait for each other in loops between operations on some hundred rows: a refresh of 86
    patients takes a twelfth more CPU with two, and no less time.

    Args:
        study: name of the study; nothing is chosen if it is not configured.
    """
    if "polars" in sys.modules:
        return
    # Whatever is wrong with the configuration or the folder is told later, by the model and the readers.
    with suppress(Exception):
        root = projects.root()
        file = root / "data/studies" / study / "study.toml"
        configured = tomllib.loads(file.read_text("utf-8-sig"))
        drops = configured.get("centres", {}).values() or [configured["drop"]]
        if _is_small(root / drop for drop in drops):
            os.environ.setdefault(_THREADS, "1")


def _is_small(drops: Iterator[Path]) -> bool:
    files = size = 0
    folders: list[Path | str] = list(drops)
    while folders:
        with os.scandir(folders.pop()) as inside:
            for entry in inside:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                    continue
                files, size = files + 1, size + entry.stat(follow_symlinks=False).st_size
                if files >= _FILES or size >= _BYTES:
                    return False
    return True
