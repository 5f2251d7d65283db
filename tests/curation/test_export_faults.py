"""Findings on whole files: those that lost a record are never out of scope."""

import polars as pl

from sarcoma_pipeline.curation.export_faults import unread_but_harmless
from schemas.file_faults import FILE_FAULTS, UNEXPECTED


def test_a_file_that_could_not_be_read_is_not_harmless():
    faults = sorted(FILE_FAULTS.values(), key=lambda rule: rule.id)
    errors = [rule.id for rule in faults if rule.severity == "error"]
    others = [rule.id for rule in faults if rule.severity != "error"]
    assert len(errors) > 5 and UNEXPECTED.id in others and len(others) > 1
    every = [*errors, *others]
    found = unread_but_harmless(pl.DataFrame({"record_id": every, "rule_id": every}))
    assert found["record_id"].to_list() == others
    assert found["disposition"].unique().to_list() == ["out of scope"]
    why = dict(found.select("record_id", "reason").iter_rows())
    assert why.pop(UNEXPECTED.id) == "no source reads it"
    assert set(why.values()) == {"a note on what was read"}
