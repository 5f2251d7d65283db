"""Decisions, backups, restores and rotations that are killed within their window lose nothing.

The short runs kill once or twice per command; ``pytest -m marathon`` kills before every change of the disk.
"""

from pathlib import Path

import pytest

from sarcoma_pipeline.operations import backup
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study import project
from tests.refreshed import Place
from tests.reliability.killed_commands import kill_before, moments
from tests.reliability.kills import decided, whole


def _decide(place: Place, reason: str, at: int = 0) -> tuple[str, ...]:
    open_ = place.warehouse("SELECT finding_id FROM quality.ledger WHERE status = 'open' ORDER BY 1")
    finding = open_["finding_id"][at]
    return "findings", "acknowledge", finding, "--by", "steward", "--reason", reason


def _done(place: Place, *words: str) -> None:
    told = place.sarcoma(*words, "--study", place.study)
    assert told.exit_code == 0, told.output


def _sound(place: Place) -> None:
    _done(place, "doctor")
    whole(place)


def _killed_decision(place: Place, call: int, archive: str) -> None:
    _done(place, *_decide(place, "first"))
    log = decided(place)
    kill_before(place, call, *_decide(place, "killed", 1))
    assert decided(place)[: len(log)] == log
    read = decision_log.read(place.root / f"data/decisions/{place.study}.csv")
    assert set(read["reason"]) <= {"first", "killed"} and "first" in set(read["reason"])
    _done(place, *_decide(place, "again", 2))
    reasons = decision_log.read(place.root / f"data/decisions/{place.study}.csv")["reason"].to_list()
    assert reasons[0] == "first" and reasons[-1] == "again"


def _killed_backup(place: Place, call: int, archive: str) -> None:
    _done(place, "backup", "--into", archive)
    before = Path(archive).read_bytes()
    _done(place, *_decide(place, "since"))
    kill_before(place, call, "backup", "--into", archive, beside=str(Path(archive).parent))
    assert Path(archive).read_bytes() == before, "the archive before stands until the new one is verified"
    _done(place, "backup", "--into", archive)
    _done(place, "restore", archive, "--replace")
    assert any("since" in line for line in decided(place))


def _killed_restore(place: Place, call: int, archive: str) -> None:
    _done(place, *_decide(place, "before"))
    _done(place, "backup", "--into", archive)
    _done(place, *_decide(place, "since the backup", 1))
    log, content = decided(place), whole(place)
    kill_before(place, call, "restore", archive, "--replace")
    assert decided(place)[: len(log)] == log, "no decision is lost, however far the restore came"
    assert whole(place) == content
    _done(place, "restore", archive, "--replace")
    assert decided(place) == log


def _killed_rotation(place: Place, call: int, archive: str) -> None:
    study = project.load(place.study, place.root)
    key = study.key.read_bytes()
    kill_before(place, call, "key", "rotate", "--yes")
    kept = [path.read_bytes() for path in study.key.parent.glob(f"{study.key.name}.2*")]
    assert study.key.read_bytes() == key or key in kept
    assert backup.backup(study, study.root / "after.tar"), "the next command ends the rotation or undoes it"
    assert not [path for path in study.key.parent.iterdir() if path.suffix in (".part", ".next")]


COMMANDS = {
    "decision": (_killed_decision, lambda place, _: _decide(place, "x")),
    "backup": (_killed_backup, lambda _, archive: ("backup", "--into", archive)),
    "restore": (_killed_restore, lambda _, archive: ("restore", archive, "--replace")),
    "rotation": (_killed_rotation, lambda *_: ("key", "rotate", "--yes")),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "call"),
    [("decision", 1), ("backup", 1), ("restore", 4), ("restore", 8), ("rotation", 4)],
)
def test_a_command_that_is_killed_loses_nothing(copy, tmp_path, command, call):
    (tmp_path / "safe").mkdir()
    COMMANDS[command][0](copy, call, str(tmp_path / "safe/night.tar"))
    _sound(copy)


@pytest.mark.marathon
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_killed_at_every_moment_loses_nothing(demo, tmp_path, command):
    run, words = COMMANDS[command]
    (tmp_path / "safe").mkdir()
    archive = str(tmp_path / "safe/night.tar")
    trial = demo.copied(tmp_path / "trial")
    if command == "restore":
        _done(trial, *_decide(trial, "before"))
        _done(trial, "backup", "--into", archive)
        _done(trial, *_decide(trial, "since", 1))
    calls = moments(trial, *words(trial, archive), beside=str(tmp_path / "safe"))
    print(f"{command}: killed before each of {calls}")
    assert calls
    for call in range(1, len(calls) + 1):
        place = demo.copied(tmp_path / f"{command}-{call}")
        run(place, call, str(tmp_path / f"safe/{call}.tar"))
        _sound(place)
