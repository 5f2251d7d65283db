"""Report faults of files and exports as observations: unread parts, and how an export was written."""

from __future__ import annotations

import json

import polars as pl

from sarcoma_pipeline.curation import tnm
from sarcoma_pipeline.curation.obds_nested import CLASSIFICATION
from schemas.file_faults import FILE_FAULTS, UNEXPECTED
from schemas.observations import observation
from schemas.quality import Observation
from schemas.received import NO_NAMESPACE
from schemas.rule import Rule

NAMESPACE_MISSING = Rule(
    "obds.namespace-missing",
    "warning",
    on="received.obds_patient",
    scope="file",
    what="The export lacks the oBDS namespace. It was read.",
    remedy=(
        "Ask the vendor of the tumour documentation to write the namespace of oBDS 3 into the root element."
    ),
    source="oBDS 3.0.4 schema",
)
SCHEMA_VERSION_UNKNOWN = Rule(
    "obds.schema-version-unknown",
    "warning",
    on="received.obds_patient",
    scope="file",
    what=(
        "The export's Schema_Version is not one of 3.0.0 to 3.0.5. It was read, but values of other "
        "versions may be missed."
    ),
    remedy="In the tumour documentation, check the settings of the export: it must write oBDS 3.0.",
    source="oBDS 3.0.4 schema",
)

ELEMENT_REPEATED = Rule(
    "obds.element-repeated",
    "warning",
    on="quality.accounting",
    scope="record",
    what="An element that may occur only once is repeated; the last text counts.",
    remedy="Correct the record in the tumour documentation, and have its export validated against the oBDS "
    "schema.",
    source="oBDS 3.0.4 schema: maxOccurs",
)

CLASSIFICATION_UNREAD = Rule(
    "diagnosis.grade-of-unknown-name",
    "notice",
    on="typed.diagnosis",
    scope="record",
    what="A soft tissue tumour has a further classification with a stage from 1 to 3, but an unknown name: "
    "it is not read as the FNCLCC grade.",
    remedy="If it is the FNCLCC grade, name it FNCLCC in Weitere_Klassifikation/Name.",
    source="oBDS 3.0.4 Menge_Weitere_Klassifikation",
)
_SOFT_TISSUE = r"^C(?:4[01789]|76)"

KNOWN_SCHEMA_VERSIONS = ("3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.0.4", "3.0.5")


def unread(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``received.unread`` as observations, each with the severity of its rule."""
    return frame.select(
        rule_id="rule_id",
        severity=pl.col("rule_id").replace_strict({r.id: r.severity for r in FILE_FAULTS.values()}),
        record_id="record_id",
        table_name=pl.lit("received.unread"),
        column_name=pl.lit(None, dtype=pl.String),
        value=pl.lit(None, dtype=pl.String),
        note="detail",
    )


def unread_but_harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of ``received.unread`` that lose no record, as out of scope."""
    harmless = [r.id for r in FILE_FAULTS.values() if r.severity != "error"]
    unexpected = pl.col("rule_id") == UNEXPECTED.id
    reason = (
        pl.when(unexpected).then(pl.lit("no source reads it")).otherwise(pl.lit("a note on what was read"))
    )
    return frame.filter(pl.col("rule_id").is_in(harmless)).select(
        "record_id", disposition=pl.lit("out of scope"), reason=reason
    )


def export_faults(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return findings on the format of the exports, once per file."""
    if table != "received.obds_patient":
        return Observation.empty()
    first = frame.filter(pl.col("file_id").is_first_distinct())
    version = pl.col("Schema_Version").fill_null("")
    bare = version.str.strip_suffix(NO_NAMESPACE)
    return pl.concat(
        [
            observation(
                first.filter(version.str.ends_with(NO_NAMESPACE)),
                NAMESPACE_MISSING,
                table,
                "Schema_Version",
            ),
            observation(
                first.filter(~bare.is_in(KNOWN_SCHEMA_VERSIONS)),
                SCHEMA_VERSION_UNKNOWN,
                table,
                "Schema_Version",
                bare,
            ),
        ]
    )


def unknown_grades(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return further classifications that look like the FNCLCC grade but have another name."""
    column = "Menge_Weitere_Klassifikation"
    if column not in frame.columns or frame[column].null_count() == frame.height:
        return Observation.empty()
    site = pl.col("Primaertumor_ICD").str.contains(_SOFT_TISSUE).fill_null(True)
    told = (
        frame.filter(site)
        .select("record_id", _c=pl.col(column).str.json_decode(pl.List(CLASSIFICATION)))
        .explode("_c")
        .drop_nulls("_c")
        .unnest("_c")
    )
    graded = tnm.fnclcc(pl.col("Stadium")).value.is_in(["G1", "G2", "G3"])
    unknown = ~pl.col("Name").str.contains(tnm.FNCLCC_NAME).fill_null(False)
    at_fault = told.filter(unknown, graded).sort("record_id", "Name", "Stadium")
    at_fault = at_fault.unique("record_id", keep="first", maintain_order=True)
    return observation(at_fault, CLASSIFICATION_UNREAD, table, column, pl.col("Name"))


def repeated_elements(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return repeated elements that the schema allows once, each with all its texts."""
    rows = [
        {"record_id": record_id, "path": path, "texts": " | ".join(texts)}
        for record_id, kept in frame.select("record_id", "repeated_elements").drop_nulls().iter_rows()
        for path, texts in json.loads(kept).items()
    ]
    found = pl.DataFrame(rows, schema={"record_id": pl.String, "path": pl.String, "texts": pl.String})
    made = observation(found, ELEMENT_REPEATED, table, value=pl.col("texts"))
    return made.with_columns(column_name=found["path"])
