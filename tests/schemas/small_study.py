"""A small study whose configuration the tests alter."""

from __future__ import annotations

from pathlib import Path

from schemas.configuration import load_study

STUDY = """\
name = "small"
title = "A small study"
description = "One criterion, one endpoint, one model."
drop = "data/drop/small"
horizons_months = [12, 24]
subgroups = ["sex"]

[[criteria]]
name = "site"
rule = "site"
label = "Limb or trunk"
values = ["extremities", "trunk"]

[[criteria]]
name = "window"
rule = "window"
label = "2011 to 2020"
start = 2011-01-01
end = 2020-12-31

[[endpoints]]
name = "OS"
title = "Overall survival"
events = ["death"]
censor = "last known alive"

[[covariates]]
name = "sex"
column = "sex"
kind = "factor"
reference = "male"
levels = ["female", "male"]

[[covariates]]
name = "sequence"
column = "radiation_sequence"
kind = "factor"
reference = "postoperative"
levels = ["preoperative", "postoperative"]
merge = { "postoperative adjuvant" = "postoperative" }

[[models]]
name = "OS"
endpoint = "OS"
title = "Overall survival"
covariates = ["sex"]

[[table_one]]
title = "Age"
column = "age_at_diagnosis_years"
kind = "median"

[[table_one]]
title = "T"
column = "t_stage"
kind = "factor"
levels = ["T1", "T2"]
"""

SOURCES = """\
[[source]]
name = "offices"
kind = "registry"
files = ["r/*.csv"]
date_formats = ["%d.%m.%Y"]

[source.columns]
hospital_number = "Nr"
answer = "Auskunft"
event_date = "Datum"

[[source]]
name = "plans"
kind = "dicom"
files = ["**/*.dcm"]
phantom_patterns = ["(?i)phantom"]

[[source]]
name = "sheet"
kind = "table"
format = "csv"
files = ["t/*.csv"]
key = ["Nr"]
date_format = "%d.%m.%Y"

[[source.entities]]
entity = "diagnosis"

[source.entities.columns]
hospital_number = "Nr"
diagnosis_date = "Datum"
tumour_size_cm = { column = "mm", scale = 0.1 }
fnclcc_grade = { column = "Grad", codes = { "1" = "G1", "2" = "G2" } }

[precedence]
death = ["registry office", "oBDS"]
"""


def load(tmp_path: Path, study: str = STUDY, sources: str = SOURCES) -> None:
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(study, "utf-8")
    (folder / "sources.toml").write_text(sources, "utf-8")
    load_study(folder)


def line_of(text: str, part: str) -> int:
    """Line of a text that holds a part of it, from 1."""
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)
