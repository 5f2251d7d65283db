"""Locate a study's configuration, raw files, warehouse and published files."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from sarcoma_pipeline.study import local_time
from schemas.configuration import Sources, Study, load_study
from schemas.configuration_faults import meant
from schemas.language import day

DEFAULT_STUDY = "sts_imrt"

_CONFIGURATION = (".toml", ".csv")
"""Suffixes of configuration files; editors give backup files other suffixes."""


class UnknownStudy(Exception):
    """There is no folder of that name in ``data/studies``."""


@dataclass(frozen=True)
class Project:
    """One study and its paths.

    Attributes:
        root: the folder that contains ``data/``.
        study: content of ``study.toml``.
        sources: content of ``sources.toml``.
        draft: whether a draft is published; its folder is separate from the release.
    """

    root: Path
    study: Study
    sources: Sources
    draft: bool = False

    @property
    def folder(self) -> Path:
        """Folder of the study's configuration."""
        return self.root / "data/studies" / self.study.name

    @property
    def drop(self) -> Path:
        """Folder of incoming raw files."""
        return self.root / self.study.drop

    @property
    def centres(self) -> tuple[str, ...]:
        """The study's centres in alphabetical order; empty if it has one drop folder."""
        return tuple(sorted(self.study.centres))

    def drop_of(self, centre: str) -> Path:
        """Return the folder of a centre's incoming raw files; the study's own without a centre."""
        return self.root / self.study.centres[centre] if centre else self.drop

    @property
    def warehouse(self) -> Path:
        """The restricted database."""
        return self.root / "data/warehouse" / f"{self.study.name}.duckdb"

    @property
    def key(self) -> Path:
        """The key of the pseudonyms: stored next to the warehouse, not in it, and never published."""
        return self.root / "data/warehouse" / f"{self.study.name}.key"

    @property
    def doses(self) -> Path:
        """Folder of volumes and doses that wait for the next refresh, and of the list of what to compute."""
        return self.root / "data/warehouse" / f"{self.study.name}.doses"

    @property
    def samples(self) -> Path:
        """The log of samples drawn for chart reviews; it has dates of patients, like the warehouse."""
        return self.decisions.with_name(f"{self.study.name}.samples.csv")

    @property
    def reviews(self) -> Path:
        """The log of chart reviews; it cannot be restored from any source."""
        return self.decisions.with_name(f"{self.study.name}.reviews.csv")

    @property
    def decisions(self) -> Path:
        """The log of stewards' decisions on findings; it cannot be restored from any source."""
        return self.root / "data/decisions" / f"{self.study.name}.csv"

    @property
    def notifications(self) -> Path:
        """Folder of the notifications about problems."""
        return self.root / "data/notifications" / self.study.name

    @property
    def published(self) -> Path:
        """Folder of everything that readers may see."""
        folder = self.root / "data/published" / self.study.name
        return folder / "draft" if self.draft else folder

    @property
    def release(self) -> Path:
        """The published database."""
        return self.published / ("draft_cohort.duckdb" if self.draft else "cohort.duckdb")

    @property
    def withdrawn(self) -> Path:
        """Folder of releases that were withdrawn."""
        return self.published / "withdrawn"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the site: of its days, and of its schedules."""
        return local_time.zone(self.study.time_zone)

    def now(self) -> dt.datetime:
        """Return the time at the site; its date is the day on which waivers and dates are judged."""
        return dt.datetime.now(self.zone)

    def at_the_site(self, moment: dt.datetime) -> str:
        """Return day and time of a moment by the clock of the site, in the language that is set."""
        local = moment.astimezone(self.zone)
        return f"{day(local.date())}, {local:%H:%M}"

    def as_released(self) -> Project:
        """Return the same study, with a release as its next publication."""
        return replace(self, draft=False)

    def as_draft(self) -> Project:
        """Return the same study, with a draft as its next publication."""
        return replace(self, draft=True)

    def configuration_files(self) -> list[Path]:
        """Return the files of the study's configuration, sorted."""
        return sorted(p for p in self.folder.rglob("*") if p.is_file() and p.suffix in _CONFIGURATION)

    def configuration_hash(self) -> str:
        """Return a hash of all files of the study's configuration."""
        digest = hashlib.blake2b(digest_size=16)
        for path in self.configuration_files():
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
        return digest.hexdigest()


def root() -> Path:
    """Return ``SARCOMA_ROOT``, else the nearest parent with ``data/studies``, else the program's folder."""
    configured = os.environ.get("SARCOMA_ROOT")
    if configured:
        return Path(configured).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "data/studies").is_dir():
            return folder
    return Path(__file__).resolve().parents[2]


def studies(at: Path | None = None) -> list[str]:
    """Return the names of the configured studies."""
    folder = (at or root()) / "data/studies"
    return sorted(p.parent.name for p in folder.glob("*/study.toml"))


def load(name: str = DEFAULT_STUDY, at: Path | None = None) -> Project:
    """Load a study by name.

    Raises:
        UnknownStudy: it is not configured; the message lists the configured studies.
        ConfigurationWrong: its configuration is wrong; the message names file, line and key of each fault.
    """
    base = at or root()
    if name not in studies(base):
        near = meant(name, studies(base))
        guess = f'did you mean "{near}"? ' if near else ""
        raise UnknownStudy(f"no study {name!r}; {guess}configured are: {', '.join(studies(base)) or 'none'}")
    study, sources = load_study(base / "data/studies" / name)
    return Project(base, study, sources)
