"""Show outside the warehouse only text that cannot identify a patient, and hide the rest.

Findings quote values, file names and positions written by a sender, and a sender may write a name anywhere:
in the answer of a registry office, in a folder name, in the label of a plan. The gate therefore has a list of
what may pass, and hides everything else: a word passes if the program, its vocabularies or the study's
configuration contain it; a number passes if it is short and not a date. Hidden parts are shown as their shape
(``x`` for a letter, ``9`` for a digit); ``sarcoma findings show`` prints the value from the warehouse.

A listed word that is also the name of a patient of the study is hidden.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import polars as pl

from schemas.all_contracts import CONTRACTS
from schemas.printable import ID_SHOWN, printable
from schemas.sources_toml import SENDER, Sources
from schemas.umlauts import UMLAUTS
from schemas.vocabularies import VOCABULARIES

MASK = "•••"

IDENTIFYING = (
    "hospital_number", "family_name", "given_names", "birth_name", "former_names", "birth_date",
)  # fmt: skip
"""Columns of ``typed.person`` and ``curated.patient`` that name a patient."""

_IN_FILE_NAMES = """
antwort auskunft beam bestrahlung brachy ct csv dcm dicom dose export exports file follow gekid import kopie
krebsregister meldeamt meldeaemter meldung meldungen obds pathologie pet plan plaene plans planning protokoll
rd register registry rp rs rt rtdose rtplan rtstruct structure tabelle table tables tudok tumordokumentation
up verlauf xlsx xml zip
"""
FILE_WORDS = frozenset(_IN_FILE_NAMES.split())
"""Words that are usual in names of exported files and folders; a study adds others in ``path_words``."""

_IN_POSITIONS = """
a and archive as cell column entry file hidden item line lines more page record row rows sheet source the to
whole
"""
_POSITION_WORDS = frozenset(_IN_POSITIONS.split())
"""Words that the program writes in positions."""

_SAID = frozenset(("alone", "irradiation", "irradiations", "phase", "phases", "together"))
"""Words that the program writes in values, in addition to those of its rules and contracts."""
_UNITS = frozenset(("Gy", "cGy", "MV", "MeV", "GyRBE", "CTCAE", "UID"))
_WORD = re.compile(r"[^\W\d_]+")
_TOKEN = re.compile(r"[^\W_]+")
_PATH_NUMBERS = re.compile(r"\d+(?:[.\-_ ]\d+)*")
_CODES = (
    r"[A-Z]\d{2}(?:\.\d{1,2})?"  # ICD-10, ICD-O topography
    r"|\d{4}/\d"  # ICD-O morphology
    r"|\d-\d{3}(?:\.[0-9a-z]{1,3})?"  # OPS
    r"|[cprya]{0,3}[TNMLVR][0-4X][a-d]?|Pn[01X]|G[1-4X]"  # TNM, grade
    r"|\d{1,4}(?:Gy|cGy|mm|cm|MV)"
)
_NUMBERS = r"\d+(?:(?:\s?[./\-–_^]\s?|:|,\s?|\s)\d+)*"
_PARTS = re.compile(
    rf"(?<![^\W_])(?:(?P<code>{_CODES})(?![^\W_]|[./\-]\d)"
    r"|(?P<mixed>\d+[^\W\d_][^\W_]*|[^\W\d_]+\d[^\W_]*)"
    rf"|(?P<numbers>{_NUMBERS})(?![^\W_])"
    r"|(?P<word>[^\W\d_]+))"
)
"""The parts of a value; between them are only blanks and signs."""
_DECIMAL = re.compile(r"\d{1,4}[.,]\d{1,3}")
_DATES = re.compile(
    r"(?<!\d)(?:\d{1,2}([.\-_/ ])\d{1,2}\1(?:19|20)?\d{2}|(?:19|20)\d{2}([.\-_/ ])\d{1,2}\2\d{1,2})(?!\d)"
)
"""Dates as written in names of sheets and files; each number alone would be short enough to pass."""
_PLAIN = r"^[ -~]*$"
"""Texts of printable ASCII, which :func:`printable` leaves as they are."""
_LONG_NUMBER = r"[0-9]{5}"
"""Found in a part of a path, it hides it: see :func:`_is_identifying`."""
_NUMBER_IN_POSITION = r"\b[0-9]{1,7}\b"
"""A number that is shown in a position, unless several form a date."""
_LIKE_A_DATE = r"[0-9][.\-_/ ][0-9]+[.\-_/ ][0-9]"
_SHORT = 4
"""Maximum digits of a number that passes, as in a year or a dose in cGy; patient numbers are longer."""
_LINE_DIGITS = 7
"""Maximum digits of a line or record number in a position."""
_BY_ID = " (file "
_WRITTEN = str.maketrans({**UMLAUTS, "ø": "oe", "å": "aa"})
_LONGEST = 400
"""Maximum number of characters of a value that are shown: a question with six readings has about 350."""


def spelling(text: str) -> str:
    """Return a text without case, accents, blanks and signs, with umlauts as two letters."""
    if text.isascii() and text.isalnum():
        return text.lower()
    return _bare(unicodedata.normalize("NFC", text).casefold().translate(_WRITTEN))


def known_words(persons: Iterable[pl.DataFrame]) -> frozenset[str]:
    """Return every word and number that names a person of the study, normalised by :func:`spelling`.

    Args:
        persons: frames with some of :data:`IDENTIFYING`; other columns are ignored.
    """
    found: set[str] = set()
    for frame in persons:
        for column in (c for c in IDENTIFYING if c in frame.columns):
            for text in frame[column].cast(pl.String).drop_nulls().unique():
                found.add(spelling(text))
                # An umlaut may be written as "ae" or as "a".
                found.update(s for part in _WORD.findall(text) for s in (spelling(part), _bare(part)))
    return frozenset(word for word in found if len(word) > 1)


def _bare(text: str) -> str:
    """Return a text without case, accents, blanks and signs."""
    plain = text.casefold()
    # A fast path for most names and all numbers; there may be a hundred thousand.
    if plain.isascii() and plain.isalnum():
        return plain
    return "".join(c for c in unicodedata.normalize("NFKD", plain) if c.isalnum())


def texts(configuration: Any) -> Iterator[str]:
    """Yield every text of a configuration: keys and values of tables at any depth."""
    if isinstance(configuration, str):
        yield configuration
    elif isinstance(configuration, Mapping):
        yield from configuration
        for value in configuration.values():
            yield from texts(value)
    elif isinstance(configuration, Sequence):
        for value in configuration:
            yield from texts(value)


class _Judged(dict[str, bool]):
    """Answers about texts, each judged once: the name of a folder is in the path of each of its files."""

    def __init__(self, judge: Callable[[str], bool]) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, text: str) -> bool:
        self[text] = judged = self._judge(text)
        return judged


@cache
def _of_contracts() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the words of contracts; words and values of vocabularies; column names."""
    columns = [c for contract in CONTRACTS.values() for c in contract.columns()]
    values = {str(v).casefold() for values in VOCABULARIES.values() for v in values}
    spoken = {w for value in values for w in _WORD.findall(value)}
    return (
        _lower_words(c.comment for c in columns) | _SAID | _UNITS,
        frozenset(values | spoken),
        frozenset(c.name for c in columns),
    )


