"""Words that senders can plant anywhere are found in the warehouse only."""

import random
import re
import unicodedata
import zlib

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.synthetic import render
from tests.refresh import planted_words
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
                        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
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
