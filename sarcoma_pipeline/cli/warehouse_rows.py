"""Read the warehouse for a command, and build the identity gate for its output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import polars as pl

    from sarcoma_pipeline.quality.identity_gate import IdentityGate
    from sarcoma_pipeline.study.project import Project


def rows(project: Project, sql: str) -> pl.DataFrame:
    """Run a query on the warehouse.

    Raises:
        click.UsageError: nothing is built yet.
        click.ClickException: a refresh is running, or the warehouse is damaged.
    """
    import duckdb

    from sarcoma_pipeline.warehouse import opening, read_only

    not_built = f"nothing built yet: sarcoma refresh --study {project.study.name}"
    if not read_only.is_built(project):
        raise click.UsageError(not_built)
    try:
        with opening.explained(project.warehouse), read_only.connect(project) as connection:
            return connection.execute(sql).pl()
    except opening.CannotOpen as why:
        raise click.ClickException(str(why)) from None
    except duckdb.CatalogException:
        raise click.UsageError(not_built) from None


def identity_gate(project: Project) -> IdentityGate:
    """Build the identity gate of a study, because the output of a command may be mailed.

    Raises:
        click.ClickException: the warehouse cannot be read.
    """
    from sarcoma_pipeline.quality.identity_gate import IDENTIFYING, IdentityGate

    persons = rows(project, f"SELECT {', '.join(IDENTIFYING)} FROM typed.person")
    return IdentityGate.of(persons, project.sources)
