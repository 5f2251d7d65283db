"""Define ``[[toxicity]]`` of ``study.toml``: endpoints of toxicity by window and group, and what is open.

No guideline settles how patients without documentation, with an unknown grade, or dead within the window are
counted. Each choice is a key, and the report prints those of the study.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from schemas.toml_section import Section

CtcaeVersion = Literal["3.0", "4", "4.03", "5.0", "other"]


class ToxicityEndpoint(Section):
    """A toxicity: its share of patients, and for late toxicity and wounds its cumulative incidence."""

    name: str
    """Name of the endpoint, unique among those of toxicity."""
    title: str
    """Name in the report."""
    measure: Literal["grade", "major wound complication"] = "grade"
    """A grade of CTCAE after the primary course of radiotherapy, or a major wound complication up to day 120
    after the definitive resection (O'Sullivan 2002)."""
    window: Literal["acute", "late"] | None = None
    """For a grade, required: acute up to day 90 from the start of radiotherapy, or late after."""
    least_grade: Annotated[int, Field(ge=1, le=5)] = 3
    """For a grade: the lowest one that counts."""
    categories: tuple[str, ...] = ()
    """For a grade: categories that count; if empty, all, and side effects whose kind is not documented."""
    ctcae_versions: tuple[CtcaeVersion, ...] = ()
    """For a grade: versions of CTCAE that count; if empty, all are pooled. A grade of another version, or
    without one, is unclear."""
    by: str
    """A covariate, whose groups are compared: the levels of a factor, or a number divided in two, such as the
    dose to a structure."""
    cut: float | None = None
    """For a number: patients at or above it are one group; without it, the median of the patients with a
    value."""
    undocumented: Literal["leave out", "without"] = "leave out"
    """Patients whose toxicity nobody documented: they are left out, or count as without it."""
    unclear: Literal["without", "with"] = "without"
    """Patients with a toxicity that may be one, because its grade, kind, version or window is unknown."""
    died_in_window: Literal["without", "leave out"] = "without"
    """Patients without it who died within the window: they count as without it, or are left out of the
    share."""
    competing: tuple[Literal["death", "amputation"], ...] = ("death", "amputation")
    """For the cumulative incidence: what ends the risk. An amputation is that of a limb by its OPS code,
    after the therapy."""
    followed_until: Literal["last examination", "last statement"] = "last examination"
    """For the cumulative incidence of late toxicity: until when a patient without it is known to be free of
    it: the last examination of the disease, or the last dated statement on toxicity."""
    further_radiotherapy: Literal["censor", "ignore"] = "censor"
    """For the cumulative incidence: patients leave at the start of a further course on the same tumour, whose
    toxicity cannot be told apart, or stay."""
    death_days: NonNegativeInt | None = None
    """For the cumulative incidence of late toxicity: a death counts within so many days of the last
    examination, else the patient leaves at the examination; without it every death counts."""

    @property
    def followed(self) -> bool:
        """Whether it has a cumulative incidence: acute side effects have no dates."""
        return self.measure != "grade" or self.window == "late"
