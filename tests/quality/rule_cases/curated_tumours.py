"""Cases of the rules on what a curation does with tumours, baseline, toxicity and persons."""

from __future__ import annotations

import json
from typing import Any

from schemas import received as r
from tests.curation.baseline_patients import fnclcc, histology, tnm
from tests.one_curation import OfPatient
from tests.quality.rule_cases.curated_reports import (
    LATER,
    A,
    Told,
    death,
    diagnosis,
    drugs,
    examined,
    irradiation,
    of,
    pathology,
    patient,
    reply,
    sarcoma,
    surgery,
)
from tests.quality.rule_cases.four import NO_VALUE, Four

BARE: dict[str, Any] = {"Grading": None, "T": None, "N": None, "M": None, "TNM_Version": None}


def bare(*steps: Told, **values: Any) -> Told:
    """Return a patient whose Diagnose has neither TNM nor grade, and more records."""
    return patient(diagnosis(**(BARE | values)), *steps)


def metastasis(on: str | None, exactness: str | None = "E") -> dict[str, str]:
    """Return a Menge_FM with one metastasis of the lung."""
    one = {"Diagnosedatum": on, "Datumsgenauigkeit": exactness, "Lokalisation": "PUL"}
    return {"Menge_FM": json.dumps([one])}


def _part(number: int, dose: str, boost: str | None = "N") -> Told:
    """Return one Bestrahlung of an ST."""
    begin, end = {1: ("2012-02-01", "2012-03-07"), 2: ("2012-03-12", "2012-04-04")}[number]
    return irradiation(
        begin, Ende=end, Zielgebiet="7.3", Seite_Zielgebiet="L", Strahlenart="UH", Gesamtdosis=dose,
        Boost=boost, Meldung_ID="ST", position=f"line 1 /Meldung[1]/ST/Bestrahlung[{number}]",
    )  # fmt: skip


