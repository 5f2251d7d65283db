"""Print for a terminal: delivered values may contain control characters that a terminal would execute."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click

from sarcoma_pipeline.quality.ids import SHORTEST, Ids
from schemas import printable
from schemas.configuration_faults import meant


def in_lines(text: str) -> str:
    """Escape control characters and changes of text direction, except line breaks."""
    return "\n".join(printable.printable(line) for line in text.split("\n"))


def say(text: str, *, err: bool = False) -> None:
    """Print one line; escape line breaks within it, so that a value cannot look like a separate line."""
    click.echo(printable.printable(text), err=err)


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one line of JSON, for other programs."
)


def say_json(told: object) -> None:
    """Print one line of JSON; dates as ISO 8601."""
    # JSON escapes control characters in texts itself, and every other character that is not ASCII.
    click.echo(json.dumps(told, default=str))


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


class NotFound(click.ClickException):
    """Raised for a name that nothing has; the message says which one was probably meant."""

    exit_code = 2


def whole(kind: str, given: str, known: Iterable[str], otherwise: str) -> str:
    """Return an id in full.

    Args:
        kind: what has the id, such as ``finding``.
        given: the id or its beginning, of at least four characters.
        known: the ids that there are.
        otherwise: where they are listed.

    Raises:
        NotFound: no id begins with it, or several do.
    """
    ids = list(known)
    found = Ids(ids).beginning_with(given)
    if not found:
        short = f"{otherwise}; give the whole id or at least its first {SHORTEST} characters"
        raise NotFound(no_such(kind, given, ids, short if len(given) < SHORTEST else otherwise))
    if len(found) > 1:
        raise NotFound(f"{given}: {len(found)} ids begin with it, such as {found[0]} and {found[1]}")
    return found[0]


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
