"""Every command escapes what a terminal would obey instead of print."""

import ast
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sarcoma_pipeline import cli
from sarcoma_pipeline.cli import terminal

EVIL = "\x1b[2Ja\x07\x9b31m\u202egpj\x00"
OBEYED = {"\x1b", "\x07", "\x9b", "\u202e", "\x00", "\r"}
OWN_PAGES = {"reference", "page", "written", "dumps"}
"""What is printed as a whole: JSON, which escapes, and pages that hold nothing delivered."""


def test_say_prints_one_line(capsys):
    terminal.say(f"{EVIL}\nforged line")
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert not OBEYED & set(told)
    assert "forged line" in told


def test_a_marked_text_has_neither_markup_nor_control_characters():
    told = terminal.marked(f"[red]{EVIL}[/red]\nx")
    assert not OBEYED & set(told)
    assert told.startswith("\\[red]")
    assert told.endswith("\nx")


@pytest.mark.parametrize("error", [click.ClickException, click.UsageError, click.BadParameter])
def test_the_message_of_an_error_is_escaped(error):
    @click.group(cls=terminal.PrintableErrors)
    def group() -> None: ...

    @group.command()
    def wrong() -> None:
        raise error(f"no such file: {EVIL}\nremedy: another")

    told = CliRunner().invoke(group, ["wrong"])
    assert told.exit_code in (1, 2)
    assert not OBEYED & set(told.output)
    assert "\nremedy: another" in told.output


def test_the_group_of_all_commands_escapes():
    assert isinstance(cli.main, terminal.PrintableErrors)


def test_no_command_prints_past_it():
    """Only pages of our own and JSON are printed without ``say``; rich's console gets no text of a value."""
    printed = []
    for path in sorted(Path(cli.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or path.name == "terminal.py":
                continue
            name = ast.unparse(node.func)
            if name in ("click.echo", "print", "click.secho"):
                inner = node.args[0]
                own = isinstance(inner, ast.Call) and set(ast.unparse(inner.func).split(".")) & OWN_PAGES
                raw = isinstance(inner, ast.Call) and "ensure_ascii" in [k.arg for k in inner.keywords]
                if not own or raw:
                    printed.append(f"{path.name}:{node.lineno}")
    assert printed == []
    assert not OBEYED & set(json.dumps(EVIL))
