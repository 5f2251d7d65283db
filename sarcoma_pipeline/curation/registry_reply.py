"""Registry offices' replies to typed records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


def typed_frames(
    received: pl.DataFrame, source: RegistrySource
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """A person and a vital status per reply.

    Args:
        received: rows of ``received.registry_reply`` with ``received_on`` (Date) joined on.
        source: the date formats of the offices.
    """
    base = {
        "record_id": text("record_id"),
        "source": constant("registry office"),
        "person_ref": Reading(
            pl.coalesce(
                [pl.lit("number:") + pl.col("hospital_number"), pl.lit("record:") + pl.col("record_id")]
            )
        ),
        "received_on": Reading(pl.col("received_on")),
        "reported_on": Reading(_answered_on(source.date_formats)),
    }
    formats = source.date_formats
    person = {
        "hospital_number": text("hospital_number"),
        "family_name": text("family_name"),
        "given_names": text("given_names"),
        "birth_date": date("birth_date", formats),
        "sex": code("sex", _SEX, fold=True),
        "master": constant(False, pl.Boolean),
    }
    # Of a death or a move the event's own date counts; of a life the day on which it held.
    dated = pl.col("answer").str.to_lowercase().str.contains("verstorben|verzogen")
    when = pl.when(dated).then(pl.coalesce(["event_date"])).otherwise(pl.col("answered_on"))
    status = {
        "status": code("answer", v.REGISTRY_ANSWER, fold=True),
        "status_date": date(when, formats),
        "tumour_related": constant(None),
    }
    yield typed.Person, *read(received, typed.Person, base | person)
    yield typed.VitalStatus, *read(received, typed.VitalStatus, base | status)


def _answered_on(formats: Sequence[str]) -> pl.Expr:
    """The day on which the office answered; it only orders replies, an unreadable one is no fault of them."""
    text = pl.col("answered_on")
    return pl.coalesce(text.str.to_date(f, strict=False) for f in formats)
