"""The recipes of CONTRIBUTING.md, performed in a copy of the program: what they touch, and that they work."""

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.cohort import endpoints
from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.survival import cox
from schemas.configuration import load_study

ROOT = Path(__file__).parents[2]
PARTS = ("sarcoma_pipeline", "schemas", "data/studies")

JSON_LINES = '''
"""One JSON object a line, as a laboratory sends them."""

from __future__ import annotations

import json
from typing import Literal

from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from schemas.configuration import DEFAULT_LIMITS, Limits, MappedSource
from schemas.received import TableRow


class JsonLinesSource(MappedSource):
    """Files of JSON lines."""

    kind: Literal["jsonl"]


def read(file: SourceFile, source: JsonLinesSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one file."""
    batch = Batch(file, refresh, limits)
    with batch.guarded(), open_file(file.path) as stream:
        for number, line in enumerate(stream, start=1):
            try:
                cells = {name: str(cell) for name, cell in json.loads(line).items()}
            except ValueError:
                batch.unread(f"line {number}", "file.row-malformed", "the line is no JSON object")
                continue
            key = tuple(cells.get(header) for header in source.key)
            values = json.dumps(cells, ensure_ascii=False, sort_keys=True)
            batch.add(TableRow, f"line {number}", key, {"table_name": source.name, "values": values})
    return batch
'''
ENTRY = """        Reader(
            json_lines.JsonLinesSource,
            "sarcoma_pipeline.sources.json_lines",
            ("received.table_row",),
            icon="file",
            label="laboratory values",
        ),
    )
}"""
SOURCE = """

[[source]]
name = "laboratory"
kind = "jsonl"
files = ["lab/*.jsonl"]
key = ["nr"]

[[source.entities]]
entity = "diagnosis"

[source.entities.columns]
hospital_number = "nr"
tumour_size_cm = { column = "mm", scale = 0.1 }
"""
USE_READER = """
import datetime as dt
from pathlib import Path
import polars as pl
from sarcoma_pipeline.cli.study_option import configured
project = configured("sts_imrt")
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.quality.curate import curate
from sarcoma_pipeline.sources import manifest
from schemas.meta import MetaFile
found = manifest.scan(project.drop, project.sources, MetaFile.empty(), "N").to_read
received = {}
for one in found:
    for table, frame in manifest.read(one, "N").frames().items():
        received[table] = frame
days = pl.DataFrame({"refresh_id": ["N"], "received_on": [dt.date(2021, 1, 1)]})
made = curate(received, project.sources, days)
print(made.typed["typed.diagnosis"].select("person_ref", "tumour_size_cm").rows())
print(made.observed.filter(pl.col("rule_id").str.starts_with("file."))["rule_id"].to_list())
graph = build_definitions(project).resolve_asset_graph()
print([k.to_user_string() for k in graph.get_all_asset_keys() if k.path[-1] == "laboratory"])
print(found[0].row["reader_version"].split()[0])
"""


@pytest.fixture
def copy(tmp_path) -> Path:
    for part in PARTS:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _touched(copy: Path) -> set[str]:
    """Files of the copy that are new or no longer what they are here."""
    files = {p.relative_to(copy) for part in PARTS for p in (copy / part).rglob("*") if p.is_file()}
    return {
        str(path)
        for path in files
        if path.suffix in (".py", ".toml")
        and not ((ROOT / path).is_file() and (ROOT / path).read_bytes() == (copy / path).read_bytes())
    }


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, (path, old)
    path.write_text(text.replace(old, new, 1))