BASELINE: dict[str, Four[Told]] = {
    "diagnosis.morphology-version-missing": of(
        bare(code=None, Histologie=histology("8832/3", version=None)),
        bare(code=None, Histologie=histology("8832/3", version="33")),
        bare(code=None, Histologie=None),
        bare(surgery(Histologie=histology("8832/3", version=None)), code=None),
    ),
    "diagnosis.sarcoma-of-skin": of(
        sarcoma(site="C44.7"),
        sarcoma(site="C49.2"),
        sarcoma(site=None),
        sarcoma(site="C44.5", code="8832/3"),
    ),
    "diagnosis.site-may-be-visceral": of(
        sarcoma(site="C49.4"),
        sarcoma(site="C49.2"),
        sarcoma(site=None),
        sarcoma(site="C49.5", code="8858/3"),
    ),
    "diagnosis.t-not-applicable": of(
        sarcoma(code="9120/3", TNM_Version="8", T="2"),
        sarcoma(code="9120/3", TNM_Version="7", T="2b"),
        sarcoma(code="9120/3", TNM_Version=None, T="2"),
        sarcoma(code="9140/3", TNM_Version="8", T="1"),
    ),
    "diagnosis.graded-after-therapy": of(
        bare(irradiation(), surgery(), pathology(Tumor_Histologiedatum="2012-05-03",
                                                 Menge_Weitere_Klassifikation=fnclcc("G3"))),
        bare(irradiation(), surgery(), pathology(Tumor_Histologiedatum="2012-01-03",
                                                 Menge_Weitere_Klassifikation=fnclcc("G3"))),
        bare(irradiation(), surgery(), pathology(Tumor_Histologiedatum=None,
                                                 Menge_Weitere_Klassifikation=fnclcc("G3"))),
        bare(drugs(), surgery(Menge_Weitere_Klassifikation=fnclcc("2"))),
        fires_on_null=True,  # an undated report is that of the specimen
    ),
    "diagnosis.histology-of-later-specimen": of(
        bare(surgery(), pathology(Tumor_Histologiedatum="2013-05-01", Morphologie_ICD_O='["8811/3"]'),
             code=None),
        bare(surgery(), pathology(Tumor_Histologiedatum="2012-05-20", Morphologie_ICD_O='["8811/3"]'),
             code=None),
        bare(surgery(), pathology(Tumor_Histologiedatum=None, Morphologie_ICD_O='["8811/3"]'), code=None),
        bare(surgery(), surgery("2014-09-01", Histologie=histology("8811/3")), code=None),
    ),
    "diagnosis.staged-after-therapy": of(
        bare(irradiation(), surgery(), pathology(TNM=tnm("pTNM", T="2b", Datum="2012-05-01"))),
        bare(irradiation(), surgery(), pathology(TNM=tnm("pTNM", T="2b", Datum="2012-05-01", y_Symbol="y"))),
        bare(irradiation(), surgery(), pathology(TNM=tnm("pTNM", T="2b", Datum=None))),
        bare(drugs(), surgery(TNM=tnm("pTNM", T="1", Datum="2012-05-04"))),
        fires_on_null=True,
    ),
    "diagnosis.stages-differ": of(
        bare(pathology(TNM=tnm("cTNM", T="1")), TNM=tnm("cTNM", T="2b")),
        bare(pathology(TNM=tnm("pTNM", T="1")), TNM=tnm("cTNM", T="2b")),
        bare(pathology(TNM=tnm("cTNM", T=None)), TNM=tnm("cTNM", T="2b")),
        bare(surgery(TNM=tnm("pTNM", N="1")), pathology(TNM=tnm("pTNM", N="0"))),
    ),
    "diagnosis.histologies-differ": of(
        bare(surgery(), pathology(Tumor_Histologiedatum="2012-05-02", Morphologie_ICD_O='["8858/3"]')),
        bare(surgery(), pathology(Tumor_Histologiedatum="2012-05-02", Morphologie_ICD_O='["8802/3"]')),
        bare(surgery(), pathology(Tumor_Histologiedatum="2012-05-02", Morphologie_ICD_O=None)),
        bare(surgery(Histologie=histology("9040/3")), code="8811/3"),
    ),
    "diagnosis.report-grades-differ": of(
        bare(surgery(Menge_Weitere_Klassifikation=fnclcc("G3")),
             pathology(Tumor_Histologiedatum="2012-05-02", Menge_Weitere_Klassifikation=fnclcc("G2"))),
        bare(surgery(Menge_Weitere_Klassifikation=fnclcc("G3")),
             pathology(Tumor_Histologiedatum="2012-05-02", Menge_Weitere_Klassifikation=fnclcc("III"))),
        bare(surgery(Menge_Weitere_Klassifikation=fnclcc("G3")),
             pathology(Tumor_Histologiedatum="2012-05-02", Menge_Weitere_Klassifikation=None)),
        bare(pathology(Tumor_Histologiedatum="2012-01-02", Menge_Weitere_Klassifikation=fnclcc("Grad 1")),
             Menge_Weitere_Klassifikation=fnclcc("2")),
    ),
    "diagnosis.grade-of-unknown-name": of(
        bare(Menge_Weitere_Klassifikation=fnclcc("G3", "Enneking")),
        bare(Menge_Weitere_Klassifikation=fnclcc("G3", "FNCLCC")),
        bare(Menge_Weitere_Klassifikation=fnclcc(None, "Enneking")),
        bare(surgery(Menge_Weitere_Klassifikation=fnclcc("2", "NCI"))),
    ),
    "metastasis.later-in-diagnosis": of(
        sarcoma(irradiation(), **metastasis("2014-05-01")),
        sarcoma(irradiation(), **metastasis("2012-01-20")),
        sarcoma(irradiation(), **metastasis(None)),
        sarcoma(**metastasis("2015-07-01", "M")),
    ),
    "surgery.pathology-missing": of(
        bare(surgery(Lokale_Beurteilung_Residualstatus=None)),
        bare(surgery(Lokale_Beurteilung_Residualstatus=None, Histologie=histology("8802/3"))),
        bare(surgery(Lokale_Beurteilung_Residualstatus=None, Intention=None)),
        bare(surgery(Lokale_Beurteilung_Residualstatus="RX", Menge_OPS='["5-852.f8"]')),
    ),
    "surgery.residual-of-no-operation": of(
        bare(surgery(), pathology(Lokale_Beurteilung_Residualstatus="R1",
                                  Tumor_Histologiedatum="2013-05-02")),
        bare(surgery(), pathology(Lokale_Beurteilung_Residualstatus="R0",
                                  Tumor_Histologiedatum="2012-05-08")),
        bare(surgery(), surgery("2012-08-01"), pathology(Lokale_Beurteilung_Residualstatus="R0",
                                                         Tumor_Histologiedatum=None)),
        bare(pathology(Lokale_Beurteilung_Residualstatus="R1", Tumor_Histologiedatum="2012-05-02")),
        fires_on_null=True,
    ),
    "radiotherapy.irradiations-undecided": of(
        sarcoma(_part(1, "30"), _part(2, "20")),
        sarcoma(_part(1, "50"), _part(2, "16", "SEQ")),
        sarcoma(_part(1, "30", None), _part(2, "20", None)),
        sarcoma(_part(1, "50"), _part(2, "66", "SEQ")),  # 116 Gy
        fires_on_null=True,
    ),
}  # fmt: skip

