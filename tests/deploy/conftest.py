"""Servers for the tests, from Debian's packages: PostgreSQL and Redis."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def redis(tmp_path):
    """Return the URL of an empty Redis that listens on loopback and stores nothing."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs Debian's redis-server")
    port = _free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    server = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Return the URL of an empty database on a server that listens on loopback."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("needs Debian's postgresql")
    folder = Path("/tmp") / f"sarcoma-postgres-{os.getpid()}"
    folder.mkdir()
    # PostgreSQL refuses to run as root.
    who = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        who = ["runuser", "-u", "postgres", "--"]
    port = _free_port()

    def run(program, *words):
        command = [*who, str(binaries / program), *words]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    run("initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "sarcoma", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
    run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "sarcoma", "dagster")
        yield f"postgresql://sarcoma@127.0.0.1:{port}/dagster"
    finally:
        run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder)