def _lower_words(said: Iterable[str]) -> frozenset[str]:
    return frozenset(w for text in set(said) for w in _WORD.findall(text) if w.islower())


@cache
def _of_catalogue() -> frozenset[str]:
    """Return the words of the rules of this program; imports every module that declares rules."""
    from sarcoma_pipeline.quality import rule_catalogue

    return _of_rules(rule_catalogue.catalogue())


def _of_rules(rules: pl.DataFrame) -> frozenset[str]:
    return _lower_words([*rules["what"], *rules["remedy"], *rules["rule_id"]])


class IdentityGate:
    """Decides which parts of a text may be shown outside the warehouse.

    Args:
        known: words and numbers that name persons of the study, from :func:`known_words`.
        configured: every text of the study's ``sources.toml``: headers, codes, sheets, patterns of files.
        path_words: further words allowed in names of files and folders.
        rules: ``rule_id``, ``what`` and ``remedy`` of the rules, whose words may be shown, as in
            ``quality.rules``; by default those of this program.
    """

    def __init__(
        self,
        known: frozenset[str],
        configured: Iterable[str] = (),
        path_words: Iterable[str] = (),
        rules: pl.DataFrame | None = None,
    ) -> None:
        self._rules = rules
        self._known = known
        self._configured = frozenset(text.casefold() for text in configured)
        words = {w for text in self._configured for w in _WORD.findall(text)}
        self._configured_words = frozenset(words)
        self._path_words = FILE_WORDS | words | {w.casefold() for w in path_words}
        self._shown_parts = _Judged(self._path_part)

    @classmethod
    def of(cls, persons: pl.DataFrame, sources: Sources, rules: pl.DataFrame | None = None) -> IdentityGate:
        """Build the gate of a study from ``typed.person``, its ``sources.toml``, and ``quality.rules``."""
        # Names of senders are no words of the data.
        without = {"path_words": True, "source": {"__all__": set(SENDER)}}
        configured = sources.model_dump(mode="json", exclude=without)
        return cls(known_words([persons]), texts(configured), sources.path_words, rules)

    @cached_property
    def _written(self) -> frozenset[str]:
        """Words that the program writes."""
        rules = _of_catalogue() if self._rules is None else _of_rules(self._rules)
        return _of_contracts()[0] | rules

    def value(self, text: str) -> str:
        """Return a value in which each part that could identify a person is replaced by its shape."""
        written, spoken = self._written, _of_contracts()[1]
        text = printable(unicodedata.normalize("NFC", text))
        text = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
        if text.casefold() in spoken or text.casefold() in self._configured:
            return text

        def hidden(match: re.Match[str]) -> bool:
            part = match[0]
            if self._names_somebody(part):
                return True
            if match["word"]:
                return len(part) > 1 and part not in written and part.casefold() not in spoken
            return _is_identifying(part) if match["numbers"] else bool(match["mixed"])

        parts = list(_PARTS.finditer(text))
        letters = sum(bool(m["word"]) and len(m[0]) == 1 for m in parts)
        # A single letter is a code; several, or one next to a hidden name, are initials.
        initials = letters > 1 or any(m["word"] and hidden(m) for m in parts)

        def shown(match: re.Match[str]) -> str:
            initial = initials and bool(match["word"]) and len(match[0]) == 1
            return _shape(match[0]) if initial or hidden(match) else match[0]

        return _PARTS.sub(shown, text)

    def position(self, text: str) -> str:
        """Return a position with its numbers and the known names of elements and sheets; hide other words."""
        columns = _of_contracts()[2]

        def part(match: re.Match[str]) -> str:
            word = match[0]
            if word.isdigit():
                return word if len(word) <= _LINE_DIGITS else "9" * len(word)
            known = word in _POSITION_WORDS or word in columns or word in _element_words()
            configured = word.casefold() in self._configured_words and not self._names_somebody(word)
            return word if known or configured else MASK

        # Several short numbers may form a date, as in the name of a sheet.
        hidden = re.sub(_DATES, lambda match: _shape(match[0]), printable(text))
        return re.sub(r"\w+", part, hidden)

    def column(self, text: str) -> str:
        """Return the name of a column of a contract or of the study's configuration; hide other names."""
        if text in _of_contracts()[2] or text in _element_words() or text.casefold() in self._configured:
            return text
        return MASK

    def path(self, text: str, file_id: str | None) -> str:
        """Return a path; parts with an unknown word or a long number are hidden.

        If a part is hidden, the file id is added.
        """
        text, named, of_file = printable(text).partition(_BY_ID)
        shown = "/".join([part if self._shown_parts[part] else MASK for part in text.split("/")])
        if named:
            return f"{shown}{named}{of_file}"
        return f"{shown}{_BY_ID}{file_id[:ID_SHOWN]})" if MASK in shown and file_id else shown

    def remark(self, text: str) -> str:
        """Return a steward's text with the names and numbers of patients hidden."""
        text = printable(text)
        hidden = _TOKEN.sub(lambda m: _shape(m[0]) if self._names_somebody(m[0]) else m[0], text)
        return re.sub(_NUMBERS, lambda m: _shape(m[0]) if spelling(m[0]) in self._known else m[0], hidden)

    def _path_part(self, part: str) -> bool:
        words = _WORD.findall(part)
        # The cheap questions first: most parts are hidden for a number or a word that is not listed.
        if any(word.casefold() not in self._path_words for word in words):
            return False
        if any(_is_identifying(group) for group in _PATH_NUMBERS.findall(part)):
            return False
        return not any(self._names_somebody(token) for token in (*_TOKEN.findall(part), *words))

    def _names_somebody(self, word: str) -> bool:
        return spelling(word) in self._known or _bare(word) in self._known

    def names_in_places(self) -> frozenset[str]:
        """Return the known words that :meth:`places` depends on: a gate that knows only these hides the same.

        Other names are no words that may be shown, and other numbers are too long to be shown.
        """
        listed = {
            s for word in self._path_words | self._configured_words for s in (spelling(word), _bare(word))
        }

        def matters(name: str) -> bool:
            if not name.isascii() or name in listed:
                return True
            return not name.isalpha() and not re.search(_LONG_NUMBER, name)

        return frozenset(filter(matters, self._known))

    def frame(self, found: pl.DataFrame) -> pl.DataFrame:
        """Apply the gate to ``path``, ``position``, ``column_name``, ``value`` and ``note`` of findings.

        A note is written by the program: only names and numbers of patients are hidden in it.

        Args:
            found: has these columns (``note`` is optional) and ``file_id`` (null for a finding on a whole
                source).
        """
        notes = [_replaced(found, "note", self.remark)] if "note" in found.columns else []
        return self.places(found).with_columns(
            _replaced(found, "column_name", self.column), _replaced(found, "value", self.value), *notes
        )

    def places(self, found: pl.DataFrame) -> pl.DataFrame:
        """Apply the gate to ``path`` and ``position`` of records; ``file_id`` identifies their files."""
        return found.with_columns(self.paths(found), self.positions(found["position"]))

    def paths(self, files: pl.DataFrame) -> pl.Series:
        """Return ``path`` of files with their ``file_id``, as it may be shown."""
        pairs = files.select("path", "file_id").unique().drop_nulls("path")
        plain = pl.col("path").str.contains(_PLAIN) & ~pl.col("path").str.contains(_BY_ID, literal=True)
        other = pairs.filter(~plain)
        shown = pl.concat(
            [
                self._plain_paths(pairs.filter(plain)),
                other.with_columns(
                    shown=pl.Series([self.path(*pair) for pair in other.iter_rows()], dtype=pl.String)
                ),
            ]
        )
        joined = files.select("path", "file_id").join(
            shown, on=["path", "file_id"], how="left", nulls_equal=True, maintain_order="left"
        )
        return joined["shown"].alias("path")

    def _plain_paths(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Add ``shown`` to paths of printable ASCII without a file id: as :meth:`path`, in columns."""
        parts = pairs.select(part=pl.col("path").str.split("/")).with_row_index("_row").explode("part")
        distinct = parts["part"].unique()
        asked = distinct.filter(~distinct.str.contains(_LONG_NUMBER))
        known = pl.Series([part for part in asked if self._shown_parts[part]], dtype=pl.String)
        masked = pl.when(pl.col("part").is_in(known.implode())).then("part").otherwise(pl.lit(MASK))
        shown = parts.with_columns(masked).group_by("_row", maintain_order=True).agg(pl.col("part"))
        by_id = pl.when(pl.col("file_id").str.len_chars() > 0).then(
            pl.format(_BY_ID + "{})", pl.col("file_id").str.head(ID_SHOWN))
        )
        hidden = pl.col("shown").str.contains(MASK, literal=True)
        return pairs.with_columns(shown=shown["part"].list.join("/")).with_columns(
            shown=pl.col("shown") + pl.when(hidden).then(by_id).fill_null("")
        )

    def positions(self, texts: pl.Series) -> pl.Series:
        """Return positions as they may be shown: :meth:`position` of each.

        Most differ in their numbers only, and are shown as they are: their words are asked once.
        """
        words = texts.str.replace_all(_NUMBER_IN_POSITION, "0")
        plain = texts.str.contains(_PLAIN) & ~words.str.contains(_LIKE_A_DATE)
        asked = words.filter(plain).unique()
        passed = asked.filter(pl.Series([self.position(text) == text for text in asked], dtype=pl.Boolean))
        shown = plain & words.is_in(passed.implode())
        rest = texts.set(shown.fill_null(True), None).alias("rest")
        return texts.zip_with(shown.fill_null(True), _replaced(rest.to_frame(), "rest", self.position))


def _replaced(found: pl.DataFrame, column: str, shown: Callable[[str], str]) -> pl.Series:
    """Map the distinct values of a column, because many findings have the same value."""
    texts = found[column].drop_nulls().unique().sort()
    masked = pl.Series([shown(text) for text in texts], dtype=pl.String)
    return found[column].cast(pl.String).replace_strict(texts, masked, default=None, return_dtype=pl.String)


@cache
def _element_words() -> frozenset[str]:
    """Return the names of elements and attributes in positions, and of columns of received tables."""
    received = (contract for table, contract in CONTRACTS.items() if table.startswith("received."))
    frame = {
        "oBDS",
        "Menge_Patient",
        "Patient",
        "Menge_Meldung",
        "Meldung",
        "Menge_Bestrahlung",
        "Bestrahlung",
    }
    return frozenset(frame | {c.name for contract in received for c in contract.columns()})


def _shape(text: str) -> str:
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", text))


def _is_identifying(group: str) -> bool:
    """Return whether a group of numbers may be a date, or is as long as a patient number."""
    runs = re.findall(r"\d+", group)
    if len(runs) == 1:
        return len(group) > _SHORT
    # Two years, a decimal number and "4,5 / 5,0" are neither.
    if len(runs) == 2 and (_DECIMAL.fullmatch(group) or all(len(r) == _SHORT for r in runs)):
        return False
    return not all(_DECIMAL.fullmatch(part) for part in re.split(r"\s+[/,]?\s*", group))
