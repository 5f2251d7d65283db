"""Texts in the language of the study: chosen once, German in full, English as the program has it."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from gettext import NullTranslations
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.notification import Night, OfRule, message
from sarcoma_pipeline.quality import impact_sentences, letter_sheet
from sarcoma_pipeline.quality.letters import letters
from schemas import language
from schemas.configuration import Study
from schemas.language import LANGUAGES, Language, day, decimal, gettext, in_frame, ngettext, speaking, stored
from tests.language.messages import messages
from tests.publish.report.pages import findings, html
from tests.quality.test_letters import SOURCES, entry, found, record, records

ROOT = Path(__file__).parents[2]
OPEN, CLOSE = "⟦", "⟧"


class Bracketed(NullTranslations):
    """Translates every text to itself in brackets."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"{OPEN}{msgid1 if n == 1 else msgid2}{CLOSE}"

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


@pytest.fixture
def bracketed(monkeypatch):
    """Return a function that makes something in English with every translated text in brackets."""

    def made(make):
        with monkeypatch.context() as patched:
            patched.setattr(language, "_translations", lambda _: Bracketed())
            return make()

    return made


def without_brackets(text: str) -> str:
    """Remove the brackets, also as JSON writes them."""
    for bracket in (OPEN, CLOSE):
        text = text.replace(bracket, "").replace(json.dumps(bracket).strip('"'), "")
    return text


def page() -> str:
    turn = pl.Series(["open", "waived", "acknowledged"] * 10)
    return html(findings(30, status=turn), nights=3)


def letter(spoken: Language = "en") -> str:
    one = letters(
        found(entry("aa", due=dt.date(2026, 4, 1))),
        records(record("aa", "r", "obds", "line 1", "2013-06-01", at_fault=True)),
        SOURCES,
    )[0]
    return letter_sheet.page(one, spoken, "S", "R1")


def test_the_language_holds_within_its_context_only():
    with speaking("de"):
        assert gettext("What to do") == "Was zu tun ist"
        with speaking("en"):
            assert gettext("What to do") == "What to do"
        assert gettext("What to do") == "Was zu tun ist"
    assert gettext("What to do") == "What to do"


def test_a_text_without_translation_is_shown_in_english_and_an_empty_one_stays_empty():
    with speaking("de"):
        assert gettext("No catalogue has this.") == "No catalogue has this."
        assert gettext("") == ""


@pytest.mark.parametrize(("number", "shown"), [(0, "0 Warnungen"), (1, "1 Warnung"), (2, "2 Warnungen")])
def test_plural_forms_follow_the_number(number, shown):
    with speaking("de"):
        assert ngettext("{number} warning", "{number} warnings", number).format(number=number) == shown


@pytest.mark.parametrize(
    ("spoken", "number", "date"), [("en", "0.5", "2026-04-01"), ("de", "0,5", "01.04.2026")]
)
def test_numbers_and_days_are_written_as_the_language_writes_them(spoken, number, date):
    with speaking(spoken):
        assert (decimal("0.5"), day(dt.date(2026, 4, 1)), day("2026-04-01")) == (number, date, date)
        assert day("unknown") == "unknown"


def test_sentences_of_tables_are_translated_by_their_template():
    with speaking("de"):
        told = stored("curated.tumour.side has another value", ("{place} has another value",))
    assert told == "curated.tumour.side hat einen anderen Wert"


def test_a_table_in_english_stays_as_it_is():
    frame = pl.DataFrame({"what": ["What to do"], "value": ["What to do"]})
    assert in_frame(frame, "what", "remedy") is frame
    with speaking("de"):
        assert in_frame(frame, "what", "remedy").row(0) == ("Was zu tun ist", "What to do")


@pytest.mark.parametrize("given", ["fr", "deutsch", "", 1])
def test_a_study_speaks_a_language_of_the_program(given):
    with pytest.raises(ValueError, match="language"):
        Study.model_validate({"language": given})


def test_english_is_the_default():
    assert Study.model_fields["language"].default == "en"


def test_english_needs_no_catalogue():
    """What reads and compiles catalogues takes longer to import than many a command."""
    code = (
        "import sys\nfrom schemas import language\nlanguage.gettext('a')\nassert 'babel' not in sys.modules"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=ROOT)


@pytest.mark.parametrize("make", [page, letter])
def test_a_translation_changes_texts_and_nothing_else(bracketed, make):
    """Every marked text in brackets, without the brackets, is the English page, byte for byte."""
    other = bracketed(make)
    assert other.count(OPEN) > 20
    assert without_brackets(other) == make()


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_page_says_its_language(spoken):
    with speaking(spoken):
        made = page()
    assert f'<html lang="{spoken}">' in made
    assert ("Auffälligkeiten" in made) is (spoken == "de")


def english(text: str) -> list[str]:
    """Return the texts of the program that a page in another language still has."""
    shown = re.sub(r"<(script|style)>.*?</\1>", "", text, flags=re.DOTALL)
    kept = []
    for one in messages():
        for form in (one.text,) if isinstance(one.text, str) else one.text:
            # The longest part without a value; a word may be a word of both languages.
            part = max(re.split(r"\{\w+\}", form), key=len).strip()
            if len(part) > 12 and part in shown:
                kept.append(part)
    return kept


@pytest.mark.slow
def test_a_german_page_and_a_german_letter_have_no_english_text():
    with speaking("de"):
        made = page()
    assert english(made.partition('"texts":')[0]) == []
    assert english(letter("de")) == []
    assert len(english(page())) > 5 and len(english(letter("en"))) > 5


def test_a_mail_is_in_the_language_of_the_study_and_names_rules_and_commands_as_they_are():
    night = Night(rules=[OfRule("file.empty", "error", {"new": 2, "back": 0, "more": 1}, 4)])
    with speaking("de"):
        mail = message("sts", "run-1", night)
    assert mail is not None and mail.subject == "[sarcoma] sts: neu: 3 Fehler"
    assert "Fehler  file.empty: 2 neu, 1 zu mehr Datensätzen oder schwerer" in mail.body
    assert "Bekannt und unverändert: 4 Fehler." in mail.body and "sarcoma findings --study sts" in mail.body


def test_the_effect_of_a_record_is_told_in_the_language_of_the_study():
    told = pl.DataFrame(
        {
            "record_id": ["a", "b", "c"],
            "quantity": ["eligibility", "no change", "OS"],
            "now": ["excluded (IMRT)", "eligible", None],
            "admitted": ["eligible", "eligible", "12.5 months, death"],
        }
    )
    english = impact_sentences.sentences(told)["impact"].to_list()
    assert english == [
        "eligibility: excluded (IMRT) → eligible",
        "no change, the patient stays eligible",
        "OS: none → 12.5 months, death",
    ]
    with speaking("de"):
        assert impact_sentences.sentences(told)["impact"].to_list() == [
            "Einschluss: ausgeschlossen (IMRT) → eingeschlossen",
            "keine Änderung, der Patient bleibt eingeschlossen",
            "OS: keine → 12,5 Monate, Tod",
        ]
