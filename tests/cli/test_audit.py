"""`sarcoma audit` checks a file of published numbers of any study."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sarcoma_pipeline import cli
from sarcoma_pipeline.published_study import audit_rules
from schemas.audit import VERDICTS

DOCS = Path(__file__).parents[2] / "docs/audit.md"
HEAD = "section,quantity,group/level,n,denominator,pct,value,ci,p\n"
SOUND = (
    HEAD
    + "Table 1,patients,all,120,,,,,\nTable 1,sex,female,55,120,45.8,,,\nTable 1,sex,male,65,120,54.2,,,\n"
)


def _audit(folder: Path, text: str | bytes, *options: str) -> Result:
    file = folder / "paper.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return CliRunner().invoke(cli.main, ["audit", str(file), *options])


def test_a_sound_table_has_exit_code_0(tmp_path: Path) -> None:
    done = _audit(tmp_path, SOUND)
    assert done.exit_code == 0, done.output
    assert "contradiction" not in done.output


def test_a_contradiction_has_exit_code_1_and_says_what_is_possible(tmp_path: Path) -> None:
    done = _audit(tmp_path, SOUND.replace("45.8", "48.5"))
    assert done.exit_code == 1
    assert "percent.of-count  row 2: sex: female (Table 1)" in done.output
    assert "printed:  55 (48.5 %)" in done.output
    assert "possible: 55/120 = 45.8 %" in done.output
    assert audit_rules.PERCENT.words in done.output


def test_json_is_one_object(tmp_path: Path) -> None:
    done = _audit(tmp_path, SOUND.replace("45.8", "48.5"), "--json")
    told = json.loads(done.output)
    assert done.exit_code == told["exit"] == 1
    assert set(told["verdicts"]) == set(VERDICTS)
    assert sum(told["verdicts"].values()) == told["checks"]
    first = next(f for f in told["findings"] if f["rule"] == "percent.of-count")
    assert first["ids"] == ["2"]
    assert first["source"] == audit_rules.PERCENT.source


def test_ordinary_printing_in_another_encoding_with_semicolons(tmp_path: Path) -> None:
    text = (
        "Section;Quantity;Group;n;Percent;Value;95% CI;P value\n"
        "Table 2;HR OS;age;;;1,04;1,01–1,07;0,01\n"
        "Table 2;HR OS;sex;;;0,50;0,40–0,63;p < 0,001\n"
        "Results;OS;median;;;NR;31–NE;–\n"
        "Results;deaths;;18/86;20,9 %;;;n.s.\n"
    )
    done = _audit(tmp_path, text.encode("cp1252"), "--json")
    told = json.loads(done.output)
    assert done.exit_code == 0, done.output
    assert told["checks"] == 8
    assert told["verdicts"]["contradiction"] == told["verdicts"]["not computable"] == 0


def test_a_map_says_which_patients(tmp_path: Path) -> None:
    (tmp_path / "map.csv").write_text("id,statistic,where\n1,count,\n2,count,sex=female\n3,count,sex=male\n")
    wrong = SOUND.replace("male,65,120,54.2", "male,66,120,55.0")
    done = _audit(tmp_path, wrong, "--map", str(tmp_path / "map.csv"))
    assert done.exit_code == 1
    assert "55 + 66 = 121" in done.output


def test_citations_of_the_text_are_held_against_the_list(tmp_path: Path) -> None:
    words = tmp_path / "paper.txt"
    words.write_text(
        "Known since long [1, 2].\nOthers differ [3–\n5]; see also [42] and 95 % CI [77.8; 93.5]."
    )
    table = "statistic,section,quantity,n\nreferences,References,references,5\n"
    told = json.loads(_audit(tmp_path, table, "--text", str(words), "--json").output)
    found = {f["printed"]: f for f in told["findings"]}
    assert told["exit"] == 1
    assert set(found) == {"[42]"}
    assert found["[42]"]["quote"].endswith("see also [42]")
    without = json.loads(_audit(tmp_path, table.replace(",5", ","), "--text", str(words), "--json").output)
    assert without["exit"] == 0
    assert [f["verdict"] for f in without["findings"]] == ["tension"]
    assert without["findings"][0]["expected"].startswith("never cited: 6, 7, 8")


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("References\n1. A\n2. B\n4. D\n5. E 2008;\n12. pages\n", {"[6]"}),
        ("\nLiteratur:\n[1] A\n[2] B\n[3] C\n[4] D\n[5] E\n[6] F [9]\n", set()),
        ("1. A\n2. B\n3. C\n", set()),
    ],
)
def test_a_list_in_the_text_bounds_its_citations(tmp_path: Path, listed: str, found: set[str]) -> None:
    words = tmp_path / "paper.txt"
    words.write_text(f"Known [1-4, 5]. See the references [6].\n{listed}")
    told = json.loads(_audit(tmp_path, SOUND, "--text", str(words), "--json").output)
    assert {f["printed"] for f in told["findings"]} == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no rows"),
        ("a,b\n", "no rows"),
        ("a,b\n1,2\n", "no column of numbers"),
        ("id,n\n1,5\n1,6\n", "the id 1 twice"),
        ("n,n\n1,5\n", "the column n twice"),
        ("quantity,value\nx,0,46\n", "3 cells under 2 headings"),
    ],
)
def test_what_is_no_table_has_exit_code_2(tmp_path: Path, text: str, why: str) -> None:
    done = _audit(tmp_path, text)
    assert done.exit_code == 2
    assert why in done.output
    as_json = _audit(tmp_path, text, "--json")
    assert json.loads(as_json.output)["exit"] == as_json.exit_code == 2


def test_the_guide_lists_the_rules_and_its_example_says_what_is_found(tmp_path: Path) -> None:
    guide = DOCS.read_text("utf-8")
    assert audit_rules.page() in guide
    example = guide.split("## Example")[1].split("```")[1].lstrip()
    told = json.loads(_audit(tmp_path, example, "--json").output)
    assert [f["rule"] for f in told["findings"]] == ["count.sum", "wald.p"]
