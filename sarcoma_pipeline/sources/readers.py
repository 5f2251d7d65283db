"""Register the readers: one entry per kind of source.

A new format is one module and one entry here. The module holds ``read``, the model of its configuration and,
if its records fit no received table, a contract; see CONTRIBUTING.md. Importing this module makes every kind
known to ``schemas.configuration``; a kind without an entry is an error.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.configuration import (
    DicomSource,
    Limits,
    ObdsSource,
    RegistrySource,
    SourceFiles,
    TableSource,
    kind_of,
)

if TYPE_CHECKING:
    from sarcoma_pipeline.sources.received_record import Batch, SourceFile

UNREAD = "received.unread"
"""Table of everything that could not be read."""


class UnknownKind(Exception):
    """A source of a kind that has no entry in :data:`READERS`."""


@dataclass(frozen=True)
class Reader:
    """Reader for files of one kind.

    Attributes:
        configuration: model of its sources in ``sources.toml``; it names the kind.
        module: module with ``read(file, source, refresh, limits)``. It is imported with the first file, so
            that pydicom is only imported if there are new plans.
        tables: the received tables that it fills, besides ``received.unread``.
        icon: icon of its files in Dagster's lineage graph.
        label: name of its files in the report.
        behaviour: increase it to read every file again although neither the reader's code nor a contract
            changed, for example after an upgrade of a library.
    """

    configuration: type[SourceFiles]
    module: str
    tables: tuple[str, ...]
    icon: str
    label: str
    behaviour: int = 1

    @property
    def kind(self) -> str:
        """The kind as written in ``sources.toml``."""
        return kind_of(self.configuration)

    def read(self, file: SourceFile, source: SourceFiles, refresh: str, limits: Limits) -> Batch:
        """Read one file.

        Args:
            file: the file.
            source: its source in ``sources.toml``.
            refresh: id of the refresh.
            limits: limits for the file.
        """
        return _module(self.module).read(file, source, refresh, limits)

    def version(self) -> str:
        """Return a hash of everything besides the file that its records depend on.

        That is the code of the reader's module and of every module of the program that it imports, without
        comments and docstrings, and the columns of its tables. A changed reader or contract therefore reads
        every file again, without anyone having to remember it.
        """
        return _version(self.module, self.tables, self.behaviour)


# Looking an imported module up takes a tenth of the time of reading a small file.
_module = cache(import_module)


READERS: dict[str, Reader] = {
    reader.kind: reader
    for reader in (
        Reader(
            RegistrySource,
            "sarcoma_pipeline.sources.registry_reply",
            ("received.registry_reply",),
            icon="csv",
            label="replies of registry offices",
        ),
        Reader(
            ObdsSource,
            "sarcoma_pipeline.sources.obds",
            (
                "received.obds_patient", "received.obds_diagnosis", "received.obds_pathology",
                "received.obds_surgery", "received.obds_radiotherapy", "received.obds_systemic_therapy",
                "received.obds_follow_up", "received.obds_death", "received.obds_tumour_board",
            ),
            icon="xml",
            label="cancer registration records (oBDS 3)",
        ),
        Reader(
            DicomSource,
            "sarcoma_pipeline.sources.dicom",
            (
                "received.dicom_plan", "received.dicom_structure_set", "received.dicom_dose",
                "received.dicom_image", "received.dicom_treatment", "received.dicom_other",
            ),
            icon="file",
            label="radiotherapy plans and treatment records (DICOM RT)",
        ),
        Reader(
            TableSource,
            "sarcoma_pipeline.sources.table_file",
            ("received.table_row",),
            icon="table",
            label="tables",
        ),
    )
}  # fmt: skip
"""Kind to reader."""


def reader(kind: str) -> Reader:
    """Return the reader of a kind.

    Raises:
        UnknownKind: there is no reader of this kind.
    """
    try:
        return READERS[kind]
    except KeyError:
        known = ", ".join(sorted(READERS))
        raise UnknownKind(f"no reader for sources of kind {kind!r}; there are: {known}") from None


def kinds_of(table: str) -> set[str]:
    """Return the kinds of source that fill a received table."""
    return {kind for kind, one in READERS.items() if table == UNREAD or table in one.tables}


def unread_version() -> str:
    """Return the reader version of files that no source names; only their existence is recorded."""
    return _version("sarcoma_pipeline.sources.received_record", (), 1)


def module_version(module: str) -> str:
    """Return a hash of the code of a module and of every module of the program that it imports."""
    return _version(module, (), 1)


@cache
def _version(module: str, tables: tuple[str, ...], behaviour: int) -> str:
    # The contracts import pandera, which is slow; a command that only lists studies should not need it.
    from schemas.all_contracts import CONTRACTS

    seen = hashlib.blake2b(f"{behaviour}\n".encode(), digest_size=4)
    for name in (*tables, UNREAD):
        seen.update(f"{name} {CONTRACTS[name].polars_schema()}\n".encode())
    for code in _code(module):
        seen.update(code.encode())
    return seen.hexdigest()


def _code(module: str) -> list[str]:
    """Return the code of a module and of all modules that it imports of its own package and this one."""
    packages = {"sarcoma_pipeline", module.partition(".")[0]}
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _path(name) if name not in found and name.partition(".")[0] in packages else None
        if path is None:
            continue
        found[name], imported = _bare(path.read_text("utf-8"))
        waiting += imported
    if module not in found:
        raise ModuleNotFoundError(f"no source of {module}")
    return [found[name] for name in sorted(found)]


@cache
def _bare(source: str) -> tuple[str, frozenset[str]]:
    """Return code without comments and docstrings, and what it imports; the readers share most modules."""
    tree = _without_docstrings(ast.parse(source))
    return ast.unparse(tree), frozenset(_imported(tree))


def _path(module: str) -> Path | None:
    """Return the file of a module without importing it; None if the name is not a module."""
    top, *below = module.split(".")
    spec = find_spec(top)
    if spec is None:
        return None
    if not below and spec.origin is not None:
        return Path(spec.origin)
    for folder in spec.submodule_search_locations or ():
        place = Path(folder, *below)
        for path in (place.with_suffix(".py"), place / "__init__.py"):
            if path.is_file():
                return path
    return None


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            # A string expression is the docstring of a module, a class, a function or a constant.
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
