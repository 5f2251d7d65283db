import datetime as dt
import hashlib
from pathlib import Path

import polars as pl
import pydicom
import pytest
from lxml import etree

from sarcoma_pipeline.cohort import derivation
from sarcoma_pipeline.curation import near_matches
from sarcoma_pipeline.quality import accounting
from sarcoma_pipeline.quality.curate import curate
from sarcoma_pipeline.quality.rule_catalogue import rules
from sarcoma_pipeline.sources import readers, received_record
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, digest
from sarcoma_pipeline.synthetic.drop import OFFICES
from sarcoma_pipeline.synthetic.people import people
from sarcoma_pipeline.synthetic.render import demo, render
from schemas.configuration import load_study
from schemas.contract import CONTRACTS
from schemas.wound_operations import amputates

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data" / "demo"
SEED = 7
AGAINST_SCHEMA = {
    "tudok_abgebrochen.xml", "tudok_2021-12.xml", "tudok_ohne_pruefung.xml", "altsystem.xml",
    "tudok_ohne_namensraum.xml", "tudok_v3.0.9.xml", "tudok_ohne_datum.xml",
}  # fmt: skip
"""Defects that make an export invalid, or that are no export."""


def _frames() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    cohort, ineligible, defects = (
        pl.read_csv(DATA / f"{n}.csv", try_parse_dates=True, infer_schema_length=None)
        for n in ("demo_cohort", "ineligible", "defects")
    )
    return cohort, ineligible, defects


class Night:
    """A drop folder and the pipeline's tables of it, from received to curated."""

    def __init__(self, drop: Path, truth: pl.DataFrame) -> None:
        self.drop, self.truth = drop, truth
        self.study, self.sources = load_study(ROOT / "data" / "studies" / "sts_imrt")
        self.batches: list[Batch] = []
        self.files: dict[str, str] = {}
        self.found: list[tuple[str, str, str]] = []
        for source in self.sources.source:
            for path in sorted({p for pattern in source.files for p in drop.glob(pattern) if p.is_file()}):
                self._read(path, source)
        received = {t: c.empty() for t, c in CONTRACTS.items() if t.startswith("received.")}
        received |= received_record.frames(self.batches)
        on = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2022, 1, 10)]})
        files = pl.DataFrame(self.found, schema=["file_id", "path", "source"], orient="row")
        made = curate(received, self.sources, on, files)
        self.curated = made.curated
        self.accounting = accounting.account(received, made.curated, made.quarantine, made.disposition)
        self.observed = made.observed.join(_places(received, self.files), on="record_id", how="left")

    def _read(self, path: Path, source) -> None:
        relative = path.relative_to(self.drop).as_posix()
        file = SourceFile(digest(relative), path, relative, source.name)
        self.files[file.file_id] = relative
        self.found.append((file.file_id, relative, source.name))
        self.batches.append(readers.reader(source.kind).read(file, source, "R1", self.sources.limits))


def _places(received: dict[str, pl.DataFrame], files: dict[str, str]) -> pl.DataFrame:
    """Return ``record_id, file, locator`` of every received record, as named in the list of defects."""
    parts = []
    for table, frame in received.items():
        locator = pl.coalesce(
            [
                *(c for c in ("reference", "Meldung_ID", "SOPInstanceUID") if c in frame.columns),
                *(["Patient_ID"] if table == "received.obds_patient" else []),
                *([pl.col("values").str.json_path_match("$.Patientennummer")] if "values" in frame else []),
                pl.lit("file"),
            ]
        )
        parts.append(frame.select("record_id", "file_id", locator=locator))
    return pl.concat(parts).with_columns(file=pl.col("file_id").replace_strict(files))


@pytest.fixture(scope="module")
def night(tmp_path_factory) -> Night:
    drop = tmp_path_factory.mktemp("drop")
    return Night(drop, demo(drop, SEED, DATA))


@pytest.fixture(scope="module")
def patients(night) -> pl.DataFrame:
    """Map the demo's patients to the pipeline's."""
    cohort, ineligible, _ = _frames()
    return pl.DataFrame(
        [(p.patient, f"number:{p.number}") for p in people(cohort, ineligible, SEED)],
        schema=["patient", "patient_id"],
        orient="row",
    )


# --- the files ----------------------------------------------------------------------------------------


