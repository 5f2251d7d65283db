"""Words that senders can plant anywhere are found in the warehouse only."""

import os
import random
import re
import unicodedata
import zlib

import dagster as dg
import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.orchestration import notification, opinion_process, told_of_run
from sarcoma_pipeline.study import project
from sarcoma_pipeline.synthetic import render
from tests.refresh import planted_words
from tests.refresh.test_movement import _EXAM, _in_days, _report
from tests.refreshed import SEED, lay


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """The demo with planted words after its refresh, and the words with their places."""
    place = lay(tmp_path_factory.mktemp("marked") / "root")
    render.demo(place.drop, SEED, place.root / "data/demo")
    planted, draw = planted_words.Planted(), random.Random(SEED)
    before = _people(place.drop)
    planted_words.in_obds(place.drop / "obds/tudok_2009-2012.xml", planted, draw)
    for kind in ("RP", "RS", "RD", "CT", "RT"):
        for file in sorted((place.drop / "dicom").glob(f"*/{kind}*"))[:2]:
            planted_words.in_dicom(file, planted)
    planted_words.in_table(place.drop / "tables/sarkomtabelle.csv", planted, "cp1252")
    planted_words.in_table(place.drop / "registry/meldeamt_nord.csv", planted, "latin-1")
    planted_words.in_names(place.drop, planted)
    assert len(planted.words) >= 200
    planted_words.spelt(place.drop, planted, before)
    place.refresh()
    return place, planted.words


def _people(drop):
    names = re.compile(
        r'<Patient Patient_ID="(\d+)">.*?<Nachname>([^<]+)</Nachname>\s*<Vornamen>([^<]+)</Vornamen>'
        r".*?<Geburtsdatum[^>]*>(\d{4}-\d\d-\d\d)<",
        re.S,
    )
    rows = names.findall((drop / "obds/tudok_2013-2015.xml").read_text("utf-8"))
    frame = pl.DataFrame(
        rows, schema=["hospital_number", "family_name", "given_names", "birth_date"], orient="row"
    )
    chosen = frame.filter(pl.col("family_name").str.contains("[äöü]")).head(2)
    return chosen.select("family_name", "given_names", pl.col("birth_date").str.to_date(), "hospital_number")


def _hits(text: str, words) -> set[str]:
    text = unicodedata.normalize("NFC", text.lower())
    found = set()
    for word in words:
        plain = unicodedata.normalize("NFC", word)
        if plain in text and re.search(rf"(?<![a-z0-9äöüß]){re.escape(plain)}(?![a-z0-9äöüß])", text):
            found.add(word)
    return found


def _texts(place):
    """Everything that is published, mailed, logged or stored by Dagster, as text."""
    yield "terminal", place.outcome.output
    for folder in (place.release.parent, place.root / "data/notifications", place.home):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            yield "file name", path.name
            name = str(path.relative_to(place.root))
            if path.suffix == ".duckdb":
                with duckdb.connect(str(path), read_only=True) as c:
                    tables = c.execute(
                        # With the catalog: a file cohort.duckdb has a schema of the same name.
                        "SELECT '\"' || table_catalog || '\".' || table_schema || '.' || table_name "
                        "FROM information_schema.tables"
                    )
                    for (table,) in tables.fetchall():
                        yield f"{name} {table}", c.execute(f"FROM {table}").pl().write_ndjson()
            elif path.suffix == ".pdf":
                for stream in re.findall(rb"stream\r?\n(.*?)endstream", path.read_bytes(), re.S):
                    try:
                        yield name, zlib.decompress(stream).decode("latin-1")
                    except zlib.error:
                        yield name, stream.decode("latin-1")
            else:
                yield name, path.read_bytes().decode("utf-8", "replace")


@pytest.mark.slow
def test_no_planted_word_leaves_the_warehouse(marked):
    place, words = marked
    found = {(where, word, words[word]) for where, text in _texts(place) for word in _hits(text, words)}
    assert found == set()