BREAST = {"code": "8500/3", "site": "C50.4", **BARE}

TUMOURS: dict[str, Four[Told]] = {
    "diagnosis.tumour-under-two-ids": of(
        sarcoma(diagnosis("2012-02-01", tumour="T2")),
        sarcoma(diagnosis("2016-02-01", tumour="T2", **BREAST)),
        sarcoma(diagnosis(None, tumour="T2", site=None, code=None)),
        sarcoma(diagnosis("2015-02-01", tumour="T2", code="8800/3", site="C49.2")),
    ),
    "diagnosis.relapse-as-tumour": of(
        sarcoma(diagnosis("2014-02-01", tumour="T2", code="8802/6", site="C78.0")),
        sarcoma(diagnosis("2016-02-01", tumour="T2", **BREAST)),
        sarcoma(diagnosis("2014-02-01", tumour="T2", code=None, site=None)),
        sarcoma(examined("2014-01-01", Gesamtbeurteilung_Tumorstatus="Y", Verlauf_Lokaler_Tumorstatus="R"),
                diagnosis("2014-02-01", tumour="T2")),
    ),
    "diagnosis.missing": of(
        patient(surgery(Primaertumor_ICD="C49.2", Diagnosedatum="2012-01-01")),
        sarcoma(surgery(Primaertumor_ICD="C49.2", Diagnosedatum="2012-01-01")),
        patient(surgery(Primaertumor_ICD=None, Diagnosedatum=None)),
        sarcoma(pathology(tumour="T2", Primaertumor_ICD="C50.4", Diagnosedatum="2016-01-01")),
        fires_on_null=True,
    ),
    "diagnosis.only-named": of(
        sarcoma(death(tumour="T2", Primaertumor_ICD="C34.1", Diagnosedatum="2013-01-01")),
        sarcoma(death(Primaertumor_ICD="C49.2", Diagnosedatum="2012-01-01")),
        sarcoma(death(tumour=None)),
        sarcoma(lambda p: p.meldung(
            r.ObdsTumourBoard, tumour="T3", Primaertumor_ICD="C61", Diagnosedatum="2011-01-01")),
    ),
}  # fmt: skip

GRADED = json.dumps([{"Bezeichnung": "Radiodermatitis", "Grad": "3", "Version": "5.0"}])
FATAL = json.dumps([{"Bezeichnung": "Sepsis", "Grad": "5", "Version": "5.0"}])

TOXICITY: dict[str, Four[Told]] = {
    "toxicity.reports-differ": of(
        sarcoma(irradiation(Grad_maximal2_oder_unbekannt="K", Meldung_ID="M1", **A),
                irradiation(Grad_maximal2_oder_unbekannt="2", Meldung_ID="M2", **A, **LATER)),
        sarcoma(irradiation(Grad_maximal2_oder_unbekannt="1", Meldung_ID="M1", **A),
                irradiation(Grad_maximal2_oder_unbekannt="2", Meldung_ID="M2", **A, **LATER)),
        sarcoma(irradiation(Grad_maximal2_oder_unbekannt=None, Meldung_ID="M1", **A),
                irradiation(Grad_maximal2_oder_unbekannt="2", Meldung_ID="M2", **A, **LATER)),
        sarcoma(drugs(Grad_maximal2_oder_unbekannt="K", Meldung_ID="M1", **A),
                drugs(Menge_Nebenwirkung=GRADED, Meldung_ID="M2", **A, **LATER)),
    ),
    "toxicity.fatal-without-death": of(
        sarcoma(irradiation(Menge_Nebenwirkung=FATAL)),
        sarcoma(irradiation(Menge_Nebenwirkung=FATAL), death("2012-03-20")),
        sarcoma(irradiation(Menge_Nebenwirkung=FATAL.replace('"5"', "null"))),
        sarcoma(drugs(Menge_Nebenwirkung=FATAL), reply("lebt")),
    ),
}  # fmt: skip


