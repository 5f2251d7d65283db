"""Where a study's configuration, raw files, warehouse and publications lie."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from schemas.configuration import Sources, Study, load_study

DEFAULT_STUDY = "sts_imrt"

_CONFIGURATION = (".toml", ".csv")


class UnknownStudy(Exception):
    """No folder of that name below ``data/studies``."""


@dataclass(frozen=True)
class Project:
    """One study and its places.

    Attributes:
        root: the folder that holds ``data/``.
        study: ``study.toml``.
        sources: ``sources.toml``.
    """

    root: Path
    study: Study
    sources: Sources

    @property
    def folder(self) -> Path:
        """The study's configuration."""
        return self.root / "data/studies" / self.study.name

    @property
    def drop(self) -> Path:
        """Incoming raw files."""
        return self.root / self.study.drop

    @property
    def centres(self) -> tuple[str, ...]:
        """The centres of the study, in order; none if it has one drop folder."""
        return tuple(sorted(self.study.centres))

    def drop_of(self, centre: str) -> Path:
        """Incoming raw files of a centre; of the study if it has none."""
        return self.root / self.study.centres[centre] if centre else self.drop

    @property
    def warehouse(self) -> Path:
        """The restricted database."""
        return self.root / "data/warehouse" / f"{self.study.name}.duckdb"

    @property
    def key(self) -> Path:
        """The key of the pseudonyms: beside the warehouse, never in it, never published."""
        return self.root / "data/warehouse" / f"{self.study.name}.key"

    @property
    def decisions(self) -> Path:
        """The stewards' decisions on findings: the one thing that no source can deliver again."""
        return self.root / "data/decisions" / f"{self.study.name}.csv"

    @property
    def notifications(self) -> Path:
        """What was told of nights that went wrong."""
        return self.root / "data/notifications" / self.study.name

    @property
    def published(self) -> Path:
        """What readers see."""
        return self.root / "data/published" / self.study.name

    @property
    def release(self) -> Path:
        """The published database."""
        return self.published / "cohort.duckdb"

    def configuration_files(self) -> list[Path]:
        """The files that make the study, in order; what an editor leaves beside them is none of them."""
        return sorted(p for p in self.folder.rglob("*") if p.is_file() and p.suffix in _CONFIGURATION)

    def configuration_hash(self) -> str:
        """Names the content of every file of the study's configuration."""
        seen = hashlib.blake2b(digest_size=16)
        for path in self.configuration_files():
            seen.update(path.relative_to(self.folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
        return seen.hexdigest()


def root() -> Path:
    """``SARCOMA_ROOT``, else the nearest folder above that holds ``data/studies``, else the program's own."""
    named = os.environ.get("SARCOMA_ROOT")
    if named:
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "data/studies").is_dir():
            return folder
    return Path(__file__).resolve().parents[2]


def studies(at: Path | None = None) -> list[str]:
    """Names of the configured studies."""
    folder = (at or root()) / "data/studies"
    return sorted(p.parent.name for p in folder.glob("*/study.toml"))


def load(name: str = DEFAULT_STUDY, at: Path | None = None) -> Project:
    """A study by name.

    Raises:
        UnknownStudy: it is not configured; the message lists those that are.
        ConfigurationWrong: its configuration is wrong; the message names file, line and key of each fault.
    """
    base = at or root()
    if name not in studies(base):
        raise UnknownStudy(f"no study {name!r}; configured are: {', '.join(studies(base)) or 'none'}")
    study, sources = load_study(base / "data/studies" / name)
    return Project(base, study, sources)
