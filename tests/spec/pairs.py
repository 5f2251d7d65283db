# ruff: noqa: E501  one patient per line reads as a table
"""Pairs of events on one day, and the switches that no other patient of the protocol shows."""

from __future__ import annotations

from typing import Any

from tests.spec.told import FREE, UNKNOWN_DAY, Told, distant, fm, local, on

NODES = {"Verlauf_Tumorstatus_Lymphknoten": "R"}
OVERALL = {"Gesamtbeurteilung_Tumorstatus": "P"}
BREAST = [(575, "C50.4", "8500/3")]

PAIRS: dict[str, tuple[Told, dict[str, Any], dict[str, str]]] = {
    # --- two events on one day: the one that the endpoint names first counts ---------------------------
    "local and regional relapse on one day": (
        Told(seen={575: {**local("R"), **NODES}}), {}, {"DFS": "575 local relapse", "LRFS": "575 local relapse"},
    ),
    "regional and distant relapse on one day": (
        Told(seen={575: {**NODES, **distant("R")}}), {},
        {"DFS": "575 regional relapse", "DMFS": "575 distant relapse", "LRFS": "575 regional relapse"},
    ),
    "local relapse and second malignancy on one day": (
        Told(seen={366: FREE, 575: local("R")}, others=BREAST), {},
        {"DFS": "575 local relapse", "LRFS": "575 local relapse", "DMFS": "366 censored"},
    ),
    "distant relapse and second malignancy on one day": (
        Told(seen={366: FREE, 575: distant("R")}, others=BREAST), {},
        {"DFS": "575 distant relapse", "DMFS": "575 distant relapse", "LRFS": "366 censored"},
    ),
    "relapse without a site and second malignancy on one day": (
        Told(seen={366: FREE, 575: OVERALL}, others=BREAST), {},
        {"DFS": "575 relapse of unknown site", "DMFS": "366 censored"},
    ),
    "second malignancy and death on one day": (
        Told(others=BREAST, died=on(575)), {},
        {"DFS": "575 second malignancy", "DMFS": "575 death", "OS": "575 death"},
    ),
    "regional relapse and death on one day": (
        Told(seen={366: FREE, 575: NODES}, died=on(575)), {}, {"LRFS": "575 regional relapse", "DMFS": "575 death"},
    ),
    "distant relapse and death on one day": (
        Told(seen={366: FREE, 575: distant("R")}, died=on(575)), {},
        {"DMFS": "575 distant relapse", "LRFS": "575 death", "OS": "575 death"},
    ),
    "relapse without a site and death on one day": (
        Told(seen={366: FREE, 575: OVERALL}, died=on(575)), {},
        {"DFS": "575 relapse of unknown site", "DMFS": "575 death", "LRFS": "575 death"},
    ),
    "progression under treatment and metastasis on one day": (
        Told(seen={80: {**local("P"), **distant("R")}}), {},
        {"DFS": "80 distant relapse", "LRFS": "80 censored", "PFS": "80 progression under treatment"},
    ),
    "residual tumour and metastasis on one day": (
        Told(operated={102: "R2"}, seen={102: distant("R")}), {}, {"EFS": "102 residual tumour", "DMFS": "102 distant relapse"},
    ),
    "a local relapse on the day of the resection": (Told(seen={102: local("R")}), {}, {"LRFS": "102 local relapse"}),
    "death on the day of the last examination": (
        Told(died=on(366)), {"late_deaths": "within window"}, {"DFS": "366 death", "OS": "366 death"},
    ),
    "a metastasis on the day of the biopsy": (
        Told(irradiated=(31, 66), seen={366: distant("R", Menge_FM=fm(0))}), {}, {"DMFS": "not eligible"},
    ),
    "a relapse on the day of the cut-off": (
        Told(seen={366: FREE, 575: local("R")}), {"data_cutoff": on(575)},
        {"DFS": "575 local relapse", "OS": "575 censored"},
    ),
    "a relapse on the day of the entry": (
        Told(seen={31: distant("R")}),
        {"entry": "radiotherapy start", "metastasis_at_diagnosis": "staged only"},
        {"DMFS": "ended before the radiotherapy start", "OS": "1827 censored"},
    ),
    "a relapse on the day after the entry": (
        Told(seen={32: distant("R")}), {"entry": "radiotherapy start"}, {"DMFS": "32 distant relapse"},
    ),
    "an event and what censors it on one day": (
        Told(seen={575: {**local("R"), **distant("R")}}), {"other_relapse": "censors"},
        {"DMFS": "575 distant relapse", "LRFS": "575 local relapse"},
    ),
    "a second malignancy that censors on the day of a metastasis": (
        Told(seen={366: FREE, 575: distant("R")}, others=BREAST), {"other_malignancy": "censors"},
        {"DMFS": "575 distant relapse", "LRFS": "575 censored"},
    ),
    "an examination on the day of the registry's answer": (
        Told(seen={366: FREE, 1827: FREE}), {}, {"DFS": "1827 censored", "OS": "1827 censored"},
    ),
    # --- switches that no patient above shows ----------------------------------------------------------
    "an R2 resection mended 48 days later, without a time for it": (
        Told(operated={102: "R2", 150: "R0"}), {"reresection_days": 0}, {"EFS": "102 residual tumour"},
    ),
    "a metastasis within a longer window": (
        Told(irradiated=(120, 150), operated={160: "R0"}, seen={209: distant("R", Menge_FM=fm(100))}),
        {"synchronous_metastasis_days": 182}, {"DMFS": "not eligible"},
    ),
    "a shorter window of late deaths": (
        Told(died=on(547)), {"late_deaths": "within window", "late_death_days": 180}, {"DFS": "366 censored"},
    ),
    "on the last day of the shorter window": (
        Told(died=on(546)), {"late_deaths": "within window", "late_death_days": 180}, {"DFS": "546 death"},
    ),
    "death of unknown cause without a relapse": (
        Told(died=on(731)), {"cause_of_death": "tumour"}, {"DFS": "731 censored", "OS": "731 censored"},
    ),
    "death of unknown cause after a relapse": (
        Told(seen={366: FREE, 575: distant("R")}, died=on(731)), {"cause_of_death": "tumour"},
        {"OS": "731 tumour-related death", "DMFS": "575 distant relapse", "LRFS": "731 tumour-related death"},
    ),
    # The report of the death is of 1 January 2020, day 1758.
    "dead on an unknown day": (
        Told(died=UNKNOWN_DAY), {}, {"OS": "366 censored", "DFS": "366 censored"},
    ),
    "dead on an unknown day, in the middle": (
        Told(died=UNKNOWN_DAY), {"undated_death": "middle"}, {"OS": "1062 death", "DFS": "1062 death"},
    ),
    "an answer of the office before the biopsy says nothing of the follow-up": (
        Told(alive=None, answers=[(-100, "alive")]), {}, {"OS": "366 censored", "DFS": "366 censored"},
    ),
    "an answer of the office on the day of the biopsy": (
        Told(alive=None, answers=[(0, "alive")]), {}, {"OS": "0 censored", "DFS": "366 censored"},
    ),
    "of two answers the one after the biopsy counts": (
        Told(alive=None, answers=[(-100, "alive"), (300, "alive")]), {}, {"OS": "300 censored"},
    ),
    "a death without a date, then a life": (
        Told(alive=None, answers=[(700, "dead"), (900, "alive")]), {}, {"OS": "366 censored", "DFS": "366 censored"},
    ),
    "a death without a date, then a life: the middle": (
        Told(alive=None, answers=[(700, "dead"), (900, "alive")]), {"undated_death": "middle"}, {"OS": "533 death"},
    ),
    "a life, then a death without a date": (
        Told(alive=None, answers=[(700, "alive"), (900, "dead")]), {}, {"OS": "700 censored", "DFS": "366 censored"},
    ),
    "an examination after a death without a date was told": (
        Told(alive=None, seen={366: FREE, 800: local("R")}, answers=[(700, "dead")]), {},
        {"OS": "366 censored", "DFS": "366 censored", "LRFS": "366 censored"},
    ),
    "an examination on the day on which it was told": (
        Told(alive=None, seen={366: FREE, 700: local("R")}, answers=[(700, "dead")]), {},
        {"OS": "700 censored", "DFS": "700 local relapse"},
    ),
    # --- more of the delivered patients -----------------------------------------------------------------
    "metastasectomy is no resection of the primary": (
        Told(operated={102: "R0", 792: "R0"}, codes={792: "5-324.71"},
             seen={701: {**local("P"), **distant("R")}, 1096: local("P")}), {},
        {"DFS": "701 local relapse", "LRFS": "701 local relapse", "DMFS": "701 distant relapse"},
    ),
    "of two metastases the undated one hides nothing": (
        Told(seen={575: distant("R", Menge_FM=f"{fm(None)[:-1]}, {fm(361)[1:]}")}), {},
        {"DFS": "361 distant relapse", "DMFS": "361 distant relapse"},
    ),
    "the same tumour by another reporter a week later": (
        Told(others=[(7, "C49.2", "8802/3")], seen={1096: FREE}), {}, {"DFS": "1096 censored"},
    ),
    "only the distant component": (
        Told(seen={366: FREE, 731: distant("K")}), {}, {"LRFS": "366 censored", "DMFS": "731 censored", "DFS": "366 censored"},
    ),
}  # fmt: skip
