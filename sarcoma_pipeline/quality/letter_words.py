"""The words of letters to senders; their translations are in the catalogue of texts."""

from __future__ import annotations

from schemas.language import LANGUAGES, Language, gettext, marked, speaking
from schemas.vocabularies import LETTER_ANSWER

WORDS: dict[str, str] = {
    "title": marked("Queries about delivered data"),
    "sheet": marked("Queries"),
    "to": marked("To"),
    "system": marked("System"),
    "sources": marked("Sources"),
    "study": marked("Study"),
    "refresh": marked("State of the data"),
    "no_contact": marked("no contact in sources.toml"),
    "intro": marked(
        "Please check these values in your system and enter in the last columns what you found. "
        "Deliver corrected values with the next export; where a value is right, please write briefly how "
        "you know."
    ),
    "privacy": marked("Please write no names and no birth dates into the answer."),
    "finding_id": marked("Number"),
    "content_hash": marked("State of the record"),
    "path": marked("File"),
    "position": marked("Position"),
    "field": marked("Field"),
    "value": marked("Delivered value"),
    "others": marked("What other records say"),
    "what": marked("What is wrong"),
    "remedy": marked("What to do"),
    "due": marked("Answer by"),
    "answer": marked("Answer"),
    "remark": marked("Remark"),
    "answered_by": marked("Answered by"),
}
"""Titles of a letter's columns, and its other texts."""

TO_FILL_IN = ("answer", "remark", "answered_by")
"""Columns for the sender."""


def words(language: Language) -> dict[str, str]:
    """Return the words of a letter in a language."""
    with speaking(language):
        return {name: gettext(word) for name, word in WORDS.items()}


def answers(language: Language) -> tuple[str, ...]:
    """Return the answers that a sender may choose, in the order of the vocabulary ``letter_answer``."""
    with speaking(language):
        return tuple(gettext(word) for word in LETTER_ANSWER)


def answer_of(text: str) -> str | None:
    """Return the answer of the vocabulary for a sender's words in any language; None if it is none."""
    given = " ".join(text.casefold().split()).rstrip(".!")
    for language in LANGUAGES:
        for word, answer in zip(answers(language), LETTER_ANSWER, strict=True):
            if given == word:
                return answer
    return None
