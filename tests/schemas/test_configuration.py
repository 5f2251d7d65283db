"""Configurations of the right form that mean nothing are refused: file, line, key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.configuration import load_study
from schemas.configuration_faults import ConfigurationWrong

STUDY = """\
name = "small"
title = "A small study"
description = "One criterion, one endpoint, one model."
drop = "data/drop/small"
horizons_months = [12, 24]
subgroups = ["sex"]

[[criteria]]
name = "site"
rule = "site"
label = "Limb or trunk"
values = ["extremities", "trunk"]

[[criteria]]
name = "window"
rule = "window"
label = "2011 to 2020"
start = 2011-01-01
end = 2020-12-31

[[endpoints]]
name = "OS"
title = "Overall survival"
events = ["death"]
censor = "last known alive"

[[covariates]]
name = "sex"
column = "sex"
kind = "factor"
reference = "male"
levels = ["female", "male"]

[[covariates]]
name = "sequence"
column = "radiation_sequence"
kind = "factor"
reference = "postoperative"
levels = ["preoperative", "postoperative"]
merge = { "postoperative adjuvant" = "postoperative" }

[[models]]
name = "OS"
endpoint = "OS"
title = "Overall survival"
covariates = ["sex"]

[[table_one]]
title = "Age"
column = "age_at_diagnosis_years"
kind = "median"

[[table_one]]
title = "T"
column = "t_stage"
kind = "factor"
levels = ["T1", "T2"]
"""

SOURCES = """\
[[source]]
name = "offices"
kind = "registry"
files = ["r/*.csv"]
date_formats = ["%d.%m.%Y"]

[source.columns]
hospital_number = "Nr"
answer = "Auskunft"
event_date = "Datum"

[[source]]
name = "plans"
kind = "dicom"
files = ["**/*.dcm"]
phantom_patterns = ["(?i)phantom"]

[[source]]
name = "sheet"
kind = "table"
format = "csv"
files = ["t/*.csv"]
key = ["Nr"]
date_format = "%d.%m.%Y"

[[source.entities]]
entity = "diagnosis"

[source.entities.columns]
hospital_number = "Nr"
diagnosis_date = "Datum"
tumour_size_cm = { column = "mm", scale = 0.1 }
fnclcc_grade = { column = "Grad", codes = { "1" = "G1", "2" = "G2" } }

