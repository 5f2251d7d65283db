"""From files to the curated tables and the cohort, in one process: reader, curation, cohort."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from lxml import etree

from sarcoma_pipeline.cohort import (
    covariates,
    derivation,
    eligibility,
    released_events,
    toxicity,
    toxicity_endpoints,
)
from sarcoma_pipeline.quality import cohort_observations
from sarcoma_pipeline.quality.curate import Curation, curate
from sarcoma_pipeline.sources import received_record
from sarcoma_pipeline.sources.readers import reader
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.all_contracts import CONTRACTS
from schemas.configuration import Criterion, Limits, Sources, Study
from schemas.toxicity_toml import ToxicityEndpoint
from tests.oracle.grammar import Element
from tests.spec.told import study

SOURCES = Sources.model_validate({"source": [{"name": "obds", "kind": "obds", "files": ["*.xml"]}]})
STUDY = study()
STRICT = STUDY.model_copy(
    update={
        "criteria": tuple(
            Criterion.model_validate(one)
            for one in (
                {"name": "histology", "rule": "histology", "label": "Sarcoma"},
                {"name": "site", "rule": "site", "label": "Site", "values": ["extremities", "trunk"]},
                {"name": "m0", "rule": "no_metastasis", "label": "M0"},
                {"name": "curative", "rule": "curative", "label": "Curative"},
                {
                    "name": "rt",
                    "rule": "radiotherapy",
                    "label": "Irradiated",
                    "values": ["preoperative", "postoperative adjuvant", "postoperative additive"],
                },
            )
        )
    }
)
"""A study that asks for everything; the endpoints are those of :data:`STUDY`, which asks for M0 only."""
TOXICITY = (
    ToxicityEndpoint(name="acute", title="Acute", window="acute", least_grade=2, by="sequence"),
    ToxicityEndpoint(name="late", title="Late", window="late", least_grade=2, by="sequence"),
    ToxicityEndpoint(name="wound", title="W", measure="major wound complication", by="sequence"),
)
NIGHT = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})
DEMO_NIGHT = NIGHT.with_columns(received_on=dt.date(2022, 1, 10))

PROVENANCE = ("record_id", "record_ids", "evidence", "file_id", "ordinal", "position", "pseudonym")


@dataclass(frozen=True, eq=False)
class Built:
    """What the program makes of a delivery."""

    made: Curation
    frames: Mapping[str, pl.DataFrame]

    def __getitem__(self, entity: str) -> pl.DataFrame:
        return self.frames[entity if "." in entity else f"curated.{entity}"]

    def said(self, but: Collection[str] = ()) -> dict[tuple[str, str], list[str]]:
        """Table and patient to what is said of them there: rows without what only names records.

        Args:
            but: other columns to leave out.
        """
        said: dict[tuple[str, str], list[str]] = {}
        for table, frame in self.frames.items():
            who = "patient_id" if "patient_id" in frame.columns else "pseudonym"
            if who not in frame.columns:
                continue
            kept = [
                c for c in frame.columns if not c.endswith(PROVENANCE) and c not in (who, "course_id", *but)
            ]
            for patient, rows in frame.partition_by(who, as_dict=True).items():
                said[table, str(patient[0])] = sorted(map(repr, rows.select(kept).rows()))
        return said

    def findings(self, *, notices: bool = False) -> dict[str, list[str]]:
        """Patient to the rules that their records break."""
        table = pl.concat(
            [
                frame.select("record_id", "person_ref")
                for name, frame in self.made.typed.items()
                if "person_ref" in frame.columns
            ]
        ).unique()
        links = self.made.link.select("person_ref", "patient_id")
        whose = table.join(links, on="person_ref").select("record_id", "patient_id").unique()
        kept = self.made.observed.filter(pl.lit(notices) | (pl.col("severity") != "notice"))
        found = kept.join(whose, on="record_id").group_by("patient_id").agg(pl.col("rule_id").sort())
        return dict(found.iter_rows())


def build(folder: Path, files: Mapping[str, Element | bytes], sources: Sources = SOURCES) -> Built:
    """Write files, read them as the night does, curate, and derive the cohort.

    Args:
        folder: an empty folder.
        files: name to the document.
        sources: of the study; the first one reads all files of its kind.
    """
    for name, content in files.items():
        written = content if isinstance(content, bytes) else etree.tostring(content, encoding="UTF-8")
        (folder / name).write_bytes(written)
    received, paths = read(folder, sources)
    return derive(received, sources, paths)


def read(drop: Path, sources: Sources) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Read the files of a drop folder as the night does.

    Returns:
        Received table to its records, and ``file_id``, ``path``, ``source`` of the files.
    """
    batches, known = [], []
    for source in sources.source:
        for path in sorted({p for pattern in source.files for p in drop.glob(pattern) if p.is_file()}):
            name = path.relative_to(drop).as_posix()
            file_id = hashlib.blake2b(name.encode() + path.read_bytes(), digest_size=8).hexdigest()
            known.append((file_id, name, source.name))
            file = SourceFile(file_id, path, name, source.name)
            batches.append(reader(source.kind).read(file, source, "R1", Limits()))
    received = {t: c.empty() for t, c in CONTRACTS.items() if t.startswith("received.")}
    received |= received_record.frames(batches)
    names = ("file_id", "path", "source")
    return received, pl.DataFrame(known, schema=dict.fromkeys(names, pl.String), orient="row")


def derive(
    received: Mapping[str, pl.DataFrame],
    sources: Sources,
    paths: pl.DataFrame,
    study: Study = STUDY,
    night: pl.DataFrame = NIGHT,
) -> Built:
    """Curate received records and derive the cohort.

    Args:
        received: received table to its records.
        sources: of the study.
        paths: ``file_id``, ``path``, ``source``.
        study: the study.
        night: ``refresh_id``, ``received_on``.
    """
    made = curate(received, sources, night, paths, study=study)
    curated = dict(made.curated)
    whole = derivation.cohort(curated, study)
    toxic = toxicity.toxicity(curated, whole.happened, whole.members)
    cohort = {
        "cohort.toxicity": toxic,
        "cohort.toxicity_endpoints": toxicity_endpoints.derive(
            curated, whole.happened, whole.members, toxic, TOXICITY, study.gate
        ),
        "cohort.strict": eligibility.assess(curated, whole.happened, STRICT).eligibility,
        "cohort.eligibility": whole.judged.eligibility,
        "cohort.patients": covariates.patients(curated, whole.happened, whole.eligible),
        "cohort.events": released_events.events(whole.happened, whole.members),
        "cohort.endpoints": whole.derived.endpoints,
        "cohort.not_at_risk": whole.derived.not_at_risk,
    }
    return Built(made, {**curated, **cohort})


def cohort_findings(built: Built, study: Study, sources: Sources, places: pl.DataFrame) -> pl.DataFrame:
    """Return what the derivation of the cohort observes of the patients, as the night does.

    Args:
        built: what was derived.
        study: the study.
        sources: of the study.
        places: of the records, from ``quality.findings.places``.
    """
    whole = derivation.cohort(built.made.curated, study)
    seen = [cohort_observations.of_patients(whole)]
    return cohort_observations.observe(seen, whole.judged, study, sources, lambda _: places)
