"""Histology, grade and TNM at diagnosis from the right report, with the rule that chose and its evidence."""

import datetime as dt
import json

import pytest

from schemas import received as r


def tnm(kind="cTNM", version="7", prefix=None, **parts):
    """One TNM of a report; the prefix is that of all three categories."""
    prefixes = {f"c_p_u_Praefix_{x}": prefix for x in "TNM" if prefix and x in parts}
    return json.dumps([{"kind": kind, "Version": version, **prefixes, **parts}])


def several(*tnms):
    return json.dumps([one for text in tnms for one in json.loads(text)])


def histology(*codes, day=None, version="33", grading="3"):
    given = [{"Code": c, "Version": version} for c in codes]
    return json.dumps(
        [{"Tumor_Histologiedatum": day, "Tumor_Histologiedatum_Datumsgenauigkeit": "E" if day else None,
          "Morphologie_ICD_O": given, "Grading": grading}]
    )  # fmt: skip


def fnclcc(stage, name="FNCLCC"):
    return json.dumps([{"Name": name, "Stadium": stage}])


BARE = {"Morphologie_ICD_O": None, "Grading": None, "T": None, "N": None, "M": None, "TNM_Version": None}


def diagnose(records, on="2012-01-01", **values):
    records.patient()
    return records.diagnosis(on, **(BARE | values))


def operation(records, on, intent="K", **values):
    return records.meldung(
        r.ObdsSurgery, Datum=on, Intention=intent, Module_ID=f"O{on}", Menge_OPS='["5-782.b0"]', **values
    )


def pathology(records, **values):
    return records.meldung(r.ObdsPathology, Diagnosesicherung="7.1", **values)


def irradiation(records, on, **values):
    return records.meldung(
        r.ObdsRadiotherapy, Module_ID=f"S{on}", Intention="K", Beginn=on, Ende=on, Applikationsart="Perkutan",
        Gesamtdosis="50", Einzeldosis="2", Boost="N", **({"Stellung_OP": None} | values),
    )  # fmt: skip


def drugs(records, on, kind="CH"):
    return records.meldung(r.ObdsSystemicTherapy, Therapieart=kind, Beginn=on, Module_ID=f"C{on}")


def chosen(records, *columns: str):
    outcome = records.run()
    row = outcome["diagnosis"].filter("index_tumour").row(0, named=True)
    values = [row[c] for c in columns]
    return tuple(values) if len(values) > 1 else values[0]


FIRST_SURGERY = (("operation", "2012-02-01"), ("irradiation", "2012-03-01"))
FIRST_RADIOTHERAPY = (("irradiation", "2012-02-01"), ("operation", "2012-05-01"))
FIRST_DRUGS = (("drugs", "2012-02-01"), ("operation", "2012-05-01"))
ONLY_SURGERY = (("operation", "2012-02-01"),)
ONLY_RADIOTHERAPY = (("irradiation", "2012-02-01"),)


def treat(records, course, **of_operation):
    for what, on in course:
        if what == "operation":
            operation(records, on, **of_operation)
        else:
            {"irradiation": irradiation, "drugs": drugs}[what](records, on)


# --- T and N --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "t", "rule"),
    [
        (FIRST_SURGERY, "T2", "pTNM"),
        (ONLY_SURGERY, "T2", "pTNM"),
        (FIRST_RADIOTHERAPY, "T1", "cTNM"),
        (FIRST_DRUGS, "T1", "cTNM"),
        (ONLY_RADIOTHERAPY, "T1", "cTNM"),
        ((), "T1", "cTNM"),
    ],
)
def test_pt_counts_after_surgery_first_and_ct_otherwise(records, course, t, rule):
    diagnose(records, TNM=several(tnm(T="1", N="0"), tnm("pTNM", T="2b", N="1")))
    treat(records, course)
    n = "N1" if rule == "pTNM" else "N0"
    assert chosen(records, "t_stage", "t_rule", "n_stage", "n_rule") == (t, rule, n, rule)


