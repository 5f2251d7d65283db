"""Hostile files, made on the spot: what would take memory, time or other files' content."""

from tests.sources import hostile_text  # noqa: F401  it adds its files to KINDS
from tests.sources.hostile_dicom import FRACTIONS, dicom, element, item
from tests.sources.hostile_kinds import KINDS, SECRET, Hostile

__all__ = ["FRACTIONS", "KINDS", "SECRET", "Hostile", "dicom", "element", "item"]
