"""What the report says of Cox models as a whole: sentences from the numbers, univariable ratios, tests."""

from typing import Any

import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report.blocks import Report
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.publish.report.whole_models import contradicted, enough
from sarcoma_pipeline.survival.external_validation import external_validation
from sarcoma_pipeline.survival.imputation import imputed_models
from sarcoma_pipeline.survival.validation import internal_validation
from sarcoma_pipeline.survival.weighting import weighted_groups
from schemas.configuration import Imputation, Sources, Study
from schemas.disclosure import WITHHELD, Disclosure
from schemas.rounding import half_up
from schemas.statistics import Statistics

FIT = {"events": 18, "coefficients": 6, "events_per_variable": 3.0}


def _elements(tree: Any, path: str) -> list[Any]:
    return tree.xpath(path)


def _paragraphs(tree: lxml_html.HtmlElement) -> list[str]:
    return [" ".join(p.text_content().split()) for p in _elements(tree, "//p")]


@pytest.fixture(scope="module")
def tree(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(page(study, sources, frames, {}))


def _dfs(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> list[str]:
    (model,) = (m for m in study.models if m.name == "DFS")
    return contradicted(Report(study, sources, frames, {}), model)


def test_a_factor_with_one_small_p_value_is_judged_by_its_joint_test(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    """R: drop1(coxph(…), test = "Chisq") gives 0.1965 for histology in the model of DFS."""
    (said,) = _dfs(study, sources, frames)
    assert said.startswith(
        "The joint test of histology in the model of disease-free survival (DFS) gives p = 0.1965"
    )
    assert "one contrast of 4 has a small p value (Liposarcoma vs. UPS, p = 0.0302)" in said
    assert "The paper prints p = 0.0200 and 0.0222 for this contrast: the joint test speaks against" in said


def test_without_a_paper_nothing_is_said_of_one(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    alone = {k: v for k, v in frames.items() if k != "analysis.published_comparison"}
    (said,) = _dfs(study, sources, alone)
    assert "paper" not in said


@pytest.mark.parametrize("p", [0.04, None])
def test_nothing_contradicts_a_small_joint_p_or_a_missing_one(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], p: float | None
) -> None:
    tests = frames["analysis.joint_test"].with_columns(p_value=pl.lit(p, pl.Float64))
    assert _dfs(study, sources, {**frames, "analysis.joint_test": tests}) == []


def test_the_declared_significance_decides(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    strict = study.model_copy(update={"statistics": Statistics(significance=0.01)})
    assert _dfs(strict, sources, frames) == []


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("too few", "18 events for 6 coefficients (3.0 each), fewer than the 5 that the study declares"),
        ("few", "fewer than 10: its hazard ratios are unstable"),
        ("enough", ""),
    ],
)
def test_too_few_events_are_told_plainly(verdict: str, told: str) -> None:
    said = enough({**FIT, "verdict": verdict}, "Overall survival", Statistics())
    assert told in said and bool(told) == bool(said)


def test_a_withheld_number_of_events_is_not_printed() -> None:
    said = enough(
        {**FIT, "events": None, "events_per_variable": None, "verdict": "too few"}, "Survival", Statistics()
    )
    assert "18" not in said and "fewer events than the 5" in said


def test_the_summary_names_the_models_that_mean_nothing(tree: lxml_html.HtmlElement) -> None:
    (said,) = (p for p in _paragraphs(tree) if p.startswith("Of 4 multivariable models"))
    assert "2 (OS and LRFS) have fewer than 5 events per coefficient" in said


def test_univariable_ratios_stand_beside_multivariable_ones(
    tree: lxml_html.HtmlElement, frames: dict[str, pl.DataFrame]
) -> None:
    (table,) = _elements(tree, "//table[@id='table-beside-dfs'] | //*[@id='table-beside-dfs']//table")
    rows = [
        [" ".join(c.text_content().split()) for c in _elements(r, "./td|./th")]
        for r in _elements(table, ".//tr")
    ]
    (female,) = (row for row in rows if row[0] == "Female vs. male")
    for column, name in ((1, "univariable_hazard_ratio"), (4, "hazard_ratio")):
        (ours,) = frames[f"analysis.{name}"].filter(model="DFS", term="sex").rows(named=True)
        assert female[column].startswith(f"{ours['hazard_ratio']:.3f} ({ours['ci_low']:.3f}")
    (histology,) = (row for row in rows if row[0] == "All levels together")
    # R: drop1(coxph(…), test = "Chisq").
    assert histology[6] == "0.1965" and "0.1965" not in female


@pytest.mark.parametrize(("decimals", "printed"), [(2, "<0.01"), (3, "<0.001"), (4, "<0.0001")])
def test_p_values_are_printed_as_declared(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], decimals: int, printed: str
) -> None:
    declared = study.model_copy(update={"statistics": Statistics(p_decimals=decimals)})
    tiny = frames["analysis.hazard_ratio"].with_columns(p_value=pl.lit(1e-9))
    made = lxml_html.fromstring(page(declared, sources, {**frames, "analysis.hazard_ratio": tiny}, {}))
    table = _elements(made, "//table[@id='table-2'] | //*[@id='table-2']//table")[0]
    cells = {c.text_content().strip() for c in _elements(table, "./tbody/tr/td[last()]")} - {""}
    assert cells == {printed}
    assert any(f"{decimals} decimals and as {printed}" in p for p in _paragraphs(made))


def test_a_covariate_with_a_withheld_contrast_has_no_public_test(frames: dict[str, pl.DataFrame]) -> None:
    public = disclosure.public(frames, Disclosure())
    ratios = public["analysis.hazard_ratio"]
    hidden = ratios.filter(pl.col("note").str.contains(WITHHELD)).select("model", "term").unique()
    assert 0 < hidden.height < public["analysis.joint_test"].height
    numbers = ("p_value", "wald", "likelihood_ratio", "univariable_p_value", "univariable_likelihood_ratio")
    tests = public["analysis.joint_test"]
    of_hidden = tests.join(hidden, on=["model", "term"], how="semi")
    assert all(of_hidden[c].is_null().all() for c in numbers)
    assert tests.join(hidden, on=["model", "term"], how="anti")["p_value"].is_not_null().all()
    alone = public["analysis.univariable_hazard_ratio"]
    assert alone.join(hidden, on=["model", "term"], how="semi")["hazard_ratio"].is_null().all()
    assert (
        alone.select(pl.col("n", "events", "missing", "level_n", "level_events").is_null().all()).row(0)
        == (True,) * 5
    )
    assert public["analysis.model_fit"]["events"].to_list() == [
        ratios.filter(model=m)["events"][0] for m in public["analysis.model_fit"]["model"]
    ]
    assert public["analysis.published_comparison"]["our_joint_p"].is_null().all()
    assert public["analysis.published_comparison"]["our_joint_text"].is_null().all()


def test_optimism_is_printed_and_not_public(
    study: Study,
    sources: Sources,
    frames: dict[str, pl.DataFrame],
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
) -> None:
    declared = Statistics(bootstrap_resamples=5, bootstrap_seed=7)
    made = internal_validation(patients, endpoints, study.models, study.covariates, declared)
    told = {**frames, "analysis.internal_validation": made}
    tree = lxml_html.fromstring(page(study.model_copy(update={"statistics": declared}), sources, told, {}))
    (table,) = _elements(tree, "//table[@id='table-validation'] | //*[@id='table-validation']//table")
    rows = [
        [c.text_content().strip() for c in _elements(r, "./td|./th")] for r in _elements(table, "./tbody/tr")
    ]
    wanted = [
        (f"{r['apparent']:.3f}", f"{r['corrected']:.3f}") for r in made.rows(named=True) if r["corrected"]
    ]
    assert len(rows) == 2 * len(study.models)
    assert [(row[2], row[4]) for row in rows if row[4] != "–"] == wanted
    assert any("5 bootstrap resamples (seed 7)" in p for p in _paragraphs(tree))
    assert "analysis.internal_validation" not in disclosure.public(told, Disclosure())


def test_imputed_models_stand_beside_the_complete_cases(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], patients: pl.DataFrame,
    endpoints: pl.DataFrame,
) -> None:  # fmt: skip
    gone = pl.col("pseudonym").rank("ordinal") % 6 == 0
    lacking = patients.with_columns(sex=pl.when(~gone).then("sex"))
    asked = study.models[0].model_copy(
        update={"missing": "impute", "imputation": Imputation(imputations=3, auxiliary=("region",))}
    )
    declared = study.model_copy(update={"models": (asked, *study.models[1:])})
    made = imputed_models(lacking, endpoints, declared.models, study.covariates)
    told = {
        **frames, "analysis.imputed_hazard_ratio": made.ratios, "analysis.imputed_covariate": made.covariates,
    }  # fmt: skip
    tree: Any = lxml_html.document_fromstring(page(declared, sources, told, {}))
    rows = [[c.text_content() for c in r] for r in tree.xpath("//table[@id='table-imputed-os']//tbody/tr")]
    by_name = {row[0]: row[1:] for row in rows}
    (row,) = made.ratios.filter(term="sex").rows(named=True)
    assert row["n"] == 86 and row["complete_n"] == 72
    assert by_name["Female vs. male"][2].startswith(f"{row['hazard_ratio']:.3f} (")
    assert by_name["Female vs. male"][0].startswith(f"{row['complete_hazard_ratio']:.3f} (")
    text = tree.text_content().replace("\u00a0", " ")
    assert "Gender (14, 16.3 %)" in text and "leave out 14 of 86 patients" in text
    assert "imputed 3 times by chained equations" in text and "and tumour localisation" in text.lower()
    for name in ("analysis.imputed_hazard_ratio", "analysis.imputed_covariate"):
        assert name not in disclosure.public(told, Disclosure())


