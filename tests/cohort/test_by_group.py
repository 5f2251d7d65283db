"""Derived by groups of patients, the verdicts and observations on all are those derived at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from sarcoma_pipeline.cohort import covariates, derivation, eligibility
from sarcoma_pipeline.quality import cohort_observations
from sarcoma_pipeline.quality.findings import places
from schemas.assumptions import Assumptions
from schemas.configuration import Study
from tests.cohort.test_eligibility import CRITERIA, study
from tests.cohort.test_ever_eligible import answered, described
from tests.cohort.test_not_known import KNOWN, NOT_FULFILLED
from tests.conftest import FILES, SOURCES, Records
from tests.one_curation import OfPatient

CUT = Assumptions(data_cutoff=dt.date(2020, 1, 1))
STUDIES = {
    "criteria": study(),
    "one that a patient without a tumour meets": study(CRITERIA[2]),
    "one of the timeline": study(KNOWN),
    "none": study().model_copy(update={"criteria": ()}),
    "a declared cut-off": study().model_copy(update={"assumptions": CUT}),
}


@pytest.fixture
def patients(records) -> Records:
    """Patients who fulfil a criterion or not; the last answers of the registry office differ."""
    for number, (_, diagnosis, radiotherapy) in enumerate(NOT_FULFILLED.values()):
        described(records, str(10 + number), diagnosis, radiotherapy)
    for number, until in ((1, "01.02.2021"), (2, "01.03.2020")):
        answered(described(records, str(number)), until)
    answered(described(records, "3", {"M": None}), "01.04.2018")
    alone = OfPatient(records, "4")
    alone.patient()
    answered(alone, "01.02.2021")
    return records


def _derived(
    parts: Sequence[Mapping[str, pl.DataFrame]], of: Study, cut: dt.date | None, where: pl.DataFrame
):
    made = [derivation.cohort(part, of, cut=cut) for part in parts]
    judged = eligibility.together([one.verdicts for one in made], of)
    seen = [cohort_observations.of_patients(one) for one in made]
    observed = cohort_observations.observe(seen, judged, of, SOURCES, lambda _: where)
    described = pl.concat([one.described for one in made])
    return judged, (judged.eligibility, judged.flow, observed, described)


@pytest.mark.parametrize("of", STUDIES.values(), ids=STUDIES)
def test_groups_give_the_verdicts_and_observations_of_all(patients, of):
    outcome = patients.run()
    frames, where = outcome.frames, places(patients.frames, FILES)
    cut = covariates.known_cut_off(frames, of.assumptions)
    assert cut == (of.assumptions.data_cutoff or dt.date(2021, 2, 1))
    whole, at_once = _derived([frames], of, None, where)
    persons = frames["curated.patient"].sort("pseudonym").select("patient_id")
    for size in (1, 4):
        groups = [
            {t: f.join(some, on="patient_id", how="semi", maintain_order="left") for t, f in frames.items()}
            for some in persons.iter_slices(size)
        ]
        judged, by_group = _derived(groups, of, cut, where)
        assert [a.equals(b) for a, b in zip(at_once, by_group, strict=True)] == [True] * 4
        assert judged.nowhere == whole.nowhere
        key = ["pseudonym", "criterion"]
        assert judged.missing.sort(key).equals(whole.missing.sort(key))
    asked = eligibility.EVERYBODY.name in at_once[1]["criterion"]
    assert asked == (of in (STUDIES["none"], STUDIES["one that a patient without a tumour meets"]))
    assert at_once[3]["registry_answer_age_months"].drop_nulls().n_unique() > (
        of != STUDIES["a declared cut-off"]
    )


def test_without_an_answer_of_a_registry_office_no_cut_off_is_known(records):
    described(records, "1")
    assert covariates.known_cut_off(records.run().frames, study().assumptions) is None