[precedence]
death = ["registry office", "oBDS"]
"""


def _load(tmp_path: Path, study: str = STUDY, sources: str = SOURCES) -> None:
    folder = tmp_path / "small"
    folder.mkdir(exist_ok=True)
    (folder / "study.toml").write_text(study, "utf-8")
    (folder / "sources.toml").write_text(sources, "utf-8")
    load_study(folder)


def _line(text: str, part: str) -> int:
    """Line of a text that holds a part of it, from 1."""
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


def test_the_configuration_that_the_cases_alter_is_accepted(tmp_path):
    _load(tmp_path)


BARE = """
name = "small"
title = "Small"
description = "Nothing but what is counted."
drop = "data/drop/small"
criteria = []
"""
ENDPOINT = """
[[endpoints]]
name = "OS"
title = "Overall survival"
events = ["death"]
censor = "last known alive"
"""


def test_a_study_needs_no_more_than_an_endpoint(tmp_path):
    _load(tmp_path, BARE + ENDPOINT)


@pytest.mark.parametrize(
    "endpoints", ["endpoints = []", ENDPOINT + 'derivable = false\nreason = "no deaths in the sources"'],
    ids=["none", "none that is derivable"],
)  # fmt: skip
def test_a_study_that_counts_nothing_is_refused(tmp_path, endpoints):
    with pytest.raises(ConfigurationWrong) as refused:
        _load(tmp_path, BARE + endpoints)
    (fault,) = refused.value.faults
    assert fault.key == "endpoints" and "at least one endpoint that is derivable" in fault.message


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ('events = ["death"]', 'events = ["deaths"]', "endpoints.0.events.0", 'did you mean "death"?'),
        ('events = ["death"]', 'events = ["censored"]', "endpoints.0.events.0", "Allowed: death"),
        ('events = ["death"]', "events = []", "endpoints.0.events", "at least one"),
        ('events = ["death"]', 'events = ["death", "death"]', "endpoints.0.events", "twice"),
        ('name = "small"', 'name = "smal"', "name", 'the folder\'s name "small"'),
        ('drop = "data/drop/small"', 'drop = "/srv/small"', "drop", "below the project root"),
        ('drop = "data/drop/small"', 'drop = "../small"', "drop", "below the project root"),
        ("horizons_months = [12, 24]", "horizons_months = [24, 12]", "horizons_months", "must rise"),
        ("horizons_months = [12, 24]", "horizons_months = [0, 12]", "horizons_months", "above 0"),
        ('subgroups = ["sex"]', 'subgroups = ["sex", "sex"]', "subgroups", "twice"),
        ('subgroups = ["sex"]', 'subgroups = ["age"]', "subgroups", "Allowed: sequence, sex"),
        ('subgroups = ["sex"]', 'table_one_by = "age"', "table_one_by", "Allowed: sequence, sex"),
        ('subgroups = ["sex"]', 'table_one_by = "sexx"', "table_one_by", '"sexx" is not known'),
        ('subgroups = ["sex"]', 'subgroups = ["nothing"]', "subgroups", '"nothing" is not known'),
        ('values = ["extremities", "trunk"]', 'values = ["limbs"]', "criteria.0.values", "Allowed: bone"),
        ('values = ["extremities", "trunk"]', "", "criteria.0.values", "at least one region"),
        ('values = ["extremities", "trunk"]', 'values = ["trunk"]\ntechniques = ["VMAT"]',
         "criteria.0.techniques", "does not read"),
        ("end = 2020-12-31", "end = 2010-12-31", "criteria.1.end", "lies before start 2011-01-01"),
        ("start = 2011-01-01\nend = 2020-12-31", "", "criteria.1.start", "give start, end or both"),
        ('name = "window"', 'name = "site"', "criteria.1.name", 'two criteria are named "site"'),
        ('column = "sex"', 'column = "gender"', "covariates.0.column", '"gender" is not known'),
        ('column = "sex"', 'column = "record_ids"', "covariates.0.column", "is not known"),
        ('column = "sex"\nkind = "factor"', 'column = "sex"\nkind = "continuous"', "covariates.0.kind",
         "no number"),
        ('reference = "male"', 'reference = "man"', "covariates.0.reference", '"man" is not known'),
        ('reference = "male"\n', "", "covariates.0.reference", "needs a reference"),
        ('levels = ["female", "male"]', 'levels = ["femal", "male"]', "covariates.0.levels",
         'did you mean "female"?'),
        ('merge = { "postoperative adjuvant"', 'merge = { "adjuvant"', "covariates.1.merge",
         '"adjuvant" is not known'),
        ('= "postoperative" }', '= "post" }', "covariates.1.merge", '"post" is not known'),
        ('endpoint = "OS"', 'endpoint = "DFS"', "models.0.endpoint", "Allowed: OS."),
        ('covariates = ["sex"]', 'covariates = ["sex", "sex"]', "models.0.covariates", "once"),
        ('column = "age_at_diagnosis_years"', 'column = "age"', "table_one.0.column", "is not known"),
        ('column = "t_stage"\nkind = "factor"', 'column = "t_stage"\nkind = "median"', "table_one.1.kind",
         "no number"),
        ('levels = ["T1", "T2"]', 'levels = ["T1", "T9"]', "table_one.1.levels", '"T9" is not known'),
        ('covariates = ["sex"]', 'covariates = ["sex"]\nstrata = ["sequenc"]', "models.0.strata",
         'did you mean "sequence"?'),
        ('covariates = ["sex"]', 'covariates = ["sex"]\nstrata = ["sex"]', "models.0.strata", "name it once"),
        ('kind = "factor"\nreference = "male"', 'kind = "factor"\nknots = [1, 2, 3]\nreference = "male"',
         "covariates.0.knots", "only a covariate of kind"),
        *(
            ('[[covariates]]',
             f'[[covariates]]\nname = "age"\ncolumn = "{column}"\nkind = "spline"\n{rest}\n[[covariates]]',
             f"covariates.0.{key}", told)
            for column, rest, key, told in (
                ("sex", 'knots = [1, 2, 3]\nreference = "2"', "kind", "is no number"),
                ("age_at_diagnosis_years", 'knots = [40, 60]\nreference = "40"', "knots", "three to seven"),
                ("age_at_diagnosis_years", 'knots = [60, 50, 40]\nreference = "40"', "knots", "must rise"),
                ("age_at_diagnosis_years", 'knots = [40, 50, 60]\nreference = "55"', "reference",
                 "Allowed: 40"),
                ("age_at_diagnosis_years", "knots = [40, 50, 60]", "reference", "one of its knots"),
            )
        ),
        ("[[table_one]]", "[statistics]\nbootstrap_resamples = 9999\n[[table_one]]",
         "statistics.bootstrap_resamples", "less than or equal to 2000"),
        ("[[table_one]]", "[statistics]\nfirst_failure_days = -1\n[[table_one]]",
         "statistics.first_failure_days", "greater than or equal to 0"),
        ("[[table_one]]", "[statistics]\nleast_at_risk = 2.5\n[[table_one]]", "statistics.least_at_risk",
         "valid integer"),
        ('[[table_one]]', """[[cumulative_incidence]]
