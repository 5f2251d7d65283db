"""Convert replies of registry offices to typed records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation import death_beside_life
from sarcoma_pipeline.curation.parse import Reading, code, constant, date, text
from sarcoma_pipeline.curation.spreadsheet_cells import BIRTHS_COUNTED_FROM, DAYS_COUNTED_FROM, counted
from sarcoma_pipeline.curation.typed_columns import read
from sarcoma_pipeline.curation.value_rules import NUMBER_DAMAGED, damaged
from schemas import typed
from schemas import vocabularies as v
from schemas.configuration import RegistrySource
from schemas.contract import Contract
from schemas.observations import observation

_SEX = {
    "m": "male", "männlich": "male", "w": "female", "f": "female", "weiblich": "female", "d": "diverse",
    "divers": "diverse", "x": "unknown", "u": "unknown",
}  # fmt: skip
_MONTHS = (
    ("jan", "uar"), ("feb", "ruar"), ("mär", "z"), ("apr", "il"), ("mai", ""), ("jun", "i"), ("jul", "i"),
    ("aug", "ust"), ("sep", "t?(?:ember)?"), ("okt", "ober"), ("nov", "ember"), ("dez", "ember"),
)  # fmt: skip
_MONTH = "|".join(f"{short}(?:{rest})?" for short, rest in _MONTHS)
_OF_MONTH = rf"(?i)^({_MONTH})\.? \d{{4}}$"
_DAY = rf"\d{{1,2}}\.\d{{1,2}}\.\d{{4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}[./]\d{{4}}|(?:(?:{_MONTH})\.? )?\d{{4}}"
"""A day, a month or a year, as offices write it."""
_WITH_DATE = rf"(?i)^(.+?),?(?: am| seit| zum| im| ab|:)? ({_DAY})$"
"""An answer that names its day, such as "verstorben am 11.03.2014"."""
_DATE_FIRST = rf"(?i)^(?:ist )?(?:am|im) ({_DAY}) (\pL+)$"
"""The same in the order of a sentence: "am 11.03.2014 verstorben"."""
_PERSON = r"^(?:die |der |das )?(?:person |betroffene |einwohner(?:in)? )?(?:ist )?"
_PLACE = r"^((?:ver|ge)storben|verst|gest|tot) in \D+$"
"""An answer that names the place of death."""
_WITH_PLACE = {
    "moved": r"^(?:verzogen|weggezogen|fortgezogen|umgezogen|abgemeldet|wegzug) nach .",
    "alive": r"^(?:hier |noch )?(?:wohnhaft|gemeldet|wohnt) in .",
    "no information": r"^auskunftssperre .",
}
"""Answers that name a place or a paragraph, which no list of words can hold."""


def typed_frames(
    received: pl.DataFrame, source: RegistrySource
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Yield a person and a vital status per reply.

    Args:
        received: rows of ``received.registry_reply`` with ``received_on`` (Date) joined on.
        source: the date formats of the offices.
    """
    number = pl.col("hospital_number").str.strip_chars()
    number = pl.when(~damaged(number)).then(number)
    base = {
        "record_id": text("record_id"),
        "source": constant("registry office"),
        "person_ref": Reading(
            pl.coalesce([pl.lit("number:") + number, pl.lit("record:") + pl.col("record_id")])
        ),
        "received_on": Reading(pl.col("received_on")),
        "reported_on": Reading(_answered_on(source)),
    }
    formats, spreadsheet = source.formats_of_dates(), source.spreadsheet
    told = _answered(received, v.REGISTRY_ANSWER | source.answers)
    person = {
        "hospital_number": Reading(number),
        "family_name": text("family_name"),
        "given_names": text("given_names"),
        "birth_name": text("birth_name"),
        "former_names": text("former_names"),
        "birth_date": date("birth_date", formats, counted_from=BIRTHS_COUNTED_FROM if spreadsheet else None),
        "sex": code("sex", _SEX, fold=True),
        "master": constant(False, pl.Boolean),
    }
    status = {
        "status": Reading(pl.col("_status"), pl.col("answer")),
        "status_date": date("_when", formats, counted_from=DAYS_COUNTED_FROM if spreadsheet else None),
        "tumour_related": constant(None),
    }
    lost = received.filter(damaged(pl.col("hospital_number")))
    table = "received.registry_reply"
    seen = observation(lost, NUMBER_DAMAGED, table, "hospital_number", pl.col("hospital_number"))
    made, observed = read(received, typed.Person, base | person)
    yield typed.Person, made, pl.concat([observed, seen])
    made, observed = read(told, typed.VitalStatus, base | status)
    yield typed.VitalStatus, made, pl.concat([observed, death_beside_life.in_replies(told, source)])


