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
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
import yaml

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
def server(demo, tmp_path_factory) -> Iterator[str]:
    """Dagster's webserver over the refreshed demo, on loopback; the code location has the study's name."""
    port = _free_port()
    workspace = tmp_path_factory.mktemp("workspace") / "workspace.yaml"
    module = {"module_name": "sarcoma_pipeline.definitions", "attribute": "sts_imrt"}
    location = {"python_module": {**module, "location_name": "sts_imrt"}}
    workspace.write_text(yaml.safe_dump({"load_from": [location]}))
    command = [
        sys.executable, "-m", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port),
        "-w", str(workspace),
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


def test_a_refresh_from_a_terminal_stands_in_the_timeline(server, page):
    page.goto(f"{server}/overview/activity/timeline")
    page.get_by_text("sts_imrt", exact=True).first.wait_for()
    page.get_by_role("link", name="refresh", exact=True).first.wait_for()


def test_the_launchpad_of_decisions_opens_with_a_valid_config(server, page):
    page.goto(f"{server}/locations/sts_imrt/jobs/decide/playground")
    page.get_by_text("record_decisions:").first.wait_for()
    page.get_by_text("No errors").first.wait_for()


def test_the_stewards_page_prepares_a_decision_in_the_launchpad(server, page, browser, demo):
    """Dagster does not document the address of its launchpad: this test says so when it changes."""
    found = "SELECT min(finding_id) AS f FROM quality.ledger WHERE rule_id = 'diagnosis.before-birth'"
    finding = demo.warehouse(found).item()
    steward = browser.new_page()
    steward.goto(f"{(demo.root / 'data/published/sts_imrt/steward.html').as_uri()}#finding-{finding}")
    link = steward.locator(f"#detail-{finding} a[data-action=acknowledge]")
    address = link.get_attribute("href")
    steward.close()
    base = "http://localhost:3000/"
    assert address and address.startswith(base)
    # Name and reason are the steward's to give: until then, nothing can be launched.
    page.goto(f"{server}/{address.removeprefix(base)}")
    page.get_by_text(finding).first.wait_for()
    page.get_by_text("config:by must not be None").first.wait_for()
    page.get_by_text("config:reason must not be None").first.wait_for()
    config = parse_qs(urlsplit(address).query)["config"][0]
    filled = re.sub(r"by: .*", "by: K. Demir", re.sub(r"reason: .*", "reason: asked", config))
    page.goto(
        f"{server}/{urlsplit(address).path.lstrip('/')}?{urlencode({'config': filled}, quote_via=quote)}"
    )
    page.get_by_text("K. Demir").first.wait_for()
    page.get_by_text("No errors").first.wait_for()
