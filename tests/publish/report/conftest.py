"""The demo cohort's released tables, built from its CSV file and not by the pipeline."""

import tomllib
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.published_study import audit, comparison
from sarcoma_pipeline.survival import cox, kaplan_meier, model_tests, table_one
from schemas.cohort import CohortFlow, CohortPatient
from schemas.configuration import Sources, Study
from schemas.release import MetaRelease
from tests.survival.demo_endpoints import MONTH, demo_endpoints

ROOT = Path(__file__).parents[3]


def _toml(name: str, file: str) -> dict:
    return tomllib.loads((ROOT / "data/studies" / name / file).read_text("utf-8"))


@pytest.fixture(scope="session")
def study() -> Study:
    return Study.model_validate(_toml("sts_imrt", "study.toml"))


@pytest.fixture(scope="session")
def tcga() -> Study:
    return Study.model_validate(_toml("tcga_sarc", "study.toml"))


@pytest.fixture(scope="session")
def sources() -> Sources:
    return Sources.model_validate(_toml("sts_imrt", "sources.toml"))


@pytest.fixture(scope="session")
def tcga_sources() -> Sources:
    return Sources.model_validate(_toml("tcga_sarc", "sources.toml"))


@pytest.fixture(scope="session")
def paper() -> list[pl.DataFrame]:
    folder = ROOT / "data/studies/sts_imrt"
    return [
        pl.read_csv(folder / f, infer_schema=False)
        for f in ("published.csv", "published_map.csv", "audit.csv")
    ]


@pytest.fixture(scope="session")
def patients() -> pl.DataFrame:
    frame = _demo().with_columns(
        pseudonym="patient",
        age_at_diagnosis_years="age_at_diagnosis",
        residual_status="resection_status",
        relapse_pattern=pl.lit("none"),
        boost=pl.lit("none"),
        follow_up_days="os_days",
        follow_up_months=pl.col("os_days") / MONTH,
        record_ids=pl.concat_list("patient"),
    )
    return CohortPatient.enforce(CohortPatient.conform(frame))


@pytest.fixture(scope="session")
def endpoints() -> pl.DataFrame:
    return demo_endpoints(_demo())


def _demo() -> pl.DataFrame:
    return pl.read_csv(ROOT / "data/demo/demo_cohort.csv", try_parse_dates=True)


@pytest.fixture(scope="session")
def frames(
    study: Study, patients: pl.DataFrame, endpoints: pl.DataFrame, paper: list[pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """All tables of a release of the paper's study."""
    made = _frames(study, patients, endpoints)
    made["analysis.published_comparison"] = comparison.compare(
        *paper,
        patients=patients,
        endpoints=endpoints,
        estimates=made["analysis.survival_estimate"],
        hazard_ratios=made["analysis.hazard_ratio"],
        joint_tests=made["analysis.joint_test"],
    )
    made["analysis.published_audit"] = audit.audit(*paper)
    return made


@pytest.fixture(scope="session")
def tcga_frames(tcga: Study, patients: pl.DataFrame, endpoints: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """A study with overall survival only and without a paper."""
    return _frames(tcga, patients, endpoints.filter(pl.col("endpoint") == "OS"))


def _frames(study: Study, patients: pl.DataFrame, endpoints: pl.DataFrame) -> dict[str, pl.DataFrame]:
    n = patients.height
    flow = pl.DataFrame(
        [
            {
                "position": i, "criterion": c.name, "label": c.label, "entered": n + 10 - i + 1,
                "excluded": 1, "remaining": n + 10 - i,
            }
            for i, c in enumerate(study.criteria, 1)
        ]
    )  # fmt: skip
    release = {
        "study": study.name, "title": study.title, "refresh_id": "R1",
        "released_at": "2026-01-01T00:00:00+00:00",
        "code_version": "0.1.0", "configuration_hash": "c0", "manifest_hash": "f0", "content_hash": "d0",
        "eligible": n,
    }  # fmt: skip
    tests = model_tests.model_tests(patients, endpoints, study.models, study.covariates, study.statistics)
    return {
        "cohort.flow": CohortFlow.conform(flow),
        "cohort.patients": patients,
        "cohort.endpoints": endpoints,
        "analysis.table_one": table_one.table_one(patients, study.table_one),
        "analysis.survival_curve": kaplan_meier.curves(endpoints),
        "analysis.survival_estimate": kaplan_meier.estimates(endpoints, study.horizons_months),
        "analysis.survival_sensitivity": kaplan_meier.sensitivity(endpoints, study.horizons_months),
        "analysis.hazard_ratio": cox.hazard_ratios(patients, endpoints, study.models, study.covariates),
        "analysis.model_fit": tests.fits,
        "analysis.joint_test": tests.joint,
        "analysis.univariable_hazard_ratio": tests.univariable,
        "meta.release": MetaRelease.conform(pl.DataFrame([release])),
    }
