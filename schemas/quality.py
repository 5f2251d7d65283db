"""Contracts of the quality layer: rules, findings, quarantine and the accounting of every record."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column


class QualityRule(Contract, table="quality.rules"):
    """One rule of the catalogue."""

    rule_id: pl.String = column("Rule", "Stable name.", nullable=False, unique=True)
    severity: pl.String = column("Severity", "What it does.", nullable=False, vocabulary="severity")
    scope: pl.String = column(
        "Scope", "How much must be seen to judge it.", nullable=False, vocabulary="rule_scope"
    )
    what: pl.String = column("What", "What is wrong.", nullable=False)
    remedy: pl.String = column("Remedy", "What to do.", nullable=False)
    source: pl.String = column("Source", "Where the field says so.", nullable=False)
    waivable: pl.Boolean = column("Waivable", "Whether a waiver has a record to let through.", nullable=False)
    category: pl.String = column(
        "Category", "Which side of data quality it judges.", nullable=False, vocabulary="rule_category"
    )


class RuleResult(Contract, table="quality.rule_results"):
    """What one rule judged in the last refresh: in all sources together, or in one source."""

    rule_id: pl.String = column("Rule", "Key of quality.rules.", nullable=False)
    category: pl.String = column(
        "Category", "Which side of data quality it judges.", nullable=False, vocabulary="rule_category"
    )
    severity: pl.String = column("Severity", "Of the rule.", nullable=False, vocabulary="severity")
    source: pl.String = column("Source", "Its name in sources.toml; null for all sources together.")
    judged: pl.Int64 = column(
        "Judged", "Records, values, files or rows that it judged; null where they cannot be counted."
    )
    broken: pl.Int64 = column("Broken", "Records that break it, waived ones included.", nullable=False)
    waived: pl.Int64 = column("Waived", "Records that break it with a waiver in force.", nullable=False)
    percent: pl.Float64 = column("Share", "Broken and not waived of judged.", unit="%")
    max_percent: pl.Float64 = column("Threshold", "Largest share that study.toml allows.", unit="%")
    check: pl.String = column(
        "Check", "What a share above the threshold is: error or warning.", vocabulary="severity"
    )
    above_since: pl.String = column(
        "Above since", "Refresh from which on the share has been above the threshold; null if it is not."
    )


class Observation(Contract):
    """A broken rule of a record, as a step reports it."""

    rule_id: pl.String = column("Rule", "Key of quality.rules.", nullable=False)
    severity: pl.String = column(
        "Severity",
        "Of this finding; a column may soften a reading rule.",
        nullable=False,
        vocabulary="severity",
    )
    record_id: pl.String = column("Record", "The record that shows the fault.", nullable=False)
    table_name: pl.String = column("Table", "Where the record lies.", nullable=False)
    column_name: pl.String = column("Column", "The column at fault.")
    value: pl.String = column("Value", "As delivered; may identify.", identifying="identifier")
    note: pl.String = column("Note", "The other side of a contradiction, in words.", identifying="identifier")


class Observed(Observation, table="quality.observed"):
    """A broken rule of a record in the current refresh."""

    step: pl.String = column("Step", "The step that saw it.", nullable=False)


class SetAside(Contract, table="quality.set_aside"):
    """A record that a step set aside without a fault."""

    record_id: pl.String = column("Record", "The record.", nullable=False)
    disposition: pl.String = column(
        "Disposition", "Duplicate or out of scope.", nullable=False, vocabulary="disposition"
    )
    reason: pl.String = column("Reason", "Why.", nullable=False)
    step: pl.String = column("Step", "The step that did.", nullable=False)


class ShownFinding(Contract):
    """What a page shows of a finding: the columns that the findings of a refresh share with the ledger."""

    finding_id: pl.String = column(
        "Finding", "Hash of rule and subject; stable.", nullable=False, unique=True
    )
    rule_id: pl.String = column("Rule", "Key of quality.rules.", nullable=False)
    severity: pl.String = column("Severity", "What it does.", nullable=False, vocabulary="severity")
    pseudonym: pl.String = column("Patient", "Pseudonym, where the record could be linked.")
    path: pl.String = column(
        "File", "File below the drop folder, patients' numbers and names masked.", nullable=False
    )
    position: pl.String = column("Position", "Where in the file.", nullable=False)
    table_name: pl.String = column("Table", "Where the record lies.", nullable=False)
    column_name: pl.String = column("Column", "The column at fault.")
    value: pl.String = column("Value", "As delivered, masked where identifying.")
    note: pl.String = column("Note", "What else the steward needs, as the other side of a contradiction.")
    what: pl.String = column("What", "What is wrong.", nullable=False)
    remedy: pl.String = column("Remedy", "What to do.", nullable=False)
    file_id: pl.String = column("File id", "Key of meta.files; null for a fault of a whole source.")
    records: pl.Int64 = column(
        "Records", "How many records the finding is about; null in ledgers of earlier programs."
    )
    content_hash: pl.String = column("Content", "Hash of the content of these records, as last seen.")


class Finding(ShownFinding, table="quality.findings"):
    """A finding of the current refresh; pages, checks and lists show it through the identity gate."""

    record_id: pl.String = column(
        "Record", "The record; of a fault that repeats in a file, the first one.", nullable=False
    )


class FindingRecord(Contract, table="quality.finding_records"):
    """One record of a finding of the current refresh: the record at fault, and those it is compared with.

    A finding on a fault that repeats in a file shows the first record. Shown through the identity gate.
    """

    finding_id: pl.String = column("Finding", "Key of quality.findings.", nullable=False)
    record_id: pl.String = column("Record", "Key of the received tables.", nullable=False)
    at_fault: pl.Boolean = column("At fault", "Whether the finding is on this record.", nullable=False)
    pseudonym: pl.String = column("Patient", "Pseudonym, where the record could be linked.")
    source: pl.String = column("Source", "Source as named in sources.toml.")
    file_id: pl.String = column("File id", "Key of meta.files; null for a whole source.")
    path: pl.String = column("File", "File below the drop folder, patients masked.", nullable=False)
    position: pl.String = column("Position", "Where in the file.", nullable=False)
    table_name: pl.String = column("Table", "Where the record lies.", nullable=False)
    column_name: pl.String = column("Column", "The column whose values are compared.")
    value: pl.String = column("Value", "As read, masked where identifying.")
    role: pl.String = column(
        "Role",
        "won: its value is used and another is not; lost: it is not used; other: neither.",
        nullable=False,
        vocabulary="record_role",
    )
    why: pl.String = column("Why", "Why it won or lost.", nullable=False)


class Quarantine(Contract, table="quality.quarantine"):
    """A record that breaks an ``error`` rule: no cohort uses it until it is corrected or waived."""

    record_id: pl.String = column("Record", "The record.", nullable=False, unique=True)
    rule_ids: TextList = column("Rules", "The error rules it breaks.", nullable=False)


class Disposition(Contract, table="quality.disposition"):
    """Disposition of a received record that is neither curated nor quarantined."""

    record_id: pl.String = column("Record", "The record.", nullable=False, unique=True)
    disposition: pl.String = column(
        "Disposition", "Duplicate or out of scope.", nullable=False, vocabulary="disposition"
    )
    reason: pl.String = column("Reason", "Why.", nullable=False)


class Accounting(Contract, table="quality.accounting"):
    """The accounting of one file: its records and its values.

    Records read = curated + quarantined + duplicates + out of scope; values delivered = read + ignored by
    name + unknown.
    """

    file_id: pl.String = column("File", "Key of meta.files.", nullable=False, unique=True)
    records: pl.Int64 = column("Read", "Records read.", nullable=False)
    curated: pl.Int64 = column("Curated", "Records that a curated row rests on.", nullable=False)
    quarantined: pl.Int64 = column("Quarantined", "Records that break an error rule.", nullable=False)
    duplicates: pl.Int64 = column("Duplicates", "Exact duplicates of another record.", nullable=False)
    out_of_scope: pl.Int64 = column("Out of scope", "Sound, but not for this study.", nullable=False)
    unaccounted: pl.Int64 = column("Unaccounted", "In none of them: must be 0.", nullable=False)
    counted_twice: pl.Int64 = column("Counted twice", "In more than one: must be 0.", nullable=False)
    values_delivered: pl.Int64 = column("Values", "Values delivered.", nullable=False)
    values_read: pl.Int64 = column("Values read", "Read into a received column.", nullable=False)
    values_ignored: pl.Int64 = column("Values ignored", "Ignored by name, with a reason.", nullable=False)
    values_unknown: pl.Int64 = column("Values unknown", "That no column takes.", nullable=False)
    values_unaccounted: pl.Int64 = column(
        "Values unaccounted", "Delivered, and in none of the three: must be 0.", nullable=False
    )
