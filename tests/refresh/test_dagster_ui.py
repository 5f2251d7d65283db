"""What operators and stewards see in the Dagster UI, in a real browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

BROWSER = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        BROWSER is None, reason="no chromium on this machine: apt-get install chromium, as .ci/run does"
    ),
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server(demo) -> Iterator[str]:
    """Dagster's webserver over the refreshed demo, on loopback."""
    port = _free_port()
    command = [
        sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port),
        "-m", "sarcoma_pipeline.definitions", "-a", "sts_imrt",
    ]  # fmt: skip
    env = {**os.environ, "SARCOMA_ROOT": str(demo.root), "DAGSTER_HOME": str(demo.home)}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/server_info", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, request, tmp_path_factory):
    opened = browser.new_page(viewport={"width": 1600, "height": 1000})
    opened.set_default_timeout(PATIENCE)
    yield opened
    folder = tmp_path_factory.getbasetemp() / "screenshots"
    folder.mkdir(exist_ok=True)
    opened.screenshot(path=folder / f"{request.node.name}.png")
    opened.close()


def test_the_asset_graph_shows_the_layers(server, page):
    page.goto(f"{server}/asset-groups")
    for layer in (
        "drop",
        "received",
        "typed",
        "curated",
        "quality",
        "cohort",
        "analysis",
        "release",
        "report",
    ):
        page.get_by_text(f"sts_imrt_{layer}", exact=True).first.wait_for()


def test_a_failed_check_shows_its_table(server, page, demo):
    page.goto(f"{server}/assets/sts_imrt/typed/diagnosis?view=checks")
    page.get_by_text("diagnosis_rules").first.wait_for()
    page.get_by_text("failing records").first.wait_for()
    table = page.locator("table", has_text="finding").last
    shown = table.inner_text()
    assert "diagnosis.before-birth" in shown
    assert "compare Diagnosedatum with Geburtsdatum" in shown
    ids = demo.warehouse("SELECT finding_id FROM quality.ledger WHERE rule_id = 'diagnosis.before-birth'")
    assert ids.item(0, 0) in shown


def test_an_asset_says_what_its_columns_mean(server, page):
    page.goto(f"{server}/assets/sts_imrt/cohort/endpoints?view=overview")
    page.get_by_text("One endpoint of one patient").first.wait_for()
    page.get_by_text("Days since time zero, or since the endpoint's own origin.").first.wait_for()
    page.get_by_text(re.compile("344")).first.wait_for()