def test_surveillance_is_no_therapy_before_surgery(records):
    diagnose(records, TNM=several(tnm(T="1"), tnm("pTNM", T="2b")))
    drugs(records, "2012-01-10", kind="WW")
    operation(records, "2012-05-01")
    assert chosen(records, "t_stage") == "T2"


def test_the_specimens_ptnm_beats_the_diagnoses_and_both_agree_is_no_finding(records):
    diagnose(records, TNM=several(tnm(T="1"), tnm("pTNM", T="1")))
    specimen = operation(records, "2012-02-01", TNM=tnm("TNM", prefix="p", T="2b"))
    outcome = records.run()
    row = outcome["diagnosis"].row(0, named=True)
    assert (row["t_stage"], row["t_prefix"], row["t_record_ids"]) == ("T2", "p", [specimen])
    assert "diagnosis.stages-differ" in outcome.rules()


@pytest.mark.parametrize("symbol", ["y_Symbol", "r_Symbol", "a_Symbol"])
@pytest.mark.parametrize("course", [FIRST_SURGERY, FIRST_RADIOTHERAPY, ()])
def test_y_r_and_a_are_never_baseline(records, symbol, course):
    diagnose(records)
    treat(records, course)
    pathology(records, TNM=tnm("pTNM", T="0", N="1", **{symbol: symbol[0]}))
    assert chosen(records, "t_stage", "n_stage", "m_stage") == (None, None, None)


@pytest.mark.parametrize("symbol", ["y_Symbol", "r_Symbol", "a_Symbol"])
@pytest.mark.parametrize("course", [FIRST_RADIOTHERAPY, FIRST_DRUGS, ()])
def test_a_tnm_with_y_r_or_a_leaves_the_ctnm_of_the_same_diagnose_alone(records, symbol, course):
    marked = tnm("pTNM", T="1", N="1", **{symbol: symbol[0]})
    diagnose(records, TNM=several(tnm(T="2b", N="0", M="0"), marked), Histologie=histology("8802/3"),
             Menge_Weitere_Klassifikation=fnclcc("3"))  # fmt: skip
    treat(records, course)
    assert chosen(records, "t_stage", "n_stage", "m_stage") == ("T2", "N0", "M0")
    assert chosen(records, "icdo3_morphology", "fnclcc_grade") == ("8802/3", "G3"), "those of the diagnosis"


def test_a_diagnose_whose_only_tnm_is_after_therapy_was_graded_after_therapy(records):
    diagnose(records, TNM=tnm("pTNM", T="1", y_Symbol="y"), Histologie=histology("8802/3"),
             Menge_Weitere_Klassifikation=fnclcc("1"))  # fmt: skip
    treat(records, FIRST_RADIOTHERAPY)
    assert chosen(records, "t_stage", "fnclcc_grade") == (None, None)


def test_yp_in_the_text_of_an_older_export_is_never_baseline(records):
    diagnose(records)
    pathology(records, TNM=tnm("pTNM", T="ypT1", N="ypN1"))
    assert chosen(records, "t_stage", "n_stage") == (None, None)


def test_a_ptnm_of_a_specimen_after_radiotherapy_that_lacks_its_y_is_no_baseline(records):
    diagnose(records, TNM=tnm(T="2b"))
    treat(records, FIRST_RADIOTHERAPY, TNM=tnm("TNM", prefix="p", T="1"))
    assert chosen(records, "t_stage", "t_rule") == ("T2", "cTNM")


def test_only_ypt_leaves_t_unknown(records):
    diagnose(records)
    treat(records, FIRST_RADIOTHERAPY)
    pathology(records, TNM=tnm("pTNM", T="0", y_Symbol="y"))
    assert chosen(records, "t_stage", "t_rule", "t_record_ids") == (None, None, None)


def test_only_ct_counts_after_surgery_first_as_well(records):
    diagnose(records, TNM=tnm(T="2b"))
    treat(records, FIRST_SURGERY)
    assert chosen(records, "t_stage", "t_rule") == ("T2", "cTNM")


