"""Determine the role of each plan: rules R1 to R7, the first that applies.

Only plans that were, or may have been, used for treatment belong to a course: ``treated`` and ``planned``.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.prescription import Documented, Prescription, same_dose
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from schemas.rule import Rule
from schemas.sides import PLANS, Side, peers

QUALITY_ASSURANCE = "quality assurance"
SETUP = "setup"
COPY = "copy"
TREATED = "treated"
REJECTED = "rejected"
DRAFT = "draft"
ALTERNATIVE = "alternative"
RESEARCH = "research"
PLANNED = "planned"

CLINICAL = (TREATED, PLANNED)
"""Roles of plans that belong to a course."""

QA_INTENTS = frozenset({"VERIFICATION", "MACHINE_QA", "SERVICE"})
"""PlanIntent of plans for quality assurance."""
_APPROVAL = ("APPROVED", None, "UNAPPROVED", "REJECTED")
"""Approval statuses, the most credible first."""

QA_WITH_FRACTIONS = Rule(
    "plan.qa-with-fractions",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan is marked as quality assurance and has two fractions or more; it is not used.",
    remedy="In the planning system, check PlanIntent and the relation VERIFIED_PLAN: if the plan was "
    "treated, correct its intent and export it again.",
    scope="patient",
    source="DICOM PS3.3 C.8.8.9 PlanIntent",
    alone="mark and fractions are in the plan itself",
)
NO_METERSET = Rule(
    "plan.no-meterset",
    "warning",
    on="curated.radiotherapy_plan",
    what="No beam of the plan treats: there are only setup or portal beams, or no monitor units. "
    "It is not used.",
    remedy="In the planning system, check whether the plan was calculated; if it was treated, export it "
    "again.",
    scope="record",
    source="DICOM PS3.3 C.8.8.13 BeamMeterset",
)
COPIED = Rule(
    "plan.copy",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan equals another plan of the patient (beams, monitor units, control points, isocentre, "
    "frame of reference, prescription). It counts once.",
    remedy="Check in the planning system whether both were treated, for two sites or one after the other; "
    "if so, export their treatment records.",
    scope="patient",
    source="DICOM PS3.3 C.8.8.9",
    sides=peers(columns=("sop_instance_uid",)),
)
TREATED_UNAPPROVED = Rule(
    "plan.treated-unapproved",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan is not approved, but treatment records refer to it: it was treated.",
    remedy="Approve the plan in the planning system, or correct the reference of the treatment records if "
    "they mean another plan.",
    scope="patient",
    source="DICOM PS3.3 C.8.8.16 ApprovalStatus",
    sides=(
        Side(
            "typed.treatment",
            ("treatment_date", "fractions_delivered"),
            by=(("sop_instance_uid", "refers_to"),),
        ),
    ),
)
LOOKS_LIKE_QA = Rule(
    "plan.looks-like-qa",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan has one fraction with the dose per fraction of another plan, in another frame of "
    "reference: it looks like a measurement and is not used.",
    remedy="If it is a verification plan, set its PlanIntent to VERIFICATION; if it was treated, export its "
    "treatment records.",
    scope="patient",
    source="DICOM PS3.3 C.8.8.9 PlanIntent",
    sides=(PLANS,),
)
APPROVAL_MISSING = Rule(
    "plan.approval-missing",
    "warning",
    on="curated.radiotherapy_plan",
    what="The plan does not say whether it is approved (no ApprovalStatus); it is used.",
    remedy="Check in the planning system that this plan was treated; export it with its approval.",
    scope="patient",
    source="DICOM PS3.3 C.8.8.16 ApprovalStatus (the module is optional)",
    alone="the approval is missing in the plan itself",
)

UID_REUSED = Rule(
    "plan.uid-reused",
    "warning",
    on="curated.radiotherapy_plan",
    what="Several plans have one SOPInstanceUID and differ in beams, fractions or prescription. The "
    "approved plan counts, then the newest; if this does not decide, the plan has no dose.",
    remedy="Find out in the planning system which of them was treated, and export that one alone.",
    scope="source",
    source="DICOM PS3.3 C.12.1 SOPInstanceUID",
    sides=peers("sop_instance_uid", columns=("prescribed_dose_gy", "fractions", "approval")),
)


@dataclass(frozen=True)
class Role:
    """The role of a plan.

    Attributes:
        role: a value of the vocabulary ``plan_role``.
        rule: R1 to R7.
        origin: the evidence: records, relation, or the plan itself (label).
        of: key of the plan of which it is a copy, a verification or an alternative.
        notes: rules to report with it.
    """

    role: str
    rule: str
    origin: str
    of: str | None = None
    notes: tuple[Rule, ...] = ()


def roles(
    plans: Sequence[Plan],
    readings: Mapping[str, Prescription],
    delivered: Mapping[str, Delivered],
    documented: Sequence[Documented],
) -> dict[str, Role]:
    """Determine the role of every plan of a patient.

    Args:
        plans: the plans of one patient, each key once.
        readings: key of a plan to the reading of its prescription that needs no documentation.
        delivered: key of a plan to its delivery; plans without records are left out.
        documented: doses and fractions of the patient's documented courses.

    Returns:
        Key of the plan to its role.
    """
    found: dict[str, Role] = {}
    for plan in plans:
        role = _quality_assurance(plan, plan.key in delivered) or _setup(plan, plan.key in delivered)
        if role is not None:
            found[plan.key] = role
    found |= _copies([p for p in plans if p.key not in found], delivered, readings, documented)
    alternatives = _alternatives([p for p in plans if p.key not in found])
    rest = [p for p in plans if p.key not in found]
    for plan in rest:
        found[plan.key] = (
            _treated(plan, delivered)
            or _set_aside(plan, alternatives)
            or _suspected(plan, rest, readings)
            or _planned(plan)
        )
    return found


def _quality_assurance(plan: Plan, treated: bool) -> Role | None:
    """Apply R1: quality assurance by phantom, intent or relation; a research plan without records."""
    verified = next((uid for uid, relation in plan.relations if relation == "VERIFIED_PLAN"), None)
    if plan.phantom or plan.intent in QA_INTENTS or verified:
        several = plan.fractions not in (None, 1) and not plan.phantom
        notes = (QA_WITH_FRACTIONS,) if several else ()
        return Role(QUALITY_ASSURANCE, "R1", "relation" if verified else "label", verified, notes)
    if plan.intent == "RESEARCH" and not treated:
        return Role(RESEARCH, "R1", "label")
    return None


def _setup(plan: Plan, treated: bool) -> Role | None:
    """Apply R2 to external beam plans without treatment records: only setup beams, or no monitor units."""
    if plan.is_brachytherapy or treated or not (plan.beams or plan.groups):
        return None
    only_setup = bool(plan.beams) and not plan.treating
    units = [b.meterset for g in plan.groups for b in plan.group_beams(g)]
    if only_setup or (plan.known_metersets and not any(units)):
        return Role(SETUP, "R2", "label", notes=(NO_METERSET,))
    return None


def _copies(
    plans: Sequence[Plan],
    delivered: Mapping[str, Delivered],
    readings: Mapping[str, Prescription],
    documented: Sequence[Documented],
) -> dict[str, Role]:
    """Apply R3: of plans with one fingerprint keep the treated, then the approved, then the newest one."""
    same: dict[str, list[Plan]] = defaultdict(list)
    for plan in plans:
        same[plan.fingerprint].append(plan)
    found: dict[str, Role] = {}
    for alike in same.values():
        if len(alike) < 2 or _is_daily(alike, readings, documented):
            continue
        kept: list[Plan] = []
        for plan in sorted(alike, key=lambda p: _credibility(p, delivered)):
            original = next((k for k in kept if not _follows(plan, k) and not _follows(k, plan)), None)
            if original is None or plan.key in delivered:
                kept.append(plan)
            else:
                found[plan.key] = Role(COPY, "R3", "label", original.key, (COPIED,))
    return found


def of_one_uid(plans: Sequence[Plan]) -> tuple[Plan, bool]:
    """Return the plan to use of several with one UID, and whether the others differ from it.

    Args:
        plans: at least one.
    """
    best, *others = sorted(plans, key=lambda p: (*_credibility(p, {}), p.fingerprint, p.record_id))
    differing = [p for p in others if p.fingerprint != best.fingerprint]
    if any(_credibility(p, {}) == _credibility(best, {}) for p in differing):
        # If they rank equally, it is unknown which one was treated: the prescription is left unknown.
        best = replace(best, references=(), groups=(), known_metersets=False)
    return best, bool(differing)


def credibility(plan: Plan) -> int:
    """Return the rank of a plan: approved before no status, draft, rejected."""
    return approval_rank(plan.approval)


def approval_rank(approval: str | None) -> int:
    """Return the rank of an approval status: approved before no status, draft, rejected."""
    return _APPROVAL.index(approval if approval in _APPROVAL else None)


def _credibility(plan: Plan, delivered: Mapping[str, Delivered]) -> tuple[bool, int, int, str]:
    """Return the sort key: treated before approved before newest plans; ties by UID."""
    newest = -(plan.date or dt.date.min).toordinal()
    return plan.key not in delivered, credibility(plan), newest, plan.key


def _follows(plan: Plan, other: Plan) -> bool:
    return any(uid == other.key and relation == "PREDECESSOR" for uid, relation in plan.relations)


def _is_daily(
    alike: Sequence[Plan], readings: Mapping[str, Prescription], documented: Sequence[Documented]
) -> bool:
    """Return whether plans of one fraction each, all on different days, are documented as a sum."""
    # Copies have one prescription.
    single = {readings[p.key].dose for p in alike if p.key in readings}
    dates = {p.date for p in alike}
    if any(p.fractions != 1 for p in alike) or None in dates or len(dates) < len(alike):
        return False
    sums = [len(alike) * dose for dose in single if dose]
    return any(dose is not None and same_dose(total, dose) for total in sums for dose, _ in documented)


def _treated(plan: Plan, delivered: Mapping[str, Delivered]) -> Role | None:
    """Apply R4: the plan has treatment records."""
    if plan.key not in delivered:
        return None
    notes = () if plan.approval in ("APPROVED", None) else (TREATED_UNAPPROVED,)
    return Role(TREATED, "R4", "records", notes=notes)


def _alternatives(plans: Sequence[Plan]) -> dict[str, str]:
    """Map the key of a plan to the plan that refers to it as an alternative.

    Rejected plans and drafts do not count, nor do two plans that name each other as alternatives.
    """
    named = {
        (plan.key, uid)
        for plan in plans
        if plan.approval in ("APPROVED", None)
        for uid, relation in plan.relations
        if relation == "ALTERNATIVE"
    }
    return {uid: holder for holder, uid in sorted(named) if (uid, holder) not in named and uid != holder}


def _set_aside(plan: Plan, alternatives: Mapping[str, str]) -> Role | None:
    """Apply R5: rejected, draft or alternative plans."""
    if plan.approval == "REJECTED":
        return Role(REJECTED, "R5", "label")
    if plan.approval == "UNAPPROVED":
        return Role(DRAFT, "R5", "label")
    if plan.key in alternatives:
        return Role(ALTERNATIVE, "R5", "relation", alternatives[plan.key])
    return None


def _suspected(plan: Plan, others: Sequence[Plan], readings: Mapping[str, Prescription]) -> Role | None:
    """Apply R6: one fraction with another plan's dose per fraction, in another frame of reference."""
    own = readings.get(plan.key)
    if plan.fractions != 1 or own is None or own.dose is None or plan.frame is None:
        return None
    if plan.is_brachytherapy:
        return None
    for other in others:
        single = readings[other.key].single if other.key in readings else None
        many = other.fractions not in (None, 1) and other.frame is not None and other.frame != plan.frame
        if many and single is not None and same_dose(own.dose, single):
            return Role(QUALITY_ASSURANCE, "R6", "label", other.key, (LOOKS_LIKE_QA,))
    return None


def _planned(plan: Plan) -> Role:
    """Apply R7: every other plan is planned."""
    return Role(PLANNED, "R7", "label", notes=(APPROVAL_MISSING,) if plan.approval is None else ())
