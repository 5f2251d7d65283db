"""A whole refresh of a drop folder with hostile files: each becomes a finding, and the refresh succeeds."""

import csv
import os
import shutil
from pathlib import Path

from tests.sources import hostile

CORPUS = Path(__file__).parents[1] / "sources/corpus"
FOLDERS = {"obds": "obds", "dicom": "dicom", "registry": "registry"}
HOSTILE_FILES = (
    "obds/laughs.xml",
    "obds/external-entity.xml",
    "obds/deep.xml",
    "obds/one-endless-record.xml",
    "registry/a-million-columns.csv",
    "registry/zeros.csv",
    "dicom/a-value-of-4-GB",
    "dicom/deep-and-open",
    "dicom/inflates-to-a-gigabyte",
)
FORMULA = '=HYPERLINK("http://x";"y")'


def _drop_hostile_files(drop: Path) -> dict[str, set[str]]:
    """Create the files; returns path to the rules of which one must be found there."""
    kinds = {one.path: one for one in hostile.KINDS}
    for path in HOSTILE_FILES:
        kinds[path].make(drop / path)
    expected = {path: set(kinds[path].rules) for path in HOSTILE_FILES}
    for found in CORPUS.iterdir():
        folder = FOLDERS[found.suffix.removeprefix(".")]
        shutil.copy(found, drop / folder / f"{found.stem}.{'csv' if folder == 'registry' else 'xml'}")
    for at, target in {"obds/link.xml": "../../../../secret.txt", "dicom/up": "../../.."}.items():
        (drop / at).symlink_to(target)
        expected[at] = {"file.symlink"}
    os.mkfifo(drop / "registry/pipe.csv")
    expected["registry/pipe.csv"] = {"file.special"}
    office = max((drop / "registry").glob("melde*.csv"), key=lambda p: p.stat().st_size)
    lines = office.read_bytes().splitlines(keepends=True)
    cells = lines[1].split(b";")
    formula = b";".join([b'"' + FORMULA.replace('"', '""').encode() + b'"', *cells[1:]])
    (drop / "registry/odd\n\x1b[31m.csv").write_bytes(lines[0] + formula)
    (drop / "registry/long.csv").write_bytes(b"".join(lines[:3]) + b"x" * 30_000_000)
    return expected | {
        "registry/odd\\n\\x1b[31m.csv": {"file.name"},
        "registry/long.csv": {"file.line-too-long"},
    }


def _tree(root: Path) -> set[str]:
    """List everything outside the pipeline's own two folders."""
    own = {"data", "dagster_home"}
    around = [
        p for p in root.parent.rglob("*") if p.relative_to(root.parent).parts[1:2] not in [(o,) for o in own]
    ]
    return {f"{p.relative_to(root.parent)} {p.lstat().st_size}" for p in around}


def test_a_night_of_hostile_files(copy):
    (copy.root.parent / "secret.txt").write_text(hostile.SECRET)
    expected = _drop_hostile_files(copy.drop)
    raw = {p: p.lstat().st_mtime_ns for p in copy.drop.rglob("*")}
    around = _tree(copy.root)
    outcome = copy.refresh()
    assert outcome.exit_code == 0, outcome.output
    assert _tree(copy.root) == around
    assert {p: p.lstat().st_mtime_ns for p in copy.drop.rglob("*")} == raw

    assert copy.published("SELECT count(*) AS n FROM patients")["n"].item() == 86
    wrong = copy.warehouse("SELECT * FROM quality.accounting WHERE unaccounted > 0 OR counted_twice > 0")
    assert wrong.to_dicts() == []
    found = copy.warehouse("SELECT path, rule_id, position, remedy FROM quality.findings")
    for path, rules in expected.items():
        here = found.filter(path=path)
        assert rules & set(here["rule_id"]), (path, here)
        assert here.select("position", "remedy").null_count().sum_horizontal().item() == 0
    received = copy.warehouse("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'received'")
    held = "".join(
        str(copy.warehouse(f'SELECT * FROM received."{t}"').rows()) for t in received["table_name"]
    )
    assert hostile.SECRET not in held + outcome.output
    assert "\x1b[31m" not in outcome.output

    sheet = copy.root / "data/findings.csv"
    exported = copy.sarcoma("findings", "export", "--study", copy.study, str(sheet))
    assert exported.exit_code == 0, exported.output
    with sheet.open(newline="", encoding="utf-8-sig") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-", "\t", "\r"))]
