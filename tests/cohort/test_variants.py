"""Whose endpoints a run of the sensitivity analysis has."""

from sarcoma_pipeline.cohort import variants
from sarcoma_pipeline.cohort.derivation import cohort
from schemas.assumptions import alternatives
from tests.conftest import Records
from tests.spec.told import Told, study


def test_who_is_not_at_risk_in_the_main_analysis_may_be_in_a_run(monkeypatch):
    """With a landmark at day 1000, the second patient, last seen on day 366, is in no endpoint."""
    records = Records()
    for number, told in enumerate([Told(), Told(alive=None)], start=1):
        told.put(records, str(number))
    curated, chosen = records.run().frames, study(landmark_days=1000)
    main = cohort(curated, chosen)
    both = set(main.patients["pseudonym"])
    assert len(both) == 2 and main.derived.endpoints["pseudonym"].n_unique() == 1
    monkeypatch.setattr(
        variants,
        "alternatives",
        lambda own: [one for one in alternatives(own) if one[0].name == "landmark_days"],
    )
    made = variants.runs(curated, chosen, (main.with_doses, main.derived.endpoints))
    at_risk = {value: set(frames[1]["pseudonym"]) for _, value, frames in made}
    assert at_risk[182] == both
