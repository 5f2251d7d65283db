# ruff: noqa: E501  one patient per line reads as a table
"""The study protocol, told as patients: what is given, what is assumed, and the endpoints in days.

Diagnosis on 10 March 2015 (day 0), M0, 8802/3 of the lower limb; irradiated from day 31 to 66, resected R0 on
day 102, free of disease on day 366, alive by the registry office on day 1827, unless a patient says otherwise.
"""

from __future__ import annotations

from typing import Any

from tests.spec.told import FREE, Told, distant, fm, local, on

NEVER = Told(seen={})
NEVER_DEAD = Told(seen={}, died=on(1827))
STRICT = {"progression_before_resection": "event"}
PROTOCOL: dict[str, tuple[Told, dict[str, Any], dict[str, str]]] = {
    "never examined, alive": (NEVER, {}, {"DFS": "0 censored", "DMFS": "0 censored", "OS": "1827 censored"}),
    "never examined, dead: one patient set": (NEVER_DEAD, {}, {"DFS": "0 censored", "OS": "1827 death"}),
    "never examined, at the resection": (
        NEVER_DEAD, {"never_examined": "definitive resection"}, {"DFS": "102 censored", "LRFS": "102 censored"},
    ),
    "never examined, counted": (NEVER_DEAD, {"never_examined": "counted"}, {"DFS": "1827 death"}),
    "a death long after the last examination counts": (Told(died=on(2300)), {}, {"DFS": "2300 death"}),
    "a late death censors": (Told(died=on(2300)), {"late_deaths": "within window"}, {"DFS": "366 censored"}),
    "365 days after it is not late": (
        Told(died=on(731)), {"late_deaths": "within window"}, {"DFS": "731 death"},
    ),
    "366 days after it is late": (
        Told(died=on(732)), {"late_deaths": "within window"}, {"DFS": "366 censored", "OS": "732 death"},
    ),
    "progression under preoperative irradiation": (
        Told(seen={52: local("P"), 731: FREE}), {}, {"DFS": "731 censored", "PFS": "52 progression under treatment"},
    ),
    "the same, strict": (Told(seen={52: local("P"), 731: FREE}), STRICT, {"LRFS": "52 local relapse"}),
    "progression on the day of the resection": (Told(seen={102: local("P"), 731: FREE}), {}, {"LRFS": "731 censored"}),
    "progression the day after": (Told(seen={103: local("P"), 731: FREE}), {}, {"LRFS": "103 local relapse"}),
    "progression without any resection": (Told(operated={}, seen={52: local("P")}), {}, {"LRFS": "52 local relapse"}),
    "salvage surgery does not erase a relapse": (
        Told(operated={102: "R0", 731: "R0"}, seen={701: local("P"), 1096: FREE}), {},
        {"DFS": "701 local relapse", "LRFS": "701 local relapse", "DMFS": "1096 censored"},
    ),
    "a relapse before the resection is one": (Told(seen={52: local("R")}), {}, {"LRFS": "52 local relapse"}),
    "an R2 resection is not the definitive one": (
        Told(operated={102: "R2", 200: "R0"}, seen={180: local("P"), 500: FREE}), {}, {"LRFS": "500 censored"},
    ),
    "regional progression likewise": (
        Told(seen={52: {"Verlauf_Tumorstatus_Lymphknoten": "P"}, 731: FREE}), {}, {"LRFS": "731 censored"},
    ),
    "regional relapse": (
        Told(seen={400: {"Verlauf_Tumorstatus_Lymphknoten": "R"}}), {}, {"LRFS": "400 regional relapse"},
    ),
    "a distant relapse before the resection": (Told(seen={80: distant("R")}), {}, {"DMFS": "80 distant relapse"}),
    "residual tumour at a distance after M0": (Told(seen={575: distant("T")}), {}, {"DMFS": "575 distant relapse"}),
    "unchanged metastases after M0": (Told(seen={575: distant("N")}), {}, {"DMFS": "575 distant relapse"}),
    "a metastasis on its own day": (
        Told(seen={366: FREE, 575: distant("R", Menge_FM=fm(545))}), {}, {"DFS": "545 distant relapse"},
    ),
    "a metastasis on the day of the examination": (
        Told(seen={366: FREE, 575: distant("R", Menge_FM=fm(545))}), {"metastasis_date": "examination"},
        {"DFS": "575 distant relapse"},
    ),
    "a metastasis dated after its examination": (
        Told(seen={300: distant("R", Menge_FM=fm(400))}), {}, {"DMFS": "300 distant relapse"},
    ),
    "a metastasis dated before the diagnosis": (
        Told(seen={575: distant("R", Menge_FM=fm("2014-09-05"))}), {}, {"DMFS": "575 distant relapse"},
    ),
    "a metastasis after the first therapy": (
        Told(seen={209: distant("R", Menge_FM=fm(41))}), {}, {"DMFS": "41 distant relapse"},
    ),
    "the same, by the window alone": (
        Told(seen={209: distant("R", Menge_FM=fm(41))}), {"metastasis_at_diagnosis": "within window"},
        {"DMFS": "not eligible"},
    ),
    "a metastasis before the first therapy": (
        Told(irradiated=(92, 127), operated={160: "R0"}, seen={209: distant("R", Menge_FM=fm(71))}), {},
        {"DMFS": "not eligible"},
    ),
    "the same, without a window": (
        Told(irradiated=(92, 127), operated={160: "R0"}, seen={209: distant("R", Menge_FM=fm(71))}),
        {"metastasis_at_diagnosis": "staged only"}, {"DMFS": "71 distant relapse"},
    ),
    "the same, entering with the irradiation": (
        Told(irradiated=(92, 127), operated={160: "R0"}, seen={209: distant("R", Menge_FM=fm(71))}),
        {"metastasis_at_diagnosis": "staged only", "entry": "radiotherapy start"},
        {"DMFS": "ended before the radiotherapy start"},
    ),
    "a metastasis beyond the window": (
        Told(irradiated=(120, 150), operated={160: "R0"}, seen={209: distant("R", Menge_FM=fm(100))}), {},
        {"DMFS": "100 distant relapse"},
    ),
    "progression without a site": (
        Told(seen={366: FREE, 575: {"Gesamtbeurteilung_Tumorstatus": "P"}}), {},
        {"DFS": "575 relapse of unknown site", "DMFS": "366 censored", "LRFS": "366 censored"},
    ),
    "the worst case": (
        Told(seen={366: FREE, 575: {"Gesamtbeurteilung_Tumorstatus": "P"}}), {"unknown_site": "every site"},
        {"DMFS": "575 relapse of unknown site", "LRFS": "575 relapse of unknown site"},
    ),
    "one questionable site names none": (
        Told(seen={366: FREE, 575: {"Gesamtbeurteilung_Tumorstatus": "Y", **local("F")}}), {},
        {"DFS": "575 relapse of unknown site"},
    ),
    "another report of that day names the site": (
        Told(seen={366: FREE, 575: {"Gesamtbeurteilung_Tumorstatus": "Y", **local("R")}}), {},
        {"DFS": "575 local relapse", "DMFS": "366 censored"},
    ),
    "an examination of one component": (
        Told(seen={366: FREE, 731: {**FREE, **local("X"), "Verlauf_Tumorstatus_Lymphknoten": "X"}}), {},
        {"LRFS": "366 censored", "DMFS": "731 censored", "DFS": "731 censored"},
    ),
    "any statement": (
        Told(seen={366: FREE, 731: {**FREE, **local("X"), "Verlauf_Tumorstatus_Lymphknoten": "X"}}),
        {"examination": "any statement"}, {"LRFS": "731 censored"},
    ),
    "a questionable finding is no look": (Told(seen={366: FREE, 731: local("F")}), {}, {"LRFS": "366 censored"}),
    "a questionable finding as a look": (
        Told(seen={366: FREE, 731: local("F")}), {"questionable_status": "look"}, {"LRFS": "731 censored"},
    ),
    "followed to the last day known alive": (Told(), {"relapse_free_until": "last known alive"}, {"DFS": "1827 censored"}),
    "never free of disease": (
        Told(operated={102: "R2"}, seen={366: local("T"), 575: local("P")}), {},
        {"DFS": "never free of disease", "EFS": "102 residual tumour", "PFS": "575 local relapse"},
    ),
    "never free of disease, included": (
        Told(operated={102: "R2"}, seen={366: FREE, 575: local("P")}), {"never_disease_free": "include"},
        {"DFS": "575 local relapse"},
    ),
    "an R2 resection that is soon mended": (
        Told(operated={102: "R2", 150: "R0"}), {}, {"EFS": "366 censored", "DFS": "366 censored"},
    ),
    "a metastasis coded as a tumour": (
        Told(others=[(545, "C78.0", "8802/6")]), {}, {"DFS": "545 distant relapse", "DMFS": "545 distant relapse"},
    ),
    "skin cancer": (Told(others=[(200, "C44.3", "8090/3")]), {}, {"DFS": "366 censored"}),
    "skin cancer, counted": (
        Told(others=[(200, "C44.3", "8090/3")]), {"skin_cancer": "counted"}, {"DFS": "200 second malignancy"},
    ),
    "in situ": (Told(others=[(200, "D05.1", "8500/2")]), {}, {"DFS": "366 censored"}),
    "in situ, counted": (
        Told(others=[(200, "D05.1", "8500/2")]), {"carcinoma_in_situ": "counted"}, {"DFS": "200 second malignancy"},
    ),
    "a metastasis told as a tumour, before the first therapy": (
        Told(others=[(20, "C78.0", "8802/6")]), {}, {"DMFS": "not eligible", "DFS": "not eligible"},
    ),
    "lymph nodes told as a tumour, before the first therapy": (
        Told(others=[(20, "C77.4", "8802/6")]), {}, {"LRFS": "366 censored", "DFS": "366 censored"},
    ),
    "synchronous": (Told(others=[(20, "C61", "8140/3")]), {}, {"DFS": "366 censored"}),
    "synchronous, without a window": (
        Told(others=[(20, "C61", "8140/3")]), {"synchronous_malignancy_days": 0}, {"DFS": "20 second malignancy"},
    ),
    "the 31st day is later": (Told(others=[(31, "C61", "8140/3")]), {}, {"DFS": "31 second malignancy"}),
    "breast cancer": (
        Told(others=[(200, "C50.4", "8500/3")]), {}, {"DFS": "200 second malignancy", "DMFS": "366 censored"},
    ),
    "a second malignancy that censors": (
        Told(others=[(200, "C50.4", "8500/3")]), {"other_malignancy": "censors"}, {"DMFS": "200 censored"},
    ),
    "a sarcoma of another subsite": (Told(others=[(200, "C49.1", "8802/3")]), {}, {"DFS": "366 censored"}),
    "a sarcoma of another subsite, counted": (
        Told(others=[(200, "C49.1", "8802/3")]), {"same_organ": "subsite"}, {"DFS": "200 second malignancy"},
    ),
    "a diagnosis that is refined": (
        Told(diagnosis={"Morphologie_ICD_O": '["8800/3"]'}, others=[(200, "C49.2", "9364/3")]), {},
        {"DFS": "366 censored"},
    ),
    "an osteosarcoma elsewhere": (Told(others=[(200, "C40.0", "9180/3")]), {}, {"DFS": "200 second malignancy"}),
    "a benign tumour": (Told(others=[(200, "D17.2", "8850/0")]), {}, {"DFS": "366 censored"}),
    "a local relapse that censors": (
        Told(seen={366: {**FREE, **local("R"), "Gesamtbeurteilung_Tumorstatus": "Y"}, 575: distant("R")}),
        {"other_relapse": "censors"}, {"DMFS": "366 censored"},
    ),
    "counted from the irradiation": (
        Told(), {"relapse_origin": "radiotherapy start"}, {"DFS": "335 censored", "OS": "1827 censored"},
    ),
    "counted from the resection": (Told(), {"relapse_origin": "definitive resection"}, {"DFS": "264 censored"}),
    "without the resection that is counted from": (
        Told(operated={}), {"relapse_origin": "definitive resection"}, {"DMFS": "no definitive resection"},
    ),
    "before the landmark": (Told(died=on(150)), {"landmark_days": 182}, {"OS": "ended before the landmark"}),
    "at the landmark": (Told(died=on(182)), {"landmark_days": 182}, {"OS": "ended before the landmark"}),
    "after the landmark": (Told(died=on(183)), {"landmark_days": 182}, {"OS": "183 death"}),
    "after the cut-off": (
        Told(seen={366: FREE, 575: local("R")}), {"data_cutoff": on(500)}, {"DFS": "366 censored", "OS": "500 censored"},
    ),
    "dead after the cut-off": (Told(died=on(900)), {"data_cutoff": on(500)}, {"OS": "500 censored", "DFS": "366 censored"}),
    "on the day of the cut-off": (Told(died=on(500)), {"data_cutoff": on(500)}, {"OS": "500 death"}),
    "a contact after the registry's answer": (
        Told(seen={366: FREE, 900: FREE}, alive=800), {}, {"OS": "800 censored", "DFS": "900 censored"},
    ),
    "the last contact": (
        Told(seen={366: FREE, 900: FREE}, alive=800), {"alive_until": "last contact"}, {"OS": "900 censored"},
    ),
    "death and relapse on one day": (
        Told(seen={366: FREE, 575: local("R")}, died=on(575)), {},
        {"DFS": "575 local relapse", "DMFS": "575 death", "OS": "575 death"},
    ),
    "local and distant relapse on one day": (
        Told(seen={575: {**local("R"), **distant("R")}}), {},
        {"DFS": "575 local relapse", "DMFS": "575 distant relapse", "LRFS": "575 local relapse"},
    ),
}  # fmt: skip