def test_only_pt_in_the_diagnose_counts(records):
    diagnose(records, TNM=tnm("pTNM", T="1b"))
    treat(records, FIRST_SURGERY)
    assert chosen(records, "t_stage", "t_prefix") == ("T1", "p")


def test_an_x_gives_way_to_what_is_known(records):
    diagnose(records, TNM=several(tnm(T="2b", N="0"), tnm("pTNM", T="2", N="X")))
    treat(records, FIRST_SURGERY)
    assert chosen(records, "n_stage", "n_rule") == ("N0", "cTNM")


def test_a_category_of_c_within_a_ptnm_stays_clinical(records):
    diagnose(records, TNM=json.dumps([{"kind": "pTNM", "Version": "7", "c_p_u_Praefix_T": "p", "T": "2b",
                                       "c_p_u_Praefix_N": "c", "N": "0"}]))  # fmt: skip
    treat(records, FIRST_SURGERY)
    assert chosen(records, "t_rule", "n_rule") == ("pTNM", "cTNM")


def test_the_edition_is_that_of_the_chosen_t(records):
    diagnose(records, TNM=several(tnm(T="2b", version="7"), tnm("pTNM", version="8", T="3")))
    treat(records, FIRST_SURGERY)
    assert chosen(records, "t_stage", "tnm_edition") == ("T3", 8)


def test_a_ptnm_of_a_later_operation_on_a_relapse_is_no_baseline(records):
    diagnose(records, TNM=tnm(T="1"))
    operation(records, "2012-02-01")
    operation(records, "2015-02-01", TNM=tnm("TNM", prefix="p", T="2b"), Histologie=histology("8890/3"))
    outcome = records.run()
    assert outcome["diagnosis"]["t_stage"].to_list() == ["T1"]
    assert "later specimen" in outcome["diagnosis_report"]["role"].to_list()


def test_a_re_resection_still_belongs_to_the_specimen(records):
    diagnose(records)
    operation(records, "2012-02-01")
    operation(records, "2012-03-15", TNM=tnm("TNM", prefix="p", T="2b"))
    assert chosen(records, "t_stage") == "T2"


def test_a_follow_ups_tnm_and_histology_are_kept_and_never_baseline(records):
    diagnose(records)
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-01-01", Module_ID="V",
                    Gesamtbeurteilung_Tumorstatus="V", TNM=tnm("TNM", T="1"),
                    Histologie=histology("8890/3"))  # fmt: skip
    outcome = records.run()
    assert outcome["diagnosis"].select("t_stage", "icdo3_morphology").rows() == [(None, None)]
    kept = outcome["diagnosis_report"].filter(origin="follow-up").row(0, named=True)
    assert (kept["t_stage"], kept["icdo3_morphology"], kept["chosen_for"]) == ("T1", "8890/3", [])


@pytest.mark.parametrize(
    ("t", "n", "m", "expected"),
    [
        ("2(m)", "0", "0", ("T2", "N0", "M0", "(m)", None, None)),
        ("2b", "0(sn)", "0", ("T2", "N0", "M0", None, "(sn)", None)),
        ("2", "0(i-)", "0(i+)", ("T2", "N0", "M0", None, "(i-)", "(i+)")),
        ("1mi", "1mi(sn)", "X", ("T1", "N1", "MX", "mi", "mi(sn)", None)),
        ("X", "X", "X", ("TX", "NX", "MX", None, None, None)),
        ("1b (2)", "0(mol-)", "1b", ("T1", "N0", "M1", "(2)", "(mol-)", None)),
        ("3", "2a", "1a(1)", ("T3", "N1", "M1", None, None, "(1)")),
    ],
)
def test_suffixes_qualify_a_category_and_do_not_change_it(records, t, n, m, expected):
    diagnose(records, TNM=tnm(version="8", T=t, N=n, M=m))
    outcome = records.run()
    row = outcome["diagnosis"].row(0, named=True)
    columns = ("t_stage", "n_stage", "m_stage", "t_suffix", "n_suffix", "m_suffix")
    assert tuple(row[c] for c in columns) == expected
    assert "value.code-unknown" not in outcome.rules()


