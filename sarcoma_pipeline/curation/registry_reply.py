"""Convert replies of registry offices to typed records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation.parse import Reading, code, constant, date, read, text
from schemas import typed
from schemas import vocabularies as v
from schemas.configuration import RegistrySource
from schemas.contract import Contract

_SEX = {
    "m": "male", "männlich": "male", "w": "female", "f": "female", "weiblich": "female", "d": "diverse",
    "divers": "diverse", "x": "unknown", "u": "unknown",
}  # fmt: skip
_WITH_DATE = r"^(.+?)\s+(?:am|seit|zum)\s+(\d{1,2}\.\d{1,2}\.\d{4}|\d{4}-\d\d-\d\d)$"
"""An answer that contains its date, such as "verstorben am 11.03.2014"."""


def typed_frames(
    received: pl.DataFrame, source: RegistrySource
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Yield a person and a vital status per reply.

    Args:
        received: rows of ``received.registry_reply`` with ``received_on`` (Date) joined on.
        source: the date formats of the offices.
    """
    number = pl.col("hospital_number").str.strip_chars()
    base = {
        "record_id": text("record_id"),
        "source": constant("registry office"),
        "person_ref": Reading(
            pl.coalesce([pl.lit("number:") + number, pl.lit("record:") + pl.col("record_id")])
        ),
        "received_on": Reading(pl.col("received_on")),
        "reported_on": Reading(_answered_on(source.formats_of_dates())),
    }
    formats = source.formats_of_dates()
    told = _answered(received, v.REGISTRY_ANSWER | source.answers)
    person = {
        "hospital_number": Reading(number),
        "family_name": text("family_name"),
        "given_names": text("given_names"),
        "birth_date": date("birth_date", formats),
        "sex": code("sex", _SEX, fold=True),
        "master": constant(False, pl.Boolean),
    }
    status = {
        "status": Reading(pl.col("_status"), pl.col("answer")),
        "status_date": date("_when", formats),
        "tumour_related": constant(None),
    }
    yield typed.Person, *read(received, typed.Person, base | person)
    yield typed.VitalStatus, *read(told, typed.VitalStatus, base | status)


def _answered(replies: pl.DataFrame, answers: Mapping[str, str]) -> pl.DataFrame:
    """Add the status in an answer (``_status``) and the text of its date (``_when``).

    They are columns because the reading of a date uses its text many times.
    """
    plain = pl.col("answer").str.strip_chars().str.replace_all(r"\s+", " ").str.strip_chars_end(".")
    day = plain.str.extract(_WITH_DATE, 2)
    event = pl.col("event_date").str.strip_chars()
    # Two different dates in one reply: neither is used, and the answer is a finding.
    word = pl.when(day != event).then(None).otherwise(pl.coalesce([plain.str.extract(_WITH_DATE, 1), plain]))
    known = {words.strip().rstrip("."): status for words, status in answers.items()}
    listed = code(word, known, fold=True).value
    # "verzogen nach" is followed by a place, which no code list can contain.
    moved = word.str.to_lowercase().str.starts_with("verzogen nach ")
    status = pl.coalesce([listed, pl.when(moved).then(pl.lit("moved"))])
    # Deaths and moves are dated by their event date, "alive" by the date of the answer.
    of_event = status.is_in(["deceased", "deceased, date unknown", "moved"])
    dated = pl.coalesce([pl.when(event != "").then(event), day])
    when = pl.when(of_event).then(dated).otherwise(pl.col("answered_on"))
    return replies.with_columns(_status=status, _when=when)


def _answered_on(formats: Sequence[str]) -> pl.Expr:
    """Return the day on which the office answered.

    It is used only for sorting; an unreadable day is no finding.
    """
    text = pl.col("answered_on")
    return pl.coalesce(text.str.to_date(f, strict=False) for f in formats)
