"""Builders of patients whose baseline is chosen: reports, operations and other treatments."""

import json

from schemas import received as r


def tnm(kind="cTNM", version="7", prefix=None, **parts):
    """One TNM of a report; the prefix is that of all three categories."""
    prefixes = {f"c_p_u_Praefix_{x}": prefix for x in "TNM" if prefix and x in parts}
    return json.dumps([{"kind": kind, "Version": version, **prefixes, **parts}])


def several(*tnms):
    return json.dumps([one for text in tnms for one in json.loads(text)])


def histology(*codes, day=None, version: str | None = "33", grading="3"):
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


def of_index(outcome, *columns: str):
    """Columns of the index tumour."""
    row = outcome["diagnosis"].filter("index_tumour").row(0, named=True)
    values = [row[c] for c in columns]
    return tuple(values) if len(values) > 1 else values[0]


FIRST_SURGERY = (("operation", "2012-02-01"), ("irradiation", "2012-03-01"))
FIRST_RADIOTHERAPY = (("irradiation", "2012-02-01"), ("operation", "2012-05-01"))
FIRST_DRUGS = (("drugs", "2012-02-01"), ("operation", "2012-05-01"))
ONLY_SURGERY = (("operation", "2012-02-01"),)
ONLY_RADIOTHERAPY = (("irradiation", "2012-02-01"),)
ONLY_DRUGS = (("drugs", "2012-02-01"),)


def treat(records, course, **of_operation):
    for what, on in course:
        if what == "operation":
            operation(records, on, **of_operation)
        else:
            {"irradiation": irradiation, "drugs": drugs}[what](records, on)
