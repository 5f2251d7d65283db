"""A language in which every text of the catalogue is marked: what is shown without a mark is not translated.

The values that fill a text stand outside of its marks. What is data, the caller says; abbreviations are the
same in every language.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from gettext import NullTranslations
from typing import Any

from lxml import html as lxml_html

from schemas import finding_words, language
from tests.language.messages import messages

OPEN, CLOSE = "⟦", "⟧"
READ_ALOUD = ("aria-label", "alt", "title", "placeholder", "data-label")
"""Attributes whose text a person sees or hears."""
_MARKED = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
_NOTHING = re.compile(r"(?!)")
_WORD = re.compile(r"[^\W\d_]{3,}")
_HEXADECIMAL = re.compile(r"\b[0-9a-f]*\d[0-9a-f]*\b|\b\d{8}T\d{6}Z-\w+")
"""Hashes, and ids of refreshes."""


@cache
def _catalogue() -> frozenset[tuple[str | None, str]]:
    """Return context and text of every message."""
    return frozenset(
        (one.context, form)
        for one in messages()
        for form in ((one.text,) if isinstance(one.text, str) else one.text)
    )


class Pseudo(NullTranslations):
    """Translates every text of the catalogue to itself, with marks around all but its placeholders."""

    def _marked(self, context: str | None, message: str) -> str:
        if (context, message) not in _catalogue():
            return message
        parts = re.split(r"(\{\w*\})", message)
        return "".join(
            part if at % 2 or not part else f"{OPEN}{part}{CLOSE}" for at, part in enumerate(parts)
        )

    def gettext(self, message: str) -> str:
        return self._marked(None, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._marked(None, msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self._marked(context, message)


@contextmanager
def speaking_pseudo(monkeypatch: Any) -> Iterator[None]:
    """Set the pseudo-language; its numbers and days are those of German."""
    made = Pseudo()
    with monkeypatch.context() as patched, language.speaking("de"):
        patched.setattr(language, "_translations", lambda _: made)
        finding_words._said.cache_clear()
        yield
    finding_words._said.cache_clear()


def unmarked(
    text: str, data: Iterable[str], names: Iterable[str] = (), delivered: re.Pattern[str] = _NOTHING
) -> str:
    """Return what is left of a text without marked texts, data and names; empty if no word is left.

    Args:
        text: a text as a person sees it.
        data: delivered and configured texts, which are removed as a whole.
        names: words that are the same in every language.
        delivered: what is removed first.
    """
    rest = _HEXADECIMAL.sub(
        " ", _phrases(frozenset(data)).sub(" ", _MARKED.sub(" ", delivered.sub(" ", text)))
    )
    known = {name.casefold() for name in names}
    left = [w for w in _WORD.findall(rest) if not w.isupper() and w.casefold() not in known]
    return " ".join(text.split()) if left else ""


@cache
def _phrases(data: frozenset[str]) -> re.Pattern[str]:
    found = sorted({d for d in data if d and _WORD.search(d)}, key=lambda d: (-len(d), d))
    return re.compile("|".join(rf"(?<!\w){re.escape(d)}(?!\w)" for d in found) or r"(?!)", re.IGNORECASE)


def unmarked_of_page(
    page: str, data: Iterable[str], names: Iterable[str] = (), delivered: re.Pattern[str] = _NOTHING
) -> list[str]:
    """Return the texts of an HTML page that are not translated, each with the element that has it."""
    left = []
    document: Any = lxml_html.document_fromstring(page)
    # They keep a part of a text on one line.
    for span in list(document.find_class("kept")):
        span.drop_tag()
    for element in document.iter():
        if not isinstance(element.tag, str) or element.tag in ("style", "script", "code"):
            texts = [(element.tag, element.tail)]
        else:
            texts = [(element.tag, element.text), (f"after {element.tag}", element.tail)]
            texts += [(f"{element.tag} {a}", element.get(a)) for a in READ_ALOUD]
        left += [
            f"{where}: {found}"
            for where, text in texts
            if text and (found := unmarked(text, data, names, delivered))
        ]
    return list(dict.fromkeys(left))


def texts_of(value: Any) -> Iterator[str]:
    """Yield every text of a configuration, keys included."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from texts_of(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_of(one)
    elif isinstance(value, str):
        yield value
        # A title is printed without the unit in brackets.
        yield value.partition(" (")[0]
