"""``sarcoma preview`` says what the next refresh then does: with the same numbers, and without doing it."""

import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.cli.finding_rows import ledger_of, readings_of
from sarcoma_pipeline.curation import typed_records
from sarcoma_pipeline.operations import preview as previews
from sarcoma_pipeline.operations.preview_standing import STEPS, circumstances, standing
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.quality.decision_requests import Request, decide
from sarcoma_pipeline.study import project, provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import read_only, step_cache
from sarcoma_pipeline.warehouse.centres import Tables
from schemas.contract import CONTRACTS
from tests.refresh.previewed import with_criteria

WINDOW = "end = 2020-12-31"
FOUND_BY = ("course.undecided", "diagnosis.date-unusable")


def _preview(place, *options: str) -> dict:
    said = place.sarcoma("preview", "--study", place.study, "--json", *options)
    assert said.exit_code == 0, said.output
    return json.loads(said.output)


def _numbers(told: dict, side: str) -> dict[str, str]:
    return {row["quantity"]: row[side] for row in told["numbers"] if row[side] is not None}


def _moved(told: dict) -> set[str]:
    return {row["quantity"] for row in told["numbers"] if row["before"] != row["after"]}


def _finding(place, rule: str) -> str:
    return place.warehouse(
        f"SELECT finding_id FROM quality.findings WHERE rule_id = '{rule}' ORDER BY 1"
    ).row(0)[0]


def _change(place, old: str, new: str) -> None:
    file = place.root / f"data/studies/{place.study}/study.toml"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


def test_nothing_changed_and_nothing_would(demo):
    told = _preview(demo)
    assert (told["causes"], told["leaving"], told["joining"], told["moved"]) == ([], [], [], {})
    assert _moved(told) == set()
    eligible = demo.published("SELECT count(*) AS n FROM cohort.patients")["n"].item()
    deaths = demo.published("SELECT count(*) AS n FROM cohort.endpoints WHERE endpoint = 'OS' AND event")[
        "n"
    ].item()
    numbers = _numbers(told, "before")
    assert (numbers["patients"], numbers["OS events"]) == (str(eligible), str(deaths))


@pytest.mark.parametrize("study", ["demo", pytest.param("tcga", marks=pytest.mark.slow)])
def test_records_derived_anew_give_the_cohort_of_the_refresh(study, request):
    """Derived from the received records on, every value of the cohort is that of the refresh."""
    place = request.getfixturevalue(study)
    of = project.load(place.study, place.root)
    made = previews.derived(of, "", decision_log.read(of.decisions), dt.date.today(), None)
    for name in ("eligibility", "flow", "patients", "endpoints"):
        there = _there(place, f"cohort.{name}")
        assert there.height and getattr(made, name).equals(there), name


def _assuming(of: Project, **switches: object) -> Project:
    assumptions = of.study.assumptions.model_copy(update=switches)
    return dataclasses.replace(of, study=of.study.model_copy(update={"assumptions": assumptions}))


def _preferring_tables(of: Project) -> Project:
    precedence = {topic: kinds[::-1] for topic, kinds in of.sources.precedence.items()}
    return dataclasses.replace(of, sources=of.sources.model_copy(update={"precedence": precedence}))


CONFIGURED = {
    "nothing": (lambda of: of, STEPS),
    "a window": (lambda of: with_criteria(of, window={"end": dt.date(2014, 12, 31)}), STEPS),
    "regions": (lambda of: with_criteria(of, site={"values": ("trunk",)}), STEPS),
    "techniques": (lambda of: with_criteria(of, radiotherapy={"techniques": ("VMAT",)}), STEPS),
    "an assumption": (
        lambda of: _assuming(of, alive_until="registry answer", metastasis_at_diagnosis="within window"),
        STEPS[:3],
    ),
    "precedence": (_preferring_tables, STEPS[:2]),
}
"""A change of the configuration, and the steps whose tables it leaves."""
DECIDED = {"decide": ("course.undecided", STEPS[:1]), "waive": ("diagnosis.date-unusable", STEPS[:2]),
           "acknowledge": ("diagnosis.date-unusable", STEPS)}  # fmt: skip
"""A decision, the rule of its finding, and the steps whose tables it leaves."""
SLOW = ("nothing", "regions", "an assumption", "acknowledge")


