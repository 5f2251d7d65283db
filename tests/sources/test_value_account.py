"""The value account of tables and replies: mapped cells are read, named ones ignored, all others unknown."""

import random
from collections import Counter

import polars as pl
import pytest
from pydantic import ValidationError

from sarcoma_pipeline.sources import registry_reply, table_file, value_account
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import RegistrySource, Sources, TableSource
from schemas.sources_meaning import of_sources

TABLE = {
    "name": "sheet", "kind": "table", "format": "csv", "files": ["t"], "delimiter": ";", "key": ["Nr"],
    "entities": [{"entity": "diagnosis", "columns": {"hospital_number": "Nr", "tumour_size_cm": "cm"}}],
    "ignored": [{"columns": ["Telefon"], "reason": "no study needs it"}],
}  # fmt: skip
REPLIES = {
    "name": "office", "kind": "registry", "files": ["r"],
    "columns": {"reference": "Az", "hospital_number": "Nr", "answer": "Auskunft", "event_date": "Datum"},
    "ignored": [{"columns": ["Sachbearbeiter"], "reason": "staff"}],
}  # fmt: skip


def _file(tmp_path, content, source):
    path = tmp_path / "file"
    path.write_text(content, "utf-8")
    return SourceFile("F", path, "file", source)


def _account(batch):
    frame = value_account.frame([("F", batch.account)], "R1")
    return {(row[1], row[2]): row[4] for row in frame.iter_rows()}


def test_cells_of_a_table_are_accounted_for_by_header(tmp_path):
    content = "Nr;cm;Telefon;Bemerkung;cm;\n1;3;0800;groß;4;x\n2;;;klein;;\n\n"
    batch = table_file.read(_file(tmp_path, content, "sheet"), TableSource.model_validate(TABLE), "R1")
    assert _account(batch) == {
        ("Nr", "read"): 2, ("cm", "read"): 1, ("Telefon", "ignored"): 1, ("Bemerkung", "unknown"): 2,
        ("cm (2)", "unknown"): 1, ("(column 6 without a header)", "unknown"): 1,
    }  # fmt: skip
    # Counted by hand: six filled cells in the first row, two in the second.
    assert batch.account.delivered == 8
    kept = batch.frames()["received.table_row"]["values"].str.json_decode(pl.Struct({"cm (2)": pl.String}))
    assert kept.struct.field("cm (2)").to_list() == ["4", None]


def test_a_workbook_s_cells_are_accounted_for_as_well(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"Nr": ["1", "2"], "cm": ["3", None], "Neu": ["a", " "]}).write_parquet(path)
    source = TableSource.model_validate({**TABLE, "format": "parquet", "delimiter": None})
    batch = table_file.read(SourceFile("F", path, "t.parquet", "sheet"), source, "R1")
    assert _account(batch) == {("Nr", "read"): 2, ("cm", "read"): 1, ("Neu", "unknown"): 1}
    assert batch.account.delivered == 4


def test_cells_of_a_reply_that_nobody_maps_are_kept(tmp_path):
    content = "Az;Nr;Auskunft;Datum;Sachbearbeiter;Sterbeort\n7;1;verstorben;01.02.2014;Frau X;Köln\n"
    source = RegistrySource.model_validate(REPLIES)
    batch = registry_reply.read(_file(tmp_path, content, "office"), source, "R1")
    assert _account(batch) == {
        ("Az", "read"): 1, ("Nr", "read"): 1, ("Auskunft", "read"): 1, ("Datum", "read"): 1,
        ("Sachbearbeiter", "ignored"): 1, ("Sterbeort", "unknown"): 1,
    }  # fmt: skip
    (reply,) = batch.frames()["received.registry_reply"].rows(named=True)
    assert reply["unmapped_cells"] == '{"Sterbeort": "Köln"}'


def test_two_offices_may_use_the_same_reference(tmp_path):
    source = RegistrySource.model_validate(REPLIES)
    content = "Az;Nr;Auskunft;Datum\n7;1;lebt;01.02.2014\n"
    keys = {
        registry_reply.read(_file(tmp_path, content, office), source, "R1")
        .frames()["received.registry_reply"]["record_key"]
        .item()
        for office in ("north", "south")
    }
    assert len(keys) == 2


