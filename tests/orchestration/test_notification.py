"""Notifications of failed runs and failed checks: always a file, and an e-mail where configured."""

import dataclasses
import socketserver
import threading

import pytest

from sarcoma_pipeline.orchestration import notification, told_of_run
from sarcoma_pipeline.orchestration.notification import Night, OfRule, Problem
from schemas.language import speaking, stored


class _Postbox(socketserver.StreamRequestHandler):
    """A minimal SMTP server, without login and encryption."""

    letters: list[str]

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        body: list[bytes] | None = None
        for line in self.rfile:
            if body is not None:
                if line == b".\r\n":
                    self.server.letters.append(b"".join(body).decode())  # pyright: ignore[reportAttributeAccessIssue]
                    body = None
                    self.wfile.write(b"250 taken\r\n")
                else:
                    body.append(line)
                continue
            word = line[:4].upper()
            if word == b"DATA":
                body = []
                self.wfile.write(b"354 go on\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 well\r\n")


@pytest.fixture
def postbox():
    with socketserver.TCPServer(("127.0.0.1", 0), _Postbox) as server:
        server.letters = []  # pyright: ignore[reportAttributeAccessIssue]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _settings(port: int, **more: str) -> notification.Mail | None:
    return notification.mail_settings(
        {
            "SARCOMA_SMTP_HOST": "127.0.0.1", "SARCOMA_SMTP_PORT": str(port), "SARCOMA_SMTP_SECURITY": "none",
            "SARCOMA_MAIL_TO": "steward@example.org, operator@example.org", **more,
        }
    )  # fmt: skip


def of_rule(rule: str, severity: str, known: int = 0, **news: int) -> OfRule:
    return OfRule(rule, severity, {"new": 0, "back": 0, "more": 0, **news}, known)


NEW = of_rule("assessment.after-death", "error", new=1, known=3)
TOLD = notification.message("s", "run-1", Night(rules=[NEW]))


def test_a_successful_run_needs_no_notification():
    assert notification.message("s", "run-1", Night()) is None


def test_what_is_known_and_unchanged_alarms_nobody():
    known = [of_rule("assessment.after-death", "error", known=7), of_rule("file.empty", "warning", known=2)]
    assert notification.message("s", "run-1", Night(rules=known)) is None
    notices = [of_rule("identity.name-changed", "notice", new=4)]
    assert notification.message("s", "run-1", Night(rules=[*known, *notices])) is None


def test_a_mail_begins_with_what_is_new():
    rules = [
        NEW,
        of_rule("file.empty", "warning", back=1, more=2),
        of_rule("file.unreadable", "warning", known=40),
        of_rule("identity.name-changed", "notice", new=4, known=9),
    ]
    other = Problem("accounting_identity on quality/accounting", "1 files")
    told = notification.message("s", "run-1", Night(checks=[other], rules=rules))
    assert told and told.subject == "[sarcoma] s: news: 1 error, 3 warnings; 1 check failed"
    assert told.body.splitlines()[2:10] == [
        "News since the last refresh:",
        "  error   assessment.after-death: 1 new",
        "  warning file.empty: 1 back, 2 about more records, or more severe",
        "",
        "Failed checks:",
        f"  {other.what}: {other.reason}",
        "",
        "Known and unchanged: 3 errors, 40 warnings.",
    ]


def test_a_mail_says_what_is_wrong_and_where_it_is_shown():
    told_rule = dataclasses.replace(NEW, what="The examination is dated after the death.")
    page, run = "https://x.example/s/steward.html#view=list&news=1", "https://d.example/runs/run-1"
    told = notification.message("s", "run-1", Night(rules=[told_rule]), page, run)
    assert told and told.body.splitlines()[2:] == [
        "News since the last refresh:",
        "  error   assessment.after-death: 1 new",
        "          The examination is dated after the death.",
        "",
        "Known and unchanged: 3 errors.",
        "",
        f"Run: {run}",
        f"Findings: sarcoma findings --study s, or {page}",
    ]


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "Above the threshold: value.several 12.3 % (at most 5 %); file.empty 1.0 % (at most 0.5 %).",
            "Über der Schwelle: value.several 12,3 % (höchstens 5 %); file.empty 1,0 % (höchstens 0,5 %).",
        ),
        (
            "1 released value of 1 patient moved, and nothing says why: sarcoma findings --rule x",
            "1 freigegebener Wert von 1 Patient ohne Erklärung geändert: sarcoma findings --rule x",
        ),
        ("3 estimates moved, and nothing says why", "3 Schätzwerte ohne Erklärung geändert"),
    ],
)
def test_what_a_check_says_is_german_in_a_german_mail(english, german):
    with speaking("de"):
        assert stored(english, told_of_run.REASONS) == german


def test_a_failed_step_says_that_the_release_is_unchanged():
    told = notification.message("s", "run-1", Night([Problem("release", "nobody is eligible")]))
    assert told and "refresh FAILED, the last release is unchanged" in told.subject
    assert "release: nobody is eligible" in told.body


def test_moves_that_nothing_explains_are_named_first():
    moved = Problem("moves_are_explained on meta/movement", "2 released values of 1 patient moved")
    other = Problem("accounting_identity on quality/accounting", "1 files")
    for failed in ([], [Problem("release", "nobody is eligible")]):
        told = notification.message("s", "run-1", Night(failed, [other, moved], [NEW]))
        assert told and told.subject.startswith("[sarcoma] s: released values moved and nothing says why; ")
        lines = told.body.splitlines()
        assert lines[2:4] == ["Moved:", f"  {moved.what}: {moved.reason}"]
        assert told.body.count(moved.what) == 1 and other.what in told.body


def test_a_file_is_written_with_nothing_configured(tmp_path):
    assert TOLD
    assert notification.mail_settings({}) is None
    assert notification.deliver(TOLD, tmp_path / "new", "run-1", None) == []
    written = (tmp_path / "new/run-1.txt").read_text()
    assert written.startswith("Subject: [sarcoma] s: news: 1 error\n")
    assert "assessment.after-death: 1 new" in written


def test_an_email_is_sent(tmp_path, postbox):
    assert TOLD
    assert notification.deliver(TOLD, tmp_path, "run-1", _settings(postbox.server_address[1])) == []
    (letter,) = postbox.letters
    assert "To: steward@example.org, operator@example.org" in letter
    assert "assessment.after-death: 1 new" in letter


def test_an_unreachable_mail_server_is_reported(tmp_path, postbox):
    assert TOLD
    port = postbox.server_address[1]
    postbox.shutdown()
    postbox.server_close()
    problems = notification.deliver(TOLD, tmp_path, "run-1", _settings(port))
    assert problems == ["the e-mail could not be sent: ConnectionRefusedError"]
    assert (tmp_path / "run-1.txt").exists()


@pytest.mark.parametrize("wrong", [{"SARCOMA_SMTP_SECURITY": "maybe"}, {"SARCOMA_SMTP_PORT": "secret"}])
def test_wrong_settings_name_the_variable_and_not_the_value(wrong):
    with pytest.raises(ValueError) as told:
        _settings(25, **wrong)
    ((variable, value),) = wrong.items()
    assert variable in str(told.value) and value not in str(told.value)
