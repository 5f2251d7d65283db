"""Turn requests of data stewards into decisions on findings, all or none."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sarcoma_pipeline.quality.ids import Ids
from sarcoma_pipeline.quality.ledger import last_decisions, standing
from schemas.configuration_faults import meant
from schemas.finding_words import said
from schemas.ledger import Decision
from schemas.vocabularies import (
    ACKNOWLEDGE,
    ACKNOWLEDGED,
    DECIDE,
    DECISION_ACTION,
    LETTER_ANSWER,
    OPEN,
    REOPEN,
    REOPENED,
    RESOLVED,
    WAIVE,
    WAIVED,
)

_DATES = ("%Y-%m-%d", "%d.%m.%Y")


class DecisionRefused(Exception):
    """A decision was refused; nothing was changed.

    Attributes:
        problems: one sentence each.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Request:
    """A decision that a steward requests.

    Attributes:
        finding_id: the finding.
        action: ``acknowledge``, ``waive``, ``reopen`` or ``decide``.
        who: the steward.
        reason: in the steward's words.
        until: last day of a waiver: a date, or text as ``2030-12-31`` or ``31.12.2030``.
        content_hash: content of the record that the steward saw, if known.
        place: position of the request (a line of an imported file), for the error message.
        reading: number of the chosen reading of a course.
        assignee: who looks it up; only with an acknowledgement.
        due: day by which the answer is expected, as ``until``; only with an acknowledgement.
        answer: the sender's answer to a letter; only with an acknowledgement.
    """

    finding_id: str
    action: str
    who: str
    reason: str
    until: dt.date | str | None = None
    content_hash: str | None = None
    place: str = ""
    reading: int | str | None = None
    assignee: str = ""
    due: dt.date | str | None = None
    answer: str | None = None

    @property
    def adds(self) -> bool:
        """Whether it says more than that somebody is working on the finding."""
        return bool(self.assignee or self.due or self.answer)


def day(text: str | None) -> dt.date | None:
    """Parse a day such as ``2030-12-31`` or ``31.12.2030``; return None for an empty text.

    Raises:
        DecisionRefused: the text is not a day.
    """
    if text is None or not text.strip():
        return None
    for form in _DATES:
        try:
            return dt.datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    raise DecisionRefused([f"{text.strip()!r} is not a day: write 2030-12-31 or 31.12.2030"])


