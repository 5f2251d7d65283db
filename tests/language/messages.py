"""Every text that is translated: those of the rules, and those that the program marks for the catalogue.

``python -m tests.language.messages`` adds the texts that a catalogue lacks, each at its place and without a
translation, and removes those that the program no longer has.
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from sarcoma_pipeline.publish import limits
from sarcoma_pipeline.publish.report import strobe
from sarcoma_pipeline.published_study import audit_rules
from sarcoma_pipeline.quality.rule_catalogue import rules
from sarcoma_pipeline.sources import readers
from schemas import vocabularies
from schemas.all_contracts import CONTRACTS
from schemas.analysis import HazardRatio
from schemas.assumptions import declared
from schemas.cohort import CohortPatient
from schemas.language import CATALOGUES, LANGUAGES, SOURCE

ROOT = Path(__file__).parents[2]


def _calls(file: IO[bytes], keywords: Collection[str], comments: object, options: object) -> Iterator[tuple]:
    """Extract the marked texts of a Python file for Babel, whose own way misses those within f-strings."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            texts = [a.value if isinstance(a, ast.Constant) else None for a in node.args]
            yield node.lineno, node.func.id, texts[0] if len(texts) == 1 else tuple(texts), []


KEYWORDS = {"_": None, "gettext": None, "marked": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
"""Functions that mark a text, with the places of singular, plural and context among their arguments."""
METHODS = {".py": _calls, ".js": "javascript", ".html": "jinja2", ".j2": "jinja2"}
OPTIONS = {"parse_template_string": True}
"""Option of the extraction from JavaScript: texts within template strings count, too."""
SENTENCE = re.compile(r"[a-z]{2,}(?: [a-z]{2,}){2}|^[a-z]+ [a-z]+$")
"""A source of a rule that is more than a citation: three words in a row, or nothing but two words."""
VOCABULARIES = (
    "LETTER_ANSWER", "RECORD_ROLE", "MOVEMENT_CAUSE", "EVENT_KIND", "SOURCE", "TOXICITY_CATEGORY",
    "TOXICITY_OUTCOME", "SEX", "LATERALITY", "INTENT", "RADIATION_SEQUENCE", "OVERALL_STATUS",
    "LOCAL_STATUS", "VITAL_STATUS", "DOSE_ORIGIN",
)  # fmt: skip
"""Vocabularies whose words are shown to people."""


@dataclass(frozen=True)
class Message:
    """A text of the program.

    Attributes:
        text: the English text, or the forms for one and for many.
        context: what decides between several translations of the same English text.
        where: the rule or the file that has it.
    """

    text: str | tuple[str, ...]
    context: str | None
    where: str


@cache
def messages() -> tuple[Message, ...]:
    """Return every text once, rules first, then by file."""
    found: dict[tuple[object, object], Message] = {}
    for one in (*_of_rules(), *_of_declarations(), *_of_vocabularies(), *_of_files()):
        found.setdefault((one.text, one.context), one)
    return tuple(found.values())


def _of_rules() -> Iterator[Message]:
    for name, rule in rules().items():
        yield Message(rule.what, None, f"rule {name}: what is wrong")
        yield Message(rule.remedy, None, f"rule {name}: what to do")
        if SENTENCE.search(rule.source):
            yield Message(rule.source, None, f"rule {name}: why")


def _of_declarations() -> Iterator[Message]:
    """Yield the texts that the report takes from declarations, which are written once and without a mark."""
    for limit in limits.LIMITS:
        for text in filter(None, (limit.what, limit.why, limit.counts)):
            yield Message(text, None, f"limit {limit.id}")
    for item in strobe.ITEMS:
        yield Message(item.asks, None, f"checklist {item.number}")
        yield Message(item.answer, None, f"checklist {item.number}")
    for one in declared():
        says = (one.switch.says,) if isinstance(one.switch.says, str) else one.switch.says.values()
        for text in filter(None, (*says, one.switch.zero)):
            yield Message(text, None, f"assumption {one.name}")
        # Names and values stand in the table of the other assumptions; abbreviations are not translated.
        for word in (one.name, *one.values):
            if word.islower():
                yield Message(word.replace("_", " "), "assumption", f"assumption {one.name}")
    for rule in vars(audit_rules).values():
        if isinstance(rule, audit_rules.AuditRule):
            yield Message(rule.name, None, f"check {rule.id}")
    for reader in readers.READERS.values():
        yield Message(reader.label, None, "kind of source")
    typed = (contract for name, contract in CONTRACTS.items() if name.startswith("typed."))
    for contract in (CohortPatient, HazardRatio, *typed):
        for column in contract.columns():
            yield Message(column.title, None, f"column {contract.table()}.{column.name}")


def _of_vocabularies() -> Iterator[Message]:
    for name in VOCABULARIES:
        for word in getattr(vocabularies, name):
            yield Message(word, None, f"vocabulary {name}")


def _of_files() -> Iterator[Message]:
    for package in ("schemas", "sarcoma_pipeline"):
        for path in sorted((ROOT / package).rglob("*")):
            if method := METHODS.get(path.suffix):
                content = io.BytesIO(path.read_bytes())
                where = path.relative_to(ROOT).as_posix()
                for _, text, _, context in extract(method, content, keywords=KEYWORDS, options=OPTIONS):
                    yield Message(text, context, where)


def catalogue(language: str) -> Catalog:
    """Read the catalogue of a language."""
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def renewed(language: str) -> bytes:
    """Return the catalogue with exactly the texts of the program; new ones have no translation."""
    known = catalogue(language)
    written = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = Catalog(
        locale=language, project="sarcoma_pipeline", fuzzy=False, header_comment=known.header_comment,
        last_translator="", language_team=language, creation_date=written, revision_date=written,
    )  # fmt: skip
    for one in messages():
        key = one.text if isinstance(one.text, str) else one.text[0]
        there = known.get(key, one.context)
        made.add(one.text, there.string if there else "", auto_comments=[one.where], context=one.context)
    out = io.BytesIO()
    write_po(out, made, width=110, no_location=True)
    return out.getvalue()


if __name__ == "__main__":
    for each in LANGUAGES:
        if each != SOURCE:
            (CATALOGUES / f"{each}.po").write_bytes(renewed(each))
