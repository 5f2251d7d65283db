"""Declared volumes and doses are columns of patients: used like any other, and never zero for nothing."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.cohort.dose_columns import with_doses
from sarcoma_pipeline.quality import model_gaps
from sarcoma_pipeline.survival import cox, subgroups, table_one
from schemas.configuration import Covariate, Model, Study, TableRow, load_study
from schemas.configuration_meaning import of_study
from schemas.dose_columns import THIRDS, DoseColumn

ROOT = Path(__file__).resolve().parents[2]
STS_IMRT, _ = load_study(ROOT / "data" / "studies" / "sts_imrt")
VOLUME = DoseColumn(name="ptv_cc", structure="PTV", metric="volume")
BONE = DoseColumn(name="bone_max", structure="bone", metric="max")
SKIN = DoseColumn(name="skin_v20", structure="skin corridor", metric="V20")
FEMUR = DoseColumn(name="femur_v40", structure="Femur", metric="V40")
PEOPLE = pl.DataFrame({"pseudonym": [f"p{i}" for i in range(7)]})


def row(person: str, structure: str, role: str, **values) -> dict:
    return {"pseudonym": person, "structure": structure, "role": role, **values}


def doses(*rows: dict) -> pl.DataFrame:
    columns = {
        "volume_cc": pl.Float64,
        "mean_gy": pl.Float64,
        "max_gy": pl.Float64,
        "eqd2_mean_gy": pl.Float64,
    }
    lists = {"vx_gy": pl.List(pl.Float64), "vx_percent": pl.List(pl.Float64)}
    schema = {"pseudonym": pl.String, "structure": pl.String, "role": pl.String, **columns, **lists}
    return pl.DataFrame([{name: one.get(name) for name in schema} for one in rows], schema=schema)


def test_a_structure_is_named_with_or_without_its_side_or_by_its_role():
    given = doses(
        row("p0", "Femur_R", "bone", mean_gy=30, max_gy=55.0, vx_gy=[20.0, 40.0], vx_percent=[80.0, 31.0]),
        row("p0", "Tibia_R", "bone", mean_gy=4, max_gy=60.0, vx_gy=[20.0, 40.0], vx_percent=[9.0, 1.0]),
        row("p1", "skin corridor", "skin corridor", mean_gy=9, vx_gy=[20.0], vx_percent=[12.5]),
    )
    found = with_doses(PEOPLE, given, (BONE, FEMUR, SKIN))
    # The femur has the higher mean dose, and its maximum counts.
    assert found["bone_max"].to_list() == [55.0] + [None] * 6
    assert found["femur_v40"].to_list() == [31.0] + [None] * 6
    assert found["skin_v20"].to_list() == [None, 12.5] + [None] * 5


@pytest.mark.parametrize(
    ("left", "right", "cc"),
    [
        # Volume and mean dose of either side; the volume that counts.
        ((1, 30.0), (2, 20.0), 1),
        ((1, 20.0), (2, 30.0), 2),
        ((1, 20.0), (2, 20.0), 1),  # of equal ones the first by name
        ((1, None), (2, 0.0), 2),
        ((1, None), (2, None), 1),
    ],
)
def test_of_two_sides_the_one_with_the_higher_mean_dose_counts(left, right, cc):
    sides = [
        row("p0", name, "bone", volume_cc=float(volume), mean_gy=mean)
        for name, (volume, mean) in (("Femur_L", left), ("Femur_R", right))
    ]
    femur = DoseColumn(name="femur_cc", structure="Femur", metric="volume")
    other = row("p0", "Femur", "bone", volume_cc=9.0, mean_gy=-1.0)
    for order in (sides, sides[::-1], [other, *sides] if None not in (left[1], right[1]) else sides):
        assert with_doses(PEOPLE, doses(*order), (femur,))["femur_cc"].to_list()[0] == cc


def test_what_is_not_computed_is_missing_and_never_zero():
    given = doses(
        row("p0", "PTV", "target"),
        row("p1", "PTV", "target", volume_cc=0.5),
        row("p2", "skin corridor", "skin corridor", vx_gy=[40.0], vx_percent=[3.0]),
        row("p3", "skin corridor", "skin corridor", vx_gy=[20.0]),
    )
    found = with_doses(PEOPLE, given, (VOLUME, SKIN))
    assert found["ptv_cc"].to_list() == [None, 0.5] + [None] * 5
    assert found["skin_v20"].null_count() == 7
    assert found["ptv_cc_third"].to_list() == [None, THIRDS[0]] + [None] * 5


def test_thirds_have_the_limits_of_r():
    """R 4.2: quantile(c(10, 20, 30, 40, 50, 60, 100), 1:2/3) is 30 and 50; cut gives 3, 2 and 2 patients."""
    values = [100.0, 10.0, 60.0, 20.0, 50.0, 30.0, 40.0]
    given = doses(*(row(f"p{i}", "PTV", "target", volume_cc=x) for i, x in enumerate(values)))
    found = with_doses(PEOPLE, given, (VOLUME,))
    low, middle, high = THIRDS
    assert found["ptv_cc_third"].to_list() == [high, low, high, low, middle, low, middle]


def cohort(n: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Patients whose events come the earlier the larger the target is, one of them without a dose."""
    people = pl.DataFrame({"pseudonym": [f"p{i:02}" for i in range(n)]})
    given = doses(
        *(row(f"p{i:02}", "PTV", "target", volume_cc=float(100 + 13 * (i * 7 % n))) for i in range(1, n))
    )
    ends = people.select(
        "pseudonym",
        endpoint=pl.lit("OS"),
        time_days=pl.Series([1000 - 20 * (i * 7 % n) + 11 * (i % 5) for i in range(n)], dtype=pl.Int32),
        event=pl.Series([i % 3 != 0 for i in range(n)]),
    )
    return with_doses(people, given, (VOLUME,)), ends


