"""The peer script's cohort: linked replies, one row per patient, eligibility, endpoints."""

# pandas calls every result a union of all that it might be.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false

from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.peer_reading import SEX

DAYS_PER_MONTH = 30.4375

GROUPS = {
    "UPS": ["8802", "8805", "8830"],
    "liposarcoma": ["8850", "8851", "8852", "8853", "8854", "8855", "8857", "8858"],
    "myxofibrosarcoma": ["8811"],
    "synovial sarcoma": ["9040", "9041", "9042", "9043"],
    "others": [
        "8800", "8801", "8803", "8804", "8806", "8810", "8813", "8814", "8815", "8825", "8832", "8833",
        "8840", "8890", "8891", "8895", "8896", "8900", "8901", "8902", "8910", "8912", "8920", "8963",
        "8990", "9044", "9120", "9130", "9133", "9150", "9170", "9231", "9251", "9252", "9364", "9365",
        "9540", "9560", "9561", "9571", "9580", "9581",
    ],
}  # fmt: skip
HISTOLOGY = {f"{code}/3": group for group, codes in GROUPS.items() for code in codes}
REGION = {
    "C49.0": "head and neck", "C49.1": "extremities", "C49.2": "extremities", "C49.3": "trunk",
    "C49.4": "trunk", "C49.5": "trunk", "C49.6": "trunk", "C40": "bone", "C41": "bone",
    "C48": "retroperitoneum",
}  # fmt: skip
HISTOLOGICAL = ["6", "7", "7.1", "7.2", "7.3", "8"]
UNKNOWN = ["U", "X"]


