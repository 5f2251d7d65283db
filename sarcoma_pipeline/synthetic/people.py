"""Turn rows of the demo's tables into persons with invented names and patient numbers.

Family names are composed of syllables that form no known surname (``Brälmoor``, ``Tünzwick``), so that no
name belongs to a real person; given names are common. No two persons share a family name, a part of a double
name or a patient number, so that records of different persons never match by accident.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import polars as pl

_ONSETS = (
    "Bräl", "Dorz", "Flün", "Grawen", "Hulp", "Jösk", "Klibb", "Lauft", "Mönz", "Nurg", "Pfoll", "Quarn",
    "Rümsel", "Schwob", "Tünz", "Ulmsk", "Vrend", "Wölp", "Zwirb", "Ömpel",
)  # fmt: skip
_ENDINGS = (
    "moor", "wick", "städter", "höfel", "ßner", "kamper", "grund", "leitner", "brück", "rathe", "büttel",
    "sund",
)  # fmt: skip
_GIVEN = {
    "female": (
        "Anna", "Brigitte", "Christa", "Dörte", "Elke", "Frauke", "Gisela", "Hannelore", "Ingeborg", "Jutta",
        "Käthe", "Luise", "Anna Maria", "Monika", "Renate", "Sabine", "Ursula",
    ),
    "male": (
        "Achim", "Bernd", "Dieter", "Erich", "Friedrich", "Günter", "Heinz", "Jörg", "Karl-Heinz", "Lothar",
        "Manfred", "Norbert", "Otto", "Peter Paul", "Rüdiger", "Sönke", "Wolfgang",
    ),
}  # fmt: skip
_DOUBLE_EVERY = 9
"""Every ninth person has a double name."""


@dataclass(frozen=True)
class Person:
    """One invented patient, with everything that the sources document.

    Attributes are the columns of ``data/demo/demo_cohort.csv``; those after ``last_known_alive_date`` are
    needed only for persons outside the cohort (``data/demo/ineligible.csv``).
    """

    patient: str
    number: str
    family: str
    given: str
    sex: str
    t_stage: str
    n_stage: str
    fnclcc_grade: str | None
    resection_status: str
    resected: bool
    radiation_sequence: str
    chemotherapy: str
    icdo3_morphology: str
    icd10_site: str
    tumour_depth: str
    tumour_size_cm: float
    prescribed_dose_gy: float | None
    fractions: int | None
    single_dose_gy: float | None
    simultaneous_integrated_boost: bool
    technique: str | None
    beam_energy_mv: float
    ct_slice_thickness_mm: float
    birth_date: dt.date
    diagnosis_date: dt.date
    surgery_date: dt.date | None
    rt_start: dt.date | None
    rt_end: dt.date | None
    local_relapse_date: dt.date | None
    distant_relapse_date: dt.date | None
    distant_site: str | None
    second_malignancy_date: dt.date | None
    death_date: dt.date | None
    last_assessment_date: dt.date
    last_known_alive_date: dt.date
    topography: str
    m_stage: str = "M0"
    intent: str = "curative"
    certainty: str = "histological"

    @property
    def index(self) -> int:
        """A number that varies between persons, for choices that should differ."""
        return int(self.number)

    @property
    def of_cohort(self) -> bool:
        """Whether the person is one of the demo's known patients."""
        return self.patient.startswith("DEMO-")


_DEFAULTED = frozenset(f.name for f in fields(Person) if f.default is not MISSING)
_MIDDLES = ("", "en", "el", "er", "in", "al", "um", "os", "ar", "ik", "ob", "et", "ul", "am", "ert", "ang")


def number_people(
    rows: Sequence[Mapping[str, Any]], indices: range, first_number: int, draw: random.Random
) -> list[Person]:
    """Name and number rows by their position in a population of any size.

    Args:
        rows: values of ``data/demo/demo_cohort.csv`` or ``ineligible.csv`` by column.
        indices: position of each row; it determines name and number.
        first_number: patient number of position 0.
        draw: random generator for given names.
    """
    known = {f.name for f in fields(Person)}
    made = []
    for row, index in zip(rows, indices, strict=True):
        values: dict[str, Any] = {k: v for k, v in row.items() if k in known and v is not None}
        values |= {"patient": f"CRW-{index}"}
        optional: dict[str, Any] = {k: None for k in known - values.keys() if k not in _DEFAULTED}
        values |= {"number": str(first_number + index), "given": draw.choice(_GIVEN[row["sex"]])}
        values = {"topography": row["icd10_site"]} | values | {"family": crowd_name(index)}
        made.append(Person(**optional | values))
    return made


def crowd_name(index: int) -> str:
    """Return an invented family name, a double name for high indices; no two indices share one."""
    kinds = len(_ONSETS) * len(_MIDDLES) * len(_ENDINGS)
    # The stride is coprime to the number of names, so that neighbours get different names.
    place, double = (index % kinds) * 1009 % kinds, index // kinds
    name = _single(place)
    return f"{name}-{_single((place * 7 + double * 1013) % kinds)}" if double else name


def _single(place: int) -> str:
    rest, ending = divmod(place, len(_ENDINGS))
    onset, middle = divmod(rest, len(_MIDDLES))
    return f"{_ONSETS[onset]}{_MIDDLES[middle]}{_ENDINGS[ending]}"


def people(cohort: pl.DataFrame, ineligible: pl.DataFrame, seed: int) -> list[Person]:
    """Name and number every patient of both frames.

    Args:
        cohort: rows of ``data/demo/demo_cohort.csv``.
        ineligible: rows of ``data/demo/ineligible.csv``.
        seed: random seed of names and numbers.

    Returns:
        The cohort first, in the order of the frames.

    Raises:
        ValueError: there are more persons than names.
    """
    # Some defects need the family name in the frame.
    required = {f.name for f in fields(Person)} - _DEFAULTED
    rows = [
        {k: v for k, v in row.items() if k in required or (k in _DEFAULTED and v is not None)}
        for frame in (cohort, ineligible)
        for row in frame.iter_rows(named=True)
    ]
    draw = random.Random(seed)
    families = _families(len(rows), draw)
    numbers = draw.sample(range(40_100_000, 40_999_999), len(rows))
    made = []
    for row, family, number in zip(rows, families, numbers, strict=True):
        values: dict[str, Any] = {"topography": row["icd10_site"]} | row
        values |= {"number": str(number), "given": draw.choice(_GIVEN[row["sex"]])}
        values["family"] = row.get("family") or family
        made.append(Person(**values))
    return made


def _families(count: int, draw: random.Random) -> list[str]:
    plain = [onset + ending for onset in _ONSETS for ending in _ENDINGS]
    draw.shuffle(plain)
    names: list[str] = []
    while len(names) < count:
        if len(plain) < 2:
            raise ValueError(f"names for {len(names)} people, {count} wanted")
        name = plain.pop()
        names.append(f"{name}-{plain.pop()}" if len(names) % _DOUBLE_EVERY == 0 else name)
    return names
