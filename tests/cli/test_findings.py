"""``sarcoma findings``: what it lists, and that a refused command gives the reason and changes nothing."""

import csv
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from schemas.ledger import LedgerEntry
from tests.refreshed import with_empty_tables

ROOT = Path(__file__).parents[2]
FAR = f"{dt.date.today().year + 3}-12-31"

ROWS = [
    {"finding_id": "aa", "rule_id": "assessment.after-death", "severity": "error", "path": "obds/a.xml"},
    {"finding_id": "bb", "rule_id": "diagnosis.t-against-size", "severity": "warning", "path": "sheet.csv",
     "pseudonym": "p1", "column_name": "t_stage", "value": "=1+2"},
    {"finding_id": "cc", "rule_id": "file.empty", "severity": "error", "path": "r/empty.csv"},
    {"finding_id": "dd", "rule_id": "assessment.after-death", "severity": "error", "path": "obds/a.xml",
     "status": "resolved", "resolved_at": "R2"},
]  # fmt: skip


@cache
def _warehouse() -> bytes:
    """Return the file of a warehouse with the findings, which is written once."""
    common = {
        "status": "open", "first_seen": "R1", "last_seen": "R1", "times_seen": 1, "reopened_count": 0,
        "content_hash": "h", "position": "line 2", "table_name": "t", "what": "Wrong.",
        "remedy": "Mend it.",
    }  # fmt: skip
    entries = pl.DataFrame([common | r for r in ROWS], infer_schema_length=None)
    with tempfile.TemporaryDirectory() as folder:
        path = with_empty_tables(Path(folder) / "w.duckdb")
        store = Warehouse(path=str(path))
        store.replace({LedgerEntry.table(): LedgerEntry.conform(entries)})
        store.close()
        return path.read_bytes()


