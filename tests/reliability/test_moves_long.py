"""Mutated exports, night after night: no released value moves without its entry in the account.

The mutator knows the structure: it shifts dates, swaps codes and numbers, repeats, removes and empties
elements of single reports of the tumour documentation. ``pytest -m marathon``.
"""

import datetime as dt
import random
import re

import duckdb
import polars as pl
import pytest
from lxml import etree

from tests.refreshed import Place, first_refresh

pytestmark = pytest.mark.marathon

NIGHTS = 6
REPORTS = 12
"""Reports that are mutated per night."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _mutate(report: etree._Element, draw: random.Random) -> None:
    """Change one thing of a report."""
    leaves = [e for e in report.iter() if len(e) == 0 and e.text and e.text.strip()]
    leaf = draw.choice(leaves)
    parent = leaf.getparent()
    dates = [e for e in leaves if _DAY.fullmatch(e.text or "")]
    kind = draw.choice(("shift", "shift", "shift", "repeat", "remove", "empty", "digit"))
    if kind == "shift" and dates:
        dated = draw.choice(dates)
        day = dt.date.fromisoformat(dated.text) + dt.timedelta(days=draw.choice((-90, -7, -1, 1, 7, 90, 400)))
        dated.text = day.isoformat()
    elif kind == "repeat":
        parent.insert(parent.index(leaf), etree.fromstring(etree.tostring(leaf)))
    elif kind == "remove":
        parent.remove(leaf)
    elif kind == "empty":
        leaf.text = ""
    else:
        leaf.text = re.sub(r"\d", lambda _: str(draw.randrange(10)), leaf.text, count=1)


def _mutated(place: Place, draw: random.Random) -> None:
    files = sorted((place.drop / "obds").glob("tudok_20??-20??.xml"))
    for _ in range(REPORTS):
        path = draw.choice(files)
        tree = etree.parse(path)
        _mutate(draw.choice(list(tree.iter("{*}Meldung"))), draw)
        tree.write(path, encoding="UTF-8", xml_declaration=True)


def _cells(place: Place) -> set[tuple[str, ...]]:
    """Return every released value of patients: table, patient, row, column, value."""
    found: set[tuple[str, ...]] = set()
    with duckdb.connect(str(place.release), read_only=True) as release:
        for table in ("cohort.patients", "cohort.endpoints"):
            rows = release.execute(f"FROM {table}").pl().to_dicts()
            for row in rows:
                who, endpoint = row["pseudonym"], row.get("endpoint") or ""
                values = {k: v for k, v in row.items() if not isinstance(v, list)}
                found |= {(table, who, endpoint, column, str(value)) for column, value in values.items()}
    return found


@pytest.fixture
def place(tmp_path_factory, tmp_path) -> Place:
    return first_refresh(tmp_path_factory, "sts_imrt").copied(tmp_path / "root")


@pytest.mark.parametrize("seed", [1, 2])
def test_no_released_value_moves_without_an_entry_and_no_silent_one_without_a_finding(place, seed):
    draw = random.Random(seed)
    published = 0
    for _ in range(NIGHTS):
        before, label = _cells(place), place.published("SELECT refresh_id FROM meta.release").item()
        _mutated(place, draw)
        place.refresh()
        assert place.outcome and "cohort" in place.outcome.output
        if place.published("SELECT refresh_id FROM meta.release").item() == label:
            continue
        published += 1
        other = {cell[:4] for cell in before ^ _cells(place)}
        account = place.warehouse(f"FROM meta.movement WHERE compared_with = '{label}'")
        told = account.select("table_name", "pseudonym", pl.col("row").fill_null(""), "column_name")
        rows = {row[:3] for row in told.filter(pl.col("column_name") == "(row)").rows()}
        missing = {cell for cell in other - set(told.rows()) if cell[:3] not in rows}
        assert missing == set()
        needing = place.warehouse(
            "SELECT DISTINCT r.pseudonym, r.record_now, r.new_rules, r.change FROM meta.movement_record r "
            "WHERE r.moved AND r.change IN ('changed', 'vanished', 'outranked', 'set aside')"
        )
        silent = set(needing.filter(pl.col("new_rules").list.len() == 0)["pseudonym"])
        found = set(
            place.warehouse("SELECT pseudonym FROM quality.findings WHERE rule_id LIKE 'release.%'")[
                "pseudonym"
            ]
        )
        assert silent <= found
    assert published