def test_a_row_inserted_above_renames_no_row(tmp_path):
    source = TableSource.model_validate({**TABLE, "key": ["Nr"]})
    one, other = "Nr;cm\n1;3\n;4\n;4\n", "Nr;cm\n9;9\n1;3\n;4\n;4\n"

    def ids(content):
        batch = table_file.read(_file(tmp_path, content, "sheet"), source, "R1")
        return set(batch.frames()["received.table_row"]["record_id"])

    before, after = ids(one), ids(other)
    assert len(before) == 3, "rows alike to the letter are rows of their own"
    assert before < after


@pytest.mark.parametrize("reason", ["", None])
def test_a_column_is_ignored_with_a_reason_only(tmp_path, reason):
    source = {**TABLE, "ignored": [{"columns": ["x"], "reason": reason}]}
    if reason is None:
        with pytest.raises(ValidationError):
            Sources.model_validate({"source": [source]})
        return
    assert any("reason" in loc for loc, _ in of_sources(Sources.model_validate({"source": [source]})))


@pytest.mark.parametrize("columns", [["cm"], ["x", "x"]])
def test_a_column_is_not_mapped_and_ignored_nor_named_twice(columns):
    source = {**TABLE, "ignored": [{"columns": columns, "reason": "r"}]}
    complaints = list(of_sources(Sources.model_validate({"source": [source]})))
    assert [loc[2] for loc, _ in complaints if "ignored" in loc] == ["ignored"]


def test_files_of_several_kinds_keep_their_own_outcomes_and_unknown_paths():
    """The same path is read into another column in another kind of file, and unknown in a third one."""
    one, two = {"a": ("read", "x"), "b": ("ignored", "why")}, {"a": ("read", "y"), "b": ("ignored", "why")}
    accounts = [
        ("1", value_account.Account({"a": 1, "b": 2}, {}, one)),
        ("2", value_account.Account({"b": 3, "a": 4}, {"c": 5}, two)),
        ("3", value_account.Account({}, {}, one)),
        ("4", value_account.Account({"a": 6, "b": 7}, {"c": 8, "a": 9}, one)),
    ]
    frame = value_account.frame(iter(accounts), "R1")
    assert list(frame.select("file_id", "path", "outcome", "detail", "values").iter_rows()) == [
        ("1", "a", "read", "x", 1), ("1", "b", "ignored", "why", 2),
        ("2", "b", "ignored", "why", 3), ("2", "a", "read", "y", 4), ("2", "c", "unknown", None, 5),
        ("4", "a", "read", "x", 6), ("4", "b", "ignored", "why", 7),
        ("4", "c", "unknown", None, 8), ("4", "a", "unknown", None, 9),
    ]  # fmt: skip
    assert frame["first_refresh"].unique().to_list() == ["R1"] and frame["last_refresh"].is_null().all()
    empty = value_account.frame([], "R1")
    assert empty.is_empty() and empty.schema == frame.schema


@pytest.mark.parametrize("seed", range(20))
def test_tallies_give_the_counts_of_one_by_one(seed):
    """Accounts of the same tallies are counted once; what is counted beside them must not be lost."""
    draw = random.Random(seed)
    outcomes = {path: ("read", path.upper()) for path in "abcdef"}
    tallies = [
        value_account.Tally(
            {path: draw.choice((1, 1, 2)) for path in draw.sample("abcdef", draw.randrange(1, 4))}
        )
        for _n in range(4)
    ]
    tallied, plain = [], []
    for number in range(30):
        met = [(draw.choice(tallies), draw.choice((1, 1, 3))) for _n in range(draw.choice((0, 1, 1, 2)))]
        account = value_account.Account({"f": 1} if draw.random() < 0.2 else {}, {}, outcomes, tallies=met)
        counts: Counter[str] = Counter(dict(account._counts))
        for tally, times in met:
            for path, values in tally.counts.items():
                counts[path] += values * times
        if draw.random() < 0.2:
            account.unknown["x"] = 2
        if draw.random() < 0.2:
            assert account.counts == counts and list(account.counts) == list(counts)
        tallied.append((str(number), account))
        plain.append((str(number), value_account.Account(dict(counts), dict(account.unknown), outcomes)))
    assert value_account.frame(tallied, "R1").equals(value_account.frame(plain, "R1"))
