"""Sections of the report on results: participants, survival, models, subgroups and sensitivity."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.cohort.dose_columns import with_doses
from sarcoma_pipeline.publish.report import (
    additional_analyses,
    assumption_runs,
    calibrations,
    competing,
    curves,
    flow,
    follow_up,
    forest,
    imputed,
    methods,
    report_tables,
    structure_doses,
    whole_models,
)
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import capital, listed, number
from sarcoma_pipeline.publish.report.report_tables import Table
from schemas.analysis import PENALISED, HazardRatio
from schemas.assumptions import sentences
from schemas.cohort import CohortPatient
from schemas.dose_columns import specs
from schemas.language import gettext as _
from schemas.language import in_sentence


def participants_section(report: Report) -> Iterator[Table | Figure]:
    """Yield the flow, Table 1 and the missing values."""
    if report.has("cohort.flow"):
        events = [
            (title, report.frames["cohort.endpoints"].filter(pl.col("event"), endpoint=name).height)
            for name, title in report.titles.items()
            if report.has("cohort.endpoints")
        ]
        yield report.figure(
            "figure-flow", _("Flow of patients through the eligibility criteria. Patients are counted at the "
            "first criterion not fulfilled."),
            [flow.flow_diagram(report.frames["cohort.flow"], events, key="svg-flow")],
        )  # fmt: skip
    if report.has("analysis.table_one"):
        patients = report.frames["meta.release"].row(0, named=True)["eligible"]
        yield report_tables.table_one(report.frames["analysis.table_one"], patients)
    if report.has("analysis.table_one_by_group"):
        terms = methods.term_titles(report.study)
        groups = report.frames["analysis.table_one_by_group"]
        yield report_tables.table_one_by_group(groups, terms, report.supplement())
    if report.has("cohort.patients"):
        yield _missing(report)


def _missing(report: Report) -> Table:
    patients = report.frames["cohort.patients"]
    if report.has("cohort.dose_volume"):
        patients = with_doses(patients, report.frames["cohort.dose_volume"], report.study.dose_columns)
    columns = dict.fromkeys(
        [r.column for r in report.study.table_one] + [c.column for c in report.study.covariates]
    )
    titles = {c.name: c.title for c in CohortPatient.columns()}
    titles |= {name: spec.title for name, spec in specs(report.study.dose_columns).items()}
    names = {r.column: titles[r.column] if r.where else r.title for r in report.study.table_one}
    rows = []
    for column in (c for c in columns if c in patients.columns):
        values = patients[column]
        unknown = int((values == "unknown").sum()) if values.dtype == pl.String else 0
        rows.append(
            (_(names.get(column, titles.get(column, column))), number(values.null_count()), number(unknown))
        )
    head = (_("Variable"), _("Not documented"), _("Documented as unknown"))
    caption = _("Missing values among {patients} patients").format(patients=patients.height)
    return report_tables.plain("table-missing", report.supplement(), caption, head, rows)


def survival_section(report: Report) -> Iterator[Table | Figure]:
    """Yield the curves and estimates of the endpoints, and how they end."""
    if report.has("analysis.survival_curve", "analysis.survival_estimate"):
        curve, estimates = (report.frames[f"analysis.survival_{n}"] for n in ("curve", "estimate"))
        drawn = [name for name in report.titles if name in set(curve["endpoint"])]
        few = f"<{report.policy.threshold}" if report.policy else ""
        least = 0 if report.policy else report.study.statistics.least_at_risk
        longest = curves.last_drawn(curve, least)
        panels = [
            curves.kaplan_meier(
                curve.filter(endpoint=name), estimates.filter(endpoint=name), key=f"svg-km-{name.lower()}",
                letter="ABCD"[index] if len(drawn) > 1 else "", title=report.titles[name], horizon=longest,
                few=few, grid_months=report.policy.grid_months if report.policy else 0,
                least_at_risk=least,
            )
            for index, name in enumerate(drawn)
        ]  # fmt: skip
        yield report.figure(
            "figure-survival",
            _("Kaplan–Meier curves of {endpoints}. Shaded: log-log 95 % confidence interval; ").format(
                endpoints=listed([in_sentence(report.titles[n]) for n in drawn])
            )
            + (
                _(
                    "dots: published values; between them the curve falls by equal steps, one every "
                    "{grid_months} months; "
                ).format(grid_months=report.policy.grid_months)
                if report.policy
                else _("ticks: censored patients; ")
            )
            + _("dashed: median.")
            + _ends(least),
            panels,
        )
    if report.has("analysis.survival_estimate"):
        estimates = report.frames["analysis.survival_estimate"]
        yield report_tables.survival(estimates, report.titles, report.supplement(), report.decimals)
        yield report_tables.follow_up(estimates, report.titles, report.supplement(), report.decimals)
    if report.has("analysis.restricted_mean"):
        means = report.frames["analysis.restricted_mean"]
        yield additional_analyses.restricted_means(means, report.titles, report.supplement())
    if report.has("cohort.endpoints"):
        yield _kinds(report)


def _ends(least: int) -> str:
    return (
        _(" The curves end where fewer than {least} patients are at risk.").format(least=number(least))
        if least
        else ""
    )


def _kinds(report: Report) -> Table:
    ends = report.frames["cohort.endpoints"]
    kinds = ends.group_by("event_kind").len().sort("event_kind")["event_kind"].to_list()
    kinds = sorted(kinds, key=lambda kind: (kind == "censored", kind))
    names = [name for name in report.titles if name in set(ends["endpoint"])]
    counted = {(e, k): n for e, k, n in ends.group_by("endpoint", "event_kind").len().iter_rows()}
    rows = [(capital(_(k)), *(number(counted.get((e, k), 0)) for e in names)) for k in kinds]
    return report_tables.plain(
        "table-kinds", report.supplement(), _("End of each endpoint: the first event, or censoring"),
        (_("First event"), *names), rows,
    )  # fmt: skip


def follow_up_section(report: Report) -> Iterator[Table]:
    """Yield the completeness of follow-up."""
    if report.has("analysis.follow_up_completeness"):
        terms = methods.term_titles(report.study)
        yield from follow_up.tables(
            report.frames, report.titles, terms, report.supplement, report.study.statistics.p_decimals
        )


def doses_section(report: Report) -> Iterator[Table]:
    """Yield volumes and doses of targets and organs."""
    if report.has("cohort.dose_volume"):
        yield from structure_doses.tables(report.frames["cohort.dose_volume"], report.supplement)


def models_section(report: Report) -> Iterator[Paragraph | Table | Figure]:
    """Yield the models with their forest plots."""
    if not report.has("analysis.hazard_ratio"):
        return
    ratios = report.frames["analysis.hazard_ratio"].filter(~PENALISED)
    terms = methods.term_titles(report.study)
    decimals = report.study.statistics.p_decimals
    spelled = methods.abbreviations(report.study)
    fitted = [m for m in report.study.models if m.name in set(ratios["model"])]
    for index, model in enumerate(fitted, 2):
        # The configured title may end with the number of the paper's table in brackets, which is not printed.
        title = model.title.partition(" (")[0]
        rows = ratios.filter(model=model.name)
        yield report_tables.model(
            rows,
            number_of=index,
            title=in_sentence(title),
            terms=terms,
            spelled=spelled,
            strata=[in_sentence(terms.get(name, name)) for name in model.strata],
            p_decimals=decimals,
        )
        yield report.figure(
            f"figure-forest-{model.name.lower()}", _("Hazard ratios for {title}, with 95 % confidence "
            "intervals.").format(title=in_sentence(title)),
            [forest.forest(
                rows, key=f"svg-forest-{model.name.lower()}", title=title, terms=terms, p_decimals=decimals,
            )],
        )  # fmt: skip
        yield from whole_models.beside(report, model, title, rows)


def diagnostics_section(report: Report) -> Iterator[Table | Figure]:
    """Yield the diagnostics of the models."""
    if report.has("analysis.hazard_ratio"):
        ratios = report.frames["analysis.hazard_ratio"]
        yield report_tables.diagnostics(
            ratios.filter(~PENALISED), report.supplement(), report.study.statistics
        )
        penalised = ratios.filter(PENALISED)
        if penalised.height:
            caption = _("Models with a level without events: Firth's penalised estimates")
            columns = ("model", "contrast", "hazard_ratio", "ci_low", "ci_high", "p_value", "events")
            yield report_tables.generic(
                "analysis.hazard_ratio", penalised.select(columns), key="table-penalised",
                label=report.supplement(), caption=caption,
            )  # fmt: skip
    if report.has("analysis.model_fit"):
        yield whole_models.fits(report)
    if report.has("analysis.internal_validation"):
        yield whole_models.validation(report)
    if report.has("analysis.calibration"):
        yield from calibrations.blocks(report)
    if report.has("analysis.ph_test"):
        terms = methods.term_titles(report.study)
        yield additional_analyses.proportional_hazards(
            report.frames["analysis.ph_test"], terms, report.supplement(), report.study.statistics.p_decimals
        )


def competing_section(report: Report) -> Iterator[Paragraph | Table | Figure]:
    """Yield the cumulative incidences and their models."""
    titles = {risks.name: risks.title for risks in report.study.cumulative_incidence}
    if report.has("analysis.cumulative_incidence"):
        least = report.study.statistics.least_at_risk
        frame = report.frames["analysis.cumulative_incidence"]
        panels = additional_analyses.incidence_panels(frame, titles, least)
        caption = _(
            "Cumulative incidence with competing risks (Aalen–Johansen). Shaded area, and area between thin "
            "lines of the curve’s style: log-log 95 % confidence intervals."
        ) + _ends(least)
        yield report.figure("figure-incidence", caption, panels)
    if report.has("analysis.cumulative_incidence_estimate"):
        estimates = report.frames["analysis.cumulative_incidence_estimate"]
        yield additional_analyses.incidences(
            estimates, titles, report.supplement(), report.study.statistics.least_at_risk
        )
    yield from competing.blocks(report)


def subgroups_section(report: Report) -> Iterator[Table | Figure]:
    """Yield the subgroups with their curves."""
    terms = methods.term_titles(report.study)
    tests = report.frames.get("analysis.log_rank", pl.DataFrame())
    if report.has("analysis.subgroup"):
        frame = report.frames["analysis.subgroup"]
        yield additional_analyses.subgroups(
            frame, tests, report.titles, terms, report.supplement(), report.study.statistics.p_decimals
        )
    if report.has("analysis.subgroup_curve"):
        frame = report.frames["analysis.subgroup_curve"]
        for name in (n for n in report.titles if n in set(frame["endpoint"])):
            yield report.figure(
                f"figure-subgroups-{name.lower()}",
                _(
                    "Subgroups: {endpoint}, Kaplan–Meier "
                    "curves with patients at risk below. Shaded: log-log 95 % confidence intervals; ticks: "
                    "censored patients. Log-rank tests are not adjusted for each other."
                ).format(endpoint=in_sentence(report.titles[name]))
                + _ends(report.study.statistics.least_at_risk),
                additional_analyses.subgroup_panels(frame, tests, name, terms, report.study.statistics),
            )


def sensitivity_section(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the analyses under other assumptions, per endpoint."""
    if not report.has("analysis.survival_sensitivity"):
        yield from imputed.blocks(report)
        return
    frame = report.frames["analysis.survival_sensitivity"]
    ratios = report.frames.get("analysis.hazard_ratio", HazardRatio.empty())
    contrasts = {(r["model"], r["term"], r["level"]): r["contrast"] for r in ratios.rows(named=True)}
    said, still = sentences(report.study.assumptions), list[set[str]]()
    for name in (n for n in report.titles if n in set(frame["endpoint"])):
        mine = frame.filter(pl.col("endpoint") == name)
        main = mine.filter(pl.col("switch").is_null())
        yield additional_analyses.sensitivity(main, report.titles[name], contrasts, report.supplement())
        if main.height < mine.height:
            label = report.supplement()
            yield assumption_runs.table(mine, report.titles[name], contrasts, label, said)
            still.append(set(assumption_runs.unchanging(mine)))
    never = set.intersection(*still) if still else set()
    if never:
        yield Paragraph(
            _("No number of any endpoint changes under each of these assumptions. {sentences}").format(
                sentences=" ".join(sentence for variant, sentence in said.items() if variant in never)
            )
        )
    yield from imputed.blocks(report)
