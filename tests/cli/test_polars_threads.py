"""A small study is refreshed with one thread of polars, a large one with as many as polars chooses."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from sarcoma_pipeline.study import polars_threads
polars_threads._FILES, polars_threads._BYTES = 5, 1000
polars_threads.choose(sys.argv[1])
assert "polars" not in sys.modules
import polars
print(polars.thread_pool_size())
"""

_CHOSEN = len(os.sched_getaffinity(0))
"""What polars chooses by itself; on a machine with one core these tests cannot fail."""


FAULTY = ("broken", "listed", "silent", "unprintable", "away", "odd centres")


@pytest.fixture
def root(tmp_path):
    for name, text in {
        "one": 'drop = "drop/one"',
        "pooled": '[centres]\nnorth = "drop/north"\nsouth = "drop/south"',
        "broken": "drop = ",
        "listed": "drop = [1]",
        "silent": 'name = "silent"',
        "unprintable": 'drop = "a\\u0000b"',
        "away": 'drop = "drop/away"',
        "odd centres": "centres = 1",
    }.items():
        (tmp_path / "data/studies" / name).mkdir(parents=True)
        (tmp_path / "data/studies" / name / "study.toml").write_text(text)
    for folder in ("one/plans", "north", "south"):
        (tmp_path / "drop" / folder).mkdir(parents=True)
    return tmp_path


def threads(root, study, **asked) -> int:
    clean = {name: of for name, of in os.environ.items() if name != "POLARS_MAX_THREADS"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, study],
        env=clean | {"SARCOMA_ROOT": str(root)} | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(run.stdout)


def test_a_small_study_has_one_thread_unless_another_number_is_asked_for(root):
    (root / "drop/one/plans/a.dcm").write_bytes(b"-" * 999)
    assert threads(root, "one") == 1
    assert threads(root, "one", POLARS_MAX_THREADS="3") == 3


@pytest.mark.parametrize(
    ("study", "files"),
    [
        ("one", {f"one/plans/{n}": 1 for n in range(5)}),
        ("one", {"one/export.xml": 600, "one/plans/a.dcm": 400}),
        ("pooled", {"north/export.xml": 600, "south/export.xml": 400}),
    ],
    ids=["many files", "large files", "large centres together"],
)
def test_a_large_study_has_the_threads_that_polars_chooses(root, study, files):
    for path, size in files.items():
        (root / "drop" / path).write_bytes(b"-" * size)
    assert threads(root, study) == _CHOSEN


@pytest.mark.parametrize("study", [*FAULTY, "missing", "../one"])
def test_a_study_that_cannot_be_read_is_left_to_the_check_of_its_configuration(root, study):
    assert threads(root, study) == _CHOSEN


def test_dagster_s_processes_choose_before_polars_is_imported(root):
    """The daemon starts runs by the module of definitions; the configuration of this study is not read."""
    script = (
        "import sys\nfrom sarcoma_pipeline import definitions\nassert 'polars' not in sys.modules\n"
        "try: definitions.one()\nexcept Exception as refused: print(type(refused).__name__)\n"
        "import polars\nprint(polars.thread_pool_size())"
    )
    clean = {name: of for name, of in os.environ.items() if name != "POLARS_MAX_THREADS"}
    env = clean | {"SARCOMA_ROOT": str(root)}
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["ConfigurationWrong", "1"]


@pytest.mark.parametrize("study", FAULTY)
@pytest.mark.parametrize("command", ["refresh", "preview"])
def test_a_command_tells_what_is_wrong_with_the_configuration(root, study, command):
    script = f"from sarcoma_pipeline.cli import main\nmain(['{command}', '--study', '{study}'])"
    env = {**os.environ, "SARCOMA_ROOT": str(root)}
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "study.toml" in run.stderr and "Traceback" not in run.stderr
