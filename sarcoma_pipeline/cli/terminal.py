"""Print for a terminal: delivered values may contain control characters that a terminal would execute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from schemas import printable
from schemas.configuration_faults import meant


def in_lines(text: str) -> str:
    """Escape control characters and changes of text direction, except line breaks."""
    return "\n".join(printable.printable(line) for line in text.split("\n"))


def say(text: str, *, err: bool = False) -> None:
    """Print one line; escape line breaks within it, so that a value cannot look like a separate line."""
    click.echo(printable.printable(text), err=err)


def marked(text: object) -> str:
    """Return a text for rich without markup and without control characters."""
    from rich.markup import escape

    return escape(in_lines(str(text)))


def no_such(kind: str, given: str, known: Iterable[str], otherwise: str) -> str:
    """Return the message that a name does not exist, with the name that was probably meant.

    Args:
        kind: kind of the named thing, such as ``finding``.
        given: the name.
        known: the existing names.
        otherwise: text on where they are listed.
    """
    near = meant(given, known)
    guess = f'did you mean "{near}"? ' if near else ""
    return f"{given}: there is no such {kind}; {guess}{otherwise}"


class PrintableErrors(click.Group):
    """A command group that escapes control characters in its error messages."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; escape the message of an error."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            # click declares the message as final, but prints this attribute.
            vars(error)["message"] = in_lines(error.message)
            raise