name = "c"
endpoint = "OS"
title = "c"
covariates = ["sexx"]
causes = { death = ["death"] }

[[table_one]]""", "cumulative_incidence.0.covariates", 'did you mean "sex"?'),
        ("[[table_one]]", "[statistics]\ntoo_few_events_per_coefficient = 12\n[[table_one]]",
         "statistics.too_few_events_per_coefficient", "12 is above few_events_per_coefficient (10)"),
        ("[[table_one]]", "[statistics]\np_decimal = 3\n[[table_one]]", "statistics.p_decimal",
         'did you mean "p_decimals"?'),
        ("[[table_one]]", '[statistics]\nties = "exact"\n[[table_one]]', "statistics.ties", "efron"),
        ("[[table_one]]", "[statistics]\nsignificance = 5\n[[table_one]]", "statistics.significance",
         "less than 0.5"),
        ("[[table_one]]", "[statistics]\np_decimals = 0\n[[table_one]]", "statistics.p_decimals",
         "greater than or equal to 2"),
        # Texts that a reader needs, and by which they tell parts of a report apart.
        ('title = "A small study"', 'title = " "', "title", "is empty"),
        ('label = "Limb or trunk"', 'label = "2011 to 2020"', "criteria.1.label", "tell them apart"),
        ('title = "T"', 'title = "Age"', "table_one.1.title", "tell them apart"),
        # Folders.
        ('drop = "data/drop/small"', 'drop = ""', "drop", "below the project root"),
        ('drop = "data/drop/small"', 'drop = "data"', "drop", "overlap"),
        ('drop = "data/drop/small"', 'drop = "data/warehouse"', "drop", "a folder of their own"),
        ('drop = "data/drop/small"', 'drop = "data/drop"\ncentres = { a = "data/x", b = "data/x/b" }',
         "centres.b", "received twice"),
        ('drop = "data/drop/small"', 'drop = "d"\npublished = "a.csv"', "published", "together, or none"),
        ('drop = "data/drop/small"',
         'drop = "d"\npublished = "a.csv"\npublished_map = "b.csv"\npublished_audit = "c.csv"',
         "published_map",
         "does not exist"),
        # Criteria that nobody can fulfil.
        ('values = ["extremities", "trunk"]', 'values = ["trunk", "trunk"]', "criteria.0.values", "twice"),
        ("start = 2011-01-01\nend = 2020-12-31", "start = 2099-01-01", "criteria.1.start", "in the future"),
        ("end = 2020-12-31", "end = 2920-12-31", "criteria.1.end", "is the year right?"),
        ('[[endpoints]]',
         '[[criteria]]\nname = "b"\nrule = "site"\nlabel = "b"\nvalues = ["bone"]\n\n[[endpoints]]',
         "criteria.2.values", 'both this and "site"'),
        ('[[endpoints]]',
         '[[criteria]]\nname = "b"\nrule = "window"\nlabel = "b"\nend = 2001-01-01\n\n[[endpoints]]',
         "criteria.2", 'both this and "window"'),
        ('[[endpoints]]', '[assumptions]\ndata_cutoff = 2099-01-01\n\n[[endpoints]]',
         "assumptions.data_cutoff",
         "in the future"),
        ('[[endpoints]]', '[assumptions]\ndata_cutoff = 2010-01-01\n\n[[endpoints]]',
         "assumptions.data_cutoff",
         "nobody could be followed"),
        # Endpoints.
        ("horizons_months = [12, 24]", "horizons_months = []", "horizons_months", "at least one"),
        ("horizons_months = [12, 24]", "horizons_months = [12, 6000]", "horizons_months", "at most 600"),
        ('events = ["death"]', 'events = ["death", "other death"]', "endpoints.0.events", "every death"),
        ('censor = "last known alive"', 'censor = "last disease assessment"', "endpoints.0.censor",
         "nothing of death"),
        ('censor = "last known alive"', 'censor = "last known alive"\nreason = "x"', "endpoints.0.reason",
         "derivable = false"),
        ('censor = "last known alive"',
         'censor = "last known alive"\norigin = "radiotherapy end"\nentry = "diagnosis"', "endpoints.0.entry",
         "at risk before the origin"),
        ('censor = "last known alive"', 'censor = "last known alive"\nlandmark_days = 99999',
         "endpoints.0.landmark_days", "at most"),
        ('censor = "last known alive"', 'censor = "last known alive"\nderivable = false\nreason = "x"',
         "models.0.endpoint", "nothing would be computed"),
        # Covariates and Table 1.
        ('column = "sex"\nkind = "factor"\nreference = "male"',
         'column = "follow_up_days"\nkind = "continuous"',
         "covariates.0.column", "is an outcome"),
        ('column = "sex"', 'column = "dose_gy"', "covariates.0.kind", "is a number"),
        ('levels = ["female", "male"]', 'levels = ["male"]', "covariates.0.levels", "two levels"),
        ('reference = "male"\nlevels = ["female", "male"]', 'reference = "man"', "covariates.0.reference",
         "is not known"),
        ('covariates = ["sex"]', 'covariates = ["sex", "again"]',
         "models.0.covariates", '"again" is not known'),
        ('kind = "median"', 'kind = "factor"', "table_one.0.kind", "is a number"),
        ('kind = "median"', 'kind = "median"\ndecimals = -1', "table_one.0.decimals", "0 or more"),
        ('kind = "median"', 'kind = "median"\nwhere = { sex = [] }', "table_one.0.where.sex", "nobody"),
        ('kind = "median"', 'kind = "median"\nwhere = { dose_gy = ["50"] }', "table_one.0.where.dose_gy",
         "no levels"),
        # Values of another type, which pydantic would convert.
        ("horizons_months = [12, 24]", "horizons_months = [true, 24]", "horizons_months.0", "is no number"),
        ("horizons_months = [12, 24]", 'horizons_months = ["12", 24]', "horizons_months.0", "without quotes"),
        ('censor = "last known alive"', 'censor = "last known alive"\nderivable = "yes"',
         "endpoints.0.derivable",
         "true or false"),
        # A misspelt section or key.
        ("[[table_one]]", "[[tabel_one]]", "tabel_one", 'did you mean "table_one"?'),
        ('reference = "male"', 'refernce = "male"', "covariates.0.refernce", 'did you mean "reference"?'),
    ],
)  # fmt: skip
def test_a_study_that_means_nothing_is_refused(tmp_path, old, new, place, told):
    assert old in STUDY
    with pytest.raises(ConfigurationWrong) as refused:
        _load(tmp_path, study=STUDY.replace(old, new, 1))
    assert place in [f.key for f in refused.value.faults]
    assert told in str(refused.value)


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
        _load(tmp_path, sources=SOURCES.replace(old, new, 1))
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
    _load(tmp_path, sources=whole)
    with pytest.raises(ConfigurationWrong, match=r"source\.2\.entities") as refused:
        _load(tmp_path, sources=whole.replace(VITAL, VITAL.replace(old, new)))
    assert told in str(refused.value)


RISKS = """
[[cumulative_incidence]]
name = "causes"
endpoint = "OS"
title = "Causes of death"

