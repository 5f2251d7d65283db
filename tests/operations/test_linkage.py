"""``sarcoma linkage``: counts of a set whose answers are known by construction."""

import pytest

from sarcoma_pipeline.operations import linkage

PERSONS = """\
family_name,given_names,birth_date,sex,identity
Hofmann,Anna,1951-04-12,w,1
Hofmann,Anna,1951-04-12,w,1
Baumann,Bert,1942-05-03,m,2
Bauman,Bert,1942-05-03,m,2
Kleinert,Curt,1933-06-14,m,3
Grossmann,Dieter,1960-01-01,m,3
Lindner,Eva,1970-07-15,w,4
Lindner,Eva,1970-07-15,w,5
Winter,Fritz,1955-08-16,m,6
Winter,Fritz,1955-08-16,,6
"""


def test_each_pair_is_counted_once(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(PERSONS)
    # 1 is exact, 2 has one letter less, 3 is another person by name and birth, 6 lacks the sex.
    # 4 and 5 are two patients with the same details: neither is a further record.
    found = linkage.rates(linkage.read(path))
    assert found == linkage.Rates(6, 4, linked=1, offered=2, missed=1, wrong_links=0, wrong_offers=0)


def test_a_record_of_nobody_that_fits_somebody_is_a_wrong_link(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(PERSONS + "Hofmann,Anna,1951-04-12,w,4\nHofman,Anna,1951-04-12,w,5\n")
    found = linkage.rates(linkage.read(path))
    assert (found.pairs, found.wrong_links, found.wrong_offers) == (6, 1, 1)


def test_names_in_parts_and_dates_in_parts(tmp_path, place):
    path = tmp_path / "pairs.csv"
    path.write_text(
        "fname_c1,fname_c2,lname_c1,lname_c2,by,bm,bd,identity\n"
        "CARSTEN,,MEIER,,1949,7,22,34.0\nCARSTEN,,MEIER,,1949,7,22,34.0\nGERD,KARL,BAUER,,1968,7,27,51.0\n"
        "GERD,,BAUER,,1968,7,27,51.0\n"
    )
    found = linkage.rates(linkage.read(path))
    assert (found.pairs, found.linked, found.offered) == (2, 1, 1)
    told = place.run("linkage", str(path)).output
    assert "linked             1   50.00 % of 2 pairs" in told


@pytest.mark.parametrize("drop", ["identity", "birth_date", "family_name"])
def test_a_missing_column_is_named(tmp_path, place, drop):
    path = tmp_path / "pairs.csv"
    path.write_text(PERSONS.replace(drop, "other", 1))
    result = place.run("linkage", str(path))
    assert result.exit_code == 2 and drop in result.output
