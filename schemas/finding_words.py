"""Translate what findings and their records say: position, note, composed value, and whose value is used.

The tables hold these texts in English. Delivered values stay as they are; values of a vocabulary are words of
the program.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from schemas.language import SOURCE, Language, marked, spoken, stored

_POSITIONS = (
    marked("{reason} and {count} more"),
    marked("line {place}"),
    marked("row {place}"),
    marked("archive entry {place}"),
    marked("file"),
    marked("content"),
    marked("name"),
    marked("the study as a whole"),
    marked("the source as a whole"),
)
_PATHS = (marked("{path} (file {file})"),)
"""A path that is masked, with the beginning of the file's id."""
_WHY = (
    marked("its value is that of {place}"),
    marked("{place} has another value"),
    marked("used in {place}"),
    marked("not a record of a curated value"),
    marked("another record takes precedence"),
    marked("in quarantine: {rule}"),
    marked("replaced by a later version of the report"),
    marked("exact copy of a report"),
    marked("exact duplicate of another record"),
    marked("documented, not used by a study"),
    marked("the patient objected to the storage of their data"),
    marked("its tumour has no diagnosis that it could add to"),
    marked("none of the study's patients, as decided"),
    marked("quality assurance, nobody's"),
    marked("no source reads it"),
    marked("a note on what was read"),
)
_NOTES = (
    # Whose record it may be.
    marked("patient {pseudonym}"),
    marked("{count} other patients are near as well"),
    marked("one letter of the family name differs"),
    marked("a part of a double name"),
    marked("one letter of the given names differs"),
    marked("one given name more"),
    marked("day and month of birth are transposed"),
    marked("one digit of the date of birth differs"),
    marked("day, month or year of birth differs"),
    marked("the sex is missing"),
    marked("the sex differs"),
    marked("the names are spelled differently"),
    marked("a patient has the number in another form"),
    marked("name, date of birth and sex agree"),
    marked("an export that is no longer delivered gave the number the value that is shown here"),
    # What a file or a record lacks.
    marked("no content"),
    marked("no record in it"),
    marked("an archive without a DICOM file"),
    marked("the XML breaks off"),
    marked("the content is not XML"),
    marked("the content is not DICOM"),
    marked("the file is shorter than its elements say"),
    marked("the file ends before the attributes of its kind"),
    marked("an item stands outside its sequence: a length is wrong"),
    marked("{keyword} cannot be parsed"),
    marked("pydicom gives up: {kind}"),
    marked("a total or a mean"),
    marked("nothing but the key is filled"),
    marked("the mark was read as a part of the text"),
    marked("no delimited text from here on"),
    marked("column {name} stands there {count} times"),
    marked("column {name} is missing"),
    marked("the row cannot be read without the column"),
    marked("{count} cells under {headers} headers"),
    marked("a Meldung without a module that is known"),
    marked("changed or vanished while it was read"),
    marked("compared with the content of the last reading"),
    marked("shown with escapes"),
    marked("no source of sources.toml names it"),
    marked("not stated: {columns}"),
    marked("column {name}"),
    marked("the later version of the report has no such part"),
    marked("withdrawn: {columns}"),
    marked("newer record {record}"),
    marked("alive on {day}, says the {source}"),
    marked("since an unknown day"),
    marked("since {day}"),
    # What follows for the study.
    marked("criterion {criterion}: {reason}"),
    marked("criterion {criterion}"),
    marked("no tumour documented"),
    marked("no morphology documented"),
    marked("morphology is no soft tissue sarcoma"),
    marked("not histologically proven"),
    marked("no site documented"),
    marked("site not specified"),
    marked("primary tumour elsewhere"),
    marked("radiotherapy without its relation to surgery"),
    marked("no radiotherapy documented"),
    marked("neither pre- nor postoperative"),
    marked("no plan shows the technique"),
    marked("another technique"),
    marked("neither a day of death nor one known alive"),
    marked("not documented"),
    marked("the bounds are {low} and {high} {unit}"),
    marked("endpoints {endpoints}"),
    marked("covariate {covariate}"),
    marked("models of {models}"),
    marked("no model"),
    marked("{count} records, {values} different values"),
    marked("{count} more values"),
    marked("files {files}"),
)
_VALUES = (
    marked("{number}: {dose} Gy in {count} ({reason})"),
    marked("{number}: {dose} Gy ({reason})"),
    marked("{number}: no dose in {count} ({reason})"),
    marked("{number}: no dose ({reason})"),
    marked("one after the other, the doses add"),
    marked("phase {number} alone gives the prescription"),
    marked("phase {number} alone"),
    marked("irradiation {number} alone"),
    marked("as delivered by the treatment records"),
    marked("the plan was not treated"),
    marked("the plan was treated"),
    marked("{label}, {number} of {count} fractions"),
    marked("{number} of {count} fractions"),
    marked("documented {dose}, prescribed {plan}"),
    marked("summary {fractions}, records {count}"),
    marked("{count} values in {files} files"),
    marked("{number}, last night {count}"),
    marked("{count} records of {kinds}"),
    marked("day {day}"),
    marked("deceased, date unknown"),
    marked("no information"),
    marked("{sequence}, no plan"),
    marked("complete remission"), marked("partial remission"), marked("no change"), marked("progression"),
    marked("relapse"), marked("no tumour"), marked("residual"), marked("questionable"), marked("unknown"),
    marked("not applicable"), marked("beam dose"), marked("female"), marked("male"), marked("deceased"),
    marked("alive"), marked("true"), marked("false"),
    marked("preoperative"), marked("postoperative adjuvant"), marked("postoperative additive"),
)  # fmt: skip
"""Values that the program composes, and words of vocabularies that findings show."""
_ANSWERS = (
    marked("the record is this patient's ({reason})"),
    marked("the record is none of these patients'; it is left out"),
    marked("the numbers are one person, who keeps the pseudonym of this one"),
    marked("the numbers are two persons"),
    marked("the record belongs to the patient of its number"),
    marked("the record belongs to the patient of its number all the same"),
    marked("the record does not belong to the patient of its number; it is left out"),
    marked("the number was given to another person, who has a pseudonym of their own"),
    marked("the number stands for two persons; what was exported with these master data is left out"),
    marked("one person, whose master data were corrected"),
    marked("{reason}: patient {pseudonym}"),
)
"""Answers to a question of whom a record is; their reasons are notes."""