[cumulative_incidence.causes]
tumour = ["tumour-related death"]
other = ["other death"]

[[censoring_variants]]
name = "others censored"
endpoint = "OS"
censor = ["other death"]
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ('other = ["other death"]', "", "cumulative_incidence.0.causes", "belongs to no cause"),
        ('other = ["other death"]', 'other = ["other death", "tumour-related death"]',
         "cumulative_incidence.0.causes",
         "two causes"),
        ('other = ["other death"]', 'other = ["local relapse"]', "cumulative_incidence.0.causes",
         "is not known"),
        ('other = ["other death"]', 'other = ["other death"]\nnone = []', "cumulative_incidence.0.causes",
         "has no event"),
        ('censor = ["other death"]', 'censor = ["other death", "tumour-related death"]',
         "censoring_variants.0.censor",
         "no event left"),
        ('censor = ["other death"]', 'date = "last known alive"', "censoring_variants.0.date",
         "main analysis"),
        ('censor = ["other death"]', "months = 6000", "censoring_variants.0.months", "at most 600"),
        ('censor = ["other death"]', 'censor = ["second malignancy"]', "censoring_variants.0.censor",
         "is not known"),
    ],
)  # fmt: skip
def test_parts_that_contradict_their_endpoint_are_refused_with_their_line(tmp_path, old, new, place, told):
    study = STUDY.replace('events = ["death"]', 'events = ["tumour-related death", "other death"]') + RISKS
    _load(tmp_path, study=study)
    with pytest.raises(ConfigurationWrong) as refused:
        _load(tmp_path, study=study.replace(old, new))
    assert place in [f.key for f in refused.value.faults] and told in str(refused.value)
    assert all(f.line for f in refused.value.faults)