@pytest.mark.parametrize("text", ["is", "a", "is(Paget)", "5", "2bb", "zwei"])
def test_categories_that_sarcomas_do_not_have_are_unknown_and_show_their_text(records, text):
    diagnose(records, TNM=tnm(T=text, N="0", M="0"))
    outcome = records.run()
    assert outcome["diagnosis"].select("t_stage", "n_stage").rows() == [(None, "N0")]
    seen = outcome.observed.filter(rule_id="value.code-unknown")
    assert seen.select("column_name", "value", "severity").rows() == [("t_stage", text, "warning")]
    assert outcome.quarantined == set()


# --- histology --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "biopsy", "specimen", "expected", "rule"),
    [
        (FIRST_SURGERY, "8800/3", "8858/3", "8858/3", "specimen"),
        (FIRST_SURGERY, "8890/3", "8858/3", "8858/3", "specimen"),
        (FIRST_SURGERY, "8858/3", "8800/3", "8858/3", "biopsy"),  # the specimen only says sarcoma
        (FIRST_SURGERY, "8858/3", "8802/3", "8802/3", "specimen"),
        (FIRST_SURGERY, "8000/3", "8800/3", "8800/3", "specimen"),
        (FIRST_RADIOTHERAPY, "8890/3", "8858/3", "8890/3", "biopsy"),
        (FIRST_RADIOTHERAPY, "8800/3", "8858/3", "8858/3", "specimen"),
        (FIRST_RADIOTHERAPY, "8802/3", "8858/3", "8858/3", "specimen"),
        (FIRST_RADIOTHERAPY, "8802/3", "8800/3", "8802/3", "biopsy"),
    ],
)
def test_the_definitive_specimen_beats_the_biopsy_before_therapy(
    records, course, biopsy, specimen, expected, rule
):
    diagnose(records, Histologie=histology(biopsy))
    treat(records, course, Histologie=histology(specimen))
    outcome = records.run()
    row = outcome["diagnosis"].row(0, named=True)
    assert (row["icdo3_morphology"], row["histology_rule"]) == (expected, rule)
    assert row["morphologies"] == sorted({biopsy, specimen}), "all of them are kept"
    said = outcome["diagnosis_report"].filter(icdo3_morphology=expected)["record_ids"].explode().to_list()
    assert row["histology_record_ids"] == sorted(said), "the evidence says what was chosen"


@pytest.mark.parametrize("day", [None, "2012-02-01", "2012-02-20"])
def test_a_pathology_report_of_the_resection_is_the_specimen(records, day):
    diagnose(records, Histologie=histology("8800/3"))
    treat(records, FIRST_SURGERY)
    pathology(records, Histologie=histology("8811/3", day=day))
    assert chosen(records, "icdo3_morphology", "histology_group", "histology_rule") == (
        "8811/3", "myxofibrosarcoma", "specimen",
    )  # fmt: skip


def test_a_pathology_report_before_the_operation_is_the_biopsys(records):
    diagnose(records, Histologie=histology("8890/3"))
    treat(records, FIRST_SURGERY)
    pathology(records, Histologie=histology("8811/3", day="2012-01-02"))
    assert chosen(records, "icdo3_morphology", "histology_rule") == ("8811/3", "biopsy")


def test_the_histology_of_a_diagnostic_operation_is_the_biopsys(records):
    diagnose(records)
    operation(records, "2012-01-01", intent="D", Histologie=histology("8890/3"))
    operation(records, "2012-02-01", Histologie=histology("8858/3"))
    assert chosen(records, "icdo3_morphology", "histology_rule") == ("8858/3", "specimen")


