"""Imports pandera for polars without pandas, which pandera would import first and nothing here needs.

The package foresees that pandas is not installed; that is what it is told while it is imported. Whoever needs
pandas (Great Expectations does) imports it afterwards as ever. A command starts half a second earlier.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_HIDDEN = "pandas"


class _NotInstalled(MetaPathFinder):
    """Finds no pandas, in the words that pandera looks for."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuse pandas and leave every other module to the next finder.

        Raises:
            ModuleNotFoundError: always for pandas.
        """
        if fullname.partition(".")[0] == _HIDDEN:
            raise ModuleNotFoundError(f"No module named {_HIDDEN!r}", name=_HIDDEN)
        return None


@contextmanager
def without_pandas() -> Iterator[None]:
    """Hide pandas within the block from whoever would import it; who has it already keeps it."""
    finder = _NotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with without_pandas():
    importlib.import_module("pandera.polars")