CC = Covariate(name="ptv", column="ptv_cc", kind="continuous")
THIRD = Covariate(
    name="third", column="ptv_cc_third", kind="factor", reference=THIRDS[0], levels=THIRDS,
)  # fmt: skip


def test_models_subgroups_and_table_one_use_it_like_any_column():
    people, ends = cohort(24)
    model = Model(name="OS", endpoint="OS", title="OS", covariates=("ptv",))
    (ratio,) = cox.hazard_ratios(people, ends, (model,), (CC,)).to_dicts()
    assert (ratio["n"], ratio["missing"]) == (23, 1)
    assert ratio["hazard_ratio"] > 1
    found = subgroups.subgroups(people, ends, [THIRD], [12])
    levels = found.estimates.filter(pl.col("covariate") == "third")
    assert dict(levels.group_by("level").agg(pl.col("n").first()).iter_rows()) == {
        THIRDS[0]: 8, THIRDS[1]: 7, THIRDS[2]: 8,
    }  # fmt: skip
    lines = table_one.table_one(people, [TableRow(title="PTV", column="ptv_cc", kind="median", unit="cm³")])
    assert lines.height >= 2


def test_a_patient_without_computed_dose_is_named():
    people, _ = cohort(6)
    study = STS_IMRT.model_copy(
        update={
            "dose_columns": (VOLUME,),
            "covariates": (CC,),
            "models": (Model(name="M", endpoint="OS", title="M", covariates=("ptv",)),),
        }
    )
    records = people.select("pseudonym", record_ids=pl.lit(["r"]))
    found = model_gaps.missing_covariates(people, people["pseudonym"], study, records)
    assert found["rule_id"].unique().to_list() == ["model.covariate-missing"]
    assert found.height == 1
    none = people.with_columns(pl.lit(None).cast(people.schema[VOLUME.name]).alias(VOLUME.name))
    assert model_gaps.missing_covariates(none, none["pseudonym"], study, records).is_empty()


def complaints(**changed) -> list[str]:
    study = Study.model_validate(STS_IMRT.model_dump(exclude_unset=True) | changed)
    return [message for _, message in of_study(study, STS_IMRT.name)]


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ({"name": "dose_gy", "structure": "PTV", "metric": "D95"}, "is a column already"),
        ({"name": "x", "structure": "PVT", "metric": "D95"}, "PTV"),
        ({"name": "x", "structure": "PTV", "metric": "V33"}, "add 33 to volumes_at_gy"),
    ],
)
def test_a_column_that_could_never_have_a_value_is_told(column, told):
    assert any(told in message for message in complaints(dose_columns=[column]))


def test_declared_columns_are_columns_of_covariates():
    own = STS_IMRT.model_dump(exclude_unset=True)
    declared = [*own["dose_columns"], {"name": "ptv_cc", "structure": "PTV", "metric": "volume"}]
    one = {"name": "third", "column": "ptv_cc_third", "kind": "factor", "reference": THIRDS[0]}
    extra = [*own["covariates"], one]
    assert complaints(dose_columns=declared, covariates=extra) == []
    assert any("ptv_cc_third" in message for message in complaints(covariates=extra))
    misspelt = [*extra[:-1], one | {"levels": ["lowest third", "midle third"]}]
    assert any("midle third" in message for message in complaints(dose_columns=declared, covariates=misspelt))