def test_two_covariates_of_one_column_are_no_model(tmp_path):
    again = (
        '[[covariates]]\nname = "again"\ncolumn = "sex"\nkind = "factor"\nreference = "male"\n\n[[models]]'
    )
    study = STUDY.replace("[[models]]", again)
    _load(tmp_path, study=study)
    with pytest.raises(ConfigurationWrong, match="could not be told apart"):
        _load(tmp_path, study=study.replace('covariates = ["sex"]', 'covariates = ["sex", "again"]'))


def test_a_precedence_of_one_topic_leaves_the_others_as_they_are(tmp_path):
    _load(tmp_path)
    _, sources = load_study(tmp_path / "small")
    assert sources.precedence["death"] == ("registry office", "oBDS")
    assert sources.precedence["radiotherapy"] == ("DICOM", "oBDS", "table")


def test_a_byte_order_mark_is_no_fault(tmp_path):
    _load(tmp_path, study="\ufeff" + STUDY, sources="\ufeff" + SOURCES)


@pytest.mark.parametrize("text", ["entities = [5]", "entities = 5", "columns = 3", "source = 7"])
def test_a_value_in_place_of_a_table_is_a_fault_and_no_crash(tmp_path, text):
    start = SOURCES.index("[[source.entities]]")
    sources = text if text.startswith("source") else SOURCES[:start] + text
    with pytest.raises(ConfigurationWrong):
        _load(tmp_path, sources=sources)


def test_a_fault_names_file_and_line(tmp_path):
    with pytest.raises(ConfigurationWrong) as refused:
        _load(tmp_path, sources=SOURCES.replace('"1" = "G1"', '"1" = "g1"'))
    (fault,) = refused.value.faults
    assert (fault.file, fault.line) == ("sources.toml", _line(SOURCES, "fnclcc_grade"))
    assert str(fault).startswith(
        f"sources.toml:{fault.line}: source.2.entities.0.columns.fnclcc_grade.codes: "
    )


def test_lines_are_counted_past_multi_line_strings_and_lists(tmp_path):
    study = STUDY.replace(
        'drop = "data/drop/small"',
        'note = """\n[[criteria]]\nname = "no key"\n"""\ndrop = "data/drop/small"',
    ).replace('levels = ["T1", "T2"]', 'levels = [\n  "T1",\n  "T9",\n]')
    with pytest.raises(ConfigurationWrong) as refused:
        _load(tmp_path, study=study)
    (fault,) = refused.value.faults
    assert fault.line == study.splitlines().index("levels = [") + 1


def test_all_faults_of_both_files_are_told_at_once(tmp_path):
    with pytest.raises(ConfigurationWrong) as refused:
        _load(
            tmp_path,
            STUDY.replace('"death"', '"deaths"').replace('"T2"]', '"T7"]'),
            SOURCES.replace("%d.%m.%Y", "TT.MM.JJJJ"),
        )
    assert {f.file for f in refused.value.faults} == {"study.toml", "sources.toml"}
    assert len(refused.value.faults) >= 4


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [('name = "small"\ntitle = \n', 2, "not valid TOML"), ('name = "small', 1, "not valid TOML")],
)
def test_what_is_no_toml_is_refused_with_its_line(tmp_path, text, line, told):
    with pytest.raises(ConfigurationWrong) as refused:
        _load(tmp_path, study=text)
    assert refused.value.faults[0].line == line
    assert told in str(refused.value)


def test_a_missing_file_is_a_fault(tmp_path):
    (tmp_path / "small").mkdir()
    with pytest.raises(ConfigurationWrong, match=r"study.toml: cannot be read"):
        load_study(tmp_path / "small")


def test_the_message_of_a_missing_key_names_it(tmp_path):
    with pytest.raises(ConfigurationWrong, match='the key "drop" is missing'):
        _load(tmp_path, study=STUDY.replace('drop = "data/drop/small"\n', ""))
