"""Typing: which records are typed by which source."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation.typed_records import former_masters, repeated
from sarcoma_pipeline.quality.curate import curate
from schemas.configuration import Sources
from schemas.received import ObdsPatient, Received, RegistryReply
from tests.conftest import SOURCES


def _offices(*formats: str) -> Sources:
    return Sources.model_validate(
        {
            "source": [
                {
                    "name": f"office {at}",
                    "kind": "registry",
                    "files": ["r"],
                    "columns": {},
                    "date_formats": [form],
                }
                for at, form in enumerate(formats)
            ]
        }
    )


def _reply(number: int, born: str, on: str) -> dict[str, str]:
    return {
        "record_id": f"R{number}", "file_id": f"F{number}", "position": "line 2", "record_key": f"K{number}",
        "content_hash": f"H{number}", "first_refresh": "N", "hospital_number": f"{number}",
        "family_name": "A", "given_names": "B", "sex": "w", "birth_date": born, "answer": "lebt",
        "answered_on": on,
    }  # fmt: skip


REPLIES = {
    RegistryReply.table(): RegistryReply.conform(
        pl.DataFrame([_reply(0, "04.03.1950", "01.02.2020"), _reply(1, "03/04/1950", "02/01/2020")])
    )
}
DAYS = pl.DataFrame({"refresh_id": ["N"], "received_on": [dt.date(2021, 1, 1)]})
FILES = pl.DataFrame(
    {"file_id": ["F0", "F1"], "source": ["office 0", "office 1"], "path": ["0.csv", "1.csv"]}
)


def test_a_reply_is_typed_once_and_as_its_own_office_writes_dates():
    made = curate(REPLIES, _offices("%d.%m.%Y", "%m/%d/%Y"), DAYS, FILES)
    typed = made.typed["typed.vital_status"].sort("record_id").select("record_id", "status_date")
    assert typed.rows() == [("R0", dt.date(2020, 2, 1)), ("R1", dt.date(2020, 2, 1))]
    assert made.typed["typed.person"]["birth_date"].to_list() == [dt.date(1950, 3, 4)] * 2
    assert "value.date-unreadable" not in set(made.observed["rule_id"])


def test_the_only_source_of_a_table_needs_no_list_of_files():
    made = curate(REPLIES, _offices("%d.%m.%Y"), DAYS)
    assert made.typed["typed.person"].height == 2
    assert set(made.observed.filter(rule_id="value.date-unreadable")["record_id"]) == {"R1"}


def test_which_file_is_whose_is_never_guessed():
    with pytest.raises(ValueError, match="filled by several sources"):
        curate(REPLIES, _offices("%d.%m.%Y", "%m/%d/%Y"), DAYS)


def test_records_of_a_table_of_its_own_are_typed_as_their_source_maps_them():
    from schemas.contract import CONTRACTS, column

    class Own(Received, table="received.own"):
        """One record of a format that has columns."""

        nr: pl.String = column("Number", "Patient number.")
        cm: pl.String = column("Size", "In mm.")

    try:
        rows = Own.conform(
            pl.DataFrame([{**_reply(7, "", ""), "nr": "7", "cm": "31"}]).select(
                "record_id", "file_id", "position", "record_key", "content_hash", "first_refresh", "nr", "cm"
            )
        )
    finally:
        del CONTRACTS["received.own"]
    sheet = {
        "name": "s", "kind": "table", "format": "csv", "files": ["t"], "key": ["nr"],
        "entities": [
            {"entity": "diagnosis", "columns": {
                "hospital_number": "nr", "tumour_size_cm": {"column": "cm", "scale": 0.1}}},
        ],
    }  # fmt: skip
    made = curate({"received.own": rows}, Sources.model_validate({"source": [sheet]}), DAYS)
    (row,) = made.typed["typed.diagnosis"].rows(named=True)
    assert (row["person_ref"], row["record_id"]) == ("number:7", "R7")
    assert row["tumour_size_cm"] == pytest.approx(3.1)


def _places(*rows: tuple[str, str, int | None, str, str]) -> pl.DataFrame:
    names = ("record_id", "file_id", "ordinal", "record_key", "content_hash")
    return pl.DataFrame(rows, schema=list(names), orient="row", schema_overrides={"ordinal": pl.Int64})


@pytest.mark.parametrize(
    ("rows", "again"),
    [
        ([("a", "F", 1, "k", "h")], []),
        ([("a", "F", 1, "k", "h"), ("b", "F", 2, "k", "h")], ["b"]),
        ([("a", "F", 1, "k", "h"), ("b", "F", 2, "k", "i")], []),
        ([("a", "F", 1, "k", "h"), ("b", "F", 2, "l", "h")], []),
        # By file name and the number of the position, whatever the id of the file or the record.
        ([("a", "G", 9, "k", "h"), ("b", "G", 10, "k", "h")], ["b"]),
        ([("b", "G", 9, "k", "h"), ("a", "G", 10, "k", "h")], ["a"]),
        ([("a", "F", 1, "k", "h"), ("b", "G", 1, "k", "h")], ["a"]),
        ([("a", "G", None, "k", "h"), ("b", "G", 1, "k", "h")], ["b"]),
        ([("a", "G", 2, "k", "h"), ("b", "G", 2, "k", "h")], ["b"]),
    ],
)
def test_of_equal_records_the_first_by_file_name_and_position_counts(rows, again):
    files = pl.DataFrame({"file_id": ["F", "G"], "path": ["z.xml", "a.xml"]})
    for some in (rows, rows[::-1]):
        assert repeated(_places(*some), files).to_list() == again
    by_id = repeated(_places(("a", "F", 1, "k", "h"), ("b", "G", 1, "k", "h")))
    assert by_id.to_list() == ["b"], "without the names of the files, by their ids"


def _master(
    record: str, family: str, until: str, number: str | None = "1", file: str = "F"
) -> dict[str, str | None]:
    return {
        "record_id": record, "file_id": file, "position": "line 2", "ordinal": "1", "record_key": record,
        "content_hash": family, "first_refresh": "N", "last_refresh": until, "Patient_ID": number,
        "Nachname": family, "Vornamen": "Anna", "Geburtsdatum": "1950-03-04", "Geschlecht": "W",
        "Meldedatum": "2020-01-01",
    }  # fmt: skip


def test_the_former_master_data_of_a_record_are_those_of_its_last_version():
    versions = [
        _master("r1", "Meier", "N1"), _master("r1", "Schulz", "N3"), _master("r1", "Schmidt", "N2"),
        _master("r2", "Weber", "N1", "2"),
        # Without a number nobody can tell whose they were.
        _master("r3", "Nobody", "N1", None),
    ]  # fmt: skip
    files = pl.DataFrame({"file_id": ["F", "F"], "source": ["obds", "obds"], "path": ["z.xml", "a.xml"]})
    for some in (versions, versions[::-1]):
        frame = pl.DataFrame(
            some, schema=ObdsPatient.polars_schema() | {"last_refresh": pl.String}, strict=False
        )
        for listed in (files, files.reverse()):
            made = former_masters({ObdsPatient.table(): frame}, SOURCES, DAYS, listed)
            found = made.sort("person_ref").select("person_ref", "family_name", "place")
            assert found.rows() == [
                ("number:1", "Schulz", "a.xml 000000001"), ("number:2", "Weber", "a.xml 000000001"),
            ]  # fmt: skip
    assert former_masters({ObdsPatient.table(): frame.clear()}, SOURCES, DAYS, files).is_empty()
