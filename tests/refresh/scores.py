"""Stash key under which a test leaves precision and recall for the end of the run."""

import pytest

SCORES = pytest.StashKey[list[str]]()
