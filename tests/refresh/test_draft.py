"""A draft stands beside the release; what cannot be right is never published, and says the way out."""

import duckdb
import pytest

from sarcoma_pipeline.publish import release
from tests.operations.conftest import ROWS, SOURCES, STUDY
from tests.refreshed import REPOSITORY, Place


@pytest.fixture
def small(tmp_path) -> Place:
    place = Place(tmp_path, "small")
    for folder in (place.drop, place.home, tmp_path / "data/studies/small"):
        folder.mkdir(parents=True)
    (place.home / "dagster.yaml").write_text((REPOSITORY / "dagster_home/dagster.yaml").read_text())
    _write(place)
    return place


def _write(place: Place, study: str = STUDY, sources: str = SOURCES, rows=ROWS) -> None:
    folder = place.root / "data/studies/small"
    (folder / "study.toml").write_text(study)
    (folder / "sources.toml").write_text(sources)
    (place.drop / "t.csv").write_text("\n".join(["Pat;Geschlecht;ED;Alter;Status;Stand", *rows]) + "\n")


def _draft(path) -> bool:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT draft FROM meta.release").fetchall()[0][0]


@pytest.mark.slow
def test_a_draft_is_marked_everywhere_and_no_release_is_compared_with_it(small):
    assert small.refresh("--draft").exit_code == 0
    published = small.root / "data/published/small"
    assert not small.release.exists() and _draft(published / "draft/draft_cohort.duckdb")
    page = (published / "draft/report/index.html").read_text()
    assert "<title>DRAFT: A small study</title>" in page and "This is a draft" in page
    told = small.sarcoma("status", "--study", "small").output
    assert "none yet" in told and "not a release" in told
    assert "nothing has been published yet" in told

    # Half the patients of the draft: a release could not lose them in a night.
    _write(small, rows=ROWS[:2])
    assert small.refresh().exit_code == 0
    assert not _draft(small.release) and "DRAFT" not in (published / "report/index.html").read_text()
    assert _draft(published / "draft/draft_cohort.duckdb")

    # A release that is withdrawn is no measure of the next one.
    _write(small, rows=ROWS)
    assert small.refresh().exit_code == 0
    _write(small, rows=ROWS[:2])
    assert small.refresh().exit_code == 1
    assert small.sarcoma("release", "withdraw", "--study", "small", "--reason", "a trial").exit_code == 0
    assert not small.release.exists()
    # The release before it had two patients too, and was not withdrawn.
    assert small.refresh().exit_code == 0, small.outcome


@pytest.mark.slow
def test_what_cannot_be_right_is_not_published_and_says_the_way_out(small):
    # Every death has lost its date.
    rows = [row if "lebt" in row else row.rpartition(";")[0] + ";" for row in ROWS]
    _write(small, rows=rows)
    told = small.refresh()
    assert told.exit_code == 1 and not small.release.exists()
    assert (
        "OS has no event, although deaths of 2 persons (2 without a readable date) were read" in told.output
    )
    assert "may_lack_events" in told.output
    _write(small, study=f'{STUDY}\n[gate]\nmay_lack_events = ["OS"]\n', rows=rows)
    assert small.refresh().exit_code == 0


@pytest.mark.slow
def test_words_that_no_condition_knows_are_not_published(small):
    chosen = SOURCES.replace(
        'entity = "vital_status"\n',
        'entity = "vital_status"\nwhen = [{ column = "Status", equals = ["lebt"] }]\n',
    )
    _write(small, sources=chosen, rows=[row.replace("lebt", "am Leben") for row in ROWS])
    told = small.refresh()
    assert told.exit_code == 1 and not small.release.exists()
    assert '4 of 4 filled cells of column "Status" of source "sheet" meet no condition' in told.output


def test_what_was_withdrawn_and_what_was_published_again(tmp_path):
    (tmp_path / "log.csv").write_text("at,who,from,to,reason\n1,a,R3,R2,x\n2,a,R2,,x\n3,a,,R3,y\n")
    assert release.withdrawn(tmp_path) == {"R2"}
    assert release.withdrawn(tmp_path / "nowhere") == set()
