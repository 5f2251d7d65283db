"""The report's section on toxicity: tables, curves, methods, German, and that it is never public."""

from typing import Any

import polars as pl
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.survival.toxicity_incidence import toxicity_incidence
from sarcoma_pipeline.survival.toxicity_rates import toxicity_rates
from schemas.analysis_toxicity import ToxicityRate
from schemas.cohort_toxicity import CohortToxicity
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure
from schemas.language import speaking
from schemas.toxicity_toml import ToxicityEndpoint


def test_the_incidence_of_toxicity_is_drawn_by_group_and_printed_with_what_competes(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    endpoint = ToxicityEndpoint(name="late", title="Late, grade 3", window="late", by="sequence")
    states = CohortToxicityEndpoint.conform(
        pl.DataFrame(
            {
                "pseudonym": frames["cohort.patients"].sort("pseudonym")["pseudonym"].head(40),
                "endpoint": ["late"] * 40,
                "time_days": [100 + 20 * n for n in range(40)],
                "outcome": ["toxicity", "censored", "death", "censored"] * 9 + ["amputation"] * 4,
                "time_basis": ["date", None, None, None] * 8 + ["middle"] + [None] * 7,
            }
        )
    )
    found = toxicity_incidence(
        frames["cohort.patients"], states, [endpoint], study.covariates, study.horizons_months
    )
    told = {
        **frames,
        "analysis.toxicity_rate": toxicity_rates(
            frames["cohort.patients"],
            states.with_columns(pl.lit(True).alias(c) for c in ("documented", "treated", "counted"))
            .with_columns(
                event=pl.col("outcome") == "toxicity", unclear=pl.lit(False), died_in_window=pl.lit(False)
            ),
            [endpoint], study.covariates,
        ),
        "analysis.toxicity_incidence": found.estimates, "analysis.toxicity_curve": found.curves,
    }  # fmt: skip
    declared = study.model_copy(update={"toxicity": (endpoint,)})
    tree: Any = lxml_html.document_fromstring(page(declared, sources, told, {}))
    # Ten columns and more need width for their words, also on a phone.
    assert tree.xpath("//div[contains(@class, 'broad')]/table[@id='table-toxicity-incidence']")
    row = tree.xpath("//table[@id='table-toxicity-incidence']//tbody/tr")[0]
    cells = [c.text_content() for c in row]
    assert cells[1:6] == ["40", "9", "9", "4", "1"]
    panel = tree.xpath("//figure[@id='figure-toxicity']//*[local-name()='svg']")
    assert len(panel) == 1 and "Gray" in panel[0].text_content()
    said = tree.xpath("//section[@id='methods']")[0].text_content()
    assert "Of the cumulative incidence, these compete: death and amputation." in said
    with speaking("de"):
        german: Any = lxml_html.document_fromstring(page(declared, sources, told, {}))
    text = german.xpath("//section[@id='toxicity']")[0].text_content()
    assert "Kumulative Inzidenz" in text and "Ohne Datum" in text


def test_toxicity_is_printed_with_its_denominator_and_never_published(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    endpoint = ToxicityEndpoint(name="a", title="Acute, grade 3", window="acute", by="sequence")
    # R 4: binom.test(3, 20); fisher.test of 2 of 8 and 1 of 12.
    row = {"endpoint": "a", "covariate": "sequence", "unclear": 1, "died": 2, "p_value": 0.5368421}
    lines = [
        row | {"position": 1, "patients": 30, "treated": 25, "documented": 21, "counted": 20, "events": 3,
               "share": 0.15, "ci_low": 0.03207, "ci_high": 0.37893, "least": 0.12},
        row | {"position": 2, "level": "preoperative", "patients": 10, "treated": 9, "documented": 0,
               "counted": 0, "events": 0, "least": 0.0},
    ]  # fmt: skip
    made = ToxicityRate.conform(pl.DataFrame(lines, infer_schema_length=None))
    told = {**frames, "analysis.toxicity_rate": made, "cohort.toxicity": CohortToxicity.empty()}
    declared = study.model_copy(update={"toxicity": (endpoint,)})
    tree: Any = lxml_html.document_fromstring(page(declared, sources, told, {}))
    rows = tree.xpath("//table[@id='table-toxicity-sequence']//tbody/tr")
    assert [[c.text_content() for c in row] for row in rows] == [
        ["Acute, grade 3", "25", "21", "20", "3", "15.0 (3.2–37.9)", "12.0", "1", "2", "0.5368"],
        ["preoperative", "9", "0", "0", "0", "–", "0.0", "1", "2", ""],
    ]
    public = disclosure.public(told, Disclosure())
    assert not [table for table in public if "toxicity" in table]
    silent: Any = lxml_html.document_fromstring(page(study, sources, frames, {}))
    assert not silent.xpath("//*[@id='toxicity']")
