"""``sarcoma trace``: prints the tree from a patient's endpoints to the records that decided them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import json_option, marked, no_such, say_json, whole

_PIPE_WIDTH = 500
"""Columns of the output when it goes to a pipe or file, so that no line is wrapped."""

if TYPE_CHECKING:
    import duckdb
    from rich.tree import Tree


@click.command()
@study_option
@click.argument("pseudonym")
@click.option("--endpoint", help="Show only this endpoint, e.g. OS, DFS, DMFS or LRFS.")
@json_option
def trace(study: str, pseudonym: str, endpoint: str | None, as_json: bool) -> None:
    """Show which records decided a patient's endpoints: file, position, values read, rules they break.

    Shows nothing that identifies the patient; those with access find the person through file and position.
    """
    from rich.console import Console

    from sarcoma_pipeline.warehouse import opening, read_only

    project = configured(study)
    if not read_only.is_built(project):
        raise click.UsageError(f"nothing built yet: sarcoma refresh --study {study}")
    try:
        with opening.explained(project.warehouse), read_only.connect(project) as warehouse:
            known = [r["pseudonym"] for r in _rows(warehouse, "SELECT pseudonym FROM cohort.patients")]
            pseudonym = whole("patient of the cohort", pseudonym, known, "the release holds their pseudonyms")
            ends = _ends(warehouse, pseudonym, endpoint)
            if as_json:
                say_json(_as_json(warehouse, pseudonym, ends))
                return
            tree = _tree(warehouse, pseudonym, ends)
    except opening.CannotOpen as why:
        raise click.ClickException(str(why)) from None
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    Console(highlight=False, width=width).print(tree)


def _rows(warehouse: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    from schemas.pandera_polars import without_pandas

    # For a statement with values, DuckDB imports pandas if there is one.
    with without_pandas():
        return warehouse.execute(sql, list(values)).pl().rows(named=True)


def _not_there(warehouse: duckdb.DuckDBPyConnection, pseudonym: str, endpoint: str | None) -> str:
    """Return the message on an endpoint that the patient does not have, with the one probably meant."""
    of = _rows(
        warehouse, "SELECT DISTINCT endpoint AS name FROM cohort.endpoints WHERE pseudonym = ?", pseudonym
    )
    has = sorted(row["name"] for row in of)
    return no_such("endpoint of the patient", str(endpoint), has, f"there are {', '.join(has) or 'none'}")


def _ends(warehouse: duckdb.DuckDBPyConnection, pseudonym: str, endpoint: str | None) -> list[dict[str, Any]]:
    """Return the patient's endpoints.

    Raises:
        click.UsageError: the patient does not have this one.
    """
    ends = _rows(
        warehouse,
        "FROM cohort.endpoints WHERE pseudonym = ?1 AND (?2 IS NULL OR endpoint = ?2)",
        pseudonym,
        endpoint,
    )
    if not ends:
        raise click.UsageError(_not_there(warehouse, pseudonym, endpoint))
    return ends


def _as_json(
    warehouse: duckdb.DuckDBPyConnection, pseudonym: str, ends: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what the tree shows, and every record of it."""

    def told(subject: str, roles: tuple[str, ...]) -> list[dict[str, Any]]:
        return [
            {name: record[name] for name in ("path", "position", "role", "rule_ids")}
            | {"values": list(_read(warehouse, record["record_id"]))}
            for record in _records(warehouse, pseudonym, subject, roles)
        ]

    shown = ("endpoint", "time_days", "time_months", "event", "event_kind")
    return {
        "patient": pseudonym,
        "endpoints": [
            {name: end[name] for name in shown} | {"records": told(end["endpoint"], ("decided",))}
            for end in ends
        ],
        "records": told("patient", ("overruled", "supports", "decided")),
    }


def _tree(warehouse: duckdb.DuckDBPyConnection, pseudonym: str, ends: list[dict[str, Any]]) -> Tree:
    from rich.tree import Tree

    root = Tree(f"patient {marked(pseudonym)}")
    for end in ends:
        ending = end["event_kind"] if end["event"] else "censored"
        branch = root.add(
            f"{end['endpoint']}: {end['time_days']} days ({end['time_months']:.1f} months), {ending}"
        )
        for record in _records(warehouse, pseudonym, end["endpoint"], ("decided",)):
            _add(branch, warehouse, record)
    own = root.add("all records behind the patient's row")
    for record in _records(warehouse, pseudonym, "patient", ("overruled",)):
        _add(own, warehouse, record)
    others = _records(warehouse, pseudonym, "patient", ("supports", "decided"))
    files: dict[str, int] = {}
    for record in others:
        files[record["path"]] = files.get(record["path"], 0) + 1
    for path, count in sorted(files.items()):
        own.add(marked(f"{path}: {count} record{'' if count == 1 else 's'}"))
    return root


def _records(
    warehouse: duckdb.DuckDBPyConnection, pseudonym: str, subject: str, roles: tuple[str, ...]
) -> list[dict[str, Any]]:
    return _rows(
        warehouse,
        "FROM meta.lineage WHERE pseudonym = ? AND subject = ? AND list_contains(?, role) "
        "ORDER BY path, position, record_id, role",
        pseudonym,
        subject,
        list(roles),
    )


def _add(branch: Tree, warehouse: duckdb.DuckDBPyConnection, record: dict[str, Any]) -> None:
    overruled = ", overruled by another source" if record["role"] == "overruled" else ""
    node = branch.add(marked(f"{record['path']}, {record['position']}{overruled}"))
    for line in _read(warehouse, record["record_id"]):
        node.add(marked(line))
    for rule in record["rule_ids"]:
        node.add(marked(f"breaks {rule}"))


def _read(warehouse: duckdb.DuckDBPyConnection, record_id: str) -> Iterator[str]:
    """Yield the values read from a record, table by table, without identifying ones."""
    from schemas.all_contracts import CONTRACTS
    from schemas.typed_record import Typed

    skipped = {c.name for c in Typed.columns()}
    for table, contract in CONTRACTS.items():
        if not table.startswith("typed."):
            continue
        for row in _rows(warehouse, f"FROM {table} WHERE record_id = ?", record_id):
            shown = [
                f"{c.name} = {row[c.name]}"
                for c in contract.columns()
                if c.name not in skipped and c.identifying != "identifier" and row[c.name] not in (None, [])
            ]
            if shown:
                yield f"{table.removeprefix('typed.')}: {', '.join(shown)}"
