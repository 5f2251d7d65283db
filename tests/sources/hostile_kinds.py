"""How a hostile file is declared: its generator, and the findings that must follow."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MEGA = 1024**2
SECRET = "TOP-SECRET-CONTENT"


@dataclass(frozen=True)
class Hostile:
    """A file below the drop folder, and what the pipeline must say of it."""

    path: str
    make: Callable[[Path], None]
    rules: frozenset[str]
    position: str = "file"
    records: int = 0


KINDS: list[Hostile] = []


def kind(path: str, *rules: str, position: str = "file", records: int = 0):
    """Register the generator of a file's content (bytes, text, or an iterable of pieces)."""

    def register(make):
        def write(to: Path) -> None:
            made = make(to)
            if isinstance(made, str):
                made = made.encode()
            with to.open("wb") as stream:
                for piece in [made] if isinstance(made, bytes) else made:
                    stream.write(piece)

        KINDS.append(Hostile(path, write, frozenset(rules), position, records))
        return make

    return register