def _answered(replies: pl.DataFrame, answers: Mapping[str, str]) -> pl.DataFrame:
    """Add the status in an answer (``_status``) and the text of its date (``_when``).

    They are columns because the reading of a date uses its text many times.
    """
    # Two days in one reply: neither is chosen, and the answer is a finding.
    word = pl.when(pl.col("_day") != pl.col("_event")).then(None).otherwise("_word")
    # Deaths and moves are dated by their event date, "alive" by the date of the answer.
    of_event = pl.col("_status").is_in(["deceased", "deceased, date unknown", "moved"])
    # In steps, so that each pattern is searched once.
    return (
        _parts(replies.with_columns(_event=_day(pl.col("event_date"))))
        .with_columns(_word=_bare(word))
        .with_columns(_status=_meaning(answers))
        .with_columns(_when=pl.when(of_event).then(pl.coalesce("_event", "_day")).otherwise("answered_on"))
        .drop("_event", "_word", "_day")
    )


def meanings(answers: Sequence[str]) -> list[str | None]:
    """Return what answers say by the usual wordings; None for one that only a person understands."""
    told = pl.DataFrame({"answer": answers}, schema={"answer": pl.String})
    words = _parts(told).with_columns(_word=_bare(pl.col("_word")))
    return words.select(_meaning(v.REGISTRY_ANSWER))["_word"].to_list()


def _parts(replies: pl.DataFrame) -> pl.DataFrame:
    """Add the words of an answer without their day (``_word``), and the day (``_day``)."""
    plain = pl.col("answer").str.strip_chars().str.replace_all(r"\s+", " ").str.strip_chars_end(".")
    plain = (
        plain.str.replace(r"^[†✝] ?", "verstorben ").str.replace(r"^(.*\d) in \D+$", "$1").str.strip_chars()
    )
    first, last = (
        pl.col("_word").str.extract_groups(_DATE_FIRST),
        pl.col("_word").str.extract_groups(_WITH_DATE),
    )
    return (
        replies.with_columns(_word=plain)
        .with_columns(_first=first, _last=last)
        .with_columns(
            _word=pl.coalesce(pl.col("_first").struct.field("2"), pl.col("_last").struct.field("1"), "_word"),
            _day=_day(pl.coalesce(pl.col("_first").struct.field("1"), pl.col("_last").struct.field("2"))),
        )
        .drop("_first", "_last")
    )


def _meaning(answers: Mapping[str, str]) -> pl.Expr:
    """Return the status that the words in ``_word`` mean, written by :func:`_bare`."""
    bare = pl.col("_word").str.replace(_PERSON, "").str.replace(_PLACE, "$1")
    plain = pl.DataFrame({"word": list(answers)}).select(_bare(pl.col("word")))["word"]
    known = dict(zip(plain, answers.values(), strict=True))
    listed = bare.replace_strict(known, default=None, return_dtype=pl.String)
    placed = [
        pl.when(bare.str.contains(pattern)).then(pl.lit(status)) for status, pattern in _WITH_PLACE.items()
    ]
    return pl.coalesce([listed, *placed])


def _bare(word: pl.Expr) -> pl.Expr:
    """Return words in small letters without signs."""
    return word.str.to_lowercase().str.replace_all(r"[^\pL\d§]+", " ").str.strip_chars()


def _day(text: pl.Expr) -> pl.Expr:
    """Write a day, month or year as ``date`` reads it: 03.2019 as 00.03.2019, 2019 as 00.00.2019."""
    day = text.str.strip_chars()
    day = pl.when(day != "").then(day)
    month = day.str.extract(_OF_MONTH, 1).str.to_lowercase().str.slice(0, 3)
    numbers = {short: f"{number:02}." for number, (short, _) in enumerate(_MONTHS, start=1)}
    in_figures = month.replace_strict(numbers, default=None, return_dtype=pl.String) + day.str.tail(4)
    return (
        pl.coalesce(in_figures, day)
        .str.replace(r"^(\d)\.", "0$1.")
        .str.replace(r"^(\d\d)\.(\d)\.", "$1.0$2.")
        .str.replace(r"^(\d)/", "0$1/")
        .str.replace(r"^(\d\d)[./](\d{4})$", "00.$1.$2")
        .str.replace(r"^(\d{4})$", "00.00.$1")
    )


def _answered_on(source: RegistrySource) -> pl.Expr:
    """Return the day on which the office answered.

    It is used only for sorting; an unreadable day is no finding.
    """
    text = pl.col("answered_on")
    days = [text.str.to_date(f, strict=False) for f in source.formats_of_dates()]
    return pl.coalesce(*days, *([counted(text, DAYS_COUNTED_FROM)] if source.spreadsheet else []))