def test_every_export_is_valid_but_those_whose_defect_it_is(night):
    schema = etree.XMLSchema(etree.parse(ROOT / "tests" / "real" / "oBDS_v3.0.4.xsd"))
    valid, invalid = set(), set()
    for path in (night.drop / "obds").glob("*.xml"):
        try:
            (valid if schema.validate(etree.parse(path)) else invalid).add(path.name)
        except etree.XMLSyntaxError:
            invalid.add(path.name)
    assert invalid == AGAINST_SCHEMA
    assert len(valid) >= 5


def _tree(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


@pytest.mark.slow
def test_same_seed_same_bytes_other_seed_other_names(night, tmp_path):
    again = demo(tmp_path / "again", SEED, DATA)
    assert again.equals(night.truth)
    assert _tree(tmp_path / "again") == _tree(night.drop)
    cohort, ineligible, _ = _frames()
    assert people(cohort, ineligible, 1)[0].family != people(cohort, ineligible, 2)[0].family


def test_text_files_are_in_the_encodings_of_their_senders(night):
    for office in OFFICES:
        content = (night.drop / office).read_bytes()
        assert content.decode("latin-1").startswith("Aktenzeichen;Patientennummer;Familienname;Vornamen;")
        with pytest.raises(UnicodeDecodeError):
            content.decode("utf-8")
    table = (night.drop / "tables" / "sarkomtabelle.csv").read_bytes().decode("cp1252")
    assert table.startswith("Patientennummer;Tumorgröße (cm);Tiefe;Chemotherapie;FNCLCC;Letzter Kontakt")


def test_about_half_of_the_replies_lack_the_number(night):
    rows = [
        line.split(";")
        for path in (night.drop / "registry").glob("meldeamt_*.csv")
        for line in path.read_text("latin-1").splitlines()[1:]
    ]
    assert 0.35 < sum(not cells[1] for cells in rows) / len(rows) < 0.65


def test_pydicom_reads_the_plans_back(night, patients):
    number = patients.filter(pl.col("patient") == "DEMO-001")["patient_id"].item().removeprefix("number:")
    plan = next((night.drop / "dicom" / number).glob("RP*"))
    dataset = pydicom.dcmread(plan)
    assert (dataset.PatientID, dataset.Modality) == (number, "RTPLAN")
    assert dataset.FractionGroupSequence[0].NumberOfFractionsPlanned == 36


def test_no_two_people_share_a_name_or_part_of_one():
    cohort, ineligible, _ = _frames()
    parts = [part for p in people(cohort, ineligible, SEED) for part in p.family.split("-")]
    folded = pl.Series(parts).to_frame("n").select(near_matches.folded(pl.col("n")))["n"]
    assert folded.n_unique() == len(parts)


# --- the plan -----------------------------------------------------------------------------------------


def test_defects_cover_the_worlds(night):
    truth = night.truth
    assert set(truth["world"]) == {"files", "obds", "registry", "tables", "dicom"}
    assert truth["kind"].n_unique() == truth.height
    assert truth["rule_id"].n_unique() >= 30
    assert set(truth["rule_id"]) <= set(rules())
    assert truth["file"].null_count() == truth["locator"].null_count() == 0


def test_an_unknown_kind_or_carrier_is_an_error(tmp_path):
    cohort, ineligible, defects = _frames()
    one = defects.head(1)
    for wrong in ({"kind": "no such kind"}, {"patient": "nobody"}):
        with pytest.raises(KeyError):
            render(
                cohort, ineligible, one.with_columns(**{k: pl.lit(v) for k, v in wrong.items()}), tmp_path, 1
            )


# --- read back ----------------------------------------------------------------------------------------


OF_THE_PATIENTS = (
    "radiotherapy.preoperative-without-surgery", "structures.planning-ct-missing", "plan.dose-grid-missing",
)  # fmt: skip
"""Rules on what the demo's patients are like: no seeded defects; ``refresh/test_demo`` counts them."""


def test_every_defect_is_observed_and_nothing_else(night):
    def records(frame: pl.DataFrame) -> set[tuple[str, str, str]]:
        # The order of the files decides which of two equal records counts as the duplicate.
        either = pl.when(pl.col("rule_id") == "record.duplicate").then(pl.lit("either")).otherwise("file")
        return set(frame.select("rule_id", either, "locator").rows())

    observed = night.observed.filter(~pl.col("rule_id").is_in(OF_THE_PATIENTS))
    assert records(observed) == records(night.truth)
    lines = observed.unique(["rule_id", "record_id"])
    # A missing column is reported for the header and for each row that cannot be read without it.
    assert lines.height == night.truth.height + 1


def test_every_record_is_accounted_for_once(night):
    assert night.accounting.select(pl.col("unaccounted", "counted_twice").sum()).row(0) == (0, 0)


def test_each_patient_is_excluded_where_planned_and_only_the_cohort_remains(night, patients):
    _, ineligible, _ = _frames()
    judged = derivation.cohort(night.curated, night.study).judged.eligibility
    excluded = judged.filter("excluded_here").select("criterion", patient_id="pseudonym")
    found = patients.join(excluded, on="patient_id", how="left")
    planned = ineligible.select("patient", "criterion")
    assert set(found.filter(pl.col("criterion").is_not_null()).select("patient", "criterion").rows()) == set(
        planned.rows()
    )
    own = planned.filter(~pl.col("patient").str.starts_with("CAR-"))
    counts = dict(own.group_by("criterion").len().iter_rows())
    assert set(counts) == {c.name for c in night.study.criteria}
    assert own.height >= 20 and min(counts.values()) >= 2


def test_the_cohort_is_recovered_to_the_day(night, patients):
    cohort, _, _ = _frames()
    derived = derivation.cohort(night.curated, night.study).derived.endpoints
    for name in ("OS", "DFS", "DMFS", "LRFS"):
        one = derived.filter(pl.col("endpoint") == name).rename({"pseudonym": "patient_id"})
        both = one.join(patients, on="patient_id").join(cohort, on="patient")
        assert both.height == one.height == cohort.height
        wrong = (pl.col("time_days") != pl.col(f"{name.lower()}_days")) | (
            pl.col("event") != pl.col(f"{name.lower()}_event")
        )
        assert both.filter(wrong).is_empty(), name


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (
            "diagnosis",
            {
                "diagnosis_date": "diagnosis_date", "histology_group": "histology_group", "region": "region",
                "t_stage": "t_stage", "n_stage": "n_stage", "fnclcc_grade": "fnclcc_grade",
                "icdo3_morphology": "icdo3_morphology", "icd10_site": "icd10_code",
                "tumour_depth": "tumour_depth", "tumour_size_cm": "tumour_size_cm",
            },
        ),
        ("patient", {"sex": "sex", "birth_date": "birth_date"}),
        ("surgery", {"surgery_date": "surgery_date", "resection_status": "residual_status"}),
        (
            "radiotherapy_course",
            {
                "rt_start": "start_date", "rt_end": "end_date", "radiation_sequence": "radiation_sequence",
                "prescribed_dose_gy": "prescribed_dose_gy", "fractions": "fractions",
                "single_dose_gy": "single_dose_gy", "technique": "technique",
                "beam_energy_mv": "beam_energy_mv", "ct_slice_thickness_mm": "ct_slice_thickness_mm",
            },
        ),
        ("vital_status", {"death_date": "death_date", "last_known_alive_date": "last_alive_date"}),
    ],
)  # fmt: skip
def test_the_values_of_the_cohort_are_recovered(night, patients, table, columns):
    cohort = _frames()[0].join(patients, on="patient")
    frame = night.curated[f"curated.{table}"]
    if table == "diagnosis":
        frame = frame.filter("index_tumour")
    if table == "surgery":
        # Unresected patients have no surgery to compare; three have an amputation after a local relapse.
        cohort = cohort.filter("resected")
        amputated = frame.filter(amputates()).join(cohort, on="patient_id")
        assert sorted(amputated["patient"]) == ["DEMO-005", "DEMO-020", "DEMO-065"]
        assert (amputated["surgery_date"] > amputated["local_relapse_date"]).all()
        assert (amputated["surgery_date"] < amputated["last_assessment_date"]).all()
        frame = frame.filter(~amputates())
    known = cohort.select("patient_id", **{f"known_{c}": c for c in columns})
    both = known.join(frame, on="patient_id", how="left")
    assert both.height == cohort.height
    for column, name in columns.items():
        known_value, value = both[f"known_{column}"], both[name]
        if known_value.dtype.is_numeric():
            assert (known_value.cast(pl.Float64) - value.cast(pl.Float64)).abs().max() < 1e-6, column
            assert value.null_count() == 0, column
        else:
            assert known_value.eq_missing(value).all(), column
