"""What the tests of the cohort share."""

import pytest


@pytest.fixture
def sarcoma(records):
    """The records of one patient with a sarcoma."""
    records.patient()
    records.diagnosis()
    return records