@pytest.mark.slow
def test_the_words_were_read(marked):
    place, words = marked
    raw = "".join(
        place.warehouse(f"FROM {schema}.{table}").write_ndjson().lower()
        for schema, table in place.warehouse(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = 'received'"
        ).iter_rows()
    )
    markers = {word for word in words if word.startswith("zqm")}
    assert sum(word in raw for word in markers) > len(markers) / 2


@pytest.fixture(scope="module")
def second(marked, tmp_path_factory):
    """The night after, on which values move in silence, and every text that the program writes about it."""
    place, words = marked
    place = place.copied(tmp_path_factory.mktemp("second") / "root")
    planted = planted_words.Planted(dict(words))
    exams = place.warehouse(_EXAM).head(3).rows(named=True)
    assert exams
    for exam in exams:
        path = place.drop / exam["path"]
        text = path.read_text("utf-8")
        start, end = _report(text, exam["report"])
        report = text[start:end].replace(exam["day"], _in_days(exam["day"], 14))
        report = report.replace("</Meldung>", f"<!-- {planted.marker('a comment')} --></Meldung>")
        path.write_text(text[:start] + report + text[end:], "utf-8")
    for path in sorted({place.drop / exam["path"] for exam in exams}):
        path.rename(path.with_name(f"{planted.marker('name of a file that moves values')}.xml"))
    table = place.drop / "tables/sarkomtabelle.csv"
    before = table.stat()
    marker = planted.marker("a cell of a file that was replaced without a sign")
    text = table.read_bytes()
    old = next(w for w in words if w.startswith("zqm") and words[w].startswith("sarkomtabelle.csv "))
    assert len(old) == len(marker) and old.encode() in text
    table.write_bytes(text.replace(old.encode(), marker.encode()))
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    names = (
        ".DS_Store",
        f".{planted.marker('a hidden file')}.xml",
        f".~lock.{planted.marker('a lock')}.csv#",
    )
    for name in (*names, f"._{planted.marker('what macOS keeps')}"):
        (place.drop / name).write_text(planted.marker("content of a hidden file"))
    told = place.refresh("--verify")
    assert told.exit_code == 0, told.output

    study = project.load(place.study, place.root)
    kept = sorted(p.stem for p in (study.published / "releases").glob("*.duckdb"))
    opinion_process.give(study, kept[-1], kept[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(place.home))
        with dg.DagsterInstance.get() as instance:
            run = instance.get_runs(limit=1)[0].run_id
            message = notification.message(place.study, run, told_of_run.night(instance, run))
    assert message and "nothing says why" in f"{message}"
    notification.deliver(message, study.notifications, run, None)
    letters = place.root / "data/letters.csv"
    commands = (
        ("status",), ("status", "--json"), ("doctor",), ("release", "list"), ("release", "public"),
        ("release", "diff", "previous", "current"), ("findings", "list"),
        ("findings", "export", str(letters)),
        ("report", "--into", str(study.published / "report_asked")),
        ("report", "--public"), ("export", "--format", "csv", "--into", str(study.published / "exported")),
    )  # fmt: skip
    texts = {" ".join(words): place.sarcoma(*words).output for words in commands}
    texts["letters"] = letters.read_text("utf-8-sig")
    return place, planted.words, texts


@pytest.mark.slow
def test_no_planted_word_leaves_through_what_moved(second):
    """Account of movement, release diff, letters, mails, second opinion, public versions, value account."""
    place, words, texts = second
    everything = [*_texts(place), *texts.items()]
    found = {(where, word, words[word]) for where, text in everything for word in _hits(text, words)}
    assert found == set()


@pytest.mark.slow
def test_what_moved_was_told(second):
    """The search would be empty if there were nothing to search."""
    place, _, texts = second
    assert "UNEXPLAINED" in texts["release diff previous current"]
    assert "nothing says why" in texts["status"]
    assert "release.moved-unexplained" in texts["letters"] and "file.hidden" in texts["letters"]
    assert (place.release.parent / "second_opinion.json").exists()
    rules = place.warehouse("SELECT DISTINCT rule_id FROM quality.findings")["rule_id"].to_list()
    assert {"file.replaced-unseen", "file.hidden", "file.left-behind"} <= set(rules)
    assert (
        place.warehouse("FROM meta.movement_record").height
        and place.warehouse("FROM meta.value_account").height
    )
