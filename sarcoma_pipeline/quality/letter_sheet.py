"""Write letters to senders as spreadsheets and as pages, and read answered spreadsheets."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import polars as pl

from sarcoma_pipeline.quality import own_sheets
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from sarcoma_pipeline.quality.letter_words import TO_FILL_IN, answer_of, answers, words
from sarcoma_pipeline.quality.letters import QUESTION, Letter
from schemas.content_policy import STATIC_PAGE
from schemas.language import LANGUAGES, Language, day, in_frame, speaking
from schemas.spreadsheet import PLAIN_TEXTS, neutralised
from schemas.vocabularies import ACKNOWLEDGE, RESOLVED, WAIVED

_WIDTHS = {
    "finding_id": 19, "path": 26, "position": 26, "field": 20, "value": 18, "others": 34, "what": 40,
    "remedy": 40, "due": 12, "answer": 20, "remark": 34, "answered_by": 18,
}  # fmt: skip
"""Widths of the columns of the spreadsheet, in characters."""
_ON_PAGE = {**_WIDTHS, "finding_id": 22, "field": 24, "value": 23, "others": 38, "due": 17, "answered_by": 24}
"""Shares of the width of a page: no heading is broken within a word."""
_REASON_CHARS = 300
"""Longest remark that is kept with a decision."""


def write(folder: Path, letter: Letter, language: Language, study: str, refresh: str) -> list[Path]:
    """Write a letter as spreadsheet and as page. Only the owner can read them; no file is overwritten.

    Args:
        folder: an existing folder.
        letter: the letter.
        language: of its words.
        study: title of the study.
        refresh: the refresh that found the findings, as it is shown.

    Raises:
        FileExistsError: a letter of this name exists; somebody may have filled it in.
    """
    name = f"{letter.file_name}.{language}"
    made = []
    for ending, content in (
        ("xlsx", spreadsheet(letter, language, study, refresh)),
        ("html", page(letter, language, study, refresh).encode()),
    ):
        path = folder / f"{name}.{ending}"
        own_sheets.create(path, content)
        made.append(path)
    return made


def _heading(letter: Letter, language: Language, study: str, refresh: str) -> list[tuple[str, str]]:
    said = words(language)
    return [
        (said["to"], f"{letter.owner} ({letter.contact or said['no_contact']})"),
        (said["system"], letter.system),
        (said["sources"], ", ".join(letter.sources)),
        (said["study"], study),
        (said["refresh"], refresh),
    ]


def _questions(letter: Letter, language: Language) -> pl.DataFrame:
    """Return the questions with the texts of the rules and the due day in the letter's language."""
    with speaking(language):
        due = [None if due is None else day(due) for due in letter.questions["due"]]
        return in_frame(letter.questions, "what", "remedy").with_columns(due=pl.Series(due, dtype=pl.String))


def spreadsheet(letter: Letter, language: Language, study: str, refresh: str) -> bytes:
    """Return a letter as XLSX: the questions with room for the answers, and a sheet that explains them."""
    import xlsxwriter

    said = words(language)
    rows = neutralised(_questions(letter, language))
    columns = [*QUESTION, *TO_FILL_IN]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {**PLAIN_TEXTS, "in_memory": True}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        shown = book.add_format({"text_wrap": True, "valign": "top"})
        free = book.add_format({"text_wrap": True, "valign": "top", "bg_color": "#FFF8DC", "border": 1})
        sheet = book.add_worksheet(said["sheet"])
        for place, column in enumerate(columns):
            sheet.set_column(
                place, place, _WIDTHS.get(column, 12), None, {"hidden": column == "content_hash"}
            )
            sheet.write_string(0, place, said[column], head)
        for number, row in enumerate(rows.iter_rows(named=True), 1):
            for place, column in enumerate(columns):
                text = row.get(column) or ""
                sheet.write_string(number, place, text, free if column in TO_FILL_IN else shown)
        last = max(rows.height, 1)
        choice = columns.index("answer")
        sheet.data_validation(
            1, choice, last, choice, {"validate": "list", "source": list(answers(language))}
        )
        sheet.freeze_panes(1, 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        about = book.add_worksheet(said["title"][:31])
        about.set_column(0, 0, 20)
        about.set_column(1, 1, 100)
        about.write_string(0, 0, said["title"], head)
        heading = pl.DataFrame(
            _heading(letter, language, study, refresh),
            schema={"name": pl.String, "text": pl.String},
            orient="row",
        )
        for number, (name, text) in enumerate(neutralised(heading).iter_rows(), 2):
            about.write_string(number, 0, name, shown)
            about.write_string(number, 1, text, shown)
        for number, name in enumerate(("intro", "privacy"), heading.height + 3):
            about.write_string(number, 1, said[name], shown)
    return out.getvalue()


_STYLE = """
body { font: 11pt/1.4 system-ui, sans-serif; margin: 2rem; color: #111; background: #fff; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dd { margin: 0; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: 9pt; }
th, td { border: 1px solid #999; padding: .3rem .4rem; text-align: left; vertical-align: top;
  white-space: pre-line; overflow-wrap: anywhere; hyphens: auto; }
th { font-size: 7.5pt; overflow-wrap: normal; } td.free { background: #fff8dc; }
@media screen and (max-width: 60rem) {
  body { margin: 1rem; } dl { grid-template-columns: 1fr; } dt { font-weight: bold; }
  table, tbody, tr, td { display: block; } thead { display: none; }
  tr { border: 1px solid #999; margin: 0 0 1rem; } td { border: 0; min-height: 1.4em; }
  td:not(.free):empty { display: none; }
  td::before { content: attr(data-label); display: block; font-weight: bold; }
}
@media screen and (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #16181c; } td.free { background: #3a3420; }
}
@media print { body { margin: 0; font-size: 8pt; } tr { break-inside: avoid; }
  thead { display: table-header-group; } }
@page { size: A4 landscape; margin: 1cm; }
"""


def page(letter: Letter, language: Language, study: str, refresh: str) -> str:
    """Return a letter as one page for printing or mailing, without script and without anything loaded."""
    said = words(language)
    rows = _questions(letter, language)
    # Without a due day, the column is only narrow.
    spare = {"content_hash", *(["due"] if rows["due"].null_count() == rows.height else [])}
    columns = [c for c in (*QUESTION, *TO_FILL_IN) if c not in spare]
    heading = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>"
        for name, text in _heading(letter, language, study, refresh)
    )
    free = ' class="free"'
    whole = sum(_ON_PAGE[c] for c in columns)
    widths = "".join(f'<col style="width:{100 * _ON_PAGE[c] / whole:.1f}%">' for c in columns)
    head = "".join(f'<th scope="col">{escape(said[c])}</th>' for c in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td{free if c in TO_FILL_IN else ""} data-label="{escape(said[c])}">'
            f"{_breakable(row.get(c) or '', c)}</td>"
            for c in columns
        )
        + "</tr>"
        for row in rows.iter_rows(named=True)
    )
    offered = ", ".join(answers(language))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{STATIC_PAGE}">'
        '<meta name="robots" content="noindex">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(said['title'])}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(said['title'])}</h1><dl>{heading}</dl>"
        f"<p>{escape(said['intro'])}</p><p>{escape(said['answer'])}: {escape(offered)}. "
        f"{escape(said['privacy'])}</p>"
        f"<table><colgroup>{widths}</colgroup><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></body></html>\n"
    )


