"""The declared column lineage: whole, true to what the program does, and drawn."""

import xml.etree.ElementTree as ET

import polars as pl
import pytest

from sarcoma_pipeline.cohort import covariates, endpoints
from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.publish.report import column_lineage as drawn
from sarcoma_pipeline.quality.column_lineage import origins
from sarcoma_pipeline.study import project as places
from schemas.column_lineage import upstream
from schemas.contract import CONTRACTS
from schemas.release import RELEASED
from tests.refreshed import first_refresh

EVERY = [(table, column) for table, columns in origins().items() for column in columns]
NO_DATA = {"cohort.derivability", "analysis.published_audit"}
"""Made of the configuration and of the paper, not of records."""


def test_every_column_that_is_named_exists():
    for table, column in EVERY:
        assert column in CONTRACTS[table].polars_schema()
        for source, name in origins()[table][column]:
            assert name in CONTRACTS[source].polars_schema(), (table, column, source, name)


@pytest.mark.parametrize("table", sorted({t for t, _ in EVERY}))
def test_every_column_goes_back_to_what_was_delivered_and_never_to_itself(table):
    for column in origins()[table]:
        edges = upstream(origins(), (table, column))
        sources = {source for _, source in edges}
        leaves = sources - {target for target, _ in edges}
        delivered = {leaf for leaf in leaves if leaf[0].startswith("received.") or leaf[0] == "meta.files"}
        assert delivered, (table, column)
        assert (table, column) not in sources


def test_every_derived_table_is_declared():
    derived = {t for t in CONTRACTS if t.split(".")[0] in ("typed", "curated", "cohort", "analysis")}
    assert derived - NO_DATA == set(origins()) - {"meta.lineage"}


@pytest.fixture(scope="module")
def curated(tmp_path_factory) -> dict[str, pl.DataFrame]:
    demo = first_refresh(tmp_path_factory, "sts_imrt")
    return {
        t: CONTRACTS[t].conform(demo.warehouse(f"FROM {t}")) for t in CONTRACTS if t.startswith("curated.")
    }


@pytest.mark.slow
@pytest.mark.end_to_end
def test_no_column_of_the_cohort_moves_with_one_that_is_not_declared(curated):
    study = places.load("sts_imrt").study
    own = cohort(curated, study)
    members = own.members

    def derive(frames):
        happened = timeline(frames, study.assumptions)
        return {
            "cohort.patients": covariates.patients(frames, happened, own.eligible),
            "cohort.endpoints": endpoints.derive(happened, members, study).endpoints,
        }

    keys = {"cohort.patients": ["pseudonym"], "cohort.endpoints": ["pseudonym", "endpoint"]}
    before = derive(curated)
    moved = set()
    for table, frame in curated.items():
        for name in frame.columns:
            if name in ("patient_id", "tumour_id", "pseudonym", "index_tumour") or table == "curated.link":
                continue  # keys: without them there is no row to compare
            others = [*range(1, frame.height), 0][: frame.height]
            turned = frame.with_columns(pl.col(name).gather(others))
            after = derive({**curated, table: turned})
            for target, rows in after.items():
                both = before[target].join(rows, on=keys[target], suffix="_after")
                moved |= {
                    (target, c, table, name)
                    for c in rows.columns
                    if c not in keys[target] and not both[c].equals(both[f"{c}_after"])
                }
    sources = {m[:2]: {source for _, source in upstream(origins(), m[:2])} for m in moved}
    undeclared = {m for m in moved if m[2:] not in sources[m[:2]]}
    assert not undeclared, sorted(undeclared)
    assert ("cohort.patients", "sex", "curated.patient", "sex") in moved
    assert len(moved) > 90


def test_the_page_draws_every_column_of_the_release_and_is_the_same_every_night():
    page = drawn.page("A <study>", origins(), list(RELEASED))
    assert page == drawn.page("A <study>", origins(), list(RELEASED))
    assert "A &lt;study&gt;" in page
    for table in RELEASED:
        for column in origins().get(table, {}):
            assert f"id='{table}.{column}'" in page


def test_a_drawing_holds_every_column_that_it_rests_on():
    svg = ET.fromstring(drawn.drawing(origins(), ("cohort.patients", "technique")))
    words = {"".join(e.itertext()) for e in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {
        "dicom_plan.Beams",
        "plan.beams",
        "radiotherapy_course.technique",
        "patients.technique",
    } <= words