@pytest.mark.parametrize(
    "change", [pytest.param(c, marks=pytest.mark.slow if c in SLOW else ()) for c in (*CONFIGURED, *DECIDED)]
)
def test_what_stands_and_what_is_derived_anew_give_the_whole(demo, change):
    of = project.load(demo.study, demo.root)
    decisions, today = decision_log.read(of.decisions), dt.date.today()
    last = previews.refreshed(of)
    if change in CONFIGURED:
        make, stands = CONFIGURED[change]
        of = make(of)
    else:
        rule, stands = DECIDED[change]
        decisions = _with_decision(of, decisions, change, _finding(demo, rule))
    with read_only.connect(of) as warehouse, pytest.MonkeyPatch.context() as never:
        now = circumstances(of.study, of.sources, decisions, today)
        assert standing(Tables(warehouse), of, last, now) == set(stands)
        whole = dict(previews.curated(of, warehouse, "", decisions, today, None))
        never.setattr(typed_records, "type_records", None)
        made = previews.curated(of, warehouse, "", decisions, today, last)
        unchanged = {table for table, frame in whole.items() if frame.equals(_there(demo, table))}
        for table, frame in whole.items():
            assert step_cache.version(made[table]) == step_cache.version(frame), table
    after = vars(previews.derived(of, "", decisions, today, last))
    unchanged |= {name for name, frame in after.items() if frame.equals(_there(demo, f"cohort.{name}"))}
    everything = whole.keys() | after.keys()
    assert (unchanged == everything) == (change in ("nothing", "acknowledge")), "the change matters"


def _there(place, table: str) -> pl.DataFrame:
    return CONTRACTS[table].conform(place.warehouse(f"FROM {table}"))


def _with_decision(of: Project, decisions: pl.DataFrame, action: str, finding: str) -> pl.DataFrame:
    now = of.now()
    until = now.date() if action == "waive" else None
    asked = Request(finding, action, "S", "tried", until, reading=2 if action == "decide" else None)
    made = decide(ledger_of(of), decisions, [asked], now, readings_of(of))
    return pl.concat([decisions, made])


@pytest.mark.parametrize("other", ["the program", "the key", "the configuration", "a failed refresh"])
def test_nothing_stands_that_the_next_refresh_would_make_anew(demo, tmp_path, monkeypatch, other):
    of = project.load(demo.study, demo.root)
    last = previews.refreshed(of)
    if other == "the program":
        monkeypatch.setattr(provenance, "code_hash", lambda: "another")
    elif other == "the key":
        (tmp_path / "key").write_text("ab" * 32)
        monkeypatch.setattr(project.Project, "key", tmp_path / "key")
    elif other == "the configuration":
        last = dataclasses.replace(last, configuration_hash="another")
    with duckdb.connect() as warehouse:
        warehouse.execute(f"ATTACH '{of.warehouse}' AS w (READ_ONLY)")
        warehouse.execute("CREATE SCHEMA meta")
        for table in ("steps", "versions"):
            warehouse.execute(f"CREATE TABLE meta.{table} AS FROM w.meta.{table}")
        assert last.then is not None
        if other == "a failed refresh":
            assert standing(Tables(warehouse), of, last, last.then) == set(STEPS)
            warehouse.execute("UPDATE meta.versions SET version = 'new' WHERE table_name = 'typed.surgery'")
            assert standing(Tables(warehouse), of, last, last.then) == {"typed"}
        else:
            assert standing(Tables(warehouse), of, last, last.then) == set()


def test_a_decision_on_a_waived_finding_counts_for_the_rules_and_without_a_waiver_none_does(demo):
    of = project.load(demo.study, demo.root)
    none = decision_log.read(of.decisions)
    finding, other = _finding(demo, "diagnosis.date-unusable"), _finding(demo, "course.undecided")
    waived = _with_decision(of, none, "waive", finding)

    def seen(decisions: pl.DataFrame, day: dt.date) -> tuple[frozenset[str], frozenset[str]]:
        found = circumstances(of.study, of.sources, decisions, day)
        return found.waivers, found.judging

    today = of.now().date()
    assert seen(waived, today) != seen(_with_decision(of, waived, "reopen", finding), today)
    assert seen(waived, today) != seen(none, today)
    assert seen(waived, today + dt.timedelta(1)) == seen(none, today) == (frozenset(), frozenset())
    assert seen(_with_decision(of, none, "acknowledge", other), today) == seen(none, today)


_NEVER = {
    "dagster", "great_expectations", "hypothesis", "lxml", "matplotlib", "pandas", "pyarrow", "pydicom",
    "scipy", "sqlalchemy", "sarcoma_pipeline.curation.courses", "sarcoma_pipeline.curation.typed_records",
    "sarcoma_pipeline.quality.curate", "sarcoma_pipeline.curation.course_questions",
    "sarcoma_pipeline.quality.rule_catalogue",
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [(WINDOW, "end = 2018-12-31"), ('["VMAT", ', "[")])
def test_a_preview_of_a_criterion_imports_only_what_it_needs(demo, tmp_path, old, new):
    """Nobody is curated anew for a technique, or for a window that moves no index tumour."""
    file = demo.root / f"data/studies/{demo.study}/study.toml"
    other = tmp_path / "other.toml"
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    other.write_text(text.replace(old, new), "utf-8")
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        f"try: main(['preview', '--study', '{demo.study}', '--study-file', '{other}'])\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    env = {**os.environ, "SARCOMA_ROOT": str(demo.root)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert "differs   study.toml: criteria" in run.stdout
    assert not _NEVER & set(run.stderr.split())


