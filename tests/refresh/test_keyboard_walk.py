"""From a red check to a recorded decision in the Dagster UI with the keyboard alone."""

import csv
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest
import yaml

BROWSER = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: apt-get install chromium"),
]
PATIENCE = 120
"""Seconds to wait for a server, and for a run."""
FOCUSED = """() => {
  const focused = document.activeElement;
  if (focused === document.body) return "";  // its text is that of the whole page
  return [focused.getAttribute("href"), focused.tagName, focused.innerText].join(" ");
}"""


def _until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.5)


@pytest.fixture
def served(copy, tmp_path) -> Iterator[str]:
    """Webserver and daemon over a copy of the demo: without a daemon, a launched run stays in the queue."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    module = {"module_name": "sarcoma_pipeline.definitions", "attribute": "sts_imrt"}
    workspace = tmp_path / "workspace.yaml"
    location = {"python_module": {**module, "location_name": "sts_imrt"}}
    workspace.write_text(yaml.safe_dump({"load_from": [location]}))
    env = {**os.environ, "SARCOMA_ROOT": str(copy.root), "DAGSTER_HOME": str(copy.home)}
    web = ["dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", str(workspace)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for words in (web, ["dagster._daemon", "run", "-w", str(workspace)])
    ]
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            urllib.request.urlopen(f"{address}/server_info", timeout=2).close()
        except OSError:
            return False
        return True

    try:
        _until(answers, "Dagster's webserver")
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(PATIENCE)


def _press_until(page, key: str, wanted: str) -> None:
    """Press a key until the focus is on an element of this address, kind or text."""
    passed = []
    for _ in range(80):
        passed.append(page.evaluate(FOCUSED))
        if wanted in passed[-1]:
            return
        page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {wanted}, but to {passed}")


def _opened(page, link: str):
    """Return the new page that a link opens: the page with the check stays as it is."""
    _press_until(page, "Tab", link)
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    return opened.value


def test_a_keyboard_leads_from_a_red_check_to_a_decision(copy, served):
    from playwright.sync_api import sync_playwright

    # The run holds the warehouse for as long as it lasts.
    news = copy.warehouse(
        "SELECT finding_id FROM quality.ledger WHERE rule_id LIKE 'diagnosis.%' AND severity <> 'notice'"
    )

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1600, "height": 1000})
        context.set_default_timeout(1000 * PATIENCE)
        check = context.new_page()
        check.goto(f"{served}/assets/sts_imrt/typed/diagnosis?view=checks&checkDetail=diagnosis_rules")
        check.get_by_text("failing records").first.wait_for()

        page = _opened(check, "/jobs/decide/playground/setup?config=")
        page.get_by_text("record_decisions:").first.wait_for()
        page.get_by_text("config:reason must not be None").first.wait_for()

        # The last two lines wait for name and reason.
        _press_until(page, "Tab", "TEXTAREA")
        page.keyboard.press("Control+End")
        for line in ("reason: the office is asked", "by: K. Demir"):
            for key in ("ArrowUp", "End", "Shift+Home"):
                page.keyboard.press(key)
            page.keyboard.type(line)
        page.get_by_text("No errors").first.wait_for()

        # The editor keeps the Tab key. Alt+← belongs to the browser, not to the page: it is asked to go back.
        page.keyboard.press("Alt+l")
        page.wait_for_url("**/asset-groups")
        page.go_back()
        # The button is passed over while Dagster checks the config, and behind it is the editor.
        page.locator("button:enabled", has_text="Launch Run").wait_for()
        page.get_by_text("No errors").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(2_000)
        _press_until(page, "Shift+Tab", "Launch Run")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/*")
        page.get_by_text("RUN_SUCCESS").first.wait_for()
        browser.close()

    log = copy.root / "data/decisions/sts_imrt.csv"
    _until(log.exists, "a decision in the log")
    _until(lambda: log.read_text("utf-8").endswith("\n"), "a whole log")
    with log.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows and {r["finding_id"] for r in rows} <= set(news["finding_id"])
    assert {(r["action"], r["who"], r["reason"]) for r in rows} == {
        ("acknowledge", "K. Demir", "the office is asked")
    }