_SEPARATORS = {
    "note": "; ", "why": "; ", "value": " | ", "position": ", ", "path": "\n", "answer": "\n",
}  # fmt: skip
"""Between the parts of a text of several, by column."""
_TEMPLATES = {
    "path": _PATHS, "position": _POSITIONS, "note": _NOTES, "value": _VALUES, "why": _WHY,
    "answer": (*_ANSWERS, *_NOTES),
}  # fmt: skip


def in_words(frame: pl.DataFrame) -> pl.DataFrame:
    """Return findings or their records with place, note, value and reason in the language that is set.

    Args:
        frame: any of the columns ``path``, ``position``, ``note``, ``value`` and ``why``; others stay.
    """
    if spoken() == SOURCE:
        return frame
    there = [c for c in ("path", "position", "note", "value", "why") if c in frame.columns]
    return frame.with_columns(
        frame[c].map_elements(lambda text, c=c: said(text, c), return_dtype=pl.String).alias(c) for c in there
    )


def said(text: str, column: str) -> str:
    """Return one text of a column in the language that is set.

    Args:
        text: the text, as the tables have it.
        column: ``path``, ``position``, ``note``, ``value``, ``why``, or ``answer``: a possible answer to
            whose a record is.
    """
    return _said(text, column, spoken())


@lru_cache(maxsize=10_000)
def _said(text: str, column: str, language: Language) -> str:
    separator = _SEPARATORS[column]
    return separator.join(stored(part, _TEMPLATES[column]) for part in text.split(separator))
