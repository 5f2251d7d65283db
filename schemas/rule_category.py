"""The category of each rule in the framework of data quality by Kahn and others.

Conformance: do values keep to formats, code lists, keys and structure. Completeness: are values there,
whatever they are. Plausibility: can values be true, by themselves, with others and in time. A rule belongs to
one category: the one that it declares, else that of the first pattern that its id matches.

Source: Kahn MG, Callahan TJ, Barnard J, et al. A harmonized data quality assessment terminology and framework
for the secondary use of electronic health record data. eGEMs 2016; 4(1): 1244.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import Literal

Category = Literal["completeness", "conformance", "plausibility"]

COMPLETENESS: Category = "completeness"
CONFORMANCE: Category = "conformance"
PLAUSIBILITY: Category = "plausibility"

_PATTERNS: tuple[tuple[Category, tuple[str, ...]], ...] = (
    # What is not there, although the rule is on a file or a value.
    (COMPLETENESS, ("file.empty", "file.truncated", "obds.element-missing", "value.missing")),
    # Formats, code lists and structure.
    (CONFORMANCE, (
        "file.*", "obds.*", "value.*", "*-malformed", "contours.unreadable", "date.from-number",
        "date.legacy-format",
        "date.century-unclear", "number.from-date", "diagnosis.t-unknown-to-edition",
        "diagnosis.edition-too-early", "diagnosis.grade-of-unknown-name", "dicom.file-meta-missing",
        "dose.relative", "plan.prescription-in-cgy", "radiotherapy.unit-unexpected",
        "vital-status.death-not-read",
    )),
    # Keys: what they refer to, and whether they are unique (relational conformance).
    (CONFORMANCE, (
        "dicom.*-mismatch", "diagnosis.number-*", "identity.no-patient", "identity.number-damaged",
        "identity.number-differs-in-form", "identity.number-of-two-persons", "plan.course-unknown",
        "plan.uid-reused", "record.number-on-two-dates", "report.other-patient",
    )),
    # What follows from other values by computation (computational conformance).
    (CONFORMANCE, ("plan.beam-dose-differs", "radiotherapy.fractions-not-whole")),
    (COMPLETENESS, (
        "*.missing", "*-missing", "*-undated", "*-incomplete", "*.incomplete", "*.none", "*.no-*",
        "*-without-site", "*.without-*", "*-without-surgery", "dataset.files-unread",
        "dataset.patients-lost", "dataset.source-silent", "dataset.volume-dropped", "delivery.records-lost",
        "assessment.says-nothing", "contours.absent", "date.partial",
        "eligibility.assumed", "eligibility.not-known",
        "diagnosis.only-named", "reporter.silent",
        "endpoint.cause-unknown", "follow-up.gap", "patient.objection", "person.sex-unknown",
        "plan.technique-unknown", "vital-status.death-date-unknown",
    )),
    # Every other rule compares values with each other, or with what can be.
    (PLAUSIBILITY, ("*",)),
)  # fmt: skip


@cache
def of_id(rule_id: str) -> Category:
    """Return the category of a rule that declares none."""
    return next(
        category
        for category, patterns in _PATTERNS
        if any(fnmatchcase(rule_id, pattern) for pattern in patterns)
    )
