"""A small study of one table, in a folder of its own, and the commands that look at it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sarcoma_pipeline.cli import main

STUDY = """\
name = "small"
title = "A small study"
description = "Invented."
drop = "data/drop/small"

[[criteria]]
name = "observed"
rule = "observed"
label = "Observed"

[[endpoints]]
name = "OS"
title = "Overall survival"
events = ["death"]
censor = "last known alive"
"""


def source(name: str, files: str, key: str, *entities: str, more: str = "") -> str:
    """Return a ``[[source]]`` of CSV with German dates."""
    head = f'''[[source]]
name = "{name}"
kind = "table"
format = "csv"
delimiter = ";"
files = [{files}]
key = ["{key}"]
{more}date_format = "%d.%m.%Y"
'''
    return "\n".join([head, *entities])


def entity(name: str, number: str, *columns: str) -> str:
    """Return an entity of a source whose rows name the patient in a column."""
    lines = "\n".join([f'hospital_number = "{number}"', *columns])
    return f'[[source.entities]]\nentity = "{name}"\n\n[source.entities.columns]\n{lines}\n'


SEX = 'sex = { column = "Geschlecht", codes = { m = "male", w = "female" } }'
STATUS = 'status = { column = "Status", codes = { lebt = "alive", tot = "deceased" } }'
STAND = 'status_date = "Stand"'

SOURCES = source(
    "sheet", '"t.csv"', "Pat",
    entity("person", "Pat", SEX),
    entity("diagnosis", "Pat", 'diagnosis_date = "ED"', 'age_at_diagnosis_years = "Alter"'),
    entity("vital_status", "Pat", STATUS, STAND),
    more='decimal = ","\n',
)  # fmt: skip

HEADER = "Pat;Geschlecht;ED;Alter;Status;Stand"
ROWS = [
    "101;m;01.02.2015;50;lebt;01.02.2020",
    "102;w;01.03.2015;61,5;tot;01.06.2016",
    "103;m;01.04.2015;42;lebt;01.04.2019",
    "104;w;01.05.2015;70;tot;01.05.2018",
]


class Place:
    """A project's root with the study ``small``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "data/studies/small"
        self.drop = root / "data/drop/small"
        for folder in (self.folder, self.drop):
            folder.mkdir(parents=True)
        self.write()

    def write(self, rows=ROWS, header=HEADER, study=STUDY, sources=SOURCES, name="t.csv") -> "Place":
        (self.folder / "study.toml").write_text(study)
        (self.folder / "sources.toml").write_text(sources)
        (self.drop / name).write_text("\n".join([header, *rows]) + "\n")
        return self

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(main, list(words), env={"SARCOMA_ROOT": str(self.root)})

    def check(self) -> dict:
        result = self.run("check", "--study", "small", "--json")
        told = json.loads(result.stdout)
        assert told["exit"] == result.exit_code
        return told

    def rules(self) -> set[str]:
        return {one["rule"] for one in self.check()["notices"]}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)
