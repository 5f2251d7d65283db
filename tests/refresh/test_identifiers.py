"""Identifying data stays in the warehouse: not in the release, Dagster's storage, logs or the terminal."""

import datetime as dt
import re

import duckdb
import pytest


@pytest.fixture(scope="module")
def identifiers(demo) -> list[bytes]:
    """Return names, numbers and birth dates (in every notation) of all persons in the demo."""
    persons = demo.warehouse("SELECT hospital_number, family_name, given_names, birth_date FROM typed.person")
    words: set[str] = set()
    for number, family, given, born in persons.iter_rows():
        # Short words occur by chance.
        words |= {word for word in (number, family, given) if word and len(word) > 3}
        if isinstance(born, dt.date):
            words |= {born.strftime(f) for f in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d")}
    assert len(words) > 400
    return [word.encode(code) for word in words for code in ("utf-8", "latin-1")]


def _hits(content: bytes, identifiers: list[bytes]) -> list[bytes]:
    # Whole words only: "bottom" does not contain the name "Otto".
    content = content.lower()
    # An identifier can only be there if each of its runs of letters and digits is.
    runs = set(_RUN.findall(content))
    possible = {word for i in identifiers if runs.issuperset(_RUN.findall(word := i.lower()))}
    if not possible:
        return []
    words = b"|".join(re.escape(word) for word in sorted(possible, key=len, reverse=True))
    return sorted(set(re.findall(rb"(?<![a-z0-9])(?:" + words + rb")(?![a-z0-9])", content)))


_RUN = re.compile(rb"[a-z0-9]+")


def test_the_search_finds_whole_words_only():
    """Words with umlauts, dates and several parts, in any case; none within another word."""
    sought = [b"Otto", b"1950-03-04", "Müller-Lüdenscheidt".encode(), b"von Berg"]
    assert _hits(b"bottom, ottomane, 21950-03-04, von Bergen", sought) == []
    assert _hits(b"<td>OTTO</td>1950-03-04; von berg", sought) == [b"1950-03-04", b"otto", b"von berg"]
    assert _hits("an müller-lüdenscheidt.".encode(), sought) == ["müller-lüdenscheidt".encode()]


def test_not_in_the_terminal(demo, identifiers):
    assert _hits(demo.outcome.output.encode(), identifiers) == []
    listed = demo.sarcoma("findings")
    assert listed.exit_code == 0 and "findings" in listed.output
    assert _hits(listed.output.encode(), identifiers) == []


def test_not_in_anything_that_dagster_stores(demo, identifiers):
    stored = [p for p in demo.home.rglob("*") if p.is_file()]
    events = [p for p in stored if p.suffix == ".db" and p.stat().st_size > 100_000]
    assert events, "the run left an event log"
    for path in stored:
        assert _hits(path.read_bytes(), identifiers) == [], path.name


def test_not_in_the_release(demo, identifiers):
    for path in demo.release.parent.rglob("*.duckdb"):
        with duckdb.connect(str(path), read_only=True) as c:
            names = c.execute(
                "SELECT '\"' || table_catalog || '\".' || table_schema || '.' || table_name "
                "FROM information_schema.tables"
            )
            for (name,) in names.fetchall():
                content = c.execute(f"FROM {name}").pl().write_ndjson().encode()
                assert _hits(content, identifiers) == [], name


def test_not_on_any_page_or_in_a_notification(demo, identifiers):
    pages = [
        path
        for folder in (demo.release.parent, demo.root / "data/notifications")
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".html", ".txt", ".json", ".css", ".js")
    ]
    assert {"steward.html", "index.html"} <= {path.name for path in pages}
    for path in pages:
        assert _hits(path.read_bytes(), identifiers) == [], path.name


def test_no_calendar_date_in_the_release(demo):
    kinds = demo.published("SELECT DISTINCT data_type FROM information_schema.columns")
    assert not set(kinds["data_type"]) & {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}


def test_the_search_finds_identifiers_in_raw_files(demo, identifiers):
    raw = b"".join(p.read_bytes() for p in (demo.drop / "registry").glob("*.csv"))
    assert _hits(raw, identifiers)


def test_pages_and_dagsters_storage_are_closed_to_others(demo):
    """Walk through the tree after a refresh: files are 0640 or stricter, folders 0750 or stricter."""
    shared = (demo.home, demo.release.parent, demo.root / "data/notifications")
    paths = [p for folder in shared if folder.exists() for p in (folder, *folder.rglob("*"))]
    assert len([p for p in paths if p.is_file()]) > 10
    assert {str(p): oct(p.stat().st_mode) for p in paths if p.stat().st_mode & 0o027} == {}


def test_restricted_files_are_readable_by_their_owner_only(demo):
    for path in (demo.root / "data/warehouse").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
