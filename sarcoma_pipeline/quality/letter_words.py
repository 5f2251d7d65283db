"""The words of letters to senders, in German and in English."""

from __future__ import annotations

from typing import Literal

from schemas.vocabularies import LETTER_ANSWER

Language = Literal["de", "en"]
LANGUAGES: tuple[Language, ...] = ("de", "en")

WORDS: dict[Language, dict[str, str]] = {
    "de": {
        "title": "Rückfragen zu gelieferten Daten",
        "sheet": "Rückfragen",
        "to": "An",
        "system": "System",
        "sources": "Quellen",
        "study": "Studie",
        "refresh": "Datenstand",
        "no_contact": "keine Anschrift in sources.toml",
        "intro": "Bitte prüfen Sie die folgenden Angaben in Ihrem System und tragen Sie in die letzten "
        "Spalten ein, was Sie gefunden haben. Berichtigte Angaben liefern Sie bitte mit dem nächsten "
        "Export; wo die Angabe richtig ist, schreiben Sie bitte kurz, woran Sie das sehen.",
        "privacy": "Bitte schreiben Sie keine Namen und keine Geburtsdaten in die Antwort.",
        "finding_id": "Nummer",
        "content_hash": "Stand des Datensatzes",
        "path": "Datei",
        "position": "Stelle",
        "field": "Feld",
        "value": "Gelieferter Wert",
        "others": "Andere Angaben dazu",
        "what": "Befund (englisch)",
        "remedy": "Was zu tun ist (englisch)",
        "due": "Antwort bis",
        "answer": "Antwort",
        "remark": "Bemerkung",
        "answered_by": "Beantwortet von",
    },
    "en": {
        "title": "Queries about delivered data",
        "sheet": "Queries",
        "to": "To",
        "system": "System",
        "sources": "Sources",
        "study": "Study",
        "refresh": "State of the data",
        "no_contact": "no contact in sources.toml",
        "intro": "Please check these values in your system and enter in the last columns what you found. "
        "Deliver corrected values with the next export; where a value is right, please write briefly how "
        "you know.",
        "privacy": "Please write no names and no birth dates into the answer.",
        "finding_id": "Number",
        "content_hash": "State of the record",
        "path": "File",
        "position": "Position",
        "field": "Field",
        "value": "Delivered value",
        "others": "What other records say",
        "what": "What is wrong",
        "remedy": "What to do",
        "due": "Answer by",
        "answer": "Answer",
        "remark": "Remark",
        "answered_by": "Answered by",
    },
}

ANSWERS: dict[Language, tuple[str, ...]] = {
    "de": ("berichtigt", "stimmt so", "nicht zu klären"),
    "en": LETTER_ANSWER,
}
"""Answers that a sender may choose, in the order of the vocabulary ``letter_answer``."""

TO_FILL_IN = ("answer", "remark", "answered_by")
"""Columns for the sender."""


def answer_of(text: str) -> str | None:
    """Return the answer of the vocabulary for a sender's words in any language; None if it is none."""
    given = " ".join(text.casefold().split()).rstrip(".!")
    for words in ANSWERS.values():
        for word, answer in zip(words, LETTER_ANSWER, strict=True):
            if given == word:
                return answer
    return None
