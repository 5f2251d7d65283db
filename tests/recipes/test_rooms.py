"""The rooms stand on the floors that docs/architecture.md draws, and import rooms on lower floors only."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALONE = {"", "definitions"}
"""Modules outside the rooms: the package, and what Dagster looks for."""


def floors() -> dict[str, int]:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    found = re.findall(r"subgraph floor(\d)\[.*?\]\n(.*?)  end", page, re.S)
    return {room: int(floor) for floor, rooms in found for room in rooms.split()}


def room_of(module: str) -> str | None:
    """Room of an imported module; None if it is not of this program."""
    first, _, rest = module.partition(".")
    return (
        "schemas" if first == "schemas" else rest.partition(".")[0] if first == "sarcoma_pipeline" else None
    )


@cache
def imported() -> set[tuple[str, str, str]]:
    """File, its room and a room that it imports, everywhere in the program."""
    found = set()
    for path in [*ROOT.glob("sarcoma_pipeline/**/*.py"), *ROOT.glob("schemas/**/*.py")]:
        own = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module == "sarcoma_pipeline":
                names = [f"sarcoma_pipeline.{alias.name}" for alias in node.names]
            else:
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(str(path.relative_to(ROOT)), own or "", room) for n in names if (room := room_of(n))}
    return found


def test_the_drawing_has_every_room():
    there = {p.parent.name for p in ROOT.glob("sarcoma_pipeline/*/__init__.py")} | {"schemas"}
    assert set(floors()) == there
    assert len(there) <= 14 and max(floors().values()) <= 6


def test_no_room_imports_upwards_or_beside():
    floor = floors()
    wrong = {
        (path, room)
        for path, own, room in imported()
        if own not in ALONE and room not in ALONE and own != room and floor[room] >= floor[own]
    }
    assert len(imported()) > 500 and wrong == set()


def test_no_module_lies_outside_the_rooms():
    assert {p.name for p in ROOT.glob("sarcoma_pipeline/*.py")} == {"__init__.py", "definitions.py"}
