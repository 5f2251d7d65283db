"""Read the warehouse for a command, and build the identity gate for its output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from sarcoma_pipeline.quality.identity_gate import IdentityGate
    from sarcoma_pipeline.study.project import Project


_KEPT: ContextVar[dict[str, duckdb.DuckDBPyConnection] | None] = ContextVar("kept", default=None)
"""Centre to its connection, within :func:`one_connection`."""


@contextmanager
def one_connection() -> Iterator[None]:
    """Let all queries on the warehouse of one study within the block share a connection, which opens once."""
    opened: dict[str, duckdb.DuckDBPyConnection] = {}
    before = _KEPT.set(opened)
    try:
        yield
    finally:
        _KEPT.reset(before)
        for connection in opened.values():
            connection.close()


def rows(project: Project, sql: str, centre: str = "") -> pl.DataFrame:
    """Run a query on the warehouse.

    Args:
        project: the study.
        sql: the query, with the tables' names of their contracts.
        centre: centre whose tables are read; by default all centres as one study.

    Raises:
        click.UsageError: nothing is built yet.
        click.ClickException: a refresh is running, or the warehouse is damaged.
    """
    import duckdb

    from sarcoma_pipeline.warehouse import opening, read_only

    kept = _KEPT.get()
    not_built = f"nothing built yet: sarcoma refresh --study {project.study.name}"
    if not read_only.is_built(project):
        raise click.UsageError(not_built)
    try:
        with opening.explained(project.warehouse):
            if kept is None:
                with read_only.connect(project, centre) as connection:
                    return opening.queried(connection, sql)
            if centre not in kept:
                kept[centre] = read_only.connect(project, centre)
            return opening.queried(kept[centre], sql)
    except opening.CannotOpen as why:
        raise click.ClickException(str(why)) from None
    except duckdb.CatalogException:
        raise click.UsageError(not_built) from None


def by_centre(project: Project, sql: str) -> pl.DataFrame:
    """Run a query on the tables of each centre, whose ids may mean other things at another centre.

    Returns:
        The rows of all centres, with the column ``centre``: null in a study without centres.
    """
    import polars as pl

    return pl.concat(
        rows(project, sql, centre).with_columns(centre=pl.lit(centre or None, dtype=pl.String))
        for centre in project.centres or ("",)
    )


def identity_gate(project: Project) -> IdentityGate:
    """Build the identity gate of a study, because the output of a command may be mailed.

    Raises:
        click.ClickException: the warehouse cannot be read.
    """
    from sarcoma_pipeline.quality.identity_gate import IDENTIFYING, IdentityGate
    from schemas.quality import QualityRule

    persons = rows(project, f"SELECT {', '.join(IDENTIFYING)} FROM typed.person")
    # As stored: the program's own catalogue imports every module that declares rules.
    return IdentityGate.of(persons, project.sources, rows(project, f"FROM {QualityRule.table()}"))
