"""Seven nights of a study, with what a steward finds in the mail each morning."""

import datetime as dt
import re

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import notification, step_events, told_of_run
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.steward_page import steward_page
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study import project as places
from sarcoma_pipeline.study.project import Project

pytestmark = pytest.mark.slow

MEANT, TYPED = b";verstorben;01.12.2017;", b";verstorben;01.12.2071;"
STEWARD = ("--by", "K. Demir", "--reason", "the office is asked")


class Mornings:
    """A refreshed study, its nights from the drop folder to the checks, and the mails of these nights."""

    def __init__(self, place, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = place
        self.project = places.load(place.study, place.root)
        self.began = self.project.now()
        self.day = 0
        monkeypatch.setattr(Project, "now", lambda _: self.began + dt.timedelta(days=self.day))
        monkeypatch.setenv("DAGSTER_HOME", str(place.home))
        # Release and report are as they were: no mail speaks of them unless they fail.
        pages = [dg.AssetKey([place.study, "report", name]) for name in ("report", "steward_page")]
        wanted = dg.AssetSelection.all() - dg.AssetSelection.assets(release_key(self.project), *pages)
        job = dg.define_asset_job("night", selection=wanted)
        definitions = dg.Definitions.merge(build_definitions(self.project), dg.Definitions(jobs=[job]))
        self.job = definitions.resolve_job_def("night")

    def night(self) -> list[str]:
        """Refresh once, a day later; returns the lines of the mail, none if no mail is sent."""
        self.day += 1
        with dg.DagsterInstance.get() as instance:
            run = self.job.execute_in_process(
                instance=instance, run_config=step_events.PROGRESS_LOGGING, raise_on_error=False
            )
            assert told_of_run.tell(self.project, instance, run.run_id) == []
        mail = notification.path(self.project.notifications, run.run_id)
        if not mail.exists():
            return []
        text = mail.read_text("utf-8")
        assert run.run_id in text
        return [line for line in text.partition("\nRun: ")[0].splitlines() if line]

    def findings(self, rule: str) -> list[str]:
        found = self.place.warehouse(
            f"SELECT finding_id FROM quality.ledger WHERE rule_id = '{rule}' AND resolved_at IS NULL "
            "ORDER BY finding_id"
        )
        return found["finding_id"].to_list()

    def decide(self, *words: str) -> None:
        told = self.place.sarcoma("findings", *words, *STEWARD, "--study", self.place.study)
        assert told.exit_code == 0, told.output


def test_a_steward_is_told_what_is_new_and_nothing_else(copy, monkeypatch):
    mornings = Mornings(copy, monkeypatch)
    empty = copy.drop / "obds/new.xml"
    office = copy.drop / "registry/meldeamt_sued.csv"
    known = "Known and unchanged: "
    counts = dict(
        copy.warehouse(
            "SELECT severity, count(*) FROM quality.ledger WHERE resolved_at IS NULL GROUP BY 1"
        ).iter_rows()
    )
    errors, warnings = counts["error"], counts["warning"]

    # 1: nothing was delivered. The findings of the first night are known.
    assert mornings.night() == []

    # 2: an empty file arrives.
    before = mornings.findings("file.empty")
    empty.touch()
    assert mornings.night() == [
        "Subject: [sarcoma] sts_imrt: news: 1 error, 1 warning",
        "sts_imrt: news: 1 error, 1 warning.",
        "News since the last refresh:",
        "  error   file.empty: 1 new",
        "          The file has no content, or no record in it.",
        "  warning dataset.files-unread: 1 new",
        "          More than one in five files of the source, of which there are ten or more, "
        "could not be read.",
        f"{known}{errors} errors, {warnings} warnings.",
    ]

    # 3: it is still there, and a steward has asked the office.
    (asked,) = (f for f in mornings.findings("file.empty") if f not in before)
    mornings.decide("acknowledge", asked)
    assert mornings.night() == []

    # 4: the office takes it back.
    empty.unlink()
    assert mornings.night() == []
    assert asked not in mornings.findings("file.empty")

    # 5: and sends it again. What was settled is back.
    empty.touch()
    mail = mornings.night()
    assert mail[0] == "Subject: [sarcoma] sts_imrt: news: 1 error, 1 warning"
    assert mail[3:7:2] == ["  error   file.empty: 1 back", "  warning dataset.files-unread: 1 back"]

    # 6: a year of a reply is mistyped: the death lies in the future.
    content = office.read_bytes()
    assert content.count(MEANT) == 1
    office.write_bytes(content.replace(MEANT, TYPED))
    mail = mornings.night()
    assert "  error   date.in-future: 1 new" in mail

    # 7: it is corrected.
    office.write_bytes(content)
    assert mornings.night() == []

    warehouse = Warehouse(path=str(mornings.project.warehouse), study=copy.study)
    page, _ = steward_page(mornings.project, warehouse)
    warehouse.close()
    caption = re.search(r"<figcaption>(Findings to do over[^<]*)", page.read_text("utf-8"))
    assert caption and caption[1].startswith("Findings to do over 8 nights.")