def test_pathology_fills_a_diagnose_without_histology_and_proves_it(records):
    diagnose(records, Diagnosesicherung="2")
    pathology(records, Histologie=histology("9040/3"))
    assert chosen(records, "icdo3_morphology", "histologically_confirmed") == ("9040/3", "yes")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("8800/3", "8858/3"), "8858/3"),
        (("8858/3", "8800/3"), "8858/3"),
        (("8802/3", "8890/3"), "8890/3"),
        (("8800/3", "8802/3"), "8802/3"),
        (("8850/1", "8858/3"), "8858/3"),  # the malignant one
        (("8890/3", "8858/3"), "8890/3"),  # two subtypes: the report's order
    ],
)
def test_within_one_report_a_named_subtype_beats_the_unspecific_code(records, codes, expected):
    diagnose(records, Histologie=histology(*codes))
    outcome = records.run()
    assert outcome["diagnosis"]["icdo3_morphology"].to_list() == [expected]
    assert outcome["diagnosis"]["morphologies"].to_list() == [sorted(codes)]
    assert "diagnosis.several-morphologies" in outcome.rules()


def test_one_morphology_given_twice_is_one(records):
    diagnose(records, Histologie=histology("8858/3", "8858/3"))
    assert "diagnosis.several-morphologies" not in records.run().rules()


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("8890/3", "8858/3", True),
        ("8850/3", "8858/3", False),
        ("8852/3", "8858/3", True),
        ("8858/3", "8852/3", True),
        ("8852/3", "8852/3", False),
        ("9041/3", "9040/3", False),
        ("8800/3", "8858/3", False),
    ],
)
def test_reports_of_different_histology_groups_are_found(records, one, other, found):
    diagnose(records, Histologie=histology(one))
    operation(records, "2012-02-01", Histologie=histology(other))
    assert ("diagnosis.histologies-differ" in records.run().rules()) is found


# --- grade --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("course", "biopsy", "specimen", "expected", "rule"),
    [
        (FIRST_SURGERY, "3", "1", "G1", "specimen"),
        (FIRST_SURGERY, "3", None, "G3", "biopsy"),
        (FIRST_SURGERY, "3", "X", "G3", "biopsy"),
        (FIRST_RADIOTHERAPY, "3", "1", "G3", "biopsy"),
        (FIRST_RADIOTHERAPY, None, "1", None, None),
        (FIRST_DRUGS, "2", "1", "G2", "biopsy"),
    ],
)
def test_the_specimen_is_graded_only_without_therapy_before_it(
    records, course, biopsy, specimen, expected, rule
):
    diagnose(records)
    if biopsy:
        pathology(records, Histologie=histology("8802/3", day="2012-01-01"),
                  Menge_Weitere_Klassifikation=fnclcc(biopsy))  # fmt: skip
    treat(records, course, Histologie=histology("8802/3"),
          **({"Menge_Weitere_Klassifikation": fnclcc(specimen)} if specimen else {}))  # fmt: skip
    outcome = records.run()
    row = outcome["diagnosis"].row(0, named=True)
    assert (row["fnclcc_grade"], row["fnclcc_rule"]) == (expected, rule)
    assert ("diagnosis.graded-after-therapy" in outcome.rules()) is (expected is None)


def test_a_specimen_with_yptnm_is_not_graded_even_where_no_therapy_is_documented(records):
    diagnose(records)
    pathology(records, Histologie=histology("8802/3", day="2012-05-01"), TNM=tnm("pTNM", T="1", y_Symbol="y"),
              Menge_Weitere_Klassifikation=fnclcc("1"))  # fmt: skip
    operation(records, "2012-05-01")
    assert chosen(records, "fnclcc_grade") is None


@pytest.mark.parametrize(
    ("name", "stage", "expected"),
    [
        ("FNCLCC", "2", "G2"),
        ("FNCLCC", "G2", "G2"),
        ("FNCLCC", "Grad 2", "G2"),
        ("FNCLCC", "II", "G2"),
        ("FNCLCC", "Grad III", "G3"),
        ("FNCLCC", "FNCLCC 3", "G3"),
        ("FNCLCC", "2 von 3", "G2"),
        ("FNCLCC", "G X", "GX"),
        ("Grading nach FNCLCC", "G2", "G2"),
        ("fnclcc grade", "grade 1", "G1"),
        ("French Federation (Coindre)", "2", "G2"),
        ("Coindre-Grading", "3", "G3"),
        ("FNCLCC-Grading", "II", "G2"),
        ("Fédération Nationale des Centres de Lutte Contre le Cancer", "1", "G1"),
    ],
)
def test_every_usual_spelling_of_the_fnclcc_grade(records, name, stage, expected):
    diagnose(records, Menge_Weitere_Klassifikation=fnclcc(stage, name))
    outcome = records.run()
    assert outcome["diagnosis"]["fnclcc_grade"].to_list() == [expected]
    assert "value.code-unknown" not in outcome.rules()