def _run(copy: Path, program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=copy, env={"PYTHONPATH": str(copy), "SARCOMA_ROOT": str(copy)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


USE_COLUMN = """
import datetime as dt
import polars as pl
from sarcoma_pipeline.cohort import covariates, eligibility
from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.quality.column_lineage import origins
from sarcoma_pipeline.study import project
from schemas import received as r
from schemas.column_lineage import upstream
from tests.conftest import Records
records = Records()
records.patient()
records.diagnosis(Allgemeiner_Leistungszustand="2")
study = project.load("sts_imrt").study
frames = records.run().frames
print(covariates.describe(frames, timeline(frames, study.assumptions))["performance_status"].to_list())
edges = upstream(origins(), ("cohort.patients", "performance_status"))
print(("received.obds_diagnosis", "Allgemeiner_Leistungszustand") in {source for _, source in edges})
"""


def test_a_column_from_obds_to_the_cohort_is_three_files(copy):
    shutil.copytree(ROOT / "tests", copy / "tests", ignore=shutil.ignore_patterns("__pycache__", "golden"))
    column = (
        'performance_status: pl.String = column("Performance status", "ECOG or Karnofsky, as documented.")\n'
    )
    typed = copy / "schemas/typed_diagnosis.py"
    _edit(typed, "    distant_metastasis: pl.Boolean", f"    {column}    distant_metastasis: pl.Boolean")
    reading = '"performance_status": text("Allgemeiner_Leistungszustand"),\n'
    mark = "DIAGNOSIS: dict[str, Reading] = {\n"
    _edit(copy / "sarcoma_pipeline/curation/obds_reports.py", mark, f"{mark}    {reading}")
    _edit(
        copy / "schemas/cohort.py", "    tumour_depth: pl.String", f"    {column}    tumour_depth: pl.String"
    )
    assert _touched(copy) == {
        "schemas/typed_diagnosis.py", "sarcoma_pipeline/curation/obds_reports.py", "schemas/cohort.py",
    }  # fmt: skip
    assert _run(copy, USE_COLUMN) == ["['2']", "True"]


@pytest.mark.slow
def test_a_reader_is_one_module_and_one_entry(copy):
    (copy / "sarcoma_pipeline/sources/json_lines.py").write_text(JSON_LINES)
    registry = copy / "sarcoma_pipeline/sources/readers.py"
    _edit(registry, "    )\n}", ENTRY)
    _edit(registry, "from schemas.conf", "from sarcoma_pipeline.sources import json_lines\nfrom schemas.conf")
    assert _touched(copy) == {"sarcoma_pipeline/sources/json_lines.py", "sarcoma_pipeline/sources/readers.py"}
    sources = copy / "data/studies/sts_imrt/sources.toml"
    sources.write_text(sources.read_text() + SOURCE)
    folder = copy / "data/drop/sts_imrt/lab"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text('{"nr": "7", "mm": 31}\nno object\n')
    typed, faults, drop, kind = _run(copy, USE_READER)
    ((person, size),) = eval(typed)  # what the program printed with repr
    assert (person, round(size, 9)) == ("number:7", 3.1)
    assert eval(faults) == ["file.row-malformed"]
    assert eval(drop) == ["sts_imrt/drop/laboratory"]
    assert kind == "jsonl"


def test_an_endpoint_is_configuration_only(copy, records):
    study = copy / "data/studies/sts_imrt/study.toml"
    _edit(
        study,
        "[[endpoints]]",
        '[[endpoints]]\nname = "FFDM"\ntitle = "Freedom from distant metastasis"\n'
        'events = ["distant relapse"]\ncensor = "last disease assessment"\n\n[[endpoints]]',
    )
    assert _touched(copy) == {"data/studies/sts_imrt/study.toml"}
    configured, _ = load_study(study.parent)
    assert "FFDM" in [e.name for e in configured.endpoints]
    from schemas import received as r

    records.patient()
    records.diagnosis(on="2012-01-01")
    records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2012-04-10", Gesamtbeurteilung_Tumorstatus="Y",
        Verlauf_Tumorstatus_Fernmetastasen="R", Module_ID="V1",
    )  # fmt: skip
    outcome = records.run()
    members = outcome["patient"].select("patient_id", "pseudonym")
    happened = timeline(outcome.frames, configured.assumptions)
    derived = endpoints.derive(happened, members, configured).endpoints
    (row,) = derived.filter(pl.col("endpoint") == "FFDM").rows(named=True)
    days = (dt.date(2012, 4, 10) - dt.date(2012, 1, 1)).days
    assert (row["event"], row["event_kind"], row["time_days"]) == (True, "distant relapse", days)


def test_a_covariate_is_configuration_only(copy):
    study = copy / "data/studies/sts_imrt/study.toml"
    _edit(
        study,
        "[[covariates]]",
        '[[covariates]]\nname = "depth"\ncolumn = "tumour_depth"\nkind = "factor"\nreference = "deep"\n'
        'levels = ["deep", "superficial"]\n'
        'labels = { superficial = "Superficial vs. deep" }\n\n[[covariates]]',
    )
    _edit(study, "[[models]]", '[[models]]\nname = "depth"\nendpoint = "OS"\ntitle = "Depth"\n'
          'covariates = ["depth"]\n\n[[models]]')  # fmt: skip
    assert _touched(copy) == {"data/studies/sts_imrt/study.toml"}
    configured, _ = load_study(study.parent)
    names = [f"p{n}" for n in range(40)]
    patients = pl.DataFrame({"pseudonym": names, "tumour_depth": ["deep", "superficial"] * 20})
    ends = pl.DataFrame(
        {"pseudonym": names, "endpoint": ["OS"] * 40, "time_days": range(30, 1230, 30),
         "time_months": [float(n + 1) for n in range(40)],
         "event": [n % 3 > 0 for n in range(40)]}
    )  # fmt: skip
    models = [m for m in configured.models if m.name == "depth"]
    ratios = cox.hazard_ratios(patients, ends, models, configured.covariates)
    assert "Superficial vs. deep" in ratios["contrast"].to_list()
