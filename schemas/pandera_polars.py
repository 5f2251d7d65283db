"""Import pandera for polars without pandas, which pandera would import first and which is not needed.

Pandera supports a missing pandas; this module makes pandas appear missing during the import. Great
Expectations, which needs pandas, imports it later as usual. A command starts half a second faster.
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
    """A module finder that reports pandas as not installed, with the message that pandera expects."""

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
    """Make an import of pandas fail within the block; modules that already imported it keep it."""
    finder = _NotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with without_pandas():
    importlib.import_module("pandera.polars")
