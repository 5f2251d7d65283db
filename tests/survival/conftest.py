"""The demo cohort as frames of the cohort layer, built from its CSV file and not by the pipeline."""

import tomllib
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.kaplan_meier import estimates
from schemas.cohort import CohortPatient
from schemas.configuration import Study
from tests.survival.demo_endpoints import MONTH, demo_endpoints

ROOT = Path(__file__).parents[2]


def _study(name: str) -> Study:
    text = (ROOT / "data/studies" / name / "study.toml").read_text("utf-8")
    return Study.model_validate(tomllib.loads(text))


@pytest.fixture(scope="session")
def study() -> Study:
    return _study("sts_imrt")


@pytest.fixture(scope="session")
def tcga() -> Study:
    return _study("tcga_sarc")


@pytest.fixture(scope="session")
def demo() -> pl.DataFrame:
    return pl.read_csv(ROOT / "data/demo/demo_cohort.csv", try_parse_dates=True)


@pytest.fixture(scope="session")
def patients(demo: pl.DataFrame) -> pl.DataFrame:
    local, distant = pl.col("local_relapse_date").is_not_null(), pl.col("distant_relapse_date").is_not_null()
    frame = demo.with_columns(
        pseudonym="patient",
        dose_gy="prescribed_dose_gy",
        age_at_diagnosis_years="age_at_diagnosis",
        residual_status="resection_status",
        boost=pl.when("simultaneous_integrated_boost")
        .then(pl.lit("simultaneous integrated"))
        .otherwise(pl.lit("none")),
        diagnosis_year=pl.col("diagnosis_date").dt.year(),
        relapse_pattern=pl.when(local & distant)
        .then(pl.lit("local and distant"))
        .when(local)
        .then(pl.lit("local only"))
        .when(distant)
        .then(pl.lit("distant only"))
        .otherwise(pl.lit("none")),
        follow_up_days="os_days",
        follow_up_months=pl.col("os_days") / MONTH,
        record_ids=pl.concat_list("patient"),
    )
    return CohortPatient.enforce(CohortPatient.conform(frame))


@pytest.fixture(scope="session")
def endpoints(demo: pl.DataFrame) -> pl.DataFrame:
    return demo_endpoints(demo)


@pytest.fixture(scope="session")
def golden() -> pl.DataFrame:
    return pl.read_csv(ROOT / "tests/golden/demo_survival.csv", schema_overrides={"key": pl.String})


@pytest.fixture(scope="session")
def demo_estimates(endpoints: pl.DataFrame, study: Study) -> pl.DataFrame:
    return estimates(endpoints, study.horizons_months)


@pytest.fixture(scope="session")
def demo_hazard_ratios(patients: pl.DataFrame, endpoints: pl.DataFrame, study: Study) -> pl.DataFrame:
    return hazard_ratios(patients, endpoints, study.models, study.covariates)


@pytest.fixture(scope="session")
def paper() -> dict[str, pl.DataFrame]:
    """Return ``published``, ``published_map`` and ``audit`` as text."""
    folder = ROOT / "data/studies/sts_imrt"
    names = {"published": "published.csv", "published_map": "published_map.csv", "audit": "audit.csv"}
    return {key: pl.read_csv(folder / name, infer_schema=False) for key, name in names.items()}
