"""No text of the program stands unmarked on the steward's page and in the letters of the refreshed demo."""

import re
import shutil
import tomllib

import pytest

from sarcoma_pipeline.orchestration import notification
from sarcoma_pipeline.orchestration.assets import steward_page
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality.rule_catalogue import rules
from sarcoma_pipeline.study import project
from schemas.all_contracts import CONTRACTS
from tests.language.pseudo import READ_ALOUD, speaking_pseudo, texts_of, unmarked, unmarked_of_page

BROWSER = shutil.which("chromium")
pytestmark = pytest.mark.slow
DELIVERED = re.compile(
    r"/oBDS\S*|\b(?:typed|curated|received|cohort|analysis)\.[\w.]+|\bx{2,}[\w-]*|[\w/.•]*•••[\w/.•]*"
    r"|(?<=gives up: ⟧)\w+"
)
"""Places within an oBDS file, columns, what is masked, and the name of a Python exception."""
VIEWS = ("list&status=", "rule", "file", "patient", "quality")


@pytest.fixture(scope="module")
def data(demo) -> frozenset[str]:
    """What is in the language of the site: the configuration, the files, and citations."""
    files = [p.relative_to(demo.drop).as_posix() for p in demo.drop.rglob("*") if p.is_file()]
    toml = (demo.root / "data/studies/sts_imrt").glob("*.toml")
    configured = [t for file in toml for t in texts_of(tomllib.loads(file.read_text("utf-8")))]
    elements = [
        c for t, contract in CONTRACTS.items() if t.startswith("received.") for c in contract.polars_schema()
    ]
    return frozenset((*files, *configured, *elements, *rules(), *(rule.source for rule in rules().values())))


def left_of(lines, data) -> set[str]:
    return {line for text in lines for line in text.split("\n") if unmarked(line, data, (), DELIVERED)}


@pytest.fixture(scope="module")
def page(demo, tmp_path_factory) -> str:
    """The steward's page in the pseudo-language."""
    patch = pytest.MonkeyPatch()
    written = []
    patch.setattr(steward_page, "write_whole", lambda target, text: written.append(text))
    store = Warehouse(path=str(demo.root / "data/warehouse/sts_imrt.duckdb"), study="sts_imrt")
    with speaking_pseudo(patch):
        steward_page.steward_page(project.load("sts_imrt", demo.root), store)
    store.close()
    patch.undo()
    path = tmp_path_factory.mktemp("page") / "steward.html"
    path.write_text(written[0], "utf-8")
    return path.as_uri()


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: apt-get install chromium")
def test_the_stewards_page_has_no_unmarked_text(page, data):
    from playwright.sync_api import sync_playwright

    seen = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        tab = browser.new_page()
        for view in VIEWS:
            tab.goto(f"{page}#view={view}")
            tab.reload()
            if view.startswith("list"):
                while tab.locator("#more").is_visible():
                    tab.locator("#more").click()
                tab.eval_on_selector_all(".opens", "buttons => buttons.forEach((b) => b.click())")
                assert tab.locator(".detail").count() > 100
            # Commands are typed as they stand.
            tab.eval_on_selector_all("code", "codes => codes.forEach((c) => c.remove())")
            seen.append(tab.inner_text("body"))
            for name in READ_ALOUD:
                seen += tab.eval_on_selector_all(
                    f"[{name}]", f"all => all.map((e) => e.getAttribute('{name}'))"
                )
        browser.close()
    assert not (left := left_of(seen, data)), "\n".join(sorted(left))


def test_letters_have_no_unmarked_text(demo, data, tmp_path, monkeypatch):
    with speaking_pseudo(monkeypatch):
        told = demo.sarcoma(
            "findings", "letters", "--study", "sts_imrt", "--into", str(tmp_path), "--language", "de"
        )
    assert told.exit_code == 0, told.output
    pages = sorted(tmp_path.glob("*.html"))
    assert len(pages) > 2
    texts = [path.read_text().replace("<wbr>", "") for path in pages]
    left = [line for text in texts for line in unmarked_of_page(text, data, (), DELIVERED)]
    assert not left, "\n".join(left)


def test_a_mail_has_no_unmarked_text(data, monkeypatch):
    problem = notification.Problem("moves_are_explained", "1 value")
    rules_of_night = [
        notification.OfRule("date.in-future", severity, {"new": 1, "back": 2, "more": 3}, known)
        for severity in ("error", "warning", "notice")
        for known in (0, 4)
    ]
    with speaking_pseudo(monkeypatch):
        night = notification.Night([], [problem], rules_of_night)
        failed = notification.Night([notification.Problem("x", "y")], [], rules_of_night)
        mails = [notification.message("sts_imrt", "run", one) for one in (night, failed)]
    names = ("moves", "are", "explained", "value", "sarcoma", "run", "html", "steward", "data", "published")
    left = [
        unmarked(line, data, names) for m in mails if m for line in (m.subject + "\n" + m.body).split("\n")
    ]
    assert not [line for line in left if line and "findings --study" not in line]
