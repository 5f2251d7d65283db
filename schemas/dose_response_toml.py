"""Define ``[[dose_response]]`` of ``study.toml``: the risk of a toxicity by a dose, as a curve."""

from __future__ import annotations

from schemas.toml_section import Section


class DoseResponse(Section):
    """A logistic curve: the probability of an endpoint of toxicity by a number, such as a dose."""

    name: str
    """Name of the curve, unique in the file."""
    title: str
    """Title of its figure."""
    toxicity: str
    """Name of a ``[[toxicity]]`` endpoint."""
    column: str
    """Column with numbers: of ``[[dose_columns]]``, or of ``cohort.patients``."""
