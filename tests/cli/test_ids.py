"""The beginning of an id stands for the id where it names one thing, and for nothing where it does not."""

import json

import pytest
from click.testing import CliRunner

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.cli.terminal import NotFound, whole
from sarcoma_pipeline.quality.ids import Ids

KNOWN = ["9a03f347d4d0c402", "9a03f347d4d0c402-1", "9a17c1e08f2b6d55", "fee1"]


@pytest.mark.parametrize(
    ("given", "means"),
    [
        ("9a03f347d4d0c402", ["9a03f347d4d0c402"]),
        ("9a03f347d4d0c402-1", ["9a03f347d4d0c402-1"]),
        ("9a17", ["9a17c1e08f2b6d55"]),
        ("fee1", ["fee1"]),
        ("9a03", ["9a03f347d4d0c402", "9a03f347d4d0c402-1"]),
        ("9a1", []),
        ("", []),
        ("3f34", []),
    ],
)
def test_what_a_beginning_means(given, means):
    assert Ids(KNOWN).beginning_with(given) == means


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("9a03", "2 ids begin with it"),
        ("9a1", "first 4 characters"),
        ("9a17c1e08f2b6d56", "9a17c1e08f2b6d55"),
    ],
)
def test_what_means_nothing_or_two_is_refused_in_words(given, words):
    with pytest.raises(NotFound, match=words) as refused:
        whole("finding", given, KNOWN, "sarcoma findings lists them all")
    assert refused.value.exit_code == 2


def test_rules_and_studies_for_other_programs():
    rules = json.loads(CliRunner().invoke(main, ["rules", "--json"]).output)
    listed = CliRunner().invoke(main, ["rules"]).output.splitlines()
    assert [line.split()[1] for line in listed] == [rule["rule_id"] for rule in rules]
    one = json.loads(CliRunner().invoke(main, ["rules", "--json", rules[0]["rule_id"]]).output)
    assert one == rules[:1]
    studies = json.loads(CliRunner().invoke(main, ["studies", "--json"]).output)
    assert {"sts_imrt", "tcga_sarc"} <= {study["study"] for study in studies}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_can_complete(shell):
    """The script asks the program by the variable that click's own documentation names."""
    said = CliRunner().invoke(main, ["completion", shell])
    assert said.exit_code == 0 and "_SARCOMA_COMPLETE" in said.output


def test_the_program_answers_the_script():
    asked = {"_SARCOMA_COMPLETE": "bash_complete", "COMP_WORDS": "sarcoma fin", "COMP_CWORD": "1"}
    said = CliRunner(env=asked).invoke(main, [], prog_name="sarcoma")
    assert "plain,findings" in said.output