@pytest.mark.parametrize(("stage", "found"), [("high grade", True), ("2/3", True), ("4", True)])
def test_a_spelling_that_is_not_sure_is_found_and_not_guessed(records, stage, found):
    diagnose(records, Menge_Weitere_Klassifikation=fnclcc(stage))
    outcome = records.run()
    assert outcome["diagnosis"]["fnclcc_grade"].to_list() == [None]
    assert ("value.code-unknown" in outcome.rules()) is found


def test_another_classification_is_no_grade(records):
    diagnose(records, Menge_Weitere_Klassifikation=fnclcc("2", "Enneking"))
    assert chosen(records, "fnclcc_grade") is None


# --- codes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "version", "site", "group"),
    [
        ("8832/3", "33", "C49.2", "others"),  # fibrosarcomatous
        ("8832/3", "32", "C49.2", None),  # dermatofibrosarcoma
        ("8832/3", "31", "C49.2", None),
        ("8832/1", "33", "C49.2", None),
        ("8833/3", "31", "C49.2", None),
        ("8859/3", "bb", "C49.2", "liposarcoma"),
        ("9364/3", "33", "C49.2", "others"),
        ("9364/3", "33", "C41.2", None),  # of bone
        ("9260/3", "31", "C49.2", "others"),
        ("9367/3", "bb", "C49.2", "others"),
        ("9180/3", "33", "C49.2", "others"),
        ("9180/3", "33", "C40.2", None),
        ("8880/3", "33", "C49.2", None),  # benign
        ("8856/3", "33", "C49.2", None),
        ("9541/3", "33", "C49.2", None),
        ("8714/3", "33", "C49.2", "others"),
        ("9137/3", "33", "C49.2", "others"),
        ("9542/3", "33", "C47.2", "others"),
        ("8850/1", "33", "C49.2", None),
        ("8140/3", "33", "C49.2", None),
    ],
)
def test_the_histology_group_by_code_version_and_site(records, code, version, site, group):
    diagnose(records, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
             Histologie=histology(code, version=version))  # fmt: skip
    assert chosen(records, "histology_group", "morphology_version") == (group, version)


def test_8832_without_a_version_is_found(records):
    diagnose(records, Morphologie_ICD_O='["8832/3"]')
    outcome = records.run()
    assert outcome["diagnosis"]["histology_group"].to_list() == ["others"]
    assert "diagnosis.morphology-version-missing" in outcome.rules()


@pytest.mark.parametrize(
    ("site", "region"),
    [
        ("C49.0", "head and neck"), ("C49.1", "extremities"), ("C49.6", "trunk"), ("C49.9", "unspecified"),
        ("C49.8", "unspecified"), ("C47.0", "head and neck"), ("C47.1", "extremities"),
        ("C47.2", "extremities"), ("C47.3", "trunk"), ("C47.6", "trunk"), ("C47.9", "unspecified"),
        ("C44.3", "head and neck"), ("C44.5", "trunk"), ("C44.6", "extremities"), ("C44.7", "extremities"),
        ("C76.0", "head and neck"), ("C76.1", "trunk"), ("C76.3", "trunk"), ("C76.4", "extremities"),
        ("C76.5", "extremities"), ("C48.0", "retroperitoneum"), ("C48.1", "peritoneum"),
        ("C48.2", "peritoneum"), ("C40.2", "bone"), ("C54.2", "other"),
    ],
)  # fmt: skip
def test_the_region_of_a_site(records, site, region):
    diagnose(records, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site)
    assert chosen(records, "region") == region


