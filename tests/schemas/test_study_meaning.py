"""A study.toml that contradicts itself is refused."""

from __future__ import annotations

import pytest

from schemas.configuration_faults import ConfigurationWrong
from tests.schemas.small_study import STUDY, load


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
        *(
            ('covariates = ["sex"]', f'covariates = ["sex"]\n{said}', f"models.0.imputation{key}", told)
            for said, key, told in (
                ('missing = "impute"\nimputation = { imputations = 1 }', ".imputations", "or equal to 2"),
                ("imputation = { seed = 3 }", "", 'set missing = "impute"'),
                ('missing = "impute"\nimputation = { auxiliary = ["sequenc"] }', ".auxiliary",
                 'did you mean "sequence"?'),
                ('missing = "impute"\nimputation = { auxiliary = ["sex"] }', ".auxiliary",
                 "in the model already"),
                ('missing = "impute"\nimputation = { auxiliary = ["sequence", "sequence"] }', ".auxiliary",
                 "named twice"),
            )
        ),
        *(
            ("[[table_one]]", '[[validation]]\nname = "v"\ntitle = "v"\n' f"{said}\n[[table_one]]",
             f"validation.0.{key}", told)
            for said, key, told in (
                (
                    f'endpoint = "{end}"\nsource = "{source}"\nbaseline = {{ {base} }}\n'
                    f"terms = [{{ {term} }}]",
                    key, told,
                )
                for end, source, base, term, key, told in (
                    ("DFS", "x", '"24" = 0.9', 'column = "sex", levels = { male = 1.0 }', "endpoint",
                     "Allowed: OS."),
                    ("OS", " ", '"24" = 0.9', 'column = "sex", levels = { male = 1.0 }', "source",
                     "is empty"),
                    ("OS", "x", '"two" = 0.9', 'column = "sex", levels = { male = 1.0 }', "baseline",
                     "give months"),
                    ("OS", "x", '"24" = 0.8, "60" = 0.9', 'column = "sex", levels = { male = 1.0 }',
                     "baseline", "cannot rise"),
                    ("OS", "x", '"24" = 0.9', 'column = "sexx", levels = { male = 1.0 }', "terms.0.column",
                     "is not known"),
                    ("OS", "x", '"24" = 0.9', 'column = "sex", levels = { man = 1.0 }', "terms.0.levels",
                     "is not known"),
                    ("OS", "x", '"24" = 0.9', 'column = "sex", coefficient = 1.0', "terms.0", "has levels"),
                    ("OS", "x", '"24" = 0.9', 'column = "age_at_diagnosis_years"', "terms.0", "is a number"),
                )
            )
        ),
        *(
            ("[[table_one]]", f'[[weighting]]\nname = "w"\ntitle = "w"\n{said}\n[[table_one]]',
             f"weighting.0.{key}", told)
            for said, key, told in (
                ('treatment = "sequenc"\ncovariates = ["sex"]\nendpoints = ["OS"]', "treatment",
                 'did you mean "sequence"?'),
                ('treatment = "age"\ncovariates = ["sex"]\nendpoints = ["OS"]', "treatment", "is not known"),
                ('treatment = "sequence"\ncovariates = []\nendpoints = ["OS"]', "covariates", "at least one"),
                ('treatment = "sequence"\ncovariates = ["sequence"]\nendpoints = ["OS"]', "covariates",
                 "cannot explain itself"),
                ('treatment = "sequence"\ncovariates = ["sex"]\nendpoints = ["DFS"]', "endpoints",
                 "Allowed: OS."),
                ('treatment = "sequence"\ncovariates = ["sex"]\nendpoints = []', "endpoints", "at least one"),
            )
        ),
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
        load(tmp_path, study=STUDY.replace(old, new, 1))
    assert place in [f.key for f in refused.value.faults]
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
    load(tmp_path, study=study)
    with pytest.raises(ConfigurationWrong) as refused:
        load(tmp_path, study=study.replace(old, new))
    assert place in [f.key for f in refused.value.faults] and told in str(refused.value)
    assert all(f.line for f in refused.value.faults)


def test_two_covariates_of_one_column_are_no_model(tmp_path):
    again = (
        '[[covariates]]\nname = "again"\ncolumn = "sex"\nkind = "factor"\nreference = "male"\n\n[[models]]'
    )
    study = STUDY.replace("[[models]]", again)
    load(tmp_path, study=study)
    with pytest.raises(ConfigurationWrong, match="could not be told apart"):
        load(tmp_path, study=study.replace('covariates = ["sex"]', 'covariates = ["sex", "again"]'))