def _second(p: OfPatient, **values: Any) -> str:
    """Add another person, described by what differs from the patient."""
    said = {"number": f"9{p.number}9", "family": p.family, "born": p.born} | values
    p.ids.append(p.records.patient(**said))
    return p.ids[-1]


def _turned(p: OfPatient) -> str:
    """Return the day of birth with day and month exchanged, or the next year."""
    year, month, day = p.born.split("-")
    return f"{int(year) + 1}-{month}-{day}" if int(day) > 12 or month == day else f"{year}-{day}-{month}"


def _german(day: str) -> str:
    return ".".join(reversed(day.split("-")))


PERSONS: dict[str, Four[Told]] = {
    "identity.no-patient": of(
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=f"77{p.number}77", family_name="Unbekannt",
                                  birth_date="03.03.1923")),
        sarcoma(reply()),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None)),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None, family_name="Niemand",
                                  birth_date="04.04.1924")),
    ),
    "identity.contradiction": of(
        sarcoma(lambda p: p.reply(answer="lebt", family_name="Ganzanders", birth_date="05.05.1925")),
        sarcoma(lambda p: p.reply(answer="lebt", family_name="Ganzanders")),
        sarcoma(lambda p: p.reply(answer="lebt", family_name="Ganzanders", birth_date=None)),
        sarcoma(lambda p: p.reply(answer="verstorben", event_date="01.05.2014", given_names="Xaver",
                                  family_name="Anderer", birth_date="06.06.1926", sex="m")),
    ),
    "identity.detail-differs": of(
        sarcoma(lambda p: p.reply(answer="lebt", family_name="Ganzanders")),
        sarcoma(reply()),
        sarcoma(lambda p: p.reply(answer="lebt", family_name=None)),
        sarcoma(lambda p: p.reply(answer="lebt", birth_date="07.07.1927")),
    ),
    "identity.near-match": of(
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None, family_name=f"{p.family}-Weber")),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None)),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None, family_name=None)),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None, birth_date=_german(_turned(p)))),
    ),
    "identity.ambiguous": of(
        lambda p: [sarcoma()(p), _second(p), p.reply(answer="lebt", hospital_number=None)],
        lambda p: [sarcoma()(p), _second(p), p.reply(answer="lebt")],
        lambda p: [sarcoma()(p), _second(p), p.reply(answer="lebt", hospital_number=None, birth_date=None)],
        lambda p: [sarcoma()(p), _second(p), _second(p, number=f"8{p.number}8"),
                   p.reply(answer="verstorben", event_date="01.05.2014", hospital_number=None)],
    ),
    "identity.two-numbers": of(
        lambda p: [sarcoma()(p), _second(p)],
        lambda p: [sarcoma()(p), _second(p, family=f"Neu{p.family}neu", born="1919-09-09")],
        lambda p: [sarcoma()(p), _second(p, born=None)],
        lambda p: [sarcoma()(p), _second(p, family=p.family.upper())],
    ),
    "identity.two-numbers-alike": of(
        lambda p: [sarcoma()(p), _second(p, family=f"{p.family}-Weber")],
        lambda p: [sarcoma()(p), _second(p, family="Ganzanders")],
        lambda p: [sarcoma()(p), _second(p, family=None)],
        lambda p: [sarcoma()(p), _second(p, given="Anna Maria")],
    ),
    "identity.numbers-alike": of(
        lambda p: [sarcoma()(p), _second(p, number=f"00{p.number}", family="Einer", born="1918-08-08")],
        lambda p: [sarcoma()(p), _second(p, number=f"5{p.number}5", family="Einer", born="1917-07-07")],
        NO_VALUE,
        lambda p: [sarcoma()(p), _second(p, number=f"{p.number}.0", family="Zweier", born="1916-06-06")],
    ),
    "identity.number-differs-in-form": of(
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=f"00{p.number}", family_name="Ganzanders")),
        sarcoma(lambda p: p.reply(answer="lebt", family_name="Ganzanders")),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=None, family_name="Ganzanders")),
        sarcoma(lambda p: p.reply(answer="lebt", hospital_number=f"{p.number}.0", birth_date=None)),
    ),
    "identity.master-data-differ": of(
        lambda p: [sarcoma()(p), _second(p, number=p.number, born="1915-05-05", Meldedatum="2019-01-01")],
        lambda p: [sarcoma()(p), _second(p, number=p.number, Meldedatum="2019-01-01")],
        lambda p: [sarcoma()(p), _second(p, number=p.number, born=None, Meldedatum="2019-01-01")],
        lambda p: [sarcoma()(p), _second(p, number=p.number, sex="M", Meldedatum="2019-01-01")],
    ),
}  # fmt: skip


