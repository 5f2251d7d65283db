"""Files whose meaning is changed, batch by batch, on one warehouse: what moves, and what says so.

``python -m tests.reliability.moves --files 200 --seed 1`` prints the outcome.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import random
import re
import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pydicom
from lxml import etree
from pydicom.multival import MultiValue

from sarcoma_pipeline.synthetic import render
from tests.refreshed import SEED, Place, lay
from tests.sources.mutations import dicom_headers

BATCH = 40
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_GERMAN = re.compile(r"\d{2}\.\d{2}\.\d{4}")
_SHIFTS = (-800, -400, -90, -30, -7, -1, 1, 7, 30, 90, 400, 800, 36525)
_RELEASED = ("cohort.patients", "cohort.endpoints")


def _shifted(day: str, fmt: str, draw: random.Random) -> str:
    moved = dt.datetime.strptime(day, fmt) + dt.timedelta(days=draw.choice(_SHIFTS))
    return moved.strftime(fmt)


def _digit(text: str, draw: random.Random) -> str:
    return re.sub(r"\d", lambda _: str(draw.randrange(10)), text, count=1)


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


# --- XML ----------------------------------------------------------------------------------------------


def _obds(path: Path, draw: random.Random) -> str:
    """Change one thing of a patient's report, or a whole report."""
    tree = etree.parse(path)
    reports = list(tree.iter("{*}Meldung"))
    if not reports:
        return "nothing"
    report = draw.choice(reports)
    leaves = [e for e in report.iter() if isinstance(e.tag, str) and not len(e) and (e.text or "").strip()]
    if not leaves:
        return "nothing"
    leaf = draw.choice(leaves)
    inner = [e for e in report.iterdescendants() if isinstance(e.tag, str) and len(e)]
    units = [e for e in leaves if etree.QName(e).localname == "Einheit"]
    dates = [e for e in leaves if _ISO.fullmatch(e.text or "")]
    kinds = ["date", "date", "date", "element again", "other element again", "part again", "part removed",
             "element removed", "element emptied", "digit", "report removed", "report again"]  # fmt: skip
    kind = draw.choice(kinds + ["unit"] * 6 * bool(units))
    if kind == "date" and dates:
        one = draw.choice(dates)
        one.text = _shifted(one.text or "", "%Y-%m-%d", draw)
    elif kind in ("element again", "other element again"):
        again = etree.fromstring(etree.tostring(leaf))
        if kind.startswith("other"):
            day = _ISO.fullmatch(leaf.text or "")
            again.text = _shifted(leaf.text or "", "%Y-%m-%d", draw) if day else _digit(leaf.text or "", draw)
        again.tail = None
        leaf.addnext(again)
    elif kind in ("part again", "part removed") and inner:
        part = draw.choice(inner)
        if kind == "part again":
            part.addnext(etree.fromstring(etree.tostring(part)))
        else:
            _remove(part)
    elif kind == "element removed":
        _remove(leaf)
    elif kind == "element emptied":
        leaf.text = ""
    elif kind == "unit" and units:
        draw.choice(units).text = draw.choice(("cGy", "mGy", "GBq", "", "Gray"))
    elif kind == "report removed":
        _remove(report)
    elif kind == "report again":
        again = etree.fromstring(etree.tostring(report))
        for one in again.iter():
            if isinstance(one.tag, str) and _ISO.fullmatch(one.text or ""):
                one.text = _shifted(one.text or "", "%Y-%m-%d", draw)
        report.addnext(again)
    else:
        kind = "digit"
        leaf.text = _digit(leaf.text or "", draw)
    tree.write(path, encoding="UTF-8", xml_declaration=True)
    return f"obds: {kind}"


# --- DICOM --------------------------------------------------------------------------------------------


