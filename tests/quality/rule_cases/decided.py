"""Cases of the rules on what a data steward decided about identities: a patient, and the answer chosen."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import identity
from schemas.curated_identity import IdentityReading
from tests.one_curation import OfPatient
from tests.quality.rule_cases.curated_reports import Told, sarcoma
from tests.quality.rule_cases.four import NO_VALUE, Four
from tests.quality.rule_cases.together import Many


@dataclass(frozen=True)
class Decided:
    """A patient, and what is decided.

    Attributes:
        told: adds the records.
        rule: the rule whose question is answered; "" if nothing is decided.
        answer: the number of the chosen answer.
    """

    told: Told
    rule: str = ""
    answer: int = 0


def _master(p: OfPatient, on: str, **values: str) -> str:
    p.ids.append(p.records.patient(p.number, p.family, **({"born": p.born, "Meldedatum": on} | values)))
    return p.ids[-1]


DETAIL, MASTER, NEAR = "identity.detail-differs", "identity.master-data-differ", "identity.near-match"
OTHER_NAME = sarcoma(lambda p: p.reply(answer="lebt", answered_on="01.06.2015", family_name="Ganzanders"))
OTHER_BIRTH = sarcoma(lambda p: p.reply(answer="lebt", answered_on="01.06.2015", birth_date="01.01.1931"))
SPELT = sarcoma(
    lambda p: p.reply(answer="lebt", answered_on="01.06.2015", hospital_number=None,
                      family_name=f"{p.family}-Weber")
)  # fmt: skip


def two_births(p: OfPatient) -> object:
    """Add two master data of one number with two dates of birth."""
    return _master(p, "2019-01-01", born="1931-01-01"), _master(p, "2021-01-01")


def two_sexes(p: OfPatient) -> object:
    """Add two master data of one number with two sexes."""
    return _master(p, "2019-01-01", sex="M"), _master(p, "2021-01-01")


DECISIONS: dict[str, Four[Decided]] = {
    "identity.not-this-patient": Four(
        Decided(OTHER_NAME, DETAIL, 2), Decided(OTHER_NAME, DETAIL, 1), NO_VALUE,
        Decided(OTHER_BIRTH, DETAIL, 2),
    ),
    "identity.number-of-two-persons": Four(
        Decided(two_births, MASTER, 2), Decided(two_births, MASTER, 1), NO_VALUE,
        Decided(two_sexes, MASTER, 2),
    ),
    "identity.decided": Four(
        Decided(SPELT, NEAR, 1), Decided(SPELT), NO_VALUE, Decided(two_sexes, MASTER, 1),
    ),
}  # fmt: skip


def broken_by(cases: dict[str, Four[Decided]]) -> set[tuple[str, str]]:
    """Return each case with the rules that its records break after the decision."""
    records, whose, asked = Many(), {}, {}
    told = [(f"{rule} {name}", one) for rule, four in cases.items() for name, one, _ in four.cases()]
    for number, (case, one) in enumerate(told, 1):
        patient = OfPatient(records, str(number))
        one.told(patient)
        whose |= dict.fromkeys(patient.ids, case)
        asked[case] = one
    offered = identity.link(records.run().typed).frames[IdentityReading.table()]
    keys = {
        row["reading_key"]
        for row in offered.iter_rows(named=True)
        if (row["rule_id"], row["reading"]) == (asked[whose[row["record_id"]]].rule,
                                               asked[whose[row["record_id"]]].answer)
    }  # fmt: skip
    observed = records.run(frozenset(keys)).observed.select(pl.col("record_id"), "rule_id")
    return {(whose[record], rule) for record, rule in observed.iter_rows()}