def _substance(name: str, code: str | None = None) -> str:
    return json.dumps([{"Bezeichnung": name, "ATC": code}])


def _of_causes(*codes: str, flag: str | None) -> Told:
    causes = json.dumps([{"Code": code} for code in codes])
    return sarcoma(death(Tod_tumorbedingt=flag, Menge_Todesursachen=causes, Primaertumor_ICD="C49.2"))


def _on_side(irradiated: str | None, tumour: str) -> Told:
    where = {"Zielgebiet": "7.3", "Primaertumor_ICD": "C49.2", "Seitenlokalisation": tumour}
    return irradiation(Seite_Zielgebiet=irradiated, **where)


WITHIN_A_REPORT: dict[str, Four[Told]] = {
    "surgery.overall-residual-better": of(
        sarcoma(surgery(Lokale_Beurteilung_Residualstatus="R1", Gesamtbeurteilung_Residualstatus="R0")),
        sarcoma(surgery(Lokale_Beurteilung_Residualstatus="R0", Gesamtbeurteilung_Residualstatus="R1")),
        sarcoma(surgery(Lokale_Beurteilung_Residualstatus="R1", Gesamtbeurteilung_Residualstatus=None)),
        sarcoma(surgery(Lokale_Beurteilung_Residualstatus="R2", Gesamtbeurteilung_Residualstatus="R1")),
    ),
    "systemic-therapy.substances-against-kind": of(
        sarcoma(drugs(Therapieart="AS", Menge_Substanz=_substance("Imatinib", "L01EA01"))),
        sarcoma(drugs(Therapieart="CH", Menge_Substanz=_substance("Ifosfamid", "L01AA06"))),
        sarcoma(drugs(Therapieart="AS", Menge_Substanz=None)),
        sarcoma(drugs(Therapieart="ZS", Menge_Substanz=_substance("Trabectedin", "L01CX01"))),
    ),
    "vital-status.cause-against-flag": of(
        _of_causes("J18.9", "C49.2", flag="N"),
        _of_causes("J18.9", "C49.2", flag="J"),
        _of_causes("J18.9", "C49.2", flag=None),
        _of_causes("C49.9", flag="N"),
    ),
    "radiotherapy.chemotherapy-missing": of(
        sarcoma(irradiation(Radiochemo="RCJ")),
        sarcoma(irradiation(Radiochemo="RCJ"), drugs()),
        sarcoma(irradiation(Radiochemo=None)),
        sarcoma(irradiation(Radiochemo="RCJ"), drugs(Therapieart="WW")),
    ),
    "radiotherapy.side-against-tumour": of(
        sarcoma(_on_side("R", "L")),
        sarcoma(_on_side("L", "L")),
        sarcoma(_on_side(None, "L")),
        sarcoma(_on_side("L", "R"), Seitenlokalisation="R"),
    ),
    "surgery.residual-of-biopsy": of(
        sarcoma(surgery(Intention="D", Menge_OPS='["1-503.8"]')),
        sarcoma(surgery(Intention="K", Menge_OPS='["5-852.f8"]')),
        sarcoma(surgery(Intention="D", Menge_OPS='["1-503.8"]', Lokale_Beurteilung_Residualstatus=None)),
        sarcoma(surgery(Intention="X", Menge_OPS='["1-502.4"]', Lokale_Beurteilung_Residualstatus="R1")),
    ),
}  # fmt: skip

CURATED = BASELINE | TUMOURS | TOXICITY | PERSONS | WITHIN_A_REPORT
