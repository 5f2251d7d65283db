"""What an examination says of the disease, and which endpoint it extends (definitions, section 4)."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort import looks
from sarcoma_pipeline.cohort.last_days import last_looks
from schemas.assumptions import Assumptions
from schemas.configuration import EndpointRule

ALL = ["overall", "local", "regional", "distant"]
VAGUE = {"questionable_status": "look"}
STATED = {
    # what: status overall, local, regional and distant, whether a metastasis is reported; what it states
    "nothing": (None, None, None, None, False, []),
    "no tumour at the site": (None, "no tumour", None, None, False, ["local"]),
    "each component": (None, "no tumour", "residual", "stable", False, ["local", "regional", "distant"]),
    "a relapse and a progression": (None, "relapse", "progression", None, False, ["local", "regional"]),
    "complete remission states all components": ("complete remission", None, None, None, False, ALL),
    "but not what it names as unknown": (
        "complete remission", "unknown", None, None, False, ["overall", "regional", "distant"],
    ),
    "nor what was not examined": (
        "complete remission", None, "missing", None, False, ["overall", "local", "distant"],
    ),
    "nor what is questionable": (
        "complete remission", None, None, "questionable", False, ["overall", "local", "regional"],
    ),
    "remission with residues states only itself": (
        "complete remission with residues", None, None, None, False, ["overall"],
    ),
    "partial remission": ("partial remission", None, None, None, False, ["overall"]),
    "stable": ("stable", None, "no tumour", None, False, ["overall", "regional"]),
    "not assessable": ("not assessable", "no tumour", None, None, False, ["local"]),
    "missing": ("missing", None, None, None, False, []),
    "questionable and unknown are no look": (
        None, "questionable", "unknown", "no tumour", False, ["distant"],
    ),
    "a metastasis states the distant component": (None, None, None, None, True, ["distant"]),
    "also if its status is unknown": (
        "progression", "no tumour", None, "unknown", True, ["overall", "local", "distant"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", STATED.values(), ids=STATED)
def test_the_components_that_an_examination_states(said):
    assert _stated(*said[:-1]) == said[-1]


def test_questionable_and_unknown_may_count_as_a_look_and_missing_never():
    assert _stated(None, "questionable", "unknown", "missing", False, **VAGUE) == ["local", "regional"]
    assert _stated("complete remission", "questionable", "unknown", "missing", False, **VAGUE) == ALL[:3]


def _stated(overall, local, regional, distant, metastasis, **assumed) -> list[str]:
    schema = {f"{part}_status": pl.String for part in ALL} | {"metastasis": pl.Boolean}
    frame = pl.DataFrame([(overall, local, regional, distant, metastasis)], schema, orient="row")
    told = frame.select(looks.states(Assumptions(**assumed), pl.col("metastasis")))
    return told.to_series().to_list()[0]


DFS = ("local relapse", "regional relapse", "distant relapse", "relapse of unknown site", "death")
LRFS, DMFS, OS = ("local relapse", "regional relapse", "death"), ("distant relapse", "death"), ("death",)
BOTH = ("regional relapse", "distant relapse")
EXTENDED = {
    # what: events of the endpoint, what an examination states, whether it extends, and by any statement
    "DFS by an overall statement": (DFS, ["overall"], True, True),
    "DFS by all components": (DFS, ["local", "regional", "distant"], True, True),
    "DFS by two components": (DFS, ["local", "distant"], False, True),
    "DFS by nothing": (DFS, [], False, False),
    "relapses of every known site, by an overall statement": (DFS[:3], ["overall"], True, True),
    "relapses of every known site, by two": (DFS[:3], ["regional", "distant"], False, True),
    "relapses of unknown site and of one": ((DFS[3], DFS[2]), ["distant"], False, True),
    "DMFS by the distant component": (DMFS, ["distant"], True, True),
    "DMFS by an overall statement": (DMFS, ["overall"], False, True),
    "DMFS by the others": (DMFS, ["local", "regional"], False, True),
    "LRFS by the local component": (LRFS, ["local"], True, True),
    "LRFS by the regional one": (LRFS, ["regional"], False, True),
    "LRFS by the others": (LRFS, ["overall", "distant"], False, True),
    "regional relapse by its component": (("regional relapse",), ["regional"], True, True),
    "regional relapse by the local one": (("regional relapse",), ["local"], False, True),
    "regional and distant relapse need both": (BOTH, ["distant"], False, True),
    "both": (BOTH, ["regional", "distant"], True, True),
    "OS by any statement": (OS, ["regional"], True, True),
    "OS by nothing": (OS, [], False, False),
}  # fmt: skip


@pytest.mark.parametrize(("events", "states", "extends", "by_any"), EXTENDED.values(), ids=EXTENDED)
def test_the_endpoints_that_an_examination_extends(events, states, extends, by_any):
    rule = EndpointRule(name="E", title="E", events=events, censor="last disease assessment")
    frame = pl.DataFrame({"states": [states]}, {"states": pl.List(pl.String)})
    for assumptions, expected in (
        (Assumptions(examination="component"), extends),
        (Assumptions(examination="any statement"), by_any),
    ):
        assert frame.select(looks.extends(rule, assumptions)).to_series().to_list() == [expected]


LAST = {
    # what: events of the endpoint; examinations with what they state; days of relapses of unknown site; the
    # last look, and the relapse of unknown site that ends the looking
    "the last that extends": (LRFS, [(10, "local"), (20, "distant")], [], (10, None)),
    "on the day of the diagnosis": (LRFS, [(0, "local")], [], (0, None)),
    "not before it": (LRFS, [(-1, "local")], [], None),
    "undated": (LRFS, [(None, "local")], [], None),
    "before a relapse of unknown site": (LRFS, [(10, "local"), (29, "local")], [30], (29, 30)),
    "not on its day": (LRFS, [(10, "local"), (30, "local")], [30], (10, 30)),
    "before the first of them": (LRFS, [(10, "local"), (30, "local")], [40, 20], (10, 20)),
    "only after it": (DMFS, [(30, "distant")], [20], (None, 20)),
    "never": (DMFS, [], [20], (None, 20)),
    "an undated relapse ends nothing": (LRFS, [(30, "local")], [None], (30, None)),
    "the relapse is an event": (DFS, [(10, "overall"), (30, "overall")], [20], (30, None)),
    "no relapse is an event": (OS, [(10, "overall"), (30, "overall")], [20], (30, None)),
}  # fmt: skip


@pytest.mark.parametrize(("events", "exams", "unknown", "expected"), LAST.values(), ids=LAST)
def test_the_last_look_is_before_a_relapse_of_unknown_site(events, exams, unknown, expected):
    rule = EndpointRule(name="E", title="E", events=events, censor="last disease assessment")
    told = [("assessment", day, [states]) for day, states in exams]
    told += [("relapse of unknown site", day, []) for day in unknown]
    schema = {"kind": pl.String, "day": pl.Int32, "states": pl.List(pl.String)}
    for order in (told, told[::-1]):
        frame = pl.DataFrame(order, schema, orient="row").with_columns(
            patient_id=pl.lit("i"), day_earliest="day", day_latest="day", precision=pl.lit("day"),
            record_ids=pl.lit(["r"], pl.List(pl.String)),
        )  # fmt: skip
        found = last_looks(rule, Assumptions(), frame)
        assert found.select("looked", "unknown_day").rows() == ([expected] if expected else [])