def _dicom(path: Path, draw: random.Random) -> str:
    """Change one attribute, one sequence or one length of an object."""
    if draw.random() < 0.3:
        path.write_bytes(dicom_headers(path.read_bytes(), draw))
        return "dicom: lengths"
    try:
        dataset = pydicom.dcmread(path)
        holders = [dataset]
        for holder in holders:
            holders += [item for element in holder if element.VR == "SQ" for item in element.value]
    except Exception:
        # Some files of the demo are damaged on purpose.
        path.write_bytes(dicom_headers(path.read_bytes(), draw))
        return "dicom: lengths"
    elements = [(h, e) for h in holders for e in h if e.tag.group not in (2, 8, 0x20) or e.VR == "DA"]
    kind = draw.choice(("date", "number", "unit", "items", "items", "removed", "emptied"))
    of_kind: dict[str, tuple[str, ...]] = {
        "date": ("DA",), "number": ("DS", "IS"), "unit": ("DS",), "items": ("SQ",)
    }  # fmt: skip
    fitting = [(h, e) for h, e in elements if e.VR in of_kind.get(kind, (e.VR,)) and not e.is_empty]
    if not fitting:
        return "nothing"
    holder, element = draw.choice(fitting)
    if kind == "date":
        element.value = _shifted(str(element.value), "%Y%m%d", draw)
    elif kind in ("number", "unit"):
        factor = draw.choice((0.01, 100, 10)) if kind == "unit" else draw.choice((0.5, 2, 0.9))
        several = isinstance(element.value, MultiValue)
        numbers = [float(v) * factor for v in (element.value if several else [element.value])]
        texts = [f"{int(n)}" if element.VR == "IS" else f"{n:.6g}" for n in numbers]
        element.value = texts if several else texts[0]
    elif kind == "items":
        items = list(element.value)
        element.value = draw.choice((items + items[:1], items[:-1], items[1:], items[::-1]))
    elif kind == "removed":
        del holder[element.tag]
    else:
        holder[element.tag].clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path, enforce_file_format=False)
    return f"dicom: {kind}"


# --- tables -------------------------------------------------------------------------------------------


def _table(path: Path, draw: random.Random) -> str:
    """Change a cell, a row, a column or the quotation of a delimited table."""
    data = path.read_bytes()
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "latin-1"
    text = data.decode(encoding)
    lines = list(csv.reader(io.StringIO(text), delimiter=";"))
    if len(lines) < 2:
        return "nothing"
    row = draw.choice(lines[1:])
    kind = draw.choice(("date", "date", "digit", "emptied", "row again", "row removed", "column again",
                        "quote", "quote", "cell more"))  # fmt: skip
    dated = [i for i, cell in enumerate(row) if _GERMAN.fullmatch(cell)]
    filled = [i for i, cell in enumerate(row) if cell and i]
    if kind == "date" and dated:
        at = draw.choice(dated)
        row[at] = _shifted(row[at], "%d.%m.%Y", draw)
    elif kind == "emptied" and filled:
        row[draw.choice(filled)] = ""
    elif kind == "row again":
        lines.append([_digit(cell, draw) if i else cell for i, cell in enumerate(row)])
    elif kind == "row removed":
        lines.remove(row)
    elif kind == "column again":
        at = draw.randrange(1, len(lines[0]))
        for one in lines:
            one.append(one[at] if at < len(one) else "")
    elif kind == "cell more":
        row.insert(draw.randrange(len(row)), "")
    elif filled:
        at = draw.choice(filled)
        row[at] = f'"{row[at]}' if kind == "quote" else _digit(row[at], draw)
    content = "\r\n".join(";".join(one) for one in lines) + "\r\n"
    path.write_bytes(content.encode(encoding, "replace"))
    return f"table: {kind}"


def mutate(path: Path, draw: random.Random) -> str:
    """Change one thing of a file and return what; ``nothing`` where its kind has nothing to change."""
    kinds: dict[str, Callable[[Path, random.Random], str]] = {".xml": _obds, ".dcm": _dicom, ".csv": _table}
    try:
        return kinds[path.suffix](path, draw)
    except (etree.XMLSyntaxError, ValueError, KeyError, TypeError, OverflowError):
        return "nothing"  # a broken file of the demo, or a value that cannot be written


