"""Writes DICOM sequences with undefined lengths, as many planning systems do."""

from __future__ import annotations

from pydicom import Dataset


def leave_lengths_open(dataset: Dataset) -> None:
    for element in dataset:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                leave_lengths_open(item)
