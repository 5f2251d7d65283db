"""Deployment files: units and containers start existing programs; every variable is documented."""

import configparser
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))


def _unit(path):
    class Several(dict):
        def __setitem__(self, key, value):
            if key in self and isinstance(value, list):
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    unit = configparser.ConfigParser(dict_type=Several, strict=False, interpolation=None)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read(path)
    return unit


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_starts_a_program_that_takes_its_options(path):
    program, *words = _unit(path)["Service"]["ExecStart"].split()
    program = Path(sys.executable).parent / Path(program).name
    command = [str(program), *[w for w in words if not w.startswith("-") and w == "run"], "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for option in (w for w in words if w.startswith("-")):
        assert re.search(rf"(^|\s){option}\b", told), option


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_systemd_accepts_a_unit(path, tmp_path):
    # systemd checks that the program exists, and here it is installed elsewhere.
    unit = re.sub(r"(?m)^(ExecStart(?:Pre)?=)\S+", rf"\1{sys.executable}", path.read_text())
    (tmp_path / path.name).write_text(unit)
    told = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / path.name)], capture_output=True, text=True
    )
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_can_write_only_to_its_data(path):
    service = _unit(path)["Service"]
    assert service["ProtectSystem"] == "strict" and service["NoNewPrivileges"] == "yes"
    assert service["User"] == "sarcoma"
    assert {Path(p).name for p in service["ReadWritePaths"].split()} == {"data", "dagster_home"}


def test_out_of_memory_kills_a_reader_and_not_the_refresh():
    daemon = _unit(ROOT / "deploy/systemd/sarcoma-daemon.service")["Service"]
    assert daemon["OOMPolicy"] == "continue" and daemon["Restart"] == "always"


def test_the_ui_listens_on_loopback():
    webserver = _unit(ROOT / "deploy/systemd/sarcoma-webserver.service")["Service"]["ExecStart"]
    assert "-h 127.0.0.1" in webserver
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    assert all(p.startswith("127.0.0.1:") for p in compose["services"]["webserver"]["ports"])


@pytest.mark.parametrize("name", ["compose.yaml", "compose-several.yaml"])
def test_only_one_service_creates_dagsters_tables(name):
    services = yaml.safe_load((ROOT / "deploy" / name).read_text())["services"]
    assert services["webserver"]["depends_on"] == {"daemon": {"condition": "service_healthy"}}
    assert services["daemon"]["healthcheck"]["test"][-1] == "liveness-check"
    units = {unit: _unit(ROOT / f"deploy/systemd/sarcoma-{unit}.service") for unit in ("daemon", "webserver")}
    assert units["daemon"]["Service"]["ExecStartPre"].endswith("dagster instance info")
    assert "sarcoma-daemon.service" in units["webserver"]["Unit"]["After"]
    assert "0.0.0.0" not in (ROOT / "Makefile").read_text()


def test_environment_variables_are_documented():
    source = "\n".join(p.read_text() for p in (ROOT / "sarcoma_pipeline").rglob("*.py"))
    asked = r"""environ(?:ment)?(?:\.get|\.setdefault)?[\[(]["'](SARCOMA_[A-Z_]+|DAGSTER_HOME)["']"""
    read = set(re.findall(asked, source))
    for path in (ROOT / "deploy").glob("*.yaml"):
        read |= set(re.findall(r"env: (SARCOMA_[A-Z_]+)", path.read_text()))
    table = (ROOT / "docs/deploy.md").read_text().partition("## Environment variables")[2]
    told = set(re.findall(r"`(SARCOMA_[A-Z_]+|DAGSTER_HOME)`", table))
    assert read == told


def test_the_container_is_built_from_the_lock_file():
    content = (ROOT / "deploy/Containerfile").read_text()
    assert "make .venv/.runtime" in content and "USER sarcoma" in content
    # uv checks the hashes of constraints; a package that the lock file lacks would be installed without one.
    assert "-c requirements.lock -r pyproject.toml" in (ROOT / "Makefile").read_text()
    pins = re.findall(r"^[a-z0-9-]+==.*\n(.*)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert len(pins) > 100 and all(following.startswith("    --hash=sha256:") for following in pins)


def test_the_helm_values_are_valid_and_load_an_existing_module():
    values = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text())
    assert values.keys() <= {
        "postgresql", "generatePostgresqlPasswordSecret", "dagster-user-deployments", "runLauncher",
        "dagsterDaemon", "telemetry",
    }  # fmt: skip
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    words = deployment["dagsterApiGrpcArgs"]
    module, study = words[words.index("-m") + 1], words[words.index("-a") + 1]
    assert callable(getattr(importlib.import_module(module), study))
    table = (ROOT / "docs/deploy.md").read_text().partition("## Environment variables")[2]
    assert all(f"`{name}`" in table for name in deployment["env"])


def test_compose_starts_workers_with_the_documented_settings():
    services = yaml.safe_load((ROOT / "deploy/compose-several.yaml").read_text())["services"]
    assert all(p.startswith("127.0.0.1:") for p in services["webserver"]["ports"])
    assert not any("ports" in services[name] for name in ("postgres", "redis", "worker", "daemon"))
    program, *words = services["worker"]["command"]
    told = subprocess.run([Path(sys.executable).parent / program, *words, "--help"], capture_output=True)
    assert told.returncode == 0
    table = (ROOT / "docs/deploy.md").read_text().partition("## Environment variables")[2]
    assert all(f"`{name}`" in table for name in services["worker"]["environment"])