# --- batches ------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of the batches.

    Attributes:
        files: files that were changed.
        kinds: how often in which way.
        moved: released values that moved.
        unaccounted: moved values without a line in the account, which must be none.
        silent: moved values whose line names no cause and that are no finding either, which must be none.
        blocked: batches whose release was not published, with the last lines that were told.
        told: moved patients for whom a new finding speaks: on them, or on one of their changed files.
        account_only: moved patients of whom only the account speaks, with the change of their record.
    """

    files: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    moved: int = 0
    unaccounted: list[Any] = field(default_factory=list)
    silent: list[Any] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    told: int = 0
    account_only: Counter[str] = field(default_factory=Counter)


Cell = tuple[str, str, str, str]


def _cells(place: Place) -> dict[Cell, str]:
    """Return every released value of patients by table, patient, row and column."""
    found: dict[Cell, str] = {}
    for table in _RELEASED:
        for row in place.published(f"FROM {table}").iter_rows(named=True):
            who, endpoint = row["pseudonym"], row.get("endpoint") or ""
            found |= {(table, who, endpoint, c): str(v) for c, v in row.items() if not isinstance(v, list)}
    return found


def _label(place: Place) -> str:
    return place.published("SELECT refresh_id FROM meta.release").item()


_FINDINGS = "SELECT finding_id, rule_id, pseudonym, path FROM quality.findings"
_FILES_OF = """
SELECT DISTINCT l.pseudonym, f.path FROM meta.lineage l JOIN meta.files f USING (file_id)
"""


def batch(place: Place, pristine: Path, outcome: Outcome, draw: random.Random, count: int = BATCH) -> None:
    """Restore the drop folder, change some of its files, refresh, and compare with the release before.

    Args:
        place: a study after a refresh.
        pristine: its drop folder before any change.
        outcome: where the outcome is added.
        draw: chooses files and changes.
        count: number of files to change.
    """
    before, label = _cells(place), _label(place)
    findings, files = place.warehouse(_FINDINGS), place.warehouse(_FILES_OF)
    shutil.rmtree(place.drop)
    shutil.copytree(pristine, place.drop, copy_function=shutil.copy2)
    every = sorted(p for p in place.drop.rglob("*") if p.suffix in (".xml", ".dcm", ".csv"))
    # Plans and their records decide doses; of the many slices of a CT only a few are drawn.
    rare = [p for p in every if not p.name.startswith("CT")]
    small = [p for p in rare if p.suffix != ".dcm"]
    # Each file once: what a mutation broke may be unreadable to the next one.
    chosen = dict.fromkeys(draw.choice(draw.choice((rare, small, small, every))) for _ in range(count))
    for path in chosen:
        kind = mutate(path, draw)
        outcome.kinds[kind] += 1
        outcome.files += kind != "nothing"
    place.refresh()
    assert place.outcome is not None
    if _label(place) == label:
        outcome.blocked.append(place.outcome.output)
        return
    now = _cells(place)
    moved = {cell for cell in before.keys() | now.keys() if before.get(cell) != now.get(cell)}
    outcome.moved += len(moved)
    account = place.warehouse(f"FROM meta.movement WHERE compared_with = '{label}'")
    lines = {
        (r["table_name"], r["pseudonym"], r["row"] or "", r["column_name"]): r
        for r in account.iter_rows(named=True)
    }
    unexplained = place.warehouse("FROM quality.findings WHERE rule_id = 'release.moved-unexplained'")
    fresh = place.warehouse(_FINDINGS).join(findings, on="finding_id", how="anti")
    files = pl.concat([files, place.warehouse(_FILES_OF)]).unique()
    rests_on: dict[str, set[str]] = {}
    for who, path in files.iter_rows():
        rests_on.setdefault(who, set()).add(path)
    patients: dict[str, set[str]] = {}
    for cell in sorted(moved):
        table, who, row, _column = cell
        line = lines.get(cell) or lines.get((table, who, row, "(row)"))
        if line is None:
            outcome.unaccounted.append(cell)
            continue
        patients.setdefault(who, set()).update(line["causes"])
        told = not line["unexplained"] or who in set(unexplained["pseudonym"])
        if not told or not (line["causes"] or line["unexplained"]):
            outcome.silent.append((cell, before.get(cell), now.get(cell)))
    about, on = set(fresh["pseudonym"].drop_nulls()), set(fresh["path"].drop_nulls())
    for who, causes in patients.items():
        if who in about or rests_on.get(who, set()) & on:
            outcome.told += 1
        else:
            outcome.account_only[", ".join(sorted(causes))] += 1


def run(place: Place, files: int, seed: int) -> Outcome:
    """Change so many files, batch by batch, on one warehouse.

    Args:
        place: a study after a refresh; it is changed.
        files: number of files to change.
        seed: of the choices.
    """
    draw, outcome = random.Random(seed), Outcome()
    pristine = place.root / "pristine"
    shutil.copytree(place.drop, pristine, copy_function=shutil.copy2)
    while outcome.files < files:
        batch(place, pristine, outcome, draw, min(BATCH, files - outcome.files))
        print(
            f"{outcome.files} files, {outcome.moved} values moved, {len(outcome.blocked)} blocked, "
            f"{len(outcome.silent)} silent, {len(outcome.unaccounted)} unaccounted",
            flush=True,
        )
    return outcome


def main() -> int:
    """Run, print the outcome, and return 1 if a value moved in silence or a release was blocked."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--files", type=int, default=3_000)
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = lay(Path(folder))
        render.demo(place.drop, SEED, place.root / "data/demo")
        assert place.refresh().exit_code == 0
        outcome = run(place, asked.files, asked.seed)
    print(f"{outcome.files} files changed: {dict(outcome.kinds.most_common())}")
    print(f"{outcome.moved} released values moved; {outcome.told} patients with a finding")
    print(f"patients whom only the account explains: {dict(outcome.account_only)}")
    for title, listed in (("UNACCOUNTED", outcome.unaccounted), ("SILENT", outcome.silent)):
        for one in listed:
            print(title, one)
    for lines in outcome.blocked:
        print("BLOCKED", lines)
    return 1 if outcome.unaccounted or outcome.silent or outcome.blocked else 0


if __name__ == "__main__":
    raise SystemExit(main())
