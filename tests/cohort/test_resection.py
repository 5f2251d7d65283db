"""Which operations are resections of the primary tumour (OPS 2012 to 2024; definitions, section 3)."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.resection import resections
from schemas.curated import Diagnosis, Surgery


@pytest.mark.parametrize(
    ("codes", "is_one"),
    [
        (["5-782.b0"], True),
        # Without a code nothing says that it was elsewhere.
        ([], True),
        (None, True),
        # Lung (5-32, 5-33), lymph nodes (5-40), liver (5-50), brain (5-01): where sarcomas spread to.
        (["5-324.71"], False),
        (["5-334.2"], False),
        (["5-401.50"], False),
        (["5-502.0"], False),
        (["5-015.0"], False),
        (["5-324.71", "5-401.50"], False),
        (["5-782.b0", "5-401.50"], True),
        # The chest wall (5-34) may have the primary.
        (["5-343.3"], True),
        # A biopsy (1-) resects nothing.
        (["1-503.4"], False),
        (["1-503.4", "5-782.b0"], True),
    ],
)
def test_what_is_done_elsewhere_or_is_a_biopsy_is_no_resection_of_the_primary(codes, is_one):
    tumour = Diagnosis.conform(pl.DataFrame([{"patient_id": "i", "tumour_id": "t", "index_tumour": True}]))
    operation = {
        "patient_id": "i",
        "tumour_id": "t",
        "surgery_day": 10,
        "ops_codes": codes,
        "residual_status": "R0",
    }
    surgery = Surgery.conform(
        pl.DataFrame([operation], schema_overrides={"surgery_day": pl.Int32, "ops_codes": pl.List(pl.String)})
    )
    found = resections({"curated.diagnosis": tumour, "curated.surgery": surgery})
    assert found.height == is_one