def test_treatments_compared_with_weights(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], patients: pl.DataFrame,
    endpoints: pl.DataFrame,
) -> None:  # fmt: skip
    found = weighted_groups(patients, endpoints, study.weighting, study.covariates)
    told = {
        **frames, "analysis.weighted_group": found.groups, "analysis.weighted_balance": found.balance,
        "analysis.weighted_curve": found.curves, "analysis.weighted_hazard_ratio": found.ratios,
    }  # fmt: skip
    tree: Any = lxml_html.document_fromstring(page(study, sources, told, {}))
    dots = tree.xpath("//figure[@id='figure-balance-sequence']//*[local-name()='circle']")
    assert len(dots) == found.balance.height == 9
    panels = tree.xpath("//figure[@id='figure-weighted-sequence']//*[local-name()='svg']")
    assert len(panels) == len(study.weighting[0].endpoints) == 4
    rows = {
        r[0].text_content(): [c.text_content() for c in r[1:]]
        for r in tree.xpath("//table[@id='table-weighted-sequence']//tbody/tr")
    }
    (dfs,) = found.ratios.filter(endpoint="DFS").rows(named=True)
    assert rows["Disease-free survival"][1].startswith(f"{dfs['crude_hazard_ratio']:.3f} (")
    assert rows["Disease-free survival"][3].startswith(f"{dfs['hazard_ratio']:.3f} (")
    text = " ".join(tree.text_content().split())
    assert "remain unlike after weighting in" in text and "Histology: myxofibrosarcoma (0.26)" in text
    assert "one group has only 1 event" in text and "with inverse-probability weights" in text
    assert not [name for name in disclosure.public(told, Disclosure()) if "weighted" in name]


def test_a_published_model_is_validated(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], patients: pl.DataFrame,
    endpoints: pl.DataFrame,
) -> None:  # fmt: skip
    found = external_validation(patients, endpoints, study.validation)
    told = {
        **frames, "analysis.external_validation": found.measures,
        "analysis.external_calibration": found.calibration, "analysis.net_benefit": found.net_benefit,
    }  # fmt: skip
    tree: Any = lxml_html.document_fromstring(page(study, sources, told, {}))
    rows = [
        [c.text_content() for c in row]
        for row in tree.xpath("//table[@id='table-external-invented-nomogram']//tbody/tr")
    ]
    assert [r[1] for r in rows] == [half_up(v, 3) for v in found.measures["value"]]
    panels = tree.xpath("//figure[@id='figure-external-invented-nomogram']//*[local-name()='svg']")
    assert len(panels) == 2 and "They are no published model." in tree.text_content()
    assert len(tree.xpath("//table[@id='table-benefit-invented-nomogram']//tbody/tr")) == 10
    assert not {n for n in disclosure.public(told, Disclosure()) if "external" in n or "benefit" in n}
