"""Cases of the rules on lymph nodes that a report counts, and on the code of the target region."""

from __future__ import annotations

import json

from tests.curation.baseline_patients import histology, several, tnm
from tests.quality.rule_cases.curated_reports import Told, irradiation, of, pathology, sarcoma, surgery
from tests.quality.rule_cases.curated_tumours import bare
from tests.quality.rule_cases.four import Four


def nodes(n: str | None = "1", affected: str | None = None, examined: str | None = "12", **more: str) -> dict:
    """Return a report's counts of lymph nodes and its pTNM."""
    (one,) = json.loads(histology("8802/3", day="2012-01-01"))
    counts = {"LK_befallen": affected, "LK_untersucht": examined}
    return {"Histologie": json.dumps([one | counts | more]), "TNM": tnm("pTNM", T="2", N=n, M="0")}


def sentinels(n: str, affected: str, examined: str) -> dict:
    """Return a report's counts of sentinel nodes and its pTNM."""
    return nodes(n, None, None, Sentinel_LK_befallen=affected, Sentinel_LK_untersucht=examined)


def clinical(n: str, affected: str) -> dict:
    """Return counts of lymph nodes of a report that has a clinical TNM only."""
    return nodes(None, affected) | {"TNM": tnm("cTNM", T="2", N=n, M="0")}


def with_clinical(affected: str) -> dict:
    """Return counts of lymph nodes of a report with N1 before, and N0 of the specimen."""
    both = several(tnm("cTNM", T="2", N="1", M="0"), tnm("pTNM", T="2", N="0", M="0"))
    return nodes(None, affected) | {"TNM": both}


def region(code: str | None, codes_of: str | None) -> Told:
    """Return a patient whose course has a target region, by the list of a year."""
    return sarcoma(irradiation(Zielgebiet=code, Zielgebiet_CodeVersion=codes_of))


COUNTS: dict[str, Four[Told]] = {
    "diagnosis.nodes-above-examined": of(
        bare(**nodes(affected="7", examined="3")),
        bare(**nodes(affected="3", examined="3")),
        bare(**nodes(affected="7", examined=None)),
        bare(surgery(**sentinels("1", "2", "1"))),
    ),
    "diagnosis.nodes-against-n": of(
        bare(**nodes("0", "3")),
        bare(**clinical("0", "3")),  # before the operation no node was seen to be affected
        bare(**nodes(None, "3")),
        bare(surgery(), pathology(**with_clinical("1"))),
    ),
    "radiotherapy.target-of-other-list": of(
        region("4.8", "2014"),
        region("4.8.", "2014"),
        region("4.8", None),
        region("7.3", "2014"),
    ),
}  # fmt: skip
