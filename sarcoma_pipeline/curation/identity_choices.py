"""Offer the possible decisions on identities to data stewards, and apply the decisions to the links.

A finding that asks to whom a record belongs, or whether two numbers are one person, has numbered answers.
The key of an answer is computed from the identities: numbers, names, birth dates and sexes. A decision
therefore also holds for later records with the same values in any file, and lapses when an identity is
corrected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sarcoma_pipeline.curation.number_history import Question, digest
from schemas import typed
from schemas.curated_identity import IdentityReading
from schemas.observations import observation
from schemas.quality import Disposition, Observation
from schemas.rule import Rule
from schemas.sides import MASTER_DATA

PERSON = typed.Person.table()

DECIDED = Rule(
    "identity.decided",
    "notice",
    on="curated.link",
    scope="source",
    what="A data steward decided to whom this record belongs, or whether two patient numbers belong to one "
    "person.",
    remedy="Nothing needs to be done. To withdraw the decision: sarcoma findings reopen, with the ID of the"
    " finding for which it was made.",
    source="decision of a data steward",
    sides=(MASTER_DATA.at_times(),),
)
NOT_THIS_PATIENT = Rule(
    "identity.not-this-patient",
    "error",
    on="curated.link",
    scope="source",
    what="A data steward decided that the record does not belong to the patient whose number it has. It is "
    "not used.",
    remedy="In the sending system, correct the patient number of the record and send it again.",
    source="decision of a data steward",
    waivable=False,
    sides=(MASTER_DATA.at_times(),),
)
NUMBER_OF_TWO = Rule(
    "identity.number-of-two-persons",
    "error",
    on="curated.link",
    scope="source",
    what="A data steward decided that the patient number belongs to two persons. Records exported with the "
    "older master data are not used; the person of the newest master data has a new pseudonym.",
    remedy="In the tumour documentation, give each of the two persons their own number, and export both "
    "again.",
    source="decision of a data steward",
    waivable=False,
    sides=(MASTER_DATA.at_times(),),
)

SAME, NOBODY, ONE, TWO, AWAY, STAYS = (
    "is the patient", "is none of the patients", "one person", "two persons", "not the patient's",
    "the patient's",
)  # fmt: skip
"""Effects of an answer, in this order: link the record; leave it out; join two numbers; keep them
separate, or set aside the records with the older master data; set the record aside; keep it with the
patient of its number."""

IDENTITY = ("hospital_number", "family_name", "given_names", "birth_date", "sex")


@dataclass(frozen=True)
class Choice:
    """One answer to the question of a finding.

    Attributes:
        rule: rule of the finding.
        record_id: its record.
        person: person reference of the record.
        reading: number of the answer.
        text: the answer in words, without identifying data.
        effect: its effect, one of :data:`SAME`, ….
        patient: the patient that it names.
        key: identifies question and answer across refreshes.
        group: the numbers to join.
    """

    rule: str
    record_id: str
    person: str
    reading: int
    text: str
    effect: str
    patient: str | None
    key: str
    group: tuple[str, ...] = ()


def of_candidates(rule: Rule, pairs: pl.DataFrame) -> Iterator[Choice]:
    """Yield one answer per candidate of a record, and the answer "none of them".

    Args:
        rule: the rule that asks.
        pairs: ``record_id``, ``person_ref``, ``patient_id``, ``why`` and the record's identity.
    """
    if pairs.is_empty():
        return
    ordered = pairs.sort("record_id", pl.col("patient_id").str.len_chars(), "patient_id")
    for _, group in ordered.group_by("record_id", maintain_order=True):
        rows = group.rows(named=True)
        asked = (*_identity(rows[0]), *(row["patient_id"] for row in rows))
        for number, row in enumerate(rows, 1):
            text = f"the record is this patient's ({row['why']})"
            yield _choice(rule, row, number, text, SAME, row["patient_id"], asked)
        text = "the record is none of these patients'; it is left out"
        yield _choice(rule, rows[0], len(rows) + 1, text, NOBODY, None, asked)


def of_numbers(rule: Rule, twins: pl.DataFrame, keys: Sequence[str]) -> Iterator[Choice]:
    """Yield the answers "one person" and "two persons" for each number.

    Args:
        rule: the rule that asks.
        twins: the newest master data of numbers that share ``keys``, with ``patient_id``.
        keys: the shared columns.
    """
    if twins.is_empty():
        return
    for _, group in twins.sort("patient_id").group_by(keys, maintain_order=True):
        numbers = tuple(sorted(group["patient_id"], key=_order))
        asked = [part for row in group.sort("patient_id").rows(named=True) for part in _identity(row)]
        for row in group.rows(named=True):
            text = "the numbers are one person, who keeps the pseudonym of this one"
            yield _choice(rule, row, 1, text, ONE, numbers[0], asked, numbers)
            yield _choice(rule, row, 2, "the numbers are two persons", TWO, None, asked)


def of_number(rule: Rule, rows: pl.DataFrame, text: str, stays: str) -> Iterator[Choice]:
    """Yield the answers "the patient's" and "not the patient's" for each record.

    Args:
        rule: the rule that asks.
        rows: the records with ``master``: the identity of the number's newest master data, as text.
        text: the second answer in words.
        stays: the first answer in words.
    """
    for row in rows.sort("record_id").rows(named=True):
        asked = (*_identity(row), row["master_identity"])
        yield _choice(rule, row, 1, stays, STAYS, row["person_ref"], asked)
        yield _choice(rule, row, 2, text, AWAY, row["person_ref"], asked)


def of_holders(rule: Rule, question: Question, own: str = "") -> Iterator[Choice]:
    """Yield the answers to whether two successive holders of a number are one person.

    Args:
        rule: the rule that asks.
        question: the question.
        own: digest of the id that the number's present holder has because another person had it before; the
            answer "one person" keeps it for the corrected master data.
    """
    kept = f"{_KEPT}{_key(rule, question.of_later, TWO, question.number)}:{own}" if own else ""
    two = (
        "the number was given to another person, who has a pseudonym of their own"
        if question.gone
        else "the number stands for two persons; what was exported with these master data is left out"
    )
    one = "one person, whose master data were corrected"
    for record in question.records:
        row = {"record_id": record, "person_ref": question.number}
        same = _choice(rule, row, 1, one, STAYS, question.number, question.of_both)
        yield replace(same, key=same.key + kept)
        yield _choice(rule, row, 2, two, TWO, question.number, question.of_later)


_KEPT = "/"
"""Separator in the key of an answer, between the answer and the value stored with it."""


def plain(keys: Collection[str]) -> frozenset[str]:
    """Return the keys with those of answers that keep something, without what they keep."""
    return frozenset(keys) | {key.partition(_KEPT)[0] for key in keys}


def digest_of_two(rule: Rule, question: Question, keys: Collection[str]) -> str | None:
    """Return the digest of the later holder's id if the holders were decided to be two persons.

    Also where the later holder's master data were corrected since: the answer "one person" kept it.
    """
    later = _key(rule, question.of_later, TWO, question.number)
    if later in keys:
        return digest(question.after)
    tails = sorted(key.partition(_KEPT)[2] for key in keys)
    return next((tail.partition(":")[2] for tail in tails if tail.startswith(f"{later}:")), None)


def are_two(rule: Rule, question: Question, keys: Collection[str]) -> bool:
    """Return whether a data steward decided that two holders of a number are two persons."""
    return _key(rule, question.of_later, TWO, question.number) in keys


def is_answered(rule: Rule, question: Question, keys: Collection[str]) -> bool:
    """Return whether a data steward decided whether two holders of a number are one person."""
    stays = _key(rule, question.of_both, STAYS, question.number)
    return stays in keys or are_two(rule, question, keys)


def _order(patient_id: str) -> tuple[int, str]:
    return len(patient_id), patient_id


def _identity(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple("" if row[c] is None else str(row[c]) for c in IDENTITY)


def _choice(
    rule: Rule,
    row: Mapping[str, Any],
    reading: int,
    text: str,
    effect: str,
    patient: str | None,
    asked: Sequence[str],
    group: tuple[str, ...] = (),
) -> Choice:
    key = _key(rule, asked, effect, patient)
    return Choice(rule.id, row["record_id"], row["person_ref"], reading, text, effect, patient, key, group)


def _key(rule: Rule, asked: Sequence[str], effect: str, patient: str | None) -> str:
    content = repr((rule.id, tuple(asked), effect, patient))
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


# --- what was decided ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decided:
    """The answers that data stewards chose.

    Attributes:
        choices: at most one per question.
    """

    choices: tuple[Choice, ...]

    @classmethod
    def of(cls, offered: Collection[Choice], keys: Collection[str]) -> Decided:
        """Return the chosen answers among all possible ones."""
        found: dict[tuple[str, str], Choice] = {}
        for choice in sorted(offered, key=lambda c: (c.rule, c.record_id, c.reading)):
            if choice.key in keys:
                found.setdefault((choice.rule, choice.record_id), choice)
        return cls(tuple(found.values()))

    def links(self) -> pl.DataFrame:
        """Return ``person_ref``, ``patient_id`` of the records that were assigned to a patient."""
        pairs = {c.person: c.patient for c in self.choices if c.effect == SAME}
        return pl.DataFrame(
            sorted(pairs.items()), schema={"person_ref": pl.String, "patient_id": pl.String}, orient="row"
        )

    def joined(self) -> dict[str, str]:
        """Map each number to the number whose patient it now has: the shortest, then the first in order."""
        root: dict[str, str] = {}

        def find(number: str) -> str:
            while root.setdefault(number, number) != number:
                number = root[number]
            return number

        for choice in self.choices:
            if choice.effect == ONE:
                ends = sorted({find(number) for number in choice.group}, key=_order)
                root.update(dict.fromkeys(ends, ends[0]))
        return {number: find(number) for number in root}

    def answered(self, observed: pl.DataFrame) -> pl.DataFrame:
        """Return the observations that no decision answers, and a notice for each decision."""
        if not self.choices:
            return observed
        rows = [(c.rule, c.record_id, c.text) for c in self.choices]
        asked = pl.DataFrame(rows, schema=["rule_id", "record_id", "note"], orient="row").cast(pl.String)
        notices = observation(asked, DECIDED, PERSON, note=pl.col("note"))
        kept = observed.join(asked, on=["rule_id", "record_id"], how="anti", maintain_order="left")
        return pl.concat([kept, notices.unique("record_id", keep="first", maintain_order=True)])

    def aside(self, typed_frames: Mapping[str, pl.DataFrame], masters: Collection[str] = ()) -> pl.DataFrame:
        """Return errors on the records that a decision removed from a patient.

        Args:
            typed_frames: the typed tables.
            masters: record ids of the master data of earlier holders of a number.
        """
        ids = [c.record_id for c in self.choices if c.effect == AWAY]
        if not ids and not masters:
            return Observation.empty()
        away = pl.DataFrame({"record_id": ids})
        path = pl.col("place").str.replace(r" \d+$", "")
        older = typed_frames[PERSON].filter(pl.col("record_id").is_in(sorted(masters)))
        files = older.select("person_ref", _path=path).drop_nulls().unique()
        seen = [Observation.empty()]
        for table, frame in typed_frames.items():
            if "place" not in frame.columns or frame.is_empty():
                continue
            one = frame.join(away.cast(pl.String), on="record_id", how="semi", maintain_order="left")
            seen.append(observation(one, NOT_THIS_PATIENT, table))
            two = frame.with_columns(_path=path).join(
                files, on=["person_ref", "_path"], how="semi", maintain_order="left"
            )
            seen.append(observation(two, NUMBER_OF_TWO, table))
        return pl.concat(seen).unique(["rule_id", "record_id"], keep="first", maintain_order=True)

    def left_out(self) -> pl.DataFrame:
        """Return the dispositions of records that belong to no patient."""
        records = sorted({c.record_id for c in self.choices if c.effect == NOBODY})
        frame = pl.DataFrame({"record_id": records}, schema={"record_id": pl.String})
        return Disposition.conform(
            frame.with_columns(
                disposition=pl.lit("out of scope"), reason=pl.lit("none of the study's patients, as decided")
            )
        )


def readings(offered: Collection[Choice], decided: Decided) -> pl.DataFrame:
    """Return ``curated.identity_reading``."""
    chosen = {c.key for c in decided.choices}
    rows = [
        (c.rule, c.record_id, c.reading, c.text, c.patient, c.key, c.key in chosen)
        for c in sorted(offered, key=lambda c: (c.rule, c.record_id, c.reading))
    ]
    return pl.DataFrame(rows, schema=IdentityReading.polars_schema(), orient="row")