def link(replies: pd.DataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """Replies with the number of the patient: as the office gives it, else by name, birth date and sex."""
    replies = replies.assign(
        _family=replies["Familienname"].str.lower().str.strip(),
        _given=replies["Vornamen"].str.lower().str.strip(),
        sex=replies["Geschlecht"].map(SEX),
        birth_date=replies["Geburtsdatum"],
    )
    known = persons.assign(
        _family=persons["family"].str.lower().str.strip(), _given=persons["given"].str.lower().str.strip()
    )
    keys = ["_family", "_given", "birth_date", "sex"]
    by_name = replies.merge(known[["number", *keys]], on=keys, how="left")
    by_name["number"] = by_name["Patientennummer"].fillna(by_name["number"])
    return by_name.dropna(subset="number")


def region(site: str) -> str:
    """Region of a site."""
    return REGION.get(site, REGION.get(site[:3], "other"))


def describe(
    documented: dict[str, pd.DataFrame], plans: pd.DataFrame, thickness: pd.Series, table: pd.DataFrame
) -> pd.DataFrame:
    """One row a patient, eligible or not: tumour, operation, radiotherapy, chemotherapy."""
    tumours = documented["diagnosis"].copy()
    tumours["histology_group"] = tumours["morphology"].map(HISTOLOGY)
    sarcomas = tumours.dropna(subset="histology_group").sort_values(["diagnosis_date", "tumour"])
    index = sarcomas.drop_duplicates("number")
    patients = documented["person"].drop(columns=["reported", "meldung"]).merge(
        index.drop(columns=["reported", "meldung"]), on="number", how="left"
    )  # fmt: skip
    patients["region"] = patients["topography"].fillna(patients["icd10"]).fillna("").map(region)
    patients["age_at_diagnosis_years"] = (
        patients["diagnosis_date"] - patients["birth_date"]
    ).dt.days / 365.25
    t = "T" + patients["t"].str[0]
    patients["t_stage"] = t.where(patients["tnm"] != "8", t.replace({"T3": "T2", "T4": "T2"}))
    patients["n_stage"] = "N" + patients["n"].str[0].replace({"2": "1", "3": "1"})
    grade = patients["fnclcc"].str.replace("FNCLCC", "").str.strip().str.removeprefix("G")
    grade = grade.fillna(patients["number"].map(table.set_index("number")["FNCLCC"]))
    patients["fnclcc_grade"] = "G" + grade

    operations = documented["surgery"].merge(index[["number", "tumour"]], on=["number", "tumour"])
    operations = operations[operations["intent"] != "diagnostic"].sort_values("surgery_date")
    by_patient = operations.groupby("number")
    patients["operated_first"] = patients["number"].map(by_patient["surgery_date"].min())
    patients["operated_last"] = patients["number"].map(by_patient["surgery_date"].max())
    patients["surgery_intent"] = patients["number"].map(by_patient["intent"].first())

    courses = documented["radiotherapy"].merge(index[["number", "tumour"]], on=["number", "tumour"])
    near = plans.merge(courses[["number", "meldung", "start_date"]], on="number")
    near["distance"] = (near["plan_date"] - near["start_date"]).abs()
    near = near.sort_values(["distance", "plan_date"]).drop_duplicates("uid")
    planned = near.groupby(["number", "meldung"], as_index=False).agg(
        planned_dose=("planned_dose", "sum"), fractions=("fractions", "sum"), technique=("technique", "first")
    )
    courses = courses.merge(planned, on=["number", "meldung"], how="left")
    courses["palliative"] = courses["intent"] == "palliative"
    primary = courses.sort_values(["palliative", "start_date"]).drop_duplicates("number")
    primary = primary.rename(columns={"intent": "course_intent", "sequence": "radiation_sequence"})
    patients = patients.merge(
        primary[[
            "number", "course_intent", "radiation_sequence", "start_date", "documented_dose", "planned_dose",
            "fractions", "technique",
        ]],
        on="number", how="left",
    )  # fmt: skip
    patients["prescribed_dose_gy"] = patients["planned_dose"].fillna(patients["documented_dose"])
    patients["dose_gy"] = patients["prescribed_dose_gy"]
    before = patients["start_date"] < patients["operated_first"]
    by_dates = pd.Series(
        np.where(
            patients["operated_first"].isna(),
            "without surgery",
            np.where(before, "preoperative", "postoperative adjuvant"),
        ),
        patients.index,
    ).where(patients["start_date"].notna())
    patients["radiation_sequence"] = patients["radiation_sequence"].fillna(by_dates)
    patients["ct_slice_thickness_mm"] = patients["number"].map(thickness)

    given = documented["systemic"]
    given = set(given.loc[given["kind"].isin(["CH", "CI", "CZ", "CIZ"]), "number"])
    said = patients["number"].map(table.set_index("number")["Chemotherapie"]).map({"ja": "yes", "nein": "no"})
    patients["chemotherapy"] = said.mask(patients["number"].isin(given), "yes").fillna("unknown")
    return patients


def vital_status(
    documented: dict[str, pd.DataFrame], replies: pd.DataFrame, table: pd.DataFrame
) -> pd.DataFrame:
    """Date of death, the registry office's first, and the last date known alive, by patient number."""
    answer = replies["Auskunft"].str.lower()
    registered = replies[answer == "verstorben"].dropna(subset="Datum").groupby("number")["Datum"].max()
    reported = documented["death"].groupby("number")["death_date"].max()
    alive = replies.assign(seen=replies["Stand"].where(answer == "lebt", replies["Datum"]))
    seen = pd.concat(
        [
            alive.loc[answer.isin(["lebt", "verzogen"]), ["number", "seen"]],
            table[["number", "Letzter Kontakt"]].set_axis(["number", "seen"], axis=1),
            *(
                documented[name][["number", column]].set_axis(["number", "seen"], axis=1)
                for name, column in (
                    ("visit", "visit_date"), ("surgery", "surgery_date"), ("radiotherapy", "end_date"),
                    ("systemic", "begin_date"), ("diagnosis", "diagnosis_date"),
                )
            ),
        ]
    )  # fmt: skip
    frame = pd.DataFrame({"last_alive": seen.groupby("number")["seen"].max()})
    frame["death_date"] = registered
    frame["death_date"] = frame["death_date"].fillna(reported)
    frame["last_alive"] = frame[["last_alive", "death_date"]].min(axis=1).where(
        frame["death_date"].notna(), frame["last_alive"]
    )  # fmt: skip
    return frame


def select(patients: pd.DataFrame, study: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The eligible patients, and how many each criterion left."""
    intents = patients[["course_intent", "surgery_intent"]]
    curative = (intents == "curative").any(axis=1) & ~(intents == "palliative").any(axis=1)
    treated = patients["start_date"].fillna(patients["diagnosis_date"])
    left, flow = pd.Series(True, index=patients.index), []
    for criterion in study["criteria"]:
        match criterion["rule"]:
            case "histology":
                met = patients["histology_group"].notna() & patients["certainty"].isin(HISTOLOGICAL)
            case "site":
                met = patients["region"].isin(criterion["values"])
            case "no_metastasis":
                metastasis = patients["m"].str.contains("1").fillna(False).astype(bool)
                met = ~(metastasis | (patients["metastasis"] == True))  # noqa: E712
            case "curative":
                met = curative
            case "radiotherapy":
                met = patients["radiation_sequence"].isin(criterion["values"])
                met &= patients["technique"].isin(criterion["techniques"])
            case "window":
                met = treated.between(pd.Timestamp(criterion["start"]), pd.Timestamp(criterion["end"]))
            case rule:
                raise ValueError(f"no such criterion: {rule}")
        left &= met
        flow.append({"criterion": criterion["name"], "remaining": int(left.sum())})
    return patients[left].copy(), pd.DataFrame(flow)


def happened(
    patients: pd.DataFrame, documented: dict[str, pd.DataFrame], status: pd.DataFrame
) -> pd.DataFrame:
    """Everything that may end an endpoint: number, kind, days since diagnosis."""
    visits = documented["visit"].merge(patients[["number", "diagnosis_date", "operated_last"]], on="number")
    found = ["R", "P"]
    metastasis = visits["metastasis_date"].notna()
    stays = visits["operated_last"].isna() | (visits["operated_last"] <= visits["visit_date"])
    local = (visits["local"] == "R") | ((visits["local"] == "P") & stays)
    distant = visits["distant"].isin(found) | metastasis
    sites = visits[["local", "regional", "distant"]]
    nowhere = (sites.isna() | sites.isin(UNKNOWN)).all(axis=1)
    unknown = (visits["overall"] == "Y") & nowhere & ~metastasis
    diagnosed = documented["diagnosis"].merge(
        patients[["number", "tumour", "diagnosis_date"]], on="number", suffixes=("_second", "")
    )
    second = diagnosed[
        (diagnosed["tumour_second"] != diagnosed["tumour"])
        & (diagnosed["morphology"].str.endswith("/3").fillna(False) | diagnosed["icd10"].str.startswith("C"))
    ]
    parts = [
        visits[local].assign(kind="local relapse", date=visits["visit_date"]),
        visits[visits["regional"].isin(found)].assign(kind="regional relapse", date=visits["visit_date"]),
        visits[distant].assign(
            kind="distant relapse", date=visits["metastasis_date"].fillna(visits["visit_date"])
        ),
        visits[unknown].assign(kind="relapse of unknown site", date=visits["visit_date"]),
        second.assign(kind="second malignancy", date=second["diagnosis_date_second"]),
    ]
    events = pd.concat([part[["number", "kind", "date", "diagnosis_date"]] for part in parts])
    events["days"] = (events["date"] - events["diagnosis_date"]).dt.days
    events = events[events["days"] > 0]
    deaths = patients[["number", "diagnosis_date"]].merge(
        status["death_date"].dropna().rename("date"), left_on="number", right_index=True
    )
    deaths["kind"], deaths["days"] = "death", (deaths["date"] - deaths["diagnosis_date"]).dt.days
    return pd.concat([events, deaths])[["number", "kind", "days"]]


def endpoints(
    patients: pd.DataFrame, documented: dict[str, pd.DataFrame], status: pd.DataFrame, study: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The endpoints, a row per patient and endpoint; and the events that they were taken from."""
    events = happened(patients, documented, status)
    zero = patients.set_index("number")["diagnosis_date"]
    visits = documented["visit"]
    says = pd.concat(
        [visits["overall"].notna() & ~visits["overall"].isin(UNKNOWN)]
        + [visits[c].notna() & ~visits[c].isin(UNKNOWN) for c in ("local", "regional", "distant")],
        axis=1,
    ).any(axis=1)
    assessed = visits[says].groupby("number")["visit_date"].max()
    looked = {
        "last known alive": (status["last_alive"].reindex(zero.index) - zero).dt.days,
        "last disease assessment": (assessed.reindex(zero.index) - zero).dt.days,
    }
    parts = []
    for endpoint in study["endpoints"]:
        counted = events[events["kind"].isin(endpoint["events"])]
        first = counted.groupby("number")["days"].min().reindex(zero.index)
        censored = looked[endpoint["censor"]]
        time_days = first.fillna(censored.where(censored >= 0))
        part = pd.DataFrame({"endpoint": endpoint["name"], "time_days": time_days, "event": first.notna()})
        parts.append(part.dropna(subset="time_days").reset_index())
    frame = pd.concat(parts)
    frame["time_days"] = frame["time_days"].clip(lower=0).astype(int)
    frame["time_months"] = frame["time_days"] / DAYS_PER_MONTH
    return frame, events


def finish(
    patients: pd.DataFrame, documented: dict[str, pd.DataFrame], events: pd.DataFrame, status: pd.DataFrame
) -> pd.DataFrame:
    """Residual status of the last operation before any relapse, and the length of follow-up."""
    relapses = events[events["kind"].str.contains("relapse")].groupby("number")["days"].min()
    operations = documented["surgery"].merge(
        patients[["number", "tumour", "diagnosis_date"]], on=["number", "tumour"]
    )
    operations = operations[operations["intent"] != "diagnostic"]
    day = (operations["surgery_date"] - operations["diagnosis_date"]).dt.days
    before = operations[~(day > operations["number"].map(relapses))].sort_values("surgery_date")
    patients["residual_status"] = (
        patients["number"].map(before.groupby("number")["residual"].last()).fillna("RX")
    )
    end = status["death_date"].fillna(status["last_alive"])
    days = (patients["number"].map(end) - patients["diagnosis_date"]).dt.days
    patients["follow_up_months"] = days / DAYS_PER_MONTH
    return patients
