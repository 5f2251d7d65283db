"""The German catalogue is complete, and its texts carry the same values and names as the English ones."""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from schemas.language import LANGUAGES, SOURCE
from tests.language.messages import Message, catalogue, messages

OTHERS = [one for one in LANGUAGES if one != SOURCE]
PLACEHOLDER = re.compile(r"\{[^{}]*\}")
NAME = re.compile(r"\b\w+_\w+\b|\b\w+\.toml\b|\b[A-Z]+[a-z]+[A-Z]\w*\b|\[\[?\w+\]\]?|`[^`]+`")
"""Names of fields, files and commands: they are the same in every language."""
HOW = """
What to do: write the {language} text into schemas/locale/{language}.po, under the English one.
  .venv/bin/python -m tests.language.messages
adds the missing entries at their place; fill in each empty msgstr."""


program_texts, written = cache(messages), cache(catalogue)
"""Texts and catalogue are read once for all tests."""


def translated(language: str) -> Iterator[tuple[Message, tuple[str, ...], tuple[str, ...]]]:
    """Yield every text with its English forms and its translations; none if it has no entry."""
    entries = written(language)
    for one in program_texts():
        forms = (one.text,) if isinstance(one.text, str) else one.text
        entry = entries.get(forms[0], one.context)
        given = entry.string if entry else None
        strings = (given,) if isinstance(given, str) else tuple(given or ())
        yield one, forms, tuple(filter(None, strings))


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_a_translation(language):
    lacking = [
        f"  {one.where}: {forms[0]!r}"
        for one, forms, given in translated(language)
        if len(given) < len(forms)
    ]
    assert not lacking, "\n".join(
        ["these texts have no translation:", *lacking, HOW.format(language=language)]
    )


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_placeholders_of_its_text(language):
    wrong = [
        f"  {one.where}: {english!r} has {sorted(set(PLACEHOLDER.findall(english)))}, {text!r} has others"
        for one, forms, given in translated(language)
        for english, text in zip(forms, given, strict=False)
        if set(PLACEHOLDER.findall(english)) != set(PLACEHOLDER.findall(text))
    ]
    assert not wrong, "\n".join(["placeholders differ:", *wrong])


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_names_of_fields_and_files_of_its_text(language):
    """What a steward looks for in a source system or in the configuration has one name in every language."""
    wrong = {
        f"{one.where}: {name} is not in {given[0]!r}"
        for one, forms, given in translated(language)
        if given
        for name in NAME.findall(PLACEHOLDER.sub("", forms[0]))
        if name not in given[0]
    }
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_its_own_translation(language):
    same = [forms[0] for _, forms, given in translated(language) if forms[0] in given and len(forms[0]) > 30]
    assert not same, same
