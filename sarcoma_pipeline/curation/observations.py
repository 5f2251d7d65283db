"""Build observations of curation; the function is shared with the cohort and stands in ``schemas``."""

from schemas.observations import observation

__all__ = ["observation"]
