"""Prints for a terminal: what was delivered may hold characters that a terminal obeys instead of prints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from schemas import printable
from schemas.configuration_faults import meant


def in_lines(text: str) -> str:
    """Escape control characters and changes of direction, but for the end of a line."""
    return "\n".join(printable.printable(line) for line in text.split("\n"))


def say(text: str, *, err: bool = False) -> None:
    """Print one line; a line break within it is escaped too, lest a value look like a line."""
    click.echo(printable.printable(text), err=err)


def marked(text: object) -> str:
    """Return a text as rich prints it: as it is, without markup, and without what a terminal obeys."""
    from rich.markup import escape

    return escape(in_lines(str(text)))


def no_such(kind: str, given: str, known: Iterable[str], otherwise: str) -> str:
    """Say that nothing has a name, and which name was probably meant.

    Args:
        kind: what would have it, such as ``finding``.
        given: the name.
        known: the names that there are.
        otherwise: where they are listed.
    """
    near = meant(given, known)
    guess = f'did you mean "{near}"? ' if near else ""
    return f"{given}: there is no such {kind}; {guess}{otherwise}"


class PrintableErrors(click.Group):
    """A group of commands whose error messages hold nothing that a terminal obeys."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; escape the message of an error."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            # click declares the message as final, but shows what stands here.
            vars(error)["message"] = in_lines(error.message)
            raise
