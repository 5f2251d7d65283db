"""The study as a typical data scientist's script: pandas, ElementTree, pydicom, lifelines.

    python -m tests.benchmarks.peer_script DROP_FOLDER STUDY.toml RESULTS_FOLDER

What the benchmarks hold the pipeline against, written in good faith, neither tuned nor handicapped. It trusts
its data: nothing is validated, accounted for, quarantined, traced or pseudonymised, and every run reads
everything again. Its code lists are its own. The file is long for a script: `peer_reading` and `peer_cohort`
are its first two thirds.
"""

# pandas calls every result a union of all that it might be.
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportReturnType=false
# pyright: reportCallIssue=false, reportIndexIssue=false, reportOperatorIssue=false, reportOptionalMemberAccess=false

import json
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.plotting import add_at_risk_counts
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times
from matplotlib import pyplot as plt

from tests.benchmarks.peer_blocks import NOT_DERIVED
from tests.benchmarks.peer_cohort import describe, endpoints, finish, link, select, vital_status
from tests.benchmarks.peer_reading import read_csv, read_dicom, read_obds

matplotlib.use("Agg")


# --- statistics ----------------------------------------------------------------------------------------


def table_one(patients: pd.DataFrame, study: dict[str, Any]) -> pd.DataFrame:
    """Table 1: counts of factors, median and quartiles of numbers."""
    lines = []
    for row in study["table_one"]:
        if row["column"] in NOT_DERIVED:
            continue
        chosen = patients
        for column, wanted in row.get("where", {}).items():
            chosen = chosen[chosen[column].isin(wanted)]
        values = chosen[row["column"]]
        if row["kind"] == "median":
            low, middle, high = values.quantile([0.25, 0.5, 0.75])
            lines.append(
                {"block": row["title"], "n": values.count(), "value": middle, "low": low, "high": high}
            )
            continue
        counts = values.value_counts()
        for level in [*row["levels"], *sorted(set(counts.index) - set(row["levels"]))]:
            n = int(counts.get(level, 0))
            label = row.get("labels", {}).get(level, level)
            lines.append({"block": row["title"], "level": label, "n": n, "percent": 100 * n / len(values)})
    return pd.DataFrame(lines)


def kaplan_meier(times: pd.DataFrame, horizons: list[float]) -> list[dict[str, Any]]:
    """Survival at the horizons and the median, with limits."""
    km = KaplanMeierFitter().fit(times["time_months"], times["event"])
    limits = km.confidence_interval_survival_function_
    total = {"n": len(times), "events": int(times["event"].sum())}
    # Beyond the last time the survival is unknown, unless it is 0.
    last = np.inf if km.survival_function_.iloc[-1, 0] == 0 else times["time_months"].max()
    lines = []
    for horizon in horizons:
        low, high = limits.loc[:horizon].iloc[-1]
        value = float(km.predict(horizon)) if horizon <= last else np.nan
        lines.append(
            total
            | {
                "quantity": "survival",
                "horizon_months": horizon,
                "value": value,
                "ci_low": low,
                "ci_high": high,
            }
        )
    lines.append(total | {"quantity": "median"} | median(km))
    return lines


def median(km: KaplanMeierFitter) -> dict[str, float]:
    """The median of a curve, with limits."""
    low, high = median_survival_times(km.confidence_interval_survival_function_).iloc[0]
    return {"value": km.median_survival_time_, "ci_low": low, "ci_high": high}


def estimates(times: pd.DataFrame, study: dict[str, Any]) -> pd.DataFrame:
    """Kaplan–Meier of every endpoint, and the length of follow-up both ways."""
    lines = []
    for endpoint, mine in times.groupby("endpoint", sort=False):
        lines += [{"endpoint": endpoint} | line for line in kaplan_meier(mine, study["horizons_months"])]
        reverse = KaplanMeierFitter().fit(mine["time_months"], ~mine["event"])
        lines.append({"endpoint": endpoint, "quantity": "follow-up reverse Kaplan–Meier"} | median(reverse))
        if endpoint == "OS":
            lines.append(
                {
                    "endpoint": endpoint,
                    "quantity": "follow-up observed",
                    "value": mine["time_months"].median(),
                }
            )
    return pd.DataFrame(lines)


def covariate(patients: pd.DataFrame, known: dict[str, Any]) -> pd.Series:
    """A covariate as study.toml declares it."""
    if known["kind"] == "continuous":
        return patients[known["column"]]
    values = patients[known["column"]].replace(known.get("merge", {}))
    return values.where(values.isin(known["levels"]))


