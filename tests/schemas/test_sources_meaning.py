"""A sources.toml that contradicts itself is refused."""

from __future__ import annotations

import pytest

from schemas.configuration_faults import ConfigurationWrong
from tests.schemas.small_study import SOURCES, load


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ('answer = "Auskunft"', 'anwser = "Auskunft"', "source.0.columns.anwser", 'did you mean "answer"?'),
        ('answer = "Auskunft"', 'anwser = "Auskunft"', "source.0.columns", "answer must be mapped"),
        ('hospital_number = "Nr"\nanswer', 'family_name = "Name"\nanswer', "source.0.columns",
         "given_names, birth_date must be mapped"),
        ('date_formats = ["%d.%m.%Y"]', 'date_formats = ["dd.mm.yyyy"]', "source.0.date_formats",
         "is no strptime format"),
        ('date_formats = ["%d.%m.%Y"]', 'date_formats = ["%d.%m."]', "source.0.date_formats",
         "is no strptime format"),
        ('date_formats = ["%d.%m.%Y"]', 'date_formats = ["%m/%Y"]', "source.0.date_formats",
         "does not say the day"),
        ('phantom_patterns = ["(?i)phantom"]', 'phantom_patterns = ["("]', "source.1.phantom_patterns",
         "not a regular expression"),
        ('phantom_patterns = ["(?i)phantom"]', 'phantom_patterns = ["(?<=x)y"]', "source.1.phantom_patterns",
         "not a regular expression"),
        ('files = ["r/*.csv"]', "files = []", "source.0.files", "at least one pattern"),
        ('files = ["r/*.csv"]', 'files = ["r/*.csv"]\nencodings = ["utf9"]', "source.0.encodings",
         "is no encoding"),
        ('name = "plans"', 'name = "offices"', "source.1.name", "two source are named"),
        ('key = ["Nr"]', "key = []", "source.2.key", "at least one column"),
        ('entity = "diagnosis"', 'entity = "tumor"', "source.2.entities.0.entity", "is not known"),
        ("tumour_size_cm =", "tumour_sise_cm =", "source.2.entities.0.columns.tumour_sise_cm",
         'did you mean "tumour_size_cm"?'),
        ("tumour_size_cm =", "record_id =", "source.2.entities.0.columns.record_id",
         "no column of diagnosis"),
        ('hospital_number = "Nr"\ndiagnosis_date', "diagnosis_date", "source.2.entities.0.columns",
         "hospital_number must be mapped"),
        ("scale = 0.1", "scale = 0", "source.2.entities.0.columns.tumour_size_cm.scale", "every value 0"),
        ('diagnosis_date = "Datum"', 'diagnosis_date = { column = "Datum", scale = 2 }',
         "source.2.entities.0.columns.diagnosis_date.scale", "is no number"),
        ('diagnosis_date = "Datum"', 'diagnosis_date = { column = "Jahr", date_format = "%Y" }',
         "source.2.entities.0.columns.diagnosis_date.date_format", "does not say the day"),
        ('diagnosis_date = "Datum"', 'diagnosis_date = { constant = "01.01.2015" }',
         "source.2.entities.0.columns.diagnosis_date.constant", "same date for every row"),
        ('codes = { "1" = "G1", "2" = "G2" }', 'codes = { "1" = "Grade 1" }',
         "source.2.entities.0.columns.fnclcc_grade.codes", "is not known"),
        (', codes = { "1" = "G1", "2" = "G2" }', "", "source.2.entities.0.columns.fnclcc_grade",
         "codes are needed"),
        ('{ column = "Grad", codes = { "1" = "G1", "2" = "G2" } }', '{ constant = "high" }',
         "source.2.entities.0.columns.fnclcc_grade.constant", "Allowed: G1, G2, G3, GX."),
        ('codes = { "1" = "G1", "2" = "G2" }', 'codes = { "g" = "G1", "G " = "G2" }',
         "source.2.entities.0.columns.fnclcc_grade.codes", "stands twice"),
        ('death = ["registry office", "oBDS"]', 'death = ["obds"]', "precedence.death",
         'did you mean "oBDS"?'),
        ('death = ["registry office", "oBDS"]', 'deaths = ["oBDS"]', "precedence", 'did you mean "death"?'),
        ('kind = "dicom"', 'kind = "dicm"', "source.1.kind", 'did you mean "dicom"?'),
        ('format = "csv"', 'format = "xls"', "source.2.format", "Allowed: csv"),
        ('key = ["Nr"]', 'keys = ["Nr"]', "source.2.keys", 'unknown key "keys", did you mean "key"?'),
        ('death = ["registry office", "oBDS"]', "death = []", "precedence.death", "at least one source"),
        ('files = ["r/*.csv"]', 'files = [""]', "source.0.files", "is empty"),
        ('files = ["r/*.csv"]', 'files = ["/r/*.csv"]', "source.0.files", "below the drop folder"),
        ('files = ["r/*.csv"]', 'files = ["../r/*.csv"]', "source.0.files", "below the drop folder"),
        ('files = ["r/*.csv"]', "files = ['r\\*.csv']", "source.0.files", "parted by /"),
        ('files = ["t/*.csv"]', 'files = ["r/*.csv"]', "source.2.files", 'belongs to the source "offices"'),
        ('date_formats = ["%d.%m.%Y"]', "date_formats = []", "source.0.date_formats", "at least one"),
        ('date_formats = ["%d.%m.%Y"]', "encodings = []", "source.0.encodings", "at least one encoding"),
        ('date_formats = ["%d.%m.%Y"]', 'encodings = ["latin-1", "utf-8"]', "source.0.encodings",
         "never tried"),
        ('answer = "Auskunft"', 'answer = "Nr "', "source.0.columns.answer", "hospital_number already"),
        ('phantom_patterns = ["(?i)phantom"]', 'phantom_patterns = [".*"]', "source.1.phantom_patterns",
         "fits every text"),
        ('key = ["Nr"]', 'key = ["Nr", "nr "]', "source.2.key", "twice"),
        ('key = ["Nr"]', 'key = ["Nr"]\ndelimiter = "x"', "source.2.delimiter", "cannot part cells"),
        ('key = ["Nr"]', 'key = ["Nr"]\nseparator = "."', "source.2.separator", "every number"),
        ('key = ["Nr"]', 'key = ["Nr"]\ndecimal = ","\nseparator = "."', "source.2.separator", "every date"),
        ('key = ["Nr"]', 'key = ["Nr"]\nseparator = ""', "source.2.separator", "is empty"),
        ('key = ["Nr"]', 'key = ["Nr"]\nexported_on = 2099-01-01', "source.2.exported_on", "in the future"),
        ('key = ["Nr"]', 'key = ["?"]', "source.2.key", "left open: write the header"),
        ('diagnosis_date = "Datum"', 'diagnosis_date = "?"', "source.2.entities.0.columns.diagnosis_date",
         'write instead: diagnosis_day = { constant = "0" }'),
        ('event_date = "Datum"', 'event_date = "?"', "source.0.columns.event_date", "left open"),
        ('scale = 0.1', 'scale = "?"', "source.2.entities.0.columns.tumour_size_cm.scale", "0.1 if they"),
        ('key = ["Nr"]\ndate_format = "%d.%m.%Y"', 'key = ["Nr"]\ndate_format = "?"', "source.2.date_format",
         "write the format"),
        ('key = ["Nr"]', 'key = ["Nr"]\nheader_row = true', "source.2.header_row", "is no number"),
        ('key = ["Nr"]\ndate_format = "%d.%m.%Y"', 'key = ["Nr"]\ndate_format = []', "source.2.date_format",
         "at least one"),
        ('key = ["Nr"]\ndate_format = "%d.%m.%Y"', 'key = ["Nr"]\ndate_format = ["%d.%m.%Y", "%m.%d.%Y"]',
         "source.2.date_format", "order of day and month"),
        ('key = ["Nr"]\ndate_format = "%d.%m.%Y"', 'key = ["Nr"]\ndate_format = ["%d.%m.%Y", "%d.%m.%Y"]',
         "source.2.date_format", "twice"),
        ('entity = "diagnosis"', 'entity = "diagnosis"\nwhen = [{ column = "x" }]',
         "source.2.entities.0.when.0", "say what the cell must be"),
        ('entity = "diagnosis"', 'entity = "diagnosis"\nwhen = [{ column = "x", equals = ["NA"] }]',
         "source.2.entities.0.when.0.equals", "missing value"),
        ('entity = "diagnosis"', 'entity = "diagnosis"\nwhen = [{ column = "x", equals = ["?"] }]',
         "source.2.entities.0.when.0.equals", "left open"),
        ('entity = "diagnosis"', 'entity = "diagnosis"\nwhen = [{ column = "Datum", filled = false }]',
         "source.2.entities.0.columns.diagnosis_date", "is empty in all rows"),
        ('entity = "diagnosis"',
         'entity = "diagnosis"\nwhen = [{ column = "x", filled = false }, { column = "X ", filled = true }]',
         "source.2.entities.0.when.1", "both filled and empty"),
        ('entity = "diagnosis"',
         'entity = "diagnosis"\nwhen = [{ column = "x", equals = ["a"] }, { column = "x", equals = ["b"] }]',
         "source.2.entities.0.when.1", "two words at once"),
        ('hospital_number = "Nr"\ndiagnosis_date', 'hospital_number = { constant = "1" }\ndiagnosis_date',
         "source.2.entities.0.columns.hospital_number.constant", "one patient"),
        ('hospital_number = "Nr"\ndiagnosis_date',
         'hospital_number = { column = "Nr", scale = 2.0 }\ndiagnosis_date',
         "source.2.entities.0.columns.hospital_number.scale", "as it is written"),
        ("scale = 0.1", "scale = nan", "source.2.entities.0.columns.tumour_size_cm.scale", "no factor"),
        ('scale = 0.1', 'scale = "0.1"', "source.2.entities.0.columns.tumour_size_cm.scale",
         "without quotes"),
        ('column = "mm", scale = 0.1', 'column = "Datum"', "source.2.entities", "cannot be both a date"),
        ('{ column = "mm", scale = 0.1 }', '"Size [inch]"', "source.2.entities.0.columns.tumour_size_cm",
         "scale = 2.54"),
        ('{ "1" = "G1", "2" = "G2" }', '{ "1" = "G1", na = "GX" }',
         "source.2.entities.0.columns.fnclcc_grade.codes",
         "never reaches the codes"),
        ('entity = "diagnosis"', 'ignored = [{ reason = "x", columns = ["grad "] }]\nentity = "diagnosis"',
         "source.2.entities.0.ignored", "unknown key"),
        ('key = ["Nr"]', 'key = ["Nr"]\nignored = [{ reason = "x", columns = ["grad "] }]',
         "source.2.ignored.0.columns", "is mapped"),
    ],
)  # fmt: skip
def test_sources_that_mean_nothing_are_refused(tmp_path, old, new, place, told):
    assert old in SOURCES
    with pytest.raises(ConfigurationWrong) as refused:
        load(tmp_path, sources=SOURCES.replace(old, new, 1))
    assert place in [f.key for f in refused.value.faults]
    assert told in str(refused.value)


VITAL = """
[[source.entities]]
entity = "vital_status"

[source.entities.columns]
hospital_number = "Nr"
status = { column = "Status", codes = { tot = "deceased", lebt = "alive" } }
status_day = { column = "Zeit", scale = 7.0 }
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("status = {", "# ", "status must be mapped"),
        ("status_day = {", "# ", "status_date or status_day must be mapped"),
        ('hospital_number = "Nr"', 'hospital_number = "Patient"', "a row is one patient's"),
        ('{ column = "Zeit", scale = 7.0 }', '"Zeit (Monate)"', "scale = 30.4375"),
        ('{ column = "Zeit", scale = 7.0 }', '"OSMonths"', "scale = 30.4375"),
    ],
)
def test_a_vital_status_that_says_nothing_is_refused(tmp_path, old, new, told):
    whole = SOURCES.replace("[precedence]", f"{VITAL}\n[precedence]")
    load(tmp_path, sources=whole)
    with pytest.raises(ConfigurationWrong, match=r"source\.2\.entities") as refused:
        load(tmp_path, sources=whole.replace(VITAL, VITAL.replace(old, new)))
    assert told in str(refused.value)
