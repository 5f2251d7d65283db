# ruff: noqa: E501  one patient per line reads as a table
"""Patients at the edges: what comes before its time, never, twice, or after the end."""

from __future__ import annotations

from typing import Any

from tests.spec.told import FREE, Told, distant, fm, local, on

OVERALL_P = {"Gesamtbeurteilung_Tumorstatus": "P"}
OVERALL_Y = {"Gesamtbeurteilung_Tumorstatus": "Y"}
NONE_ANYWHERE = {"Verlauf_Lokaler_Tumorstatus": "K", "Verlauf_Tumorstatus_Lymphknoten": "K",
                 "Verlauf_Tumorstatus_Fernmetastasen": "K"}  # fmt: skip

HOSTILE: dict[str, tuple[Told, dict[str, Any], dict[str, str]]] = {
    # --- R2, never resected, never free of disease --------------------------------------------------------
    "a metastasis of a patient who never was free of disease": (
        Told(operated={102: "R2"}, seen={366: FREE, 500: distant("R")}), {},
        {"DFS": "never free of disease", "DMFS": "500 distant relapse", "LRFS": "366 censored", "EFS": "102 residual tumour"},
    ),
    "progression after an R2 resection": (
        Told(operated={102: "R2"}, seen={300: local("P")}), {}, {"LRFS": "300 local relapse", "PFS": "300 local relapse"},
    ),
    "progression before an R2 resection that is mended a year later": (
        Told(operated={102: "R2", 400: "R1"}, seen={80: local("P"), 500: FREE}), {},
        {"LRFS": "500 censored", "EFS": "80 progression under treatment"},
    ),
    "never resected, never examined": (
        Told(operated={}, seen={}), {},
        {"DFS": "never free of disease", "EFS": "0 residual tumour", "DMFS": "0 censored", "OS": "1827 censored"},
    ),
    "a re-resection that leaves tumour": (
        Told(operated={102: "R1", 150: "R2"}), {}, {"DFS": "never free of disease", "EFS": "150 residual tumour", "DMFS": "366 censored"},
    ),
    "a resection without a residual status": (
        Told(operated={102: None}), {}, {"DFS": "366 censored", "EFS": "366 censored"},
    ),
    "an RX resection": (Told(operated={102: "RX"}), {}, {"DFS": "366 censored", "EFS": "366 censored"}),
    "residual tumour at an examination after an R0 resection is no event": (
        Told(seen={366: FREE, 500: local("T")}), {}, {"LRFS": "500 censored", "DFS": "366 censored"},
    ),
    # --- at the diagnosis -----------------------------------------------------------------------------------
    "M1 by the Diagnose": (Told(diagnosis={"M": "1"}), {}, {"OS": "not eligible"}),
    "a metastasis of the staging": (Told(seen={25: distant("R", Menge_FM=fm(20))}), {}, {"OS": "not eligible"}),
    "a metastasis on the day of the first therapy": (
        Told(seen={366: distant("R", Menge_FM=fm(31))}), {}, {"OS": "not eligible"},
    ),
    "a metastasis on the day after": (
        Told(seen={366: distant("R", Menge_FM=fm(32))}), {}, {"DMFS": "32 distant relapse"},
    ),
    "residual tumour at a distance before any therapy": (Told(seen={20: distant("T")}), {}, {"OS": "not eligible"}),
    "an undated metastasis happened on the day of its examination": (
        Told(seen={366: FREE, 575: {"Menge_FM": fm(None)}}), {}, {"DMFS": "575 distant relapse", "DFS": "575 distant relapse"},
    ),
    "a metastasis known to the month": (
        # May 2016 is day 418 to 448, its 15th day 432.
        Told(seen={366: FREE, 575: distant("R", Menge_FM=fm("2016-05-15", "T"))}), {}, {"DMFS": "432 distant relapse"},
    ),
    "a metastasis of the month of its examination": (
        # 1 to 10 May 2016: day 418 to 427.
        Told(seen={366: FREE, 427: distant("R", Menge_FM=fm("2016-05-15", "T"))}), {}, {"DMFS": "422 distant relapse"},
    ),
    "a relapse on the day of the diagnosis": (
        Told(seen={0: local("R"), 366: FREE}), {}, {"LRFS": "366 censored"},
    ),
    "a relapse before the diagnosis": (Told(seen={-30: local("R"), 366: FREE}), {}, {"LRFS": "366 censored", "DFS": "366 censored"}),
    # --- sites ------------------------------------------------------------------------------------------------
    "overall progression before the resection": (
        Told(seen={80: OVERALL_P, 366: FREE}), {}, {"DFS": "366 censored", "PFS": "80 progression under treatment", "DMFS": "366 censored"},
    ),
    "an overall relapse before the resection": (
        Told(seen={80: OVERALL_Y, 366: FREE}), {}, {"DFS": "80 relapse of unknown site", "DMFS": "0 censored"},
    ),
    "overall progression that no site shows": (
        Told(seen={366: FREE, 575: {**OVERALL_P, **NONE_ANYWHERE}}), {},
        {"DFS": "575 relapse of unknown site", "DMFS": "366 censored", "LRFS": "366 censored"},
    ),
    "complete remission, and a local relapse in the same report": (
        Told(seen={366: FREE, 575: {**FREE, **local("R")}}), {}, {"LRFS": "575 local relapse", "DMFS": "575 censored"},
    ),
    "a known site, then an unknown one": (
        Told(seen={366: FREE, 400: local("R"), 575: OVERALL_P}), {}, {"LRFS": "400 local relapse", "DMFS": "366 censored"},
    ),
    "a known site, then an unknown one, at worst": (
        Told(seen={366: FREE, 400: local("R"), 575: OVERALL_P}), {"unknown_site": "every site"},
        {"LRFS": "400 local relapse", "DMFS": "575 relapse of unknown site"},
    ),
    # --- who was followed ---------------------------------------------------------------------------------------
    "lost after the last examination": (Told(alive=None), {}, {"OS": "366 censored", "DFS": "366 censored"}),
    "dead before the last examination": (
        Told(seen={200: FREE, 366: local("R")}, died=on(300)), {}, {"OS": "300 death", "DFS": "300 death", "LRFS": "300 death"},
    ),
    "dead before the only examination": (Told(died=on(300)), {}, {"OS": "300 death", "DFS": "0 censored"}),
    "late for one component only": (
        Told(seen={366: FREE, 731: distant("K")}, died=on(1000)), {"late_deaths": "within window"},
        {"DMFS": "1000 death", "LRFS": "366 censored", "DFS": "366 censored"},
    ),
    "never examined, dead within the window": (
        Told(seen={}, died=on(300)), {"never_examined": "counted", "late_deaths": "within window"}, {"DFS": "300 death"},
    ),
    "never examined, dead after the window": (
        Told(seen={}, died=on(1827)), {"never_examined": "counted", "late_deaths": "within window"}, {"DFS": "0 censored"},
    ),
    "dead on the day of the resection, never examined": (
        Told(seen={}, died=on(102)), {"never_examined": "definitive resection"}, {"DFS": "102 censored", "OS": "102 death"},
    ),
    "dead before a resection could be": (
        Told(operated={}, seen={}, died=on(90)), {"never_examined": "definitive resection"}, {"DMFS": "0 censored", "OS": "90 death"},
    ),
    "resected on the day of the diagnosis, never examined": (
        Told(operated={0: "R0"}, seen={}, died=on(90)), {"never_examined": "definitive resection"}, {"DMFS": "0 censored", "OS": "90 death"},
    ),
    # --- the end of the data ---------------------------------------------------------------------------------------
    "a cut-off on the day of the last look": (
        Told(seen={366: FREE, 700: FREE}, died=on(900)), {"data_cutoff": on(700)}, {"OS": "700 censored", "DFS": "700 censored"},
    ),
    "a cut-off before the resection": (
        Told(), {"data_cutoff": on(50)}, {"OS": "50 censored", "DMFS": "0 censored", "DFS": "never free of disease"},
    ),
    "a cut-off before the resection that is counted from": (
        Told(), {"data_cutoff": on(50), "relapse_origin": "definitive resection"}, {"DMFS": "no definitive resection"},
    ),
    "a cut-off before the diagnosis": (
        Told(), {"data_cutoff": on(-1)}, {"OS": "diagnosed after the data cut-off"},
    ),
    "a re-resection after the cut-off": (
        Told(operated={102: "R2", 150: "R0"}), {"data_cutoff": on(140)}, {"EFS": "102 residual tumour", "DFS": "never free of disease"},
    ),
    # --- entry, landmark, origin ---------------------------------------------------------------------------------------
    "a local relapse before the entry": (
        Told(seen={20: local("R"), 366: FREE}), {"entry": "radiotherapy start"},
        {"LRFS": "ended before the radiotherapy start", "DMFS": "366 censored"},
    ),
    "a relapse at the landmark": (
        Told(seen={182: local("R")}), {"landmark_days": 182}, {"LRFS": "ended before the landmark", "OS": "1827 censored"},
    ),
    "a relapse on the day after the landmark": (
        Told(seen={183: local("R")}), {"landmark_days": 182}, {"LRFS": "183 local relapse"},
    ),
    "an entry after the landmark": (
        Told(irradiated=(200, 235), seen={195: local("R"), 366: FREE}), {"landmark_days": 182, "entry": "radiotherapy start"},
        {"LRFS": "ended before the radiotherapy start", "DMFS": "366 censored"},
    ),
    # An irradiation after the death is a fault of the record, which is held back.
    "irradiated after the death": (
        Told(irradiated=(200, 235), died=on(190)), {"entry": "radiotherapy start"}, {"OS": "no radiotherapy start"},
    ),
    "dead on the day that is counted from": (
        Told(seen={20: FREE}, operated={}, died=on(31)), {"relapse_origin": "radiotherapy start"},
        {"DMFS": "ended before the radiotherapy start", "OS": "31 death"},
    ),
    "irradiated before the biopsy": (
        Told(irradiated=(-20, 15)), {"entry": "radiotherapy start"}, {"OS": "no radiotherapy start"},
    ),
    "not irradiated, entering with the irradiation": (
        Told(irradiated=None), {"entry": "radiotherapy start"}, {"OS": "no radiotherapy start"},
    ),
    "resected before the day of the diagnosis": (
        Told(operated={-5: "R1"}, irradiated=(31, 66), seen={300: local("P")}), {}, {"LRFS": "300 local relapse", "DFS": "300 local relapse"},
    ),
    # --- other tumours ---------------------------------------------------------------------------------------------------
    "another cancer before the sarcoma": (Told(others=[(-1000, "C50.4", "8500/3")]), {}, {"DFS": "366 censored"}),
    "another cancer on the thirtieth day": (Told(others=[(30, "C61", "8140/3")]), {}, {"DFS": "366 censored"}),
    "a melanoma": (Told(others=[(200, "C44.5", "8720/3")]), {}, {"DFS": "200 second malignancy"}),
    "a lymphoma": (Told(others=[(200, "C83.3", "9680/3")]), {}, {"DFS": "200 second malignancy", "LRFS": "366 censored"}),
    "a second cancer after a relapse": (
        Told(seen={150: local("R")}, others=[(200, "C50.4", "8500/3")]), {}, {"DFS": "150 local relapse"},
    ),
    "a metastasis of lymph nodes coded as a tumour": (
        Told(others=[(545, "C77.4", "8802/6")]), {}, {"LRFS": "545 regional relapse", "DFS": "545 regional relapse", "DMFS": "366 censored"},
    ),
    "a sarcoma of the other side": (
        Told(others=[(400, "C49.2", "8811/3")]), {}, {"DFS": "366 censored"},
    ),
    # By IARC 9180 is of group 6, like other sarcomas, and all of C49 is one organ.
    "an osteosarcoma elsewhere in the soft tissues": (
        Told(others=[(400, "C49.1", "9180/3")]), {}, {"DFS": "366 censored"},
    ),
    # --- what an examination states ------------------------------------------------------------------------
    "mixed response without a site": (
        Told(seen={366: FREE, 500: {"Gesamtbeurteilung_Tumorstatus": "D"}}), {},
        {"DFS": "500 censored", "LRFS": "366 censored", "DMFS": "366 censored"},
    ),
    "a remission with residues states no component": (
        Told(seen={366: FREE, 500: {"Gesamtbeurteilung_Tumorstatus": "R"}}), {}, {"DFS": "500 censored", "LRFS": "366 censored"},
    ),
    "no overall assessment, but all components": (
        Told(seen={366: FREE, 500: {"Gesamtbeurteilung_Tumorstatus": "U", **NONE_ANYWHERE}}), {},
        {"DFS": "500 censored", "LRFS": "500 censored", "DMFS": "500 censored"},
    ),
    "progression at a distance after M0": (
        Told(seen={366: FREE, 500: distant("P")}), {}, {"DMFS": "500 distant relapse", "LRFS": "366 censored"},
    ),
    "an overall relapse that no component shows": (
        Told(seen={366: FREE, 500: OVERALL_Y | NONE_ANYWHERE}), {}, {"DFS": "500 relapse of unknown site", "LRFS": "366 censored"},
    ),
    "a distant lymph node listed beside a free status": (
        Told(seen={366: FREE, 500: {**FREE, "Menge_FM": fm(400, site="LYM")}}), {}, {"DMFS": "400 distant relapse", "LRFS": "500 censored"},
    ),
    "a gastrointestinal stromal tumour": (Told(others=[(200, "C16.2", "8936/3")]), {}, {"DFS": "200 second malignancy"}),
    "a tumour of uncertain behaviour": (Told(others=[(200, "D48.1", "8821/1")]), {}, {"DFS": "366 censored"}),
    "a lung metastasis coded as a tumour of the lung": (
        Told(others=[(300, "C34.1", "8802/6")]), {}, {"DMFS": "300 distant relapse", "DFS": "300 distant relapse"},
    ),
    "salvage surgery, then a metastasis": (
        Told(operated={102: "R0", 500: "R0"}, seen={366: FREE, 480: local("R"), 700: distant("R")}), {},
        {"LRFS": "480 local relapse", "DMFS": "700 distant relapse", "DFS": "480 local relapse"},
    ),
}  # fmt: skip