def subgroups(
    times: pd.DataFrame, values: pd.DataFrame, study: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Kaplan–Meier of every level of every factor, and the log-rank tests."""
    lines, tests = [], []
    for endpoint, mine in times.groupby("endpoint", sort=False):
        joined = mine.merge(values, on="number")
        for name in study["subgroups"]:
            known = joined.dropna(subset=name)
            common = {"endpoint": endpoint, "covariate": name}
            for level, group in known.groupby(name):
                lines += [
                    common | {"level": level} | line for line in kaplan_meier(group, study["horizons_months"])
                ]
            if known[name].nunique() > 1:
                test = multivariate_logrank_test(known["time_months"], known[name], known["event"])
                tests.append(common | {"chi_square": test.test_statistic, "p_value": test.p_value})
    return pd.DataFrame(lines), pd.DataFrame(tests)


def cox(times: pd.DataFrame, values: pd.DataFrame, study: dict[str, Any]) -> pd.DataFrame:
    """The multivariable models."""
    known = {c["name"]: c for c in study["covariates"]}
    lines = []
    for model in study["models"]:
        mine = times.loc[times["endpoint"] == model["endpoint"], ["number", "time_months", "event"]]
        data = mine.merge(values[["number", *model["covariates"]]], on="number").dropna()
        n = len(data)
        # lifelines diverges for a level without an event, and fails for a constant.
        for name in model["covariates"]:
            if known[name]["kind"] == "factor":
                data = data[data.groupby(name)["event"].transform("any")]
        columns = {}
        for name in model["covariates"]:
            if known[name]["kind"] == "continuous":
                columns[name, None] = data[name]
                continue
            for level in known[name]["levels"]:
                if level != known[name]["reference"] and (data[name] == level).any():
                    columns[name, level] = (data[name] == level).astype(float)
        design = pd.DataFrame({str(key): column for key, column in columns.items()})
        design[["time_months", "event"]] = data[["time_months", "event"]]
        # lifelines' default first step overshoots in small cohorts; its default precision is four digits.
        careful = {"step_size": 0.5, "precision": 1e-14}
        fit = CoxPHFitter().fit(design, "time_months", "event", fit_options=careful)
        for term, level in columns:
            found = fit.summary.loc[str((term, level))]
            lines.append(
                {
                    "model": model["name"], "term": term, "level": level, "n": n,
                    "coefficient": found["coef"], "standard_error": found["se(coef)"],
                    "hazard_ratio": found["exp(coef)"], "ci_low": found["exp(coef) lower 95%"],
                    "ci_high": found["exp(coef) upper 95%"], "p_value": found["p"],
                    "concordance": fit.concordance_index_,
                }
            )  # fmt: skip
    return pd.DataFrame(lines)


# --- writing -------------------------------------------------------------------------------------------


def draw(times: pd.DataFrame, study: dict[str, Any], into: Path) -> None:
    """A Kaplan–Meier figure of every endpoint."""
    titles = {endpoint["name"]: endpoint["title"] for endpoint in study["endpoints"]}
    for endpoint, mine in times.groupby("endpoint", sort=False):
        km = KaplanMeierFitter(label=str(endpoint)).fit(mine["time_months"], mine["event"])
        _, axes = plt.subplots(figsize=(7, 5))
        km.plot_survival_function(ax=axes)
        axes.set(title=titles[str(endpoint)], xlabel="Months since diagnosis", ylabel="Survival", ylim=(0, 1))
        add_at_risk_counts(km, ax=axes)
        plt.tight_layout()
        plt.savefig(into / f"km_{endpoint}.png", dpi=150)
        plt.close()


def write(results: dict[str, pd.DataFrame], study: dict[str, Any], into: Path) -> None:
    """Every frame as CSV, and a page of those without patients."""
    page = [f"<html><meta charset='utf-8'><h1>{study['title']}</h1>"]
    for name, frame in results.items():
        frame.to_csv(into / f"{name}.csv", index=False)
        if name not in ("patients", "endpoints"):
            page.append(f"<h2>{name}</h2>{frame.to_html(index=False, na_rep='', float_format='%.3f')}")
    page += [f"<img src='km_{endpoint['name']}.png'>" for endpoint in study["endpoints"]]
    (into / "report.html").write_text("\n".join(page) + "</html>", encoding="utf-8")


def main(drop: Path, study_file: Path, into: Path) -> None:
    """Read, derive, compute, write; ``seconds.json`` says what each took."""
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - began

    into.mkdir(parents=True, exist_ok=True)
    study = tomllib.loads(study_file.read_text(encoding="utf-8"))
    with timed("XML"):
        documented = read_obds(drop / "obds")
    with timed("DICOM"):
        plans, thickness = read_dicom(drop / "dicom")
    with timed("CSV"):
        replies, table = read_csv(drop)
    with timed("derivation"):
        status = vital_status(documented, link(replies, documented["person"]), table)
        patients, flow = select(describe(documented, plans, thickness, table), study)
        times, events = endpoints(patients, documented, status, study)
        patients = finish(patients, documented, events, status)
    with timed("statistics"):
        # Doses of structures are not derived here, and no model uses them.
        doses = {one["name"] for one in study.get("dose_columns", ())}
        used = [c for c in study["covariates"] if c["column"] not in doses]
        values = pd.DataFrame({c["name"]: covariate(patients, c) for c in used})
        values["number"] = patients["number"]
        by_subgroup, log_rank = subgroups(times, values, study)
        results = {
            "patients": patients, "endpoints": times, "flow": flow,
            "table_one": table_one(patients, study), "estimates": estimates(times, study),
            "subgroups": by_subgroup, "log_rank": log_rank, "hazard_ratios": cox(times, values, study),
        }  # fmt: skip
    with timed("figures and tables"):
        draw(times, study, into)
        write(results, study, into)
    (into / "seconds.json").write_text(json.dumps(seconds, indent=1))


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:4]))
