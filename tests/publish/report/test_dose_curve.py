"""The report's curves of the risk of a toxicity by a dose."""

from typing import Any

import polars as pl
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report.page import page
from schemas.analysis_toxicity import DoseResponseCurve, ToxicityRate
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure
from schemas.dose_columns import DoseColumn
from schemas.dose_response_toml import DoseResponse


def test_a_curve_by_dose_is_drawn_or_its_lack_explained_and_never_published(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    one = {"endpoint": "a", "column_name": "skin_v20", "patients": 20, "events": 9, "left_out": 2}
    points = [
        {"name": "skin", "odds_ratio": 1.153854, "odds_ratio_low": 1.008375, "odds_ratio_high": 1.32032,
         "value": value, "probability": p, "ci_low": low, "ci_high": high} | one
        for value, p, low, high in ((7.85, 0.1088, 0.0147, 0.5006), (35.15, 0.8586, 0.4224, 0.9806))
    ]  # fmt: skip
    lines = [*points, {"name": "bone", "warning": "all patients have the same value"} | one]
    made = DoseResponseCurve.conform(pl.DataFrame(lines).with_row_index("position", offset=1))
    counts = {"position": 1, "covariate": "sequence", "endpoint": "a", "patients": 22, "treated": 22}
    counts |= {"documented": 20, "counted": 20, "events": 9, "unclear": 0, "died": 0}
    counted = ToxicityRate.conform(pl.DataFrame([counts]))
    told = {**frames, DoseResponseCurve.table(): made, ToxicityRate.table(): counted}
    declared = study.model_copy(
        update={
            "dose_columns": (DoseColumn(name="skin_v20", structure="skin corridor", metric="V20"),),
            "dose_response": tuple(
                DoseResponse(name=name, title=title, toxicity="a", column="skin_v20")
                for name, title in (("skin", "Wounds by dose"), ("bone", "Fractures by dose"))
            ),
        }
    )
    html = page(declared, sources, told, {})
    tree: Any = lxml_html.document_fromstring(html)
    (svg,) = tree.xpath("//figure[starts-with(@id, 'figure-dose-')]//*[local-name()='svg']")
    words = " ".join(svg.itertext())
    assert "V20, skin corridor" in words
    assert "7.9: 10.9 %; 35.2: 85.9 %" in words
    assert "Odds ratio per unit 1.154 (1.008–1.320)" in tree.text_content()
    assert "Fractures by dose: no curve, all patients have the same value (9 of 20 patients)" in html
    assert DoseResponseCurve.table() not in disclosure.public(told, Disclosure())