def test_a_tried_window_excludes_who_was_irradiated_after_it(demo, tmp_path):
    """Patients whose course begins in 2015 or later are counted by hand in the warehouse."""
    late = set(
        demo.warehouse(
            """
            SELECT DISTINCT p.pseudonym
            FROM cohort.patients AS p JOIN curated.patient AS i USING (pseudonym)
            JOIN curated.radiotherapy_course AS c USING (patient_id)
            WHERE year(c.start_date) >= 2015
            """
        )["pseudonym"]
    )
    file = demo.root / f"data/studies/{demo.study}/study.toml"
    other = tmp_path / "other.toml"
    other.write_text(file.read_text("utf-8").replace(WINDOW, "end = 2014-12-31"), "utf-8")
    told = _preview(demo, "--study-file", str(other))
    assert told["causes"] == ["study.toml: criteria"]
    assert {row["pseudonym"] for row in told["leaving"]} == late and late
    assert _numbers(told, "after")["patients"] == str(86 - len(late))
    assert any("rows" in words for words in told["held_back"]), "fewer patients than [gate] allows to be lost"
    assert WINDOW in file.read_text("utf-8"), "the study's own file is untouched"


def test_nonsense_is_refused_in_the_words_of_its_door(demo, tmp_path):
    other = tmp_path / "other.toml"
    text = (demo.root / f"data/studies/{demo.study}/study.toml").read_text("utf-8")
    other.write_text(text.replace('rule = "window"', 'rule = "windw"'), "utf-8")
    said = demo.sarcoma("preview", "--study", demo.study, "--study-file", str(other))
    assert said.exit_code == 2 and "study.toml" in said.output and "window" in said.output
    assert demo.sarcoma("preview", "--study", demo.study, "--waive", "nothing").exit_code == 2
    said = demo.sarcoma("preview", "--study", demo.study, "--decide", _finding(demo, FOUND_BY[0]))
    assert said.exit_code == 2 and "FINDING=READING" in said.output


def test_another_way_of_reading_needs_a_refresh(copy):
    file = copy.root / f"data/studies/{copy.study}/sources.toml"
    text = file.read_text("utf-8")
    name = project.load(copy.study, copy.root).sources.source[0].name
    first = text.index("files = [")
    file.write_text(text[:first] + 'files = ["elsewhere/*", ' + text[first + len("files = [") :], "utf-8")
    said = copy.sarcoma("preview", "--study", copy.study)
    assert said.exit_code == 1 and f'"{name}"' in said.output and "sarcoma refresh --draft" in said.output


@pytest.mark.slow
def test_the_refresh_after_a_preview_has_its_numbers(copy):
    """A decision, a waiver and another window: first tried, then recorded, then refreshed."""
    undecided, unusable = (_finding(copy, rule) for rule in FOUND_BY)
    before = (copy.root / f"data/warehouse/{copy.study}.duckdb").read_bytes()
    tried = _preview(copy, "--decide", f"{undecided}=1", "--waive", unusable)
    assert tried["causes"] == ["1 new decision: decide", "1 new decision: waive"]
    assert len(tried["joining"]) == 1 and "patients" in _moved(tried)
    assert (copy.root / f"data/warehouse/{copy.study}.duckdb").read_bytes() == before
    assert not (copy.root / f"data/decisions/{copy.study}.csv").exists()

    by = ("--study", copy.study, "--by", "S", "--reason", "asked")
    assert copy.sarcoma("findings", "decide", undecided, "--reading", "1", *by).exit_code == 0
    assert copy.sarcoma("findings", "waive", unusable, "--until", "2999-12-31", *by).exit_code == 0
    assert _numbers(_preview(copy), "after") == _numbers(tried, "after")
    _change(copy, WINDOW, "end = 2019-12-31")
    last = _preview(copy)
    assert last["leaving"] and last["held_back"] == []
    assert copy.refresh().exit_code == 0, copy.outcome
    after = _preview(copy)
    assert _numbers(after, "before") == _numbers(last, "after")
    assert after["causes"] == [] and _moved(after) == set()
    cohort = set(copy.published("SELECT pseudonym FROM cohort.patients")["pseudonym"])
    assert {row["pseudonym"] for row in last["leaving"]}.isdisjoint(cohort)
    assert set(last["joining"]) <= cohort
    # Without its waiver, the record is in quarantine again.
    reopened = _preview(copy, "--reopen", unusable)
    assert reopened["causes"] == ["1 new decision: reopen"]
    assert [row["pseudonym"] for row in reopened["leaving"]] == tried["joining"]
