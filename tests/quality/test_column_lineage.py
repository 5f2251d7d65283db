"""Origins that expressions tell, and expressions that do not tell them."""

import polars as pl
import polars.selectors as cs
import pytest

from sarcoma_pipeline.curation.parse import Reading, constant, date, text
from sarcoma_pipeline.quality.column_lineage import OriginUnknown, origins, read_from

TABLE = "received.obds_death"


def test_an_expression_names_the_columns_that_it_reads():
    graded = date("Sterbedatum", exactness="Schema_Version")
    read = dict(
        read_from(
            TABLE, {"status_date": graded, "source": constant("oBDS"), "received_on": text("received_on")}
        )
    )
    both = {(TABLE, "Sterbedatum"), (TABLE, "Schema_Version")}
    assert read == {
        "status_date": both, "status_date_precision": both, "received_on": {(TABLE, "first_refresh")},
    }  # fmt: skip


@pytest.mark.parametrize(
    "silent",
    [
        pl.all().is_null(),
        cs.string().is_null(),
        pl.any_horizontal(pl.col("Sterbedatum", "Tod_tumorbedingt").is_null()),
        pl.element().is_null(),
        pl.lit("no constant by its word"),
        pl.col("^Sterbe.*$"),
        pl.col("no such column"),
    ],
)
def test_an_expression_that_does_not_tell_is_an_error_and_not_no_origin(silent):
    with pytest.raises(OriginUnknown, match="from what status is read"):
        dict(read_from(TABLE, {"status": Reading(silent)}))


def test_what_obds_columns_rest_on_follows_from_their_expressions():
    reports = ("received.obds_diagnosis", "received.obds_pathology")
    grade = origins()["typed.diagnosis"]["fnclcc_grade"]
    assert {(t, "Menge_Weitere_Klassifikation") for t in reports} <= set(grade)
    irradiated = {name for _, name in origins()["typed.radiotherapy"]["irradiated"]}
    assert irradiated == {"Applikationsart", "Beginn", "Ende", "Gesamtdosis"}
