"""Set up a study: propose its configuration from its files, and list the questions for a person."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sarcoma_pipeline.operations import setup_columns, setup_table
from sarcoma_pipeline.operations import setup_looking as looking
from sarcoma_pipeline.operations import setup_proposal as proposing
from sarcoma_pipeline.operations.check_reading import sheets
from sarcoma_pipeline.operations.setup_looking import Table
from sarcoma_pipeline.operations.setup_proposal import Proposal
from sarcoma_pipeline.operations.setup_toml import text, texts

NAME = re.compile(r"[a-z][a-z0-9_]*")
_DEATHS_FOR_A_MODEL = 20
"""Ten events for each of the two proposed covariates."""


class CannotSetUp(Exception):
    """Nothing was written; the message says why."""


@dataclass(frozen=True)
class SetUp:
    """The result of the setup.

    Attributes:
        folder: the study's folder.
        proposals: one proposal per source, with its questions.
        to_copy: files that still have to be put into the drop folder.
        drop: the drop folder.
        hidden: files and folders whose name begins with a dot: neither looked at nor copied.
    """

    folder: Path
    proposals: list[Proposal]
    to_copy: list[Path]
    drop: Path
    hidden: list[Path]


def set_up(root: Path, name: str, paths: Sequence[Path], *, copy: bool = False) -> SetUp:
    """Write ``data/studies/NAME``.

    Args:
        root: the project root.
        name: name of the study.
        paths: its files, or folders of them.
        copy: whether to copy the files into the drop folder.

    Raises:
        CannotSetUp: the name is invalid, the study exists, or a file cannot be read.
    """
    if not NAME.fullmatch(name):
        raise CannotSetUp(
            f'"{name}" is no name of a study: small letters, digits and _, beginning with a letter'
        )
    folder, drop = root / "data/studies" / name, root / "data/drop" / name
    if folder.exists():
        raise CannotSetUp(f"data/studies/{name} exists already; nothing was changed")
    hidden = [path for given in paths for path in _hidden(given)]
    files = [file for path in paths for file in _files(path)]
    if not files:
        raise CannotSetUp("no file to look into: " + ", ".join(path.name for path in paths))
    proposals = list(_proposals(files, drop))
    to_copy = [path for path, _ in files if not path.resolve().is_relative_to(drop.resolve())]
    folder.mkdir(parents=True)
    drop.mkdir(parents=True, exist_ok=True)
    (folder / "sources.toml").write_text(_sources(proposals), "utf-8")
    (folder / "study.toml").write_text(_study(name, proposals), "utf-8")
    if copy:
        for path, relative in files:
            target = drop / relative
            if path in to_copy and not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
        to_copy = []
    return SetUp(folder, proposals, to_copy, drop, hidden)


def _hidden(path: Path) -> list[Path]:
    """List what begins with a dot, as a delivery that is not complete does; no refresh reads it either."""
    if path.name.startswith("."):
        return [path]
    if not path.is_dir():
        return []
    found = (
        p
        for p in sorted(path.rglob(".*"))
        if not any(q.startswith(".") for q in p.relative_to(path).parts[:-1])
    )
    return list(found)


def _files(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield a file, or all files of a folder, each with its path in the drop folder."""
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            within = file.relative_to(path)
            if not any(part.startswith(".") for part in within.parts):
                yield file, Path(path.name) / within
    elif not path.name.startswith("."):
        yield path, Path(path.name)


def _proposals(files: Sequence[tuple[Path, Path]], drop: Path) -> Iterator[Proposal]:
    others: dict[str, list[str]] = {"obds": [], "dicom": []}
    tables: list[tuple[str, str, Table]] = []
    names: set[str] = set()
    for path, relative in files:
        if path.resolve().is_relative_to(drop.resolve()):
            relative = path.resolve().relative_to(drop.resolve())
        try:
            kind = looking.kind(path)
            if kind in others:
                others[kind].append(relative.as_posix())
                continue
            table = looking.table(path)
        except looking.NotRead as why:
            raise CannotSetUp(f"{path.name}: {why}") from None
        except OSError as broken:
            raise CannotSetUp(f"{path.name}: {broken.strerror}") from None
        if table.format == "xlsx":
            table.sheets = [sheet for sheet, hidden, _ in sheets(path, None) if not hidden]
        tables.append((_name(path.stem, names), _escaped(relative.as_posix()), table))
    # Times in one table may be counted from the diagnosis that another table dates.
    dated = bool(others["obds"]) or any(
        setup_columns.target_of(header, table) == "diagnosis.diagnosis_date"
        for _, _, table in tables
        for header in table.cells
    )
    for name, pattern, table in tables:
        if proposing.is_reply(table):
            yield proposing.reply(name, pattern, table)
        else:
            yield setup_table.table(name, pattern, table, dated=dated)
    for kind, found in others.items():
        if found:
            yield proposing.source_of(kind, _name(kind, names), _patterns(found), len(found))


