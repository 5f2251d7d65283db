"""Build the sections of the report: their tables and figures, in order and numbered.

A section appears only if its tables exist and are not empty. A study with one endpoint, without a paper or
without models therefore has a shorter report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from sarcoma_pipeline.publish import limits
from sarcoma_pipeline.publish.report import (
    additional_analyses,
    assumption_runs,
    calibrations,
    competing,
    curves,
    flow,
    follow_up,
    forest,
    methods,
    report_tables,
    strobe,
    whole_models,
)
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report, Section
from sarcoma_pipeline.publish.report.number_format import capital, listed, median, number, rate
from sarcoma_pipeline.publish.report.report_tables import Table
from schemas.analysis import PENALISED, HazardRatio
from schemas.cohort import CohortPatient
from schemas.disclosure import WITHHELD


def sections(report: Report) -> list[Section]:
    """Return the sections in order."""
    present: list[Section] = []
    for key, title, build in _SECTIONS:
        blocks = tuple(build(report))
        if blocks:
            present.append(Section(key, title, blocks))
    keys = {section.key for section in present} | {"checklist", "provenance"}
    present.append(Section("checklist", "STROBE and RECORD", tuple(_checklist(report, present, keys))))
    present.append(Section("provenance", "Provenance", tuple(_provenance(report))))
    return present


def _summary(report: Report) -> Iterator[Paragraph]:
    if not report.has("analysis.survival_estimate"):
        return
    estimates = report.frames["analysis.survival_estimate"]
    patients = report.frames["meta.release"].row(0, named=True)["eligible"]
    followed = [
        f"The median observed follow-up was {number(r['value'], report.decimals)} months "
        f"(Q1–Q3 {number(r['q1'], report.decimals)}–{number(r['q3'], report.decimals)})."
        for r in estimates.filter(quantity="follow-up observed").rows(named=True)
    ]
    yield Paragraph(" ".join([f"{number(patients)} patients were analysed.", *followed]))
    for name, title in report.titles.items():
        mine = estimates.filter(endpoint=name)
        if not mine.is_empty():
            yield Paragraph(_outcome(title, mine, report.decimals))
    yield from whole_models.summary(report)


def _outcome(title: str, estimates: pl.DataFrame, decimals: int) -> str:
    middle = estimates.filter(quantity="median").row(0, named=True)
    at = estimates.filter(pl.col("value").is_not_null(), quantity="survival").rows(named=True)
    shares = [
        f"{rate(r['value'], r['ci_low'], r['ci_high'], ' %', decimals)} at "
        f"{number(r['horizon_months'])} months"
        for r in at
    ]
    months = median(middle["value"], middle["ci_low"], middle["ci_high"], decimals=decimals)
    unit = " months" if months[0].isdigit() else ""
    return "; ".join(
        part
        for part in (f"{title}: {number(middle['events'])} events", listed(shares), f"median {months}{unit}.")
        if part
    )


def _disclosure(report: Report) -> Iterator[Paragraph]:
    if report.policy:
        few = report.policy.threshold
        yield Paragraph(
            f"This is the public version: no table has a row per patient. Counts from 1 to {few - 1} are "
            "withheld, together with further counts from which they could be calculated, and with "
            f"percentages and estimates based on them; these are printed as “{WITHHELD}” or a dash. Numbers "
            f"at risk are rounded to multiples of {report.policy.rounding}. Survival is given every "
            f"{report.policy.grid_months} months in whole per cent, and only where none or at least {few} "
            "events lie in between. Times are given in whole months."
        )


def _methods(report: Report) -> Iterator[Paragraph]:
    for text in methods.design(report.study, report.sources):
        yield Paragraph(text)
    for text in methods.endpoints(report.study):
        yield Paragraph(text)
    there = {name: frame for name, frame in report.frames.items() if frame.height}
    for text in methods.statistics(report.study, there):
        yield Paragraph(text)
    if said := competing.methods_sentences(report):
        yield Paragraph(" ".join(said))
    release = report.frames["meta.release"].row(0, named=True)
    yield Paragraph(methods.software(release, report.versions))


def _participants(report: Report) -> Iterator[Table | Figure]:
    if report.has("cohort.flow"):
        events = [
            (title, report.frames["cohort.endpoints"].filter(pl.col("event"), endpoint=name).height)
            for name, title in report.titles.items()
            if report.has("cohort.endpoints")
        ]
        yield report.figure(
            "figure-flow", "Flow of patients through the eligibility criteria. Patients are counted at the "
            "first criterion not fulfilled.",
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
    columns = dict.fromkeys(
        [r.column for r in report.study.table_one] + [c.column for c in report.study.covariates]
    )
    titles = {c.name: c.title for c in CohortPatient.columns()}
    names = {r.column: titles[r.column] if r.where else r.title for r in report.study.table_one}
    rows = []
    for column in (c for c in columns if c in patients.columns):
        values = patients[column]
        unknown = int((values == "unknown").sum()) if values.dtype == pl.String else 0
        rows.append((names.get(column, column), number(values.null_count()), number(unknown)))
    head = ("Variable", "Not documented", "Documented as unknown")
    caption = f"Missing values among {patients.height} patients"
    return report_tables.plain("table-missing", report.supplement(), caption, head, rows)


def _survival(report: Report) -> Iterator[Table | Figure]:
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
            "figure-survival", f"Kaplan–Meier curves of {listed([report.titles[n].lower() for n in drawn])}. "
            "Shaded: log-log 95 % confidence interval; "
            + (
                f"dots: published values; between them the curve falls by equal steps, one every "
                f"{report.policy.grid_months} months; "
                if report.policy
                else "ticks: censored patients; "
            )
            + "dashed: median." + _ends(least), panels,
        )  # fmt: skip
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
    return f" The curves end where fewer than {number(least)} patients are at risk." if least else ""


def _kinds(report: Report) -> Table:
    ends = report.frames["cohort.endpoints"]
    kinds = ends.group_by("event_kind").len().sort("event_kind")["event_kind"].to_list()
    kinds = sorted(kinds, key=lambda kind: (kind == "censored", kind))
    names = [name for name in report.titles if name in set(ends["endpoint"])]
    counted = {(e, k): n for e, k, n in ends.group_by("endpoint", "event_kind").len().iter_rows()}
    rows = [(capital(k), *(number(counted.get((e, k), 0)) for e in names)) for k in kinds]
    return report_tables.plain(
        "table-kinds", report.supplement(), "End of each endpoint: the first event, or censoring",
        ("First event", *names), rows,
    )  # fmt: skip


def _follow_up(report: Report) -> Iterator[Table]:
    if report.has("analysis.follow_up_completeness"):
        terms = methods.term_titles(report.study)
        yield from follow_up.tables(
            report.frames, report.titles, terms, report.supplement, report.study.statistics.p_decimals
        )


def _models(report: Report) -> Iterator[Paragraph | Table | Figure]:
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
            title=title.lower(),
            terms=terms,
            spelled=spelled,
            strata=[terms.get(name, name).lower() for name in model.strata],
            p_decimals=decimals,
        )
        yield report.figure(
            f"figure-forest-{model.name.lower()}", f"Hazard ratios for {title.lower()}, with 95 % confidence "
            "intervals.",
            [forest.forest(
                rows, key=f"svg-forest-{model.name.lower()}", title=title, terms=terms, p_decimals=decimals,
            )],
        )  # fmt: skip
        yield from whole_models.beside(report, model, title, rows)


def _diagnostics(report: Report) -> Iterator[Table | Figure]:
    if report.has("analysis.hazard_ratio"):
        ratios = report.frames["analysis.hazard_ratio"]
        yield report_tables.diagnostics(
            ratios.filter(~PENALISED), report.supplement(), report.study.statistics
        )
        penalised = ratios.filter(PENALISED)
        if penalised.height:
            caption = "Models with a level without events: Firth's penalised estimates"
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


def _competing(report: Report) -> Iterator[Paragraph | Table | Figure]:
    titles = {risks.name: risks.title for risks in report.study.cumulative_incidence}
    if report.has("analysis.cumulative_incidence"):
        least = report.study.statistics.least_at_risk
        frame = report.frames["analysis.cumulative_incidence"]
        panels = additional_analyses.incidence_panels(frame, titles, least)
        caption = (
            "Cumulative incidence with competing risks (Aalen–Johansen). Shaded area, and area between thin "
            "lines of the curve’s style: log-log 95 % confidence intervals." + _ends(least)
        )
        yield report.figure("figure-incidence", caption, panels)
    if report.has("analysis.cumulative_incidence_estimate"):
        estimates = report.frames["analysis.cumulative_incidence_estimate"]
        yield additional_analyses.incidences(
            estimates, titles, report.supplement(), report.study.statistics.least_at_risk
        )
    yield from competing.blocks(report)


def _subgroups(report: Report) -> Iterator[Table | Figure]:
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
                f"figure-subgroups-{name.lower()}", f"Subgroups: {report.titles[name].lower()}, Kaplan–Meier "
                "curves with patients at risk below. Shaded: log-log 95 % confidence intervals; ticks: "
                "censored patients. Log-rank tests are not adjusted for each other."
                + _ends(report.study.statistics.least_at_risk),
                additional_analyses.subgroup_panels(frame, tests, name, terms, report.study.statistics),
            )  # fmt: skip


def _sensitivity(report: Report) -> Iterator[Table]:
    if not report.has("analysis.survival_sensitivity"):
        return
    frame = report.frames["analysis.survival_sensitivity"]
    ratios = report.frames.get("analysis.hazard_ratio", HazardRatio.empty())
    contrasts = {(r["model"], r["term"], r["level"]): r["contrast"] for r in ratios.rows(named=True)}
    for name in (n for n in report.titles if n in set(frame["endpoint"])):
        mine = frame.filter(pl.col("endpoint") == name)
        main = mine.filter(pl.col("switch").is_null())
        yield additional_analyses.sensitivity(main, report.titles[name], contrasts, report.supplement())
        if main.height < mine.height:
            yield assumption_runs.table(mine, report.titles[name], contrasts, report.supplement())


def _quality(report: Report) -> Iterator[Table]:
    if report.has("quality.accounting"):
        frame = report.frames["quality.accounting"]
        names = ("records", "curated", "quarantined", "duplicates", "out_of_scope", "unaccounted")
        rows = [
            ({"records": "Read"}.get(n) or capital(n.replace("_", " ")), number(int(frame[n].sum())))
            for n in names
        ]
        yield report_tables.plain(
            "table-accounting", report.supplement(),
            f"Accounting of every record (files read: {frame.height})",
            ("Records", "n"), rows,
        )  # fmt: skip
    if report.has("quality.findings"):
        found = (
            report.frames["quality.findings"]
            .group_by("severity", "rule_id", "what")
            .agg(pl.len().alias("n"), pl.col("pseudonym").drop_nulls().n_unique().alias("patients"))
            .with_columns(rank=pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}))
            .sort("rank", "n", "rule_id", descending=[False, True, False])
        )
        rows = found.select("severity", "rule_id", "what", "n", "patients").rows()
        head = ("Severity", "Rule", "What is wrong", "Findings", "Patients")
        yield report_tables.plain(
            "table-findings",
            report.supplement(),
            "Findings of the data quality rules",
            head,
            rows,
            (9, 29, 44, 9, 9),
        )


def _limits(report: Report) -> Iterator[Paragraph | Table]:
    # The counts are of patients, and not suppressed where they are small: not for the public.
    if report.policy is not None or not (shares := limits.counted(report.frames)):
        return
    yield Paragraph(
        "Rules find contradictions and gaps. The errors below leave no trace in the data. A share says "
        "how much "
        "of this release could be affected, not how much is wrong."
    )
    rows = [(one.what, one.why, limits.said(shares.get(one.id)), one.counts) for one in limits.LIMITS]
    head = ("What may be wrong", "Why no rule sees it", "Share", "What is counted")
    yield report_tables.plain(
        "table-limits", report.supplement(), "What no rule can know", head, rows, (30, 32, 14, 24)
    )


def _review(report: Report) -> Iterator[Paragraph | Table]:
    # The counts are of patients, and not suppressed where they are small: not for the public.
    if report.policy is not None or not report.has("meta.chart_review"):
        return
    yield Paragraph(
        "Drawn patients were abstracted again from their charts, without knowledge of the released values. "
        "An error is a released value that differs from the chart; intervals are exact (Clopper–Pearson). "
        "The samples are stratified by centre, sources and outcome, in proportion to the strata."
    )
    frame = report.frames["meta.chart_review"]
    for (sample_id,), rows in frame.group_by("sample_id", maintain_order=True):
        first = rows.row(0, named=True)
        lines = [
            (
                row["variable"],
                row["reviewed"],
                row["errors"],
                "–"
                if row["error_rate"] is None
                else f"{100 * row['error_rate']:.1f} ({100 * row['ci_low']:.1f}–{100 * row['ci_high']:.1f})",
                row["not_in_chart"],
            )
            for row in rows.iter_rows(named=True)
        ]
        yield report_tables.plain(
            f"table-review-{sample_id}",
            report.supplement(),
            f"Chart review of {first['patients']} patients of release {first['refresh_id']}, read on "
            f"{first['read_on']}",
            ("Variable", "Reviewed", "Errors", "Error rate, % (95 % CI)", "Not in chart"),
            lines,
        )


def _paper(report: Report) -> Iterator[Paragraph | Table]:
    if not report.has("analysis.published_comparison"):
        return
    frame = report.frames["analysis.published_comparison"]
    counted = frame.group_by("verdict").len().sort("len", "verdict", descending=[True, False]).rows()
    verdicts = listed([f"{verdict}: {n}" for verdict, n in counted])
    yield Paragraph(f"Comparison of {frame.height} numbers of the paper with this cohort: {verdicts}.")
    yield report_tables.comparison(frame, report.supplement())


def _audit(report: Report) -> Iterator[Paragraph | Table]:
    if not report.has("analysis.published_audit"):
        return
    frame = report.frames["analysis.published_audit"]
    yield Paragraph(
        f"The paper’s numbers were checked against each other, without any data, in {frame.height} checks. "
        "Counts are treated as sets of patients: the same set must have the same count everywhere, disjoint "
        "sets must add up, and a percentage must match its count. A p value is recomputed from its hazard "
        "ratio and interval (z = ln HR / SE, SE = ln(high / low) / 3.92); it fails only if no unrounded "
        "values could have been rounded to the printed ones."
    )
    yield report_tables.audit_counts(frame, report.supplement())
    yield report_tables.audit(frame, report.supplement())


def _checklist(report: Report, present: list[Section], keys: set[str]) -> Iterator[Paragraph | Table]:
    titles = {section.key: section.title for section in present} | {"provenance": "Provenance"}
    rows = [
        (item.number, item.asks, titles[where] if where else "Not filled",
         item.answer if where or not item.sections else "This report does not contain this section.")
        for item, where in strobe.filled(keys)
    ]  # fmt: skip
    done = sum(row[2] != "Not filled" for row in rows)
    yield Paragraph(
        f"{done} of {len(rows)} items of STROBE (cohort studies) and RECORD (routinely collected data) are "
        "answered here, fully or partly. The others are left to the authors."
    )
    head = ("Item", "Asks for", "Section", "How")
    caption = "Items of STROBE and RECORD"
    yield report_tables.plain("table-checklist", report.supplement(), caption, head, rows, (14, 30, 18, 38))


def _provenance(report: Report) -> Iterator[Paragraph]:
    release = report.frames["meta.release"].row(0, named=True)
    yield Paragraph(methods.provenance(release))


_SECTIONS: tuple[tuple[str, str, Callable[[Report], Iterator[Paragraph | Table | Figure]]], ...] = (
    ("summary", "Summary", _summary),
    ("disclosure", "Disclosure control", _disclosure),
    ("methods", "Methods", _methods),
    ("participants", "Participants", _participants),
    ("survival", "Survival", _survival),
    ("follow-up", "Follow-up", _follow_up),
    ("models", "Multivariable models", _models),
    ("competing", "Competing risks", _competing),
    ("subgroups", "Subgroups", _subgroups),
    ("diagnostics", "Diagnostics", _diagnostics),
    ("sensitivity", "Sensitivity", _sensitivity),
    ("quality", "Data quality", _quality),
    ("limits", "What no rule can know", _limits),
    ("review", "Chart review", _review),
    ("paper", "The paper beside this cohort", _paper),
    ("audit", "Audit of the paper", _audit),
)
