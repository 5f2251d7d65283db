"""The guide for a first study does what it says: its own commands, on tables that the program never saw."""

import csv
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
import xlsxwriter

from tests.refreshed import REPOSITORY, Place

GUIDE = (REPOSITORY / "docs/first_study.md").read_text("utf-8")


def _lung() -> list[dict[str, str]]:
    """Read the lung cancer data of the North Central Cancer Treatment Group, as lifelines ships them."""
    # The package is found without importing it, which takes a second.
    package = find_spec("lifelines")
    assert package is not None and package.submodule_search_locations
    with (Path(package.submodule_search_locations[0]) / "datasets/lung.csv").open() as stream:
        return list(csv.DictReader(stream))


def _tables(folder: Path) -> None:
    """Write them as a data manager would: a title, German headers, months; and a reply for those alive."""
    lung = _lung()
    with xlsxwriter.Workbook(folder / "patients.xlsx") as workbook:
        sheet = workbook.add_worksheet("Patienten")
        sheet.write_row(0, 0, ["Studienpatienten"])
        sheet.write_row(2, 0, ["Pat.-Nr.", "Alter", "Geschlecht", "Zeit", "Status", "ECOG"])
        for n, row in enumerate(lung):
            sex = "m" if row["sex"] == "1" else "w"
            months = float(row["time"]) / 30.4375
            sheet.write_row(
                3 + n, 0, [1000 + n, int(row["age"]), sex, months, int(row["status"]), row["ph.ecog"]]
            )
    with xlsxwriter.Workbook(folder / "reply.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["Aktenzeichen", "Patientennummer", "Auskunft", "Datum", "Stand"])
        alive = [n for n, row in enumerate(lung) if row["status"] == "0"]
        for line, n in enumerate(alive, start=1):
            sheet.write_row(line, 0, [f"A{n}", 1000 + n, "keine Auskunft", "", ""])


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, flags=re.S)
    return [shlex.split(line) for block in blocks for line in block.splitlines() if line.strip()]


def answers() -> list[tuple[str, str]]:
    return re.findall(r'^\| `([^`]*"\?"[^`]*)` \| `([^`]*)` \|$', GUIDE, flags=re.M)


@pytest.mark.slow
def test_the_guide_leads_to_a_draft_report(tmp_path, monkeypatch):
    place = Place(tmp_path, "first")
    for folder in (place.home, tmp_path / "data/studies"):
        folder.mkdir(parents=True)
    (place.home / "dagster.yaml").write_text((REPOSITORY / "dagster_home/dagster.yaml").read_text())
    _tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    init, check, refresh, findings = commands()
    assert place.sarcoma(*init[1:]).exit_code == 0
    sources = tmp_path / "data/studies/first/sources.toml"
    # Unanswered, the check refuses the configuration.
    assert place.sarcoma(*check[1:]).exit_code == 2
    text = sources.read_text("utf-8")
    for question, answer in answers():
        assert question in text
        text = text.replace(question, answer)
    assert len(answers()) == 2 and '= "?"' not in text
    sources.write_text(text, "utf-8")
    told = place.sarcoma(*check[1:])
    assert told.exit_code in (0, 1), told.output
    # 165 of 228 patients died, and the median of all times is 255.5 days (lifelines, R survival: lung).
    assert "OS: 165 events in 228 patients" in told.output
    assert "median 255.5 days" in told.output
    assert place.sarcoma(*refresh[1:]).exit_code == 0
    page = (tmp_path / "data/published/first/draft/report/index.html").read_text("utf-8")
    assert "DRAFT" in page
    assert place.sarcoma(*findings[1:]).exit_code == 0


def test_the_guide_names_no_command_that_does_not_exist():
    from sarcoma_pipeline.cli import main

    assert {words[0] for words in commands()} == {"sarcoma"}
    assert {words[1] for words in commands()} <= set(main.commands)
