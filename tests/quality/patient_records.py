"""A clean patient with further records, judged by the rules on several records."""

import datetime as dt
from collections.abc import Container

import polars as pl

from sarcoma_pipeline.quality import cross_record
from schemas import typed, typed_dicom
from schemas.contract import Contract
from tests.quality.clean import CLEAN, Row, row

D = dt.date

P, Dx, S, R, C, A, M, V = (
    typed.Person, typed.Diagnosis, typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Assessment,
    typed.Metastasis, typed.VitalStatus,
)  # fmt: skip
Plan, RS, RD, CT = typed_dicom.Plan, typed_dicom.StructureSet, typed_dicom.Dose, typed_dicom.Image
DEAD = (V, {"status": "deceased", "status_date": D(2013, 6, 1)})
UNDATED = (
    V, {"status": "deceased, date unknown", "status_date": None, "reported_on": D(2013, 6, 1)},
)  # fmt: skip
Records = list[tuple[type[Contract], Row]]


def observed_with(extra: Records, without: Container[type[Contract]] = ()) -> set[str]:
    """Return the rules that a clean patient breaks with more records, and without those of some tables."""
    rows: dict[type[Contract], list[Row]] = {
        contract: [] if contract in without else [row(contract)] for contract in CLEAN
    }
    rows[typed.TumourAssignment] = []
    for number, (contract, changes) in enumerate(extra):
        clean = row(contract, f"extra-{number}", **changes) if contract in CLEAN else {
            "record_id": f"extra-{number}", "source": "oBDS", "person_ref": "number:1", **changes,
        }  # fmt: skip
        rows[contract].append(clean)
    frames = {
        c.table(): c.conform(pl.DataFrame(r, infer_schema_length=None, strict=False)) for c, r in rows.items()
    }
    link = pl.DataFrame(
        {"person_ref": ["number:1", "number:2"], "patient_id": ["p1", "p2"], "method": ["x", "x"]}
    )
    return set(cross_record.observe(frames, link)["rule_id"])


SECOND = {"person_ref": "number:2"}

UNSEEN = [(x, SECOND) for x in (P, Dx, S)]
