"""How a reader hands over what it read: rows with their provenance, gathered into received frames."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from schemas.configuration import DEFAULT_LIMITS, Limits
from schemas.received import PROVENANCE, Received, Unread


def digest(*parts: str | None) -> str:
    """A 128-bit hash of the parts, in hexadecimal; parts cannot run into each other."""
    text = "\x1f".join(["\x00" if p is None else p for p in parts])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


class Stopped(Exception):
    """The rest of the file is not read.

    Attributes:
        position: where the reader stopped.
        rule_id: the file rule that is broken there.
        detail: what was met; never content.
    """

    def __init__(self, position: str, rule_id: str, detail: str) -> None:
        super().__init__(detail)
        self.position = position
        self.rule_id = rule_id
        self.detail = detail


@dataclass(frozen=True)
class SourceFile:
    """One version of one file in the drop folder.

    Attributes:
        file_id: hash of relative path, content and reader version.
        path: where it lies now.
        relative: its path below the drop folder, as findings name it.
    """

    file_id: str
    path: Path
    relative: str


@dataclass
class Batch:
    """Gathers the records of one file; nothing that was met is left out."""

    file: SourceFile
    refresh: str
    limits: Limits = DEFAULT_LIMITS
    _rows: dict[type[Received], list[dict[str, str | None]]] = field(default_factory=dict)
    _met: Counter[str] = field(default_factory=Counter)
    _count: int = 0

    def add(
        self,
        contract: type[Received],
        position: str,
        key: Sequence[str | None],
        values: Mapping[str, str | None],
        unhashed: frozenset[str] = frozenset(),
    ) -> dict[str, str | None]:
        """Take one record.

        Args:
            contract: the received table it belongs to.
            position: where in the file.
            key: the business key; a record without one (all parts missing) is known by file and position.
            values: delivered column to text; blank text becomes null.
            unhashed: columns that say nothing about the content (export dates, file meta).

        Returns:
            The row, to which a reader may add what it learns later.

        Raises:
            Stopped: the file has more records than a file may have.
        """
        if self._count >= self.limits.records:
            raise Stopped(position, "file.too-large", f"more than {self.limits.records:,} records")
        return self._add(contract, position, key, values, unhashed)

    def _add(
        self,
        contract: type[Received],
        position: str,
        key: Sequence[str | None],
        values: Mapping[str, str | None],
        unhashed: frozenset[str] = frozenset(),
    ) -> dict[str, str | None]:
        clean = {k: (v if v is not None and v.strip() else None) for k, v in values.items()}
        said = {k: v for k, v in clean.items() if v is not None and k not in unhashed}
        content = digest(contract.table(), _canonical(said))
        known = any(part for part in key)
        record_key = (
            digest(contract.table(), *key)
            if known
            else digest(contract.table(), self.file.relative, position)
        )
        record_id = digest(self.file.relative, position, content)
        self._met[record_id] += 1
        self._count += 1
        if (times := self._met[record_id]) > 1:
            # Damage can put the same content at the same place twice; each is a record to account for.
            position = f"{position} ({times})"
            record_id = digest(self.file.relative, position, content)
        row = {
            "record_id": record_id,
            "file_id": self.file.file_id,
            "position": position,
            "record_key": record_key,
            "content_hash": content,
            "first_refresh": self.refresh,
            "last_refresh": None,
            **clean,
        }
        self._rows.setdefault(contract, []).append(row)
        return row

    def unread(self, position: str, rule_id: str, detail: str) -> None:
        """Note a part of the file that is no record; ``detail`` must not quote content."""
        self.add(Unread, position, (), {"rule_id": rule_id, "detail": detail})

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Whatever a reader raises is noted; what it read before stays.

        A file without a record and without a note gets one: silence would be no account of it. The note of an
        exception names its type and never its text, which may quote a patient's values.
        """
        try:
            yield
            if not self._count:
                self._add(Unread, "file", (), {"rule_id": "file.empty", "detail": "no record in it"})
        except Stopped as stopped:
            self._add(Unread, stopped.position, (), {"rule_id": stopped.rule_id, "detail": stopped.detail})
        except OSError as broken:
            self._add(Unread, "file", (), _gave_up(f"cannot be opened: {type(broken).__name__}"))
        except Exception as broken:
            self._add(Unread, "file", (), _gave_up(f"the reader gave up: {type(broken).__name__}"))

    @property
    def count(self) -> int:
        """Records of the file, those that could not be read included."""
        return self._count

    @property
    def rows(self) -> Mapping[type[Received], list[dict[str, str | None]]]:
        """Contract to rows."""
        return self._rows

    def frames(self) -> dict[str, pl.DataFrame]:
        """Received table name to frame, each as its contract says; only tables with rows."""
        return frames([self])


def frames(batches: Iterable[Batch]) -> dict[str, pl.DataFrame]:
    """Received table name to frame of the records of several files, each as its contract says.

    Raises:
        KeyError: a reader gave a column that its contract does not know.
    """
    gathered: dict[type[Received], list[dict[str, str | None]]] = {}
    for batch in batches:
        for contract, rows in batch.rows.items():
            gathered.setdefault(contract, []).extend(rows)
    made = {}
    for contract, rows in gathered.items():
        schema = contract.polars_schema()
        if stray := set().union(*rows) - set(schema) - set(PROVENANCE):
            raise KeyError(f"{contract.table()} has no columns {sorted(stray)}")
        made[contract.table()] = pl.DataFrame(
            {name: [row.get(name) for row in rows] for name in schema}, schema=schema
        )
    return made


def _gave_up(detail: str) -> dict[str, str | None]:
    return {"rule_id": "file.unreadable", "detail": detail}
