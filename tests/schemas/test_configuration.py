"""Configurations of the right form that mean nothing are refused: file, line, key and what is allowed."""

from __future__ import annotations

import pytest

from schemas.configuration import load_study
from schemas.configuration_faults import ConfigurationWrong
from tests.schemas.small_study import SOURCES, STUDY, line_of, load


def test_the_configuration_that_the_cases_alter_is_accepted(tmp_path):
    load(tmp_path)


BARE = """
name = "small"
title = "Small"
description = "Nothing but what is counted."
drop = "data/drop/small"
criteria = []
"""
ENDPOINT = """
[[endpoints]]
name = "OS"
title = "Overall survival"
events = ["death"]
censor = "last known alive"
"""


def test_a_study_needs_no_more_than_an_endpoint(tmp_path):
    load(tmp_path, BARE + ENDPOINT)


@pytest.mark.parametrize(
    "endpoints", ["endpoints = []", ENDPOINT + 'derivable = false\nreason = "no deaths in the sources"'],
    ids=["none", "none that is derivable"],
)  # fmt: skip
def test_a_study_that_counts_nothing_is_refused(tmp_path, endpoints):
    with pytest.raises(ConfigurationWrong) as refused:
        load(tmp_path, BARE + endpoints)
    (fault,) = refused.value.faults
    assert fault.key == "endpoints" and "at least one endpoint that is derivable" in fault.message


def test_a_precedence_of_one_topic_leaves_the_others_as_they_are(tmp_path):
    load(tmp_path)
    _, sources = load_study(tmp_path / "small")
    assert sources.precedence["death"] == ("registry office", "oBDS")
    assert sources.precedence["radiotherapy"] == ("DICOM", "oBDS", "table")


def test_a_byte_order_mark_is_no_fault(tmp_path):
    load(tmp_path, study="\ufeff" + STUDY, sources="\ufeff" + SOURCES)


@pytest.mark.parametrize("text", ["entities = [5]", "entities = 5", "columns = 3", "source = 7"])
def test_a_value_in_place_of_a_table_is_a_fault_and_no_crash(tmp_path, text):
    start = SOURCES.index("[[source.entities]]")
    sources = text if text.startswith("source") else SOURCES[:start] + text
    with pytest.raises(ConfigurationWrong):
        load(tmp_path, sources=sources)


def test_a_fault_names_file_and_line(tmp_path):
    with pytest.raises(ConfigurationWrong) as refused:
        load(tmp_path, sources=SOURCES.replace('"1" = "G1"', '"1" = "g1"'))
    (fault,) = refused.value.faults
    assert (fault.file, fault.line) == ("sources.toml", line_of(SOURCES, "fnclcc_grade"))
    assert str(fault).startswith(
        f"sources.toml:{fault.line}: source.2.entities.0.columns.fnclcc_grade.codes: "
    )


def test_lines_are_counted_past_multi_line_strings_and_lists(tmp_path):
    study = STUDY.replace(
        'drop = "data/drop/small"',
        'note = """\n[[criteria]]\nname = "no key"\n"""\ndrop = "data/drop/small"',
    ).replace('levels = ["T1", "T2"]', 'levels = [\n  "T1",\n  "T9",\n]')
    with pytest.raises(ConfigurationWrong) as refused:
        load(tmp_path, study=study)
    (fault,) = refused.value.faults
    assert fault.line == study.splitlines().index("levels = [") + 1


def test_all_faults_of_both_files_are_told_at_once(tmp_path):
    with pytest.raises(ConfigurationWrong) as refused:
        load(
            tmp_path,
            STUDY.replace('"death"', '"deaths"').replace('"T2"]', '"T7"]'),
            SOURCES.replace("%d.%m.%Y", "TT.MM.JJJJ"),
        )
    assert {f.file for f in refused.value.faults} == {"study.toml", "sources.toml"}
    assert len(refused.value.faults) >= 4


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [('name = "small"\ntitle = \n', 2, "not valid TOML"), ('name = "small', 1, "not valid TOML")],
)
def test_what_is_no_toml_is_refused_with_its_line(tmp_path, text, line, told):
    with pytest.raises(ConfigurationWrong) as refused:
        load(tmp_path, study=text)
    assert refused.value.faults[0].line == line
    assert told in str(refused.value)


def test_a_missing_file_is_a_fault(tmp_path):
    (tmp_path / "small").mkdir()
    with pytest.raises(ConfigurationWrong, match=r"study.toml: cannot be read"):
        load_study(tmp_path / "small")


def test_the_message_of_a_missing_key_names_it(tmp_path):
    with pytest.raises(ConfigurationWrong, match='the key "drop" is missing'):
        load(tmp_path, study=STUDY.replace('drop = "data/drop/small"\n', ""))