def _name(stem: str, taken: set[str]) -> str:
    name = nth = stem
    number = 1
    while nth in taken:
        number += 1
        nth = f"{name} {number}"
    taken.add(nth)
    return nth


def _patterns(found: Sequence[str]) -> list[str]:
    """Return patterns: a folder for files in folders, the name for single files."""
    tops = {path.partition("/")[0] for path in found if "/" in path}
    return [*(f"{_escaped(top)}/**/*" for top in sorted(tops)), *(_escaped(p) for p in found if "/" not in p)]


def _escaped(path: str) -> str:
    return re.sub(r"([\[*?])", r"[\1]", path)


def _sources(proposals: Sequence[Proposal]) -> str:
    lines = [
        "#:schema ../../../docs/schemas/sources.schema.json",
        "# What lies in the drop folder, and how it is read: docs/configuration.md. Written by sarcoma init.",
        '# A "?" stands where only a person knows the answer: `sarcoma check` names each.',
    ]
    for one in proposals:
        lines += [
            "",
            f"# --- {one.what} " + "-" * 20,
            *(f"# ASK: {q}" for q in one.questions),
            "",
            *one.lines,
        ]
    return "\n".join(lines) + "\n"


_MEDIAN = ('kind = "median"',)


def _factor(*levels: str) -> tuple[str, ...]:
    return ('kind = "factor"', f"levels = {texts(levels)}")


_ROWS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("diagnosis.age_at_diagnosis_years", "Age at diagnosis (years)", "age_at_diagnosis_years", _MEDIAN),
    ("person.birth_date", "Age at diagnosis (years)", "age_at_diagnosis_years", _MEDIAN),
    ("person.sex", "Sex", "sex", _factor("female", "male")),
    ("diagnosis.tumour_size_cm", "Tumour size (cm)", "tumour_size_cm", (*_MEDIAN, "decimals = 1")),
    ("diagnosis.tumour_depth", "Depth", "tumour_depth", _factor("superficial", "deep")),
    ("diagnosis.fnclcc_grade", "FNCLCC grade", "fnclcc_grade", _factor("G1", "G2", "G3")),
    ("surgery.residual_status", "Resection", "residual_status", _factor("R0", "R1", "R2")),
)
"""Target, title, column of the cohort, and keys of the blocks of Table 1 that can be proposed."""


def _study(name: str, proposals: Sequence[Proposal]) -> str:
    mapped = {target for one in proposals for target in one.mapped}
    deaths = sum(one.deaths for one in proposals)
    aged = bool({"diagnosis.age_at_diagnosis_years", "person.birth_date"} & mapped)
    sexed = "person.sex" in mapped
    lines = [
        "#:schema ../../../docs/schemas/study.schema.json",
        "# What the study is: docs/configuration.md. Proposed by `sarcoma init`; change it as you need.",
        f"name = {text(name)}",
        f"title = {text(f'Overall survival in {name}')}",
        'description = "All patients of the delivered files."  # who they are and what is compared',
        f"drop = {text(f'data/drop/{name}')}",
    ]
    if sexed:
        lines.append('subgroups = ["sex"]')
    lines += [
        "", "# --- who belongs to the study: criteria in this order; each is counted ---", "",
        "[[criteria]]", 'name = "observed"', 'rule = "observed"', 'label = "Vital status and its day known"',
        "", "# --- what is counted ---", "",
        "[[endpoints]]", 'name = "OS"', 'title = "Overall survival"', 'events = ["death"]',
        'censor = "last known alive"',
    ]  # fmt: skip
    if sexed:
        levels = 'levels = ["female", "male"]'
        keys = ['name = "sex"', 'column = "sex"', 'kind = "factor"', 'reference = "male"', levels]
        lines += _block("covariates", keys)
    if aged:
        keys = ['name = "age"', 'column = "age_at_diagnosis_years"', 'kind = "continuous"']
        lines += _block("covariates", keys)
    if aged and sexed:
        keys = ['name = "OS"', 'endpoint = "OS"', 'title = "Overall survival"', 'covariates = ["sex", "age"]']
        model = _block("models", keys)
        if deaths < _DEATHS_FOR_A_MODEL:
            why = f"# A model of two covariates needs about {_DEATHS_FOR_A_MODEL} events:"
            model = ["", why, *(f"# {line}" for line in model[1:])]
        lines += model
    done: set[str] = set()
    for needed, title, column, keys in _ROWS:
        if needed in mapped and column not in done:
            done.add(column)
            lines += _block("table_one", [f"title = {text(title)}", f"column = {text(column)}", *keys])
    follow_up = ['title = "Follow-up (months)"', 'column = "follow_up_months"', 'kind = "median"']
    return "\n".join([*lines, *_block("table_one", follow_up)]) + "\n"


def _block(section: str, keys: Sequence[str]) -> list[str]:
    return ["", f"[[{section}]]", *keys]
