"""Twenty thousand damaged DICOM files, each read in both ways: ``pytest -m marathon``."""

import pytest

from tests.sources import two_ways

pytestmark = pytest.mark.marathon


def are_alike(outcome: two_ways.Compared, files: int, *, ordinary: int) -> None:
    """So many files were read in both ways without a difference, more than some of them the ordinary way."""
    print(f"{outcome.files} files, {outcome.ordinary} of them ordinary, {len(outcome.different)} differ")
    assert (outcome.files, outcome.different) == (files, {})
    assert outcome.ordinary > ordinary


def test_twenty_thousand_mutants_are_read_alike(tmp_path):
    found = two_ways.seeds(tmp_path / "seeds")
    outcome = two_ways.compared(two_ways.cases(found, 20_000, seed=1), tmp_path / "object")
    are_alike(outcome, 20_000, ordinary=5_000)


def test_twenty_thousand_files_of_nearly_the_same_layouts_are_read_alike(tmp_path):
    found = two_ways.seeds(tmp_path / "seeds")
    outcome = two_ways.compared(two_ways.alike(found, 5_000, seed=2), tmp_path / "object")
    are_alike(outcome, 20_000, ordinary=10_000)


def test_twenty_thousand_mutants_of_files_that_are_read_in_runs_are_read_alike(tmp_path):
    outcome = two_ways.beside_runs(two_ways.seeds(tmp_path / "seeds"), 500, 40, 3, tmp_path / "object")
    are_alike(outcome, 20_500, ordinary=10_000)