def offered(
    findings: pl.DataFrame, readings: pl.DataFrame, identities: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the readings that data stewards can choose, by finding.

    Args:
        findings: ``quality.findings``.
        readings: ``curated.radiotherapy_reading``.
        identities: ``curated.identity_reading``.

    Returns:
        ``finding_id``, ``reading``, ``reading_key``, ``text``, ``prescribed_dose_gy``, ``fractions``.
    """
    asked = findings.select("finding_id", "rule_id", "record_id")
    both = [readings] if identities is None else [readings, identities]
    everything = pl.concat(both, how="diagonal_relaxed")
    return asked.join(everything, on=["rule_id", "record_id"]).select(*OFFERED).sort("finding_id", "reading")


def possible(entries: pl.DataFrame, decisions: pl.DataFrame, readings: pl.DataFrame) -> dict[str, list[str]]:
    """Return the decisions that would not be refused, by finding: ``decide 2`` chooses the second reading.

    Args:
        entries: ``quality.ledger``.
        decisions: ``quality.decisions``.
        readings: readings that may be chosen, from :func:`offered`.
    """
    last = dict(last_decisions(decisions).select("finding_id", "action").iter_rows())
    keys = _keys(readings)
    found: dict[str, list[str]] = {}
    for entry in entries.iter_rows(named=True):
        finding = entry["finding_id"]

        def refused(action: str, of: dict[str, Any] = entry, finding: str = finding) -> list[str]:
            return _out_of_turn(Request(finding, action, "", ""), of, last.get(finding))

        actions = [action for action in (ACKNOWLEDGE, WAIVE, REOPEN) if not refused(action)]
        if not refused(DECIDE):
            numbers = sorted(n for n in keys.get(finding, {}) if n is not None)
            actions += [f"{DECIDE} {number}" for number in numbers]
        found[finding] = actions
    return found


def in_sentences(findings: pl.DataFrame, readings: pl.DataFrame) -> dict[str, dict[int, str]]:
    """Return what each reading means, by finding and number, in the language that is set.

    Args:
        findings: ``finding_id`` and ``rule_id``.
        readings: the readings that may be chosen, from :func:`offered`.
    """
    rule_of = dict(findings.select("finding_id", "rule_id").iter_rows())
    found: dict[str, dict[int, str]] = {}
    for row in readings.iter_rows(named=True):
        if rule_of[row["finding_id"]].startswith("identity."):
            told = said(row["text"], "answer")
        else:
            # Imported here: it imports half of curation, and few commands tell readings.
            from sarcoma_pipeline.curation.course_questions import AskedReading

            asked = AskedReading(
                row["reading"], row["text"], row["prescribed_dose_gy"], row["fractions"], row["reading_key"]
            )
            told = said(str(asked), "value").partition(": ")[2]
        found.setdefault(row["finding_id"], {})[row["reading"]] = told
    return found


OFFERED = ("finding_id", "reading", "reading_key", "text", "prescribed_dose_gy", "fractions")
"""Columns of the readings offered for a choice."""


def decide(
    ledger: pl.DataFrame,
    decisions: pl.DataFrame,
    requests: Sequence[Request],
    now: dt.datetime,
    readings: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Turn requests of stewards into decisions: all or none.

    Args:
        ledger: ``quality.ledger``.
        decisions: ``quality.decisions``: the earlier decisions.
        requests: the requests; one per finding.
        now: the time of the decision, in the time zone of the site: its day is today.
        readings: readings that may be chosen, from :func:`offered`; None for none.

    Returns:
        The new rows of ``quality.decisions``.

    Raises:
        DecisionRefused: at least one request is refused; the exception lists all of them.
    """
    at = now.astimezone(dt.UTC).isoformat(timespec="microseconds")
    known = {row["finding_id"]: row for row in standing(ledger, decisions, now.date()).iter_rows(named=True)}
    last = dict(last_decisions(decisions).select("finding_id", "action").iter_rows())
    keys = _keys(readings)
    requests, ambiguous = _in_full(requests, {*known, *last})
    times = Counter(request.finding_id for request in requests)
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    for request in requests:
        entry = known.get(request.finding_id)
        if entry is None and last.get(request.finding_id) == DECIDE:
            # A rebuilt warehouse has never seen a finding that a choice resolves.
            entry = {"status": RESOLVED, "rule_id": "", "content_hash": None, "until": None}
        if times[request.finding_id] > 1:
            found = ["is named more than once"]
        elif request.finding_id in ambiguous:
            found = [f"{ambiguous[request.finding_id]} findings begin with it"]
        elif entry is None:
            near = meant(request.finding_id, known)
            found = ["there is no such finding" + (f'; did you mean "{near}"?' if near else "")]
        else:
            found = _objections(request, entry, now.date(), last.get(request.finding_id))
            found += _no_reading(request, keys.get(request.finding_id, {}))
        place = f"{request.place}: " if request.place else ""
        problems += [f"{place}{request.finding_id}: {sentence}" for sentence in found]
        if entry is None or found:
            continue
        who, reason = _plain(request.who), _plain(request.reason)
        rows.append(
            {
                "decision_id": _decision_id(request.finding_id, request.action, who, at),
                "finding_id": request.finding_id,
                "action": request.action,
                "who": who,
                "at": at,
                "reason": reason,
                "until": _until(request),
                "content_hash": entry["content_hash"],
                "reading_key": keys.get(request.finding_id, {}).get(_number(request.reading)),
                "assignee": _plain(request.assignee) or None,
                "due": _day(request.due),
                "answer": request.answer,
            }
        )
    if not requests:
        problems.append("nothing is requested: name a finding")
    if problems:
        raise DecisionRefused(problems)
    return pl.DataFrame(rows, schema=Decision.polars_schema())


def _in_full(requests: Sequence[Request], known: set[str]) -> tuple[list[Request], dict[str, int]]:
    """Return the requests with whole ids, and the beginnings that several ids have, with their number."""
    full: list[Request] = []
    ambiguous: dict[str, int] = {}
    ids = Ids(known)
    for request in requests:
        meant_by = ids.beginning_with(request.finding_id)
        if len(meant_by) > 1:
            ambiguous[request.finding_id] = len(meant_by)
        full.append(replace(request, finding_id=meant_by[0]) if len(meant_by) == 1 else request)
    return full, ambiguous


def _keys(readings: pl.DataFrame | None) -> dict[str, dict[int | None, str]]:
    """Map each finding to the keys of its readings by number."""
    found: dict[str, dict[int | None, str]] = {}
    if readings is not None:
        for finding, number, key in readings.select("finding_id", "reading", "reading_key").iter_rows():
            found.setdefault(finding, {})[number] = key
    return found


def _number(reading: int | str | None) -> int | None:
    text = str(reading or "").strip()
    return int(text) if text.isdigit() else None


def _no_reading(request: Request, keys: dict[int | None, str]) -> list[str]:
    """Return why the requested reading cannot be chosen."""
    if request.action != DECIDE:
        return ["only a decision chooses a reading"] if _number(request.reading) is not None else []
    if not keys:
        return ["needs no choice of a reading: acknowledge or waive it"]
    if _number(request.reading) not in keys:
        numbers = ", ".join(str(n) for n in sorted(n for n in keys if n is not None))
        return [f"choose one of its readings: {numbers}"]
    return []


def _objections(
    request: Request, entry: dict[str, Any], today: dt.date, last: str | None = None
) -> list[str]:
    """Return why a request on a known finding is refused."""
    if request.action not in DECISION_ACTION:
        return [f"unknown action {request.action!r}; known are: {', '.join(DECISION_ACTION)}"]
    found = []
    if not _plain(request.who):
        found.append("who decides is missing")
    if not _plain(request.reason):
        found.append("the reason is missing")
    if request.content_hash and request.content_hash != entry["content_hash"]:
        found.append("the record has changed since it was exported: check it again")
    if request.adds and request.action != ACKNOWLEDGE:
        found.append("only an acknowledgement has an assignee, a due day or an answer")
    if request.answer is not None and request.answer not in LETTER_ANSWER:
        found.append(f"unknown answer {request.answer!r}; known are: {', '.join(LETTER_ANSWER)}")
    try:
        until, due = _until(request), _day(request.due)
    except DecisionRefused as refused:
        return [*found, *refused.problems]
    if request.action == WAIVE and until is None:
        found.append("a waiver needs its last day")
    elif request.action != WAIVE and until is not None:
        found.append("only a waiver has a last day")
    elif until is not None and until < today:
        found.append(f"{until} is in the past")
    if due is not None and due < today:
        found.append(f"{due} is in the past")
    return found + _out_of_turn(request, entry, last)


def _out_of_turn(request: Request, entry: dict[str, Any], last: str | None) -> list[str]:
    """Return why the status of a finding does not allow an action."""
    action = request.action
    # Imports every module that declares rules, which a list of findings does not need.
    from sarcoma_pipeline.quality import rule_catalogue

    status, rule = entry["status"], rule_catalogue.DECLARED.get(entry["rule_id"])
    if status == RESOLVED and action == REOPEN and last == DECIDE:
        return []  # the choice of a reading resolves its finding; withdrawing it brings the finding back
    if status == RESOLVED:
        return ["is resolved; if the fault comes back, the finding is reopened automatically"]
    if action == REOPEN and status in (OPEN, REOPENED):
        return [f"is {status} already"]
    if action == ACKNOWLEDGE and status == ACKNOWLEDGED and not request.adds:
        return ["is acknowledged already"]
    if action == ACKNOWLEDGE and status == WAIVED:
        return [f"is waived until {entry['until']}; reopen it first"]
    if action == WAIVE and rule is not None and rule.scope != "program" and not rule.waivable:
        return [f"{rule.id} cannot be waived, there is no record to let through. {rule.remedy}"]
    return []


def _until(request: Request) -> dt.date | None:
    return _day(request.until)


def _day(given: dt.date | str | None) -> dt.date | None:
    return day(given) if isinstance(given, str) else given


def _plain(text: str) -> str:
    """Return the text as one line, because every decision is one line of the log."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _decision_id(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).hexdigest()
