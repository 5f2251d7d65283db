"""Link records to patients: by hospital number, else by normalised name, date of birth and sex.

Only exact matches are linked: a near match (``near_matches``) is a finding for a person to decide. Titles and
name prefixes are ignored, because sources write them in different fields. A number in another form (leading
zeros, blanks) is a near match if name, date of birth and sex agree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation import identity_choices, number_history
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.curation.identity_differences import (
    CONTRADICTION,
    DETAIL_DIFFERS,
    MASTER_DIFFERS,
    contradictions,
    formerly,
    masters_differ,
    renamed,
)
from sarcoma_pipeline.curation.identity_names import (
    PERSON,
    family_names,
    folded_plain,
    in_another_form,
    linked_by_name,
)
from sarcoma_pipeline.curation.identity_namesakes import namesakes
from sarcoma_pipeline.curation.identity_numbers import (
    NUMBERS_ALIKE,
    SAME_NUMBER_TWICE,
    TWO_NUMBERS,
    WHO,
    alike_numbers,
    numbers_alike,
    twins,
    two_numbers,
)
from sarcoma_pipeline.curation.near_matches import (
    near_matches,
    number_form,
    without_prefix,
    without_title,
)
from sarcoma_pipeline.curation.typed_records import Result
from schemas import typed_dicom
from schemas.all_contracts import CONTRACTS
from schemas.curated import Link
from schemas.curated_identity import IdentityReading
from schemas.observations import observation
from schemas.quality import Disposition, Observation
from schemas.rule import Rule
from schemas.sides import MASTER_DATA

NEAR_MATCH = Rule(
    "identity.near-match",
    "error",
    on="curated.link",
    scope="source",
    what=(
        "Near match: the name, the date of birth or the form of the patient number differs slightly from "
        "that of a known patient. The record is not linked."
    ),
    remedy=(
        "Compare both persons. If they are the same person, correct the spelling or the date of birth, or "
        "add the hospital's patient number, in the system that sent this record."
    ),
    source="record linkage: people decide on near matches",
    waivable=False,
    sides=(MASTER_DATA,),
)
NO_PATIENT = Rule(
    "identity.no-patient",
    "error",
    on="curated.link",
    scope="source",
    what=(
        "The record belongs to no known patient: no patient master data have its patient number, or its "
        "name, date of birth and sex."
    ),
    remedy=(
        "In the sending system, check patient number, name and date of birth. If the patient is "
        "missing, export their Patienten_Stammdaten from the tumour documentation."
    ),
    waivable=False,
    alone="no patient is known",
)
NUMBER_FORM = Rule(
    "identity.number-differs-in-form",
    "error",
    on="curated.link",
    scope="source",
    what=(
        "No patient has this patient number in this form, but one has it in another form: with leading "
        "zeros, blanks or signs, or without the .0 that a statistics program adds. The record is not "
        "linked."
    ),
    remedy=(
        "Check to whom the record belongs. Have the number written as in the tumour documentation; in a "
        "spreadsheet, format the column as text."
    ),
    waivable=False,
    sides=(SAME_NUMBER_TWICE.at_times(),),
)
AMBIGUOUS = Rule(
    "identity.ambiguous",
    "error",
    on="curated.link",
    scope="source",
    what="Name, date of birth and sex match more than one patient. The record is not linked.",
    remedy=(
        "Find out to whom the record belongs and add the hospital's patient number to it in the sending "
        "system."
    ),
    waivable=False,
    sides=(MASTER_DATA,),
)


_OF_EVERY_RECORD = ("record_id", "person_ref", "place")
_OF_OBJECTS = ("phantom", "has_patient_id", "refers_to", "sop_instance_uid")
"""Columns of DICOM objects."""


def columns_read(table: str) -> list[str]:
    """Return the columns of a typed table that linking reads, so that no other needs to be in memory."""
    columns = CONTRACTS[table].polars_schema().names()
    return [c for c in columns if table == PERSON or c in (*_OF_EVERY_RECORD, *_OF_OBJECTS)]


def link(
    typed_frames: Mapping[str, pl.DataFrame],
    keys: Collection[str] = frozenset(),
    former: pl.DataFrame | None = None,
) -> Result:
    """Link person references to patients.

    Args:
        typed_frames: the typed tables, with at least the columns of :func:`columns_read`.
        keys: keys of the answers that data stewards chose (``curated.identity_reading``).
        former: master data (rows of ``typed.person``) of former deliveries.

    Returns:
        ``curated.link``, ``curated.identity_reading``, the identity findings, and what is out of scope:
        records of phantoms, and records that a decision assigns to no patient.
    """
    # Whatever else a frame has is not there when the warehouse is read.
    typed_frames = {table: frame.select(columns_read(table)) for table, frame in typed_frames.items()}
    persons = (
        typed_frames[PERSON]
        .with_columns(
            _family=without_prefix(pl.col("family_name")), _given=without_title(pl.col("given_names"))
        )
        .with_columns(
            _name=pl.concat_str("_family", pl.lit("|"), "_given"),
            _folded=folded_plain(pl.col("_family"), pl.col("_given")),
            family_names=family_names(),
        )
        .drop("_family", "_given")
    )
    masters = persons.filter("master").sort("person_ref", *NEWEST_LAST, nulls_last=False)
    latest = masters.group_by("person_ref", maintain_order=True).last().rename({"person_ref": "patient_id"})
    others = persons.filter(~pl.col("master"))
    known = others.join(latest.select("patient_id"), left_on="person_ref", right_on="patient_id", how="semi")
    unknown = others.join(
        latest.select("patient_id"), left_on="person_ref", right_on="patient_id", how="anti"
    )
    # Only a record without a number may be linked by name: an unknown number is a separate fault.
    nameless = unknown.filter(pl.col("hospital_number").is_null())
    exact, ambiguous, unmatched = linked_by_name(nameless, latest)
    near = unmatched.join(near_matches(unmatched, latest), on="record_id")
    lost = unmatched.join(near, on="record_id", how="anti")
    in_form = in_another_form(unknown, latest)
    judged = pl.concat([nameless.select("record_id"), in_form.select("record_id")])
    asked = number_history.questions(masters, former)
    if keys:
        newest, given_answers = latest.rename({"patient_id": "person_ref"}), keys
        before_them = number_history.remembered(
            newest, asked, lambda one: identity_choices.digest_of_two(MASTER_DIFFERS, one, given_answers)
        )
        asked = [*before_them, *asked]
        keys = identity_choices.plain(keys)
    two = [one for one in asked if one.own or identity_choices.are_two(MASTER_DIFFERS, one, keys)]
    own = number_history.own_ids(asked, two)
    before = number_history.left_out(asked, two)
    shown = _shown(asked, keys)
    offered = list(_offered(near, ambiguous, in_form, known, shown, latest, own, two))
    decided = identity_choices.Decided.of(offered, keys)
    links = pl.concat(
        [
            latest.select(person_ref="patient_id", patient_id="patient_id", method=pl.lit("hospital number")),
            exact.select("person_ref", "patient_id", method="_method"),
            decided.links().with_columns(method=pl.lit("decided by a data steward")),
        ]
    )
    # Records with a number that a decision assigned to a patient are compared like those with the patient's
    # own number.
    given = unknown.filter(pl.col("hospital_number").is_not_null()).join(decided.links(), on="person_ref")
    numbered = pl.concat([known, given.with_columns(person_ref="patient_id").select(known.columns)])
    joined = decided.joined()
    links = links.with_columns(pl.col("patient_id").replace(joined).replace(own))
    observed = pl.concat(
        [
            contradictions(numbered, latest),
            observation(ambiguous, AMBIGUOUS, PERSON, "family_name", pl.col("family_name")),
            observation(near, NEAR_MATCH, PERSON, "family_name", pl.col("family_name"), _resemblance()),
            observation(
                in_form, NEAR_MATCH, PERSON, "hospital_number", pl.col("hospital_number"), _SAME_PERSON
            ),
            observation(lost, NO_PATIENT, PERSON, "family_name", pl.col("family_name")),
            _unlinked(typed_frames, links, judged, latest),
            two_numbers(latest),
            namesakes(latest),
            masters_differ(masters, latest),
            formerly(shown),
            renamed(former, latest),
            numbers_alike(latest),
        ]
    )
    frames = {
        Link.table(): Link.conform(links),
        IdentityReading.table(): identity_choices.readings(offered, decided),
    }
    return Result(
        frames,
        pl.concat([decided.answered(observed), decided.aside(typed_frames, before)]),
        pl.concat([_phantoms(typed_frames), decided.left_out()]).unique("record_id", maintain_order=True),
    )


def _offered(
    near: pl.DataFrame,
    ambiguous: pl.DataFrame,
    in_form: pl.DataFrame,
    known: pl.DataFrame,
    holders: Sequence[number_history.Question],
    latest: pl.DataFrame,
    own: Mapping[str, str],
    two: Collection[number_history.Question],
) -> Iterator[identity_choices.Choice]:
    """Yield the possible answers to every question of identity."""
    yield from identity_choices.of_candidates(NEAR_MATCH, near)
    yield from identity_choices.of_candidates(NEAR_MATCH, in_form.with_columns(why=_SAME_PERSON))
    same = pl.lit("name, date of birth and sex agree")
    yield from identity_choices.of_candidates(AMBIGUOUS, ambiguous.with_columns(why=same))
    numbers = latest.with_columns(person_ref="patient_id", _form=number_form(pl.col("hospital_number")))
    yield from identity_choices.of_numbers(TWO_NUMBERS, twins(numbers), WHO)
    yield from identity_choices.of_numbers(NUMBERS_ALIKE, alike_numbers(numbers), ["_form"])
    master = pl.concat_str(
        [pl.col(c).cast(pl.String).fill_null("") for c in identity_choices.IDENTITY], separator="|"
    )
    of_number = latest.select("patient_id", master_identity=master)
    asked = known.join(of_number, left_on="person_ref", right_on="patient_id")
    contradicted = contradictions(known, latest)
    for rule, found in ((CONTRADICTION, True), (DETAIL_DIFFERS, False)):
        seen = contradicted.filter(pl.col("rule_id") == rule.id)
        if seen.is_empty():
            continue
        rows = asked.join(seen, on="record_id", how="semi").unique("record_id", keep="first")
        yield from identity_choices.of_number(
            rule, rows,
            "the record does not belong to the patient of its number; it is left out",
            "the record belongs to the patient of its number" + (" all the same" if found else ""),
        )  # fmt: skip
    for question in holders:
        # The newest master data may be a correction of those of the second holder.
        corrected = question.of_newest and question not in two
        kept = own.get(question.number, "").rpartition("#")[2] if corrected else ""
        yield from identity_choices.of_holders(MASTER_DIFFERS, question, kept)


def _shown(asked: Sequence[number_history.Question], keys: Collection[str]) -> list[number_history.Question]:
    """Return the questions to ask.

    Of questions on former deliveries the latest per number, open ones first.
    """
    gone: dict[str, number_history.Question] = {}
    for one in asked:
        known = gone.get(one.number)
        closes_none = known is None or identity_choices.is_answered(MASTER_DIFFERS, known, keys)
        if one.gone and (closes_none or not identity_choices.is_answered(MASTER_DIFFERS, one, keys)):
            gone[one.number] = one
    return [one for one in asked if not one.gone or gone[one.number] is one]


_SAME_PERSON = pl.lit("a patient has the number in another form; name, date of birth and sex agree")


def _resemblance() -> pl.Expr:
    others = (pl.col("candidates") - 1).cast(pl.String)
    several = pl.format("; {} other patients are near as well", others)
    return pl.when(pl.col("candidates") > 1).then(pl.col("why") + several).otherwise("why")


def _unlinked(
    typed_frames: Mapping[str, pl.DataFrame],
    links: pl.DataFrame,
    judged: pl.DataFrame,
    latest: pl.DataFrame,
) -> pl.DataFrame:
    lost = {
        table: frame.join(links, on="person_ref", how="anti").join(judged, on="record_id", how="anti")
        for table, frame in typed_frames.items()
        if not frame.is_empty()
    }
    if all(lone.is_empty() for lone in lost.values()):
        return Observation.empty()
    forms = latest.select(person_ref="patient_id").select(_form=_form()).drop_nulls().unique()
    mismatched = mismatched_structures(typed_frames).select("record_id")
    seen = [Observation.empty()]
    for table, lone in lost.items():
        if lone.is_empty():
            continue
        lone = lone.join(mismatched, on="record_id", how="anti")
        if "phantom" in lone.columns:
            lone = lone.filter(~pl.col("phantom") & pl.col("has_patient_id"))
        elif table == PERSON:
            # Plans are reported below; their person rows would repeat the finding.
            lone = lone.filter(pl.col("source") != "DICOM")
        alike = lone.with_columns(_form=_form()).join(forms, on="_form", how="semi")
        seen.append(observation(alike, NUMBER_FORM, table))
        seen.append(observation(lone.join(alike, on="record_id", how="anti"), NO_PATIENT, table))
    return pl.concat(seen).unique("record_id", keep="first", maintain_order=True)


def _form() -> pl.Expr:
    numbered = pl.col("person_ref").str.starts_with("number:")
    return number_form(pl.when(numbered).then(pl.col("person_ref").str.strip_prefix("number:")))


def mismatched_structures(typed_frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return ``record_id`` of structure sets that plans refer to only under another PatientID."""
    plans = typed_frames[typed_dicom.Plan.table()].filter("has_patient_id")
    structures = typed_frames[typed_dicom.StructureSet.table()].filter("has_patient_id")
    pairs = structures.join(
        plans.select(uid="refers_to", plan_ref="person_ref"), left_on="sop_instance_uid", right_on="uid"
    )
    # One matching plan is enough: a second plan with a wrong patient is the fault of that plan.
    worst = pairs.group_by("record_id").agg(fits=(pl.col("person_ref") == pl.col("plan_ref")).any())
    return worst.filter(~pl.col("fits")).select("record_id")


def _phantoms(typed_frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    parts = [Disposition.empty()]
    for frame in typed_frames.values():
        if "phantom" in frame.columns and not frame.is_empty():
            parts.append(
                frame.filter("phantom").select(
                    "record_id",
                    disposition=pl.lit("out of scope"),
                    reason=pl.lit("quality assurance, nobody's"),
                )
            )
    return pl.concat(parts).unique("record_id", maintain_order=True)
