"""Cases of the rules on the cohort: who is in it, what its endpoints and models need, and what is plausible.

The patient has a sarcoma of the thigh of 1 January 2012 (T2, N0, M0; 5 cm), curative radiotherapy before an
operation from 1 February on, and was examined on 1 January 2013. All patients of the cases are one study.
"""

from __future__ import annotations

from typing import Any

from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.quality import cohort_observations
from sarcoma_pipeline.quality.findings import places
from schemas.configuration import Study
from tests.conftest import FILES, SOURCES
from tests.one_curation import OfPatient
from tests.quality.rule_cases.curated_reports import (
    Told,
    death,
    diagnosis,
    drugs,
    examined,
    irradiation,
    of,
    reply,
)
from tests.quality.rule_cases.curated_tables import line
from tests.quality.rule_cases.four import THE_FAULT, Four
from tests.quality.rule_cases.together import Many

STUDY = Study.model_validate(
    {
        "name": "s", "title": "s", "description": "s", "drop": "d",
        "criteria": [
            {"name": "histology", "rule": "histology", "label": "Sarcoma"},
            {"name": "site", "rule": "site", "label": "Site", "values": ["extremities"]},
            {"name": "no_metastasis", "rule": "no_metastasis", "label": "M0"},
            {"name": "curative", "rule": "curative", "label": "Curative"},
            {"name": "radiotherapy", "rule": "radiotherapy", "label": "RT", "values": ["preoperative"]},
        ],
        "assumptions": {"cause_of_death": "tumour"},
        "endpoints": [
            {"name": "OS", "title": "OS", "events": ["death"], "censor": "last known alive"},
            {"name": "DFS", "title": "DFS", "events": ["local relapse", "death"],
             "censor": "last disease assessment"},
        ],
        "covariates": [
            {"name": "size", "column": "tumour_size_cm", "kind": "continuous"},
            {"name": "T", "column": "t_stage", "kind": "factor", "reference": "T1", "levels": ["T2"]},
        ],
        "models": [{"name": "m", "title": "m", "endpoint": "OS", "covariates": ["size", "T"]}],
        "gate": {"bounds": {"cm": [0, 40]}},
    }
)  # fmt: skip


def eligible(
    *more: Told, on: str | None = "2012-01-01", born: str | None = "", size: str | None = "5,0",
    intent: str | None = "K", treated: str = "2012-02-01", **values: Any,
) -> Told:  # fmt: skip
    """Return a patient of the study and more records; ``values`` are those of the Diagnose."""

    def tell(p: OfPatient) -> None:
        p.patient(**({} if born == "" else {"born": born}))
        diagnosis(on, **values)(p)
        irradiation(treated, Ende=treated, Intention=intent)(p)
        examined()(p)
        if size:
            line("sheet", cm=size)(p)
        for one in more:
            one(p)

    return tell


def moved(on: str) -> Told:
    """Return the answer of a registry office that the person moved away."""
    return reply("verzogen", None, event_date=on)


COHORT: dict[str, Four[Told]] = {
    "eligibility.not-known": of(
        eligible(code=None),
        eligible(code="8140/3"),
        THE_FAULT,
        eligible(intent=None),
    ),
    "eligibility.assumed": of(
        eligible(M=None),
        eligible(M="0"),
        THE_FAULT,
        eligible(M="X"),
    ),
    "endpoint.cause-unknown": of(
        eligible(death(Tod_tumorbedingt="U")),
        eligible(death(Tod_tumorbedingt="N")),
        eligible(death(Tod_tumorbedingt=None)),
        eligible(reply("verstorben", "01.08.2014", event_date="01.06.2014")),
        fires_on_null=True,
    ),
    "model.covariate-missing": of(
        eligible(size=None),
        eligible(size="40,0"),
        THE_FAULT,
        eligible(T="X"),  # study.toml lists T1 and T2
    ),
    "patient.time-implausible": of(
        eligible(on="1955-01-10", born="1940-03-04"),
        eligible(on="1965-01-10", born="1940-03-04"),
        eligible(on=None, born="1940-03-04"),
        eligible(death("2014-01-01"), on="1912-01-10", born="1911-03-04", treated="1912-02-10"),
    ),
    "patient.value-implausible": of(
        eligible(born="1880-03-04"),
        eligible(born="1895-03-04"),
        eligible(born=None),
        eligible(size="50,0"),  # study.toml allows up to 40 cm
    ),
    "vital-status.seen-after-move": of(
        eligible(moved("01.06.2014"), examined("2014-06-02")),
        eligible(moved("01.06.2014"), examined("2014-06-01")),
        eligible(moved("01.06.2014"), examined(None)),
        eligible(moved("01.06.2014"), drugs("2014-06-02")),
    ),
}  # fmt: skip


def broken_by(cases: dict[str, Four[Told]]) -> set[tuple[str, str]]:
    """Return each case with the rules that its patient breaks when the cohort of the study is derived."""
    records, whose = Many(), {}
    told = [(f"{rule} {name}", one) for rule, four in cases.items() for name, one, _ in four.cases()]
    for number, (case, one) in enumerate(told, 1):
        patient = OfPatient(records, str(number))
        one(patient)
        whose |= dict.fromkeys(patient.ids, case)
    whole = cohort(records.run().frames, STUDY)
    at = places(records.frames, FILES)
    seen = [cohort_observations.of_patients(whole)]
    observed = cohort_observations.observe(seen, whole.judged, STUDY, SOURCES, lambda _: at)
    observed = observed.select("record_id", "rule_id")
    return {(whose[record], rule) for record, rule in observed.iter_rows() if record in whose}