class Desk:
    """Runs ``sarcoma findings`` on a study with four findings."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "data/decisions/sts_imrt.csv"
        with_empty_tables(root / "data/warehouse/sts_imrt.duckdb").write_bytes(_warehouse())

    def __call__(self, *args: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["findings", *map(str, args)], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output

    def refused(self, *args: object) -> str:
        before = self.log.read_bytes() if self.log.exists() else None
        said = self(*args, code=2)
        assert (self.log.read_bytes() if self.log.exists() else None) == before
        return said


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/studies").symlink_to(ROOT / "data/studies")
    monkeypatch.setenv("SARCOMA_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def desk(root: Path) -> Desk:
    return Desk(root)


def ids(output: str) -> list[str]:
    return [line.rpartition("[")[2][:2] for line in output.splitlines() if line.endswith("]")]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["aa", "cc", "bb"]),
        (["list"], ["aa", "cc", "bb"]),
        (["--rule", "file.empty"], ["cc"]),
        (["--severity", "warning"], ["bb"]),
        (["list", "--status", "resolved"], ["dd"]),
        (["--patient", "p1"], ["bb"]),
        (["--file", "obds/"], ["aa"]),
    ],
)
def test_list_is_the_default_and_filters(desk, options, shown):
    assert ids(desk(*options)) == shown


def test_a_list_for_other_programs_has_the_findings_of_the_list(desk):
    told = json.loads(desk("--rule", "assessment.after-death", "--json"))
    assert [(row["finding_id"], row["severity"], row["path"]) for row in told] == [
        ("aa", "error", "obds/a.xml")
    ]
    assert json.loads(desk("--status", "waived", "--json")) == []


def test_one_finding_for_other_programs_has_what_show_prints(desk):
    desk("acknowledge", "bb", "--by", "S", "--reason", "asked")
    told = json.loads(desk("show", "bb", "--json"))
    assert (told["finding_id"], told["status"], told["value"]) == ("bb", "acknowledged", "=1+2")
    assert (told["finding_records"], told["readings"]) == ([], [])
    ((action, who, reason),) = ((d["action"], d["who"], d["reason"]) for d in told["decisions"])
    assert (action, who, reason) == ("acknowledge", "S", "asked")
    printed = desk("show", "bb")
    names = {line.split()[0] for line in printed.splitlines()[:-1]}
    assert names == {name for name, value in told.items() if value not in (None, [])} - {"decisions"}


def test_a_decision_shows_at_once(desk):
    assert "aa: waive until" in desk("waive", "aa", "bb", "--by", "S", "--reason", "meant so", "--until", FAR)
    assert ids(desk("--status", "waived")) == ["aa", "bb"]
    desk("reopen", "aa", "--by", "T", "--reason", "no")
    desk("acknowledge", "aa", "--by", "T", "--reason", "asked the ward")
    said = desk("show", "aa")
    assert "status          acknowledged" in said
    assert [line.split()[1] for line in said.splitlines()[-3:]] == ["waive", "reopen", "acknowledge"]
    assert said.endswith("by T: asked the ward\n")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (["show", "xx"], "no such finding"),
        (["show", "aaa"], 'did you mean "aa"?'),
        (["impact", "xx"], "no such finding"),
        (["list", "--rule", "nothing.such"], "there is no such rule"),
        (["--rule", "file.emtpy"], 'did you mean "file.empty"?'),
        (["list", "--patient", "p1x"], 'there is no such pseudonym; did you mean "p1"?'),
        (["list", "--file", "nowhere"], "no file of the drop folder has"),
        (["export", "--rule", "nothing.such", "x.csv"], "there is no such rule"),
        (["waive", "xx", "--by", "S", "--reason", "r", "--until", FAR], "no such finding"),
        (["waive", "aa", "xx", "--by", "S", "--reason", "r", "--until", FAR], "xx: there is no such finding"),
        (["waive", "aa", "--by", "S", "--until", FAR], "--reason"),
        (["waive", "aa", "--by", "S", "--reason", " ", "--until", FAR], "the reason is missing"),
        (["waive", "aa", "--by", "S", "--reason", "r"], "--until"),
        (["waive", "aa", "--by", "S", "--reason", "r", "--until", "2020-01-31"], "2020-01-31 is in the past"),
        (["waive", "aa", "--by", "S", "--reason", "r", "--until", "soon"], "'soon' is not a day"),
        (["waive", "cc", "--by", "S", "--reason", "r", "--until", FAR], "cannot be waived"),
        (["waive", "dd", "--by", "S", "--reason", "r", "--until", FAR], "is resolved"),
        (["reopen", "aa", "--by", "S", "--reason", "r"], "is open already"),
        (["acknowledge", "--by", "S", "--reason", "r"], "FINDING_ID"),
        (["forget", "aa"], "No such command"),
    ],
)
def test_a_bad_command_says_why_and_changes_nothing(desk, command, why):
    desk("acknowledge", "bb", "--by", "S", "--reason", "known")
    assert why in desk.refused(*command)


def test_before_the_first_refresh_it_says_so(root):
    result = CliRunner().invoke(main, ["findings"])
    assert result.exit_code == 2
    assert "sarcoma refresh --study sts_imrt" in result.output


# --- the sheet ------------------------------------------------------------------------------------------


def sheet(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def fill_in(path: Path, rows: list[dict[str, str]], delimiter=",", encoding="utf-8-sig") -> None:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def test_exported_cells_are_no_formulas_and_columns_to_fill_in_are_empty(desk, root):
    desk("export", root / "f.csv")
    rows = {row["finding_id"]: row for row in sheet(root / "f.csv")}
    assert set(rows) == {"aa", "bb", "cc"}
    assert rows["bb"]["value"] == "'=1+2"
    assert {rows["aa"][name] for name in ("action", "by", "reason", "until")} == {""}


def test_an_export_never_writes_over_a_file(desk, root):
    (root / "f.csv").write_text("filled in\n")
    assert "already exists" in desk.refused("export", root / "f.csv")
    assert (root / "f.csv").read_text() == "filled in\n"


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-8-sig")])
def test_a_filled_in_sheet_is_accepted_in_any_dialect(desk, root, delimiter, encoding):
    desk("export", root / "f.csv")
    rows = sheet(root / "f.csv")
    day = dt.date.fromisoformat(FAR)
    rows[0] |= {"action": "Waive", "by": "Frau Weiß", "reason": "geprüft", "until": f"{day:%d.%m.%Y}"}
    fill_in(root / "g.csv", rows, delimiter, encoding)
    desk("import", root / "g.csv")
    assert f"waive until {FAR} by Frau Weiß: geprüft" in desk("show", "aa")
    assert ids(desk("--status", "open")) == ["cc", "bb"]


def test_a_sheet_with_one_bad_line_changes_nothing_and_names_each(desk, root):
    desk("export", root / "f.csv")
    rows = sheet(root / "f.csv")
    given = {"by": "S", "reason": "r", "until": FAR}
    rows[0] |= {"action": "waive", **given}
    rows[1] |= {"action": "waive", **given}
    rows[2] |= {"action": "waive", **given, "until": "2020-01-31"}
    fill_in(root / "g.csv", rows)
    said = desk.refused("import", root / "g.csv")
    assert "line 3: cc: file.empty cannot be waived" in said
    assert "line 4: bb: 2020-01-31 is in the past" in said
    assert "line 2" not in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"by": "S"}, "line 2: filled in, but without an action"),
        ({"action": "mend", "by": "S", "reason": "r"}, "line 2: aa: unknown action 'mend'"),
        ({"action": "acknowledge", "by": "S", "reason": "r", "content_hash": "older"}, "has changed since"),
        ({}, "name a finding"),
    ],
)
def test_a_bad_sheet_is_refused(desk, root, change, why):
    desk("export", root / "f.csv")
    rows = sheet(root / "f.csv")
    rows[0] |= change
    fill_in(root / "g.csv", rows)
    assert why in desk.refused("import", root / "g.csv")


def test_another_csv_file_is_refused(desk, root):
    (root / "g.csv").write_text("a,b\n1,2\n")
    assert "has no column finding_id, action, by, reason, until" in desk.refused("import", root / "g.csv")


def test_a_list_imports_only_what_it_needs(desk):
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        "try: main(['findings'])\nexcept SystemExit as end: assert not end.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    env = {**os.environ, "SARCOMA_ROOT": str(desk.root)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert "3 findings" in run.stdout
    heavy = {"dagster", "great_expectations", "pandas", "pydicom", "lxml", "sqlalchemy", "matplotlib"}
    heavy |= {"pyarrow", "sarcoma_pipeline.quality.rule_catalogue", "sarcoma_pipeline.survival"}
    assert not heavy & set(run.stderr.split())