@pytest.mark.parametrize(("site", "found"), [("C44.7", True), ("C49.2", False), ("C47.2", False)])
def test_a_sarcoma_of_the_skin_is_found(records, site, found):
    diagnose(records, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
             Histologie=histology("8802/3"))  # fmt: skip
    assert ("diagnosis.sarcoma-of-skin" in records.run().rules()) is found


def test_a_carcinoma_of_the_skin_is_no_sarcoma_of_it(records):
    diagnose(records, Primaertumor_ICD="C44.7", Primaertumor_Topographie_ICD_O="C44.7",
             Histologie=histology("8090/3"))  # fmt: skip
    assert "diagnosis.sarcoma-of-skin" not in records.run().rules()


@pytest.mark.parametrize(
    ("site", "target", "found"),
    [("C49.4", None, True), ("C49.4", "7.5", False), ("C49.6", None, False), ("C49.3", None, True)],
)
def test_a_site_that_may_be_visceral_is_found_unless_the_target_region_tells(records, site, target, found):
    diagnose(records, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
             Histologie=histology("8802/3"))  # fmt: skip
    if target:
        irradiation(records, "2012-02-01", Zielgebiet=target)
    assert ("diagnosis.site-may-be-visceral" in records.run().rules()) is found


@pytest.mark.parametrize(
    ("code", "version", "found"), [("9120/3", "8", True), ("9120/3", "7", False), ("8802/3", "8", False)]
)
def test_a_t_of_a_sarcoma_that_edition_8_does_not_stage_is_a_notice(records, code, version, found):
    diagnose(records, "2018-01-01", Histologie=histology(code), TNM=tnm(version=version, T="2"))
    assert ("diagnosis.t-not-applicable" in records.run().rules()) is found


# --- partial dates ------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "exactness", "operated", "expected", "ends"),
    [
        ("2012-03-15", "T", None, "2012-03-15", ("2012-03-01", "2012-03-31")),
        ("2012-01-01", "M", None, "2012-07-01", ("2012-01-01", "2012-12-31")),
        ("2012-03-15", "T", "2012-03-06", "2012-03-03", ("2012-03-01", "2012-03-06")),
        ("2012-03-15", "T", "2012-04-06", "2012-03-15", ("2012-03-01", "2012-03-31")),
        ("2012-03-15", "T", "2012-02-06", "2012-03-15", ("2012-03-01", "2012-03-31")),  # contradicts
        ("2012-01-01", "M", "2012-01-31", "2012-01-16", ("2012-01-01", "2012-01-31")),
        ("2012-03-15", "E", "2012-03-06", "2012-03-15", ("2012-03-15", "2012-03-15")),
    ],
)
def test_a_partial_date_of_diagnosis_is_cut_by_the_first_therapy(
    records, on, exactness, operated, expected, ends
):
    records.patient()
    records.diagnosis(on, exactness)
    if operated:
        operation(records, operated)
    row = records.run()["diagnosis"].row(0, named=True)
    day = dt.date.fromisoformat
    assert row["diagnosis_date"] == day(expected)
    assert (row["diagnosis_date_earliest"], row["diagnosis_date_latest"]) == tuple(map(day, ends))


@pytest.mark.parametrize(
    ("examined", "expected"),
    [("2017-06-25", "2017-06-27"), ("2017-06-20", "2017-06-25"), ("2017-05-20", "2017-06-15")],
)
def test_nobodys_death_moves_before_a_day_on_which_they_were_examined(records, examined, expected):
    records.patient()
    records.diagnosis()
    records.reply(answer="verstorben", event_date="00.06.2017", hospital_number="1")
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=examined, Gesamtbeurteilung_Tumorstatus="V")
    status = records.run()["vital_status"].row(0, named=True)
    assert status["death_date"] == dt.date.fromisoformat(expected)
    assert status["death_day"] == (dt.date.fromisoformat(expected) - dt.date(2012, 1, 1)).days
    assert status["last_alive_date"] == dt.date.fromisoformat(examined)