def _breakable(text: str, column: str) -> str:
    """Escape a cell; names of files, positions and fields may break where a sign joins words."""
    escaped = escape(text)
    if column not in ("path", "position", "field"):
        return escaped
    return re.sub(r"(?<=[\w\]])(?=/)|(?<=[_.])(?=\w)", "<wbr>", escaped)


@dataclass(frozen=True)
class Answers:
    """What a sheet answers.

    Attributes:
        requests: acknowledgements with the sender's answer.
        passed_over: sentences on answers that are not recorded, and why.
        unanswered: number of questions without an answer.
    """

    requests: Sequence[Request]
    passed_over: Sequence[str]
    unanswered: int


def read(path: Path, who: str, standing: pl.DataFrame) -> Answers:
    """Read an answered sheet.

    An answer becomes an acknowledgement: whether a right value is let through is the steward's decision. A
    finding that is resolved or waived keeps its status, and a record that was delivered anew since the letter
    is asked about again; these answers are passed over and told.

    Args:
        path: the answered spreadsheet; it is read in a process of its own.
        who: who records the answers.
        standing: ``quality.ledger`` as of today.

    Raises:
        DecisionRefused: the file is no letter, or an answer is none of those offered.
    """
    try:
        lines = own_sheets.lines(path)
    except ValueError as unreadable:
        raise DecisionRefused([str(unreadable)]) from None
    known = {row["finding_id"]: row for row in standing.iter_rows(named=True)}
    requests: list[Request] = []
    passed, problems, unanswered = [], [], 0
    for place, cells in _rows(lines, path.name):
        given = {name: cells.get(name, "").strip() for name in TO_FILL_IN}
        finding = cells["finding_id"].strip()
        entry = known.get(finding)
        if not any(given.values()):
            unanswered += 1
        elif not given["answer"]:
            problems.append(f"{place}: filled in, but without an answer")
        elif (answer := answer_of(given["answer"])) is None:
            offered = "; ".join("/".join(w) for w in zip(*map(answers, LANGUAGES), strict=True))
            problems.append(f"{place}: the answer is none of those offered: {offered}")
        elif entry is None:
            problems.append(f"{place}: there is no such finding")
        elif entry["status"] in (RESOLVED, WAIVED):
            passed.append(f"{place}: {finding} is {entry['status']}; the answer is not recorded")
        elif cells.get("content_hash", "").strip() not in ("", entry["content_hash"] or ""):
            passed.append(f"{place}: {finding} has changed since the letter; ask again")
        else:
            requests.append(_request(finding, answer, given, who, place))
    if problems:
        raise DecisionRefused(problems)
    return Answers(requests, passed, unanswered)


def _request(finding: str, answer: str, given: Mapping[str, str], who: str, place: str) -> Request:
    by = f" ({given['answered_by']})" if given["answered_by"] else ""
    remark = given["remark"][:_REASON_CHARS]
    reason = f"answer of the sender{by}: {answer}{f': {remark}' if remark else ''}"
    return Request(finding, ACKNOWLEDGE, who, reason, place=place, answer=answer)


def _rows(lines: Sequence[Sequence[str]], name: str) -> list[tuple[str, dict[str, str]]]:
    """Return place and cells of every question, by the names of the columns in any language."""
    names = {words(one)[c]: c for one in LANGUAGES for c in (*QUESTION, *TO_FILL_IN)}
    for number, line in enumerate(lines):
        columns = [names.get(cell.strip()) for cell in line]
        if {"finding_id", "answer"} <= set(columns):
            return [
                (f"row {number + offset + 1}", {c: v for c, v in zip(columns, cells, strict=True) if c})
                for offset, cells in enumerate(lines[number + 1 :], 1)
                if any(cells)
            ]
    raise DecisionRefused([f"{name} is no letter of this program: it has no columns for number and answer"])
