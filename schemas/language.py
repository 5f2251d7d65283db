"""Translate what people read: pages, letters, reports, mails and the texts of rules.

The texts in the program are English and are the message ids of the catalogue of every other language,
``schemas/locale/LANGUAGE.po``. The language is set once, where a page or a letter is made (:func:`speaking`).
Tables, CSV files and Dagster's pages are not translated.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")
SOURCE: Language = "en"
"""Language of the texts in the program."""

CATALOGUES = Path(__file__).with_name("locale")

_spoken: ContextVar[Language] = ContextVar("language", default=SOURCE)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Set the language of the texts that are made within the context."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> Language:
    """Return the language that is set."""
    return _spoken.get()


@cache
def _translations(language: Language) -> NullTranslations:
    if language == SOURCE:
        return NullTranslations()
    # Babel is imported for other languages only: it takes longer than many a command.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def gettext(message: str) -> str:
    """Return a text in the language that is set; the English text if it has no translation."""
    return _translations(spoken()).gettext(message) if message else message


def pgettext(context: str, message: str) -> str:
    """Return a text that has several translations, of which the context decides."""
    return _translations(spoken()).pgettext(context, message)


def ngettext(one: str, many: str, number: int | None) -> str:
    """Return the form of a text that the number needs, in the language that is set.

    A number that is withheld (None) is one of several.
    """
    return _translations(spoken()).ngettext(one, many, 2 if number is None else number)


def counted(number: int, severity: str) -> str:
    """Return a number of findings of a severity, such as ``1 error`` or ``2 warnings``."""
    forms = {
        "error": ngettext("{number} error", "{number} errors", number),
        "warning": ngettext("{number} warning", "{number} warnings", number),
        "notice": ngettext("{number} notice", "{number} notices", number),
    }
    return forms[severity].format(number=number)


def marked(message: str) -> str:
    """Mark a text for the catalogue that is translated where it is used, such as one in a constant."""
    return message


def in_frame(frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return a frame with the texts of rules in the language that is set.

    Args:
        frame: any frame; a column that it does not have is passed over.
        columns: columns that contain whole texts of the program, such as ``what`` and ``remedy``.
    """
    if spoken() == SOURCE:
        return frame
    import polars as pl

    there = [c for c in columns if c in frame.columns]
    return frame.with_columns(
        frame[c].cast(pl.String).map_elements(gettext, return_dtype=pl.String).alias(c) for c in there
    )


def decimal(number: str) -> str:
    """Return a number that is written with a decimal point as the language that is set writes it."""
    return number.replace(".", ",") if spoken() == "de" else number


def point(number: str) -> str:
    """Return a number with a decimal point: the opposite of :func:`decimal`."""
    return number.replace(",", ".") if spoken() == "de" else number


def in_sentence(title: str) -> str:
    """Return a title as a sentence has it: in small letters, except in German, whose nouns have capitals.

    Letters and abbreviations within a title keep their capitals: ``T stage``, ``Grading (FNCLCC)``.
    """
    if spoken() == "de":
        return title
    words = title.split(" ")
    return title.lower() if len(title) == 1 else " ".join(w.lower() if w[1:].islower() else w for w in words)


def quoted(words: str) -> str:
    """Put words in the quotation marks of the language that is set."""
    return f"„{words}“" if spoken() == "de" else f"“{words}”"


def day(date: dt.date | str) -> str:
    """Return a day as prose of the language that is set writes it; a text that is no ISO day stays."""
    iso = date if isinstance(date, str) else date.isoformat()
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", iso) if spoken() == "de" else None
    return ".".join(reversed(found.groups())) if found else iso


def stored(text: str, templates: tuple[str, ...]) -> str:
    """Translate a sentence that a table holds in English.

    Args:
        text: the sentence, with its values.
        templates: the texts of the catalogue from which such sentences are made, with named placeholders.
    """
    if spoken() == SOURCE:
        return text
    for template in templates:
        if found := _pattern(template).fullmatch(text):
            values = found.groupdict().items()
            return gettext(template).format(
                **{name: _parts(v, templates) if name in _SENTENCES else _as_number(v) for name, v in values}
            )
    return gettext(text)


def _parts(text: str, templates: tuple[str, ...]) -> str:
    """Translate a sentence within a sentence: each of its parts, or the whole if one has no translation."""
    parts = text.split("; ")
    told = [stored(part, templates) for part in parts]
    if len(parts) > 1 and all(one != part for one, part in zip(told, parts, strict=True)):
        return "; ".join(told)
    return stored(text, templates)


def _as_number(value: str) -> str:
    """Return a value of a stored sentence with the decimal sign of the language, if it is a number."""
    return decimal(value) if re.fullmatch(r"\d+\.\d+", value) else value


_VALUES = {"count": r"\d+(?:[.,]\d+)?", "section": r"[^()]+"}
"""What some placeholders of stored sentences stand for; the others stand for any text."""

_SENTENCES = (
    "reason", "milestone", "quantity", "state", "now", "admitted", "event", "section", "sequence", "values",
)  # fmt: skip
"""Placeholders of stored sentences whose value is a text of the catalogue itself."""


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of the sentences of a template."""
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(
            f"(?P<{part}>{_VALUES.get(part, '.+?')})" if at % 2 else re.escape(part)
            for at, part in enumerate(parts)
        ),
        re.DOTALL,
    )
