"""Notifications of failed runs and failed checks: always a file, and an e-mail where configured."""

import socketserver
import threading

import pytest

from sarcoma_pipeline.orchestration import notification
from sarcoma_pipeline.orchestration.notification import Problem


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


TOLD = notification.message("s", "run-1", [], [Problem("date_rules on typed/assessment", "1 error, +1")])


def test_a_successful_run_needs_no_notification():
    assert notification.message("s", "run-1", [], []) is None


def test_a_failed_step_says_that_the_release_is_unchanged():
    told = notification.message("s", "run-1", [Problem("release", "nobody is eligible")], [])
    assert told and "refresh FAILED, the last release is unchanged" in told.subject
    assert "release: nobody is eligible" in told.body


def test_moves_that_nothing_explains_are_named_first():
    moved = Problem("moves_are_explained on meta/movement", "2 released values of 1 patient moved")
    other = Problem("date_rules on typed/assessment", "1 error, +1")
    for failed in ([], [Problem("release", "nobody is eligible")]):
        told = notification.message("s", "run-1", failed, [other, moved])
        assert told and told.subject.startswith("[sarcoma] s: released values moved and nothing says why; ")
        lines = told.body.splitlines()
        assert lines[2:4] == ["Moved:", f"  {moved.what}: {moved.reason}"]
        assert told.body.count(moved.what) == 1 and other.what in told.body


def test_a_file_is_written_with_nothing_configured(tmp_path):
    assert TOLD
    assert notification.mail_settings({}) is None
    assert notification.deliver(TOLD, tmp_path / "new", "run-1", None) == []
    written = (tmp_path / "new/run-1.txt").read_text()
    assert written.startswith("Subject: [sarcoma] s: 1 checks failed")
    assert "date_rules on typed/assessment: 1 error, +1" in written


def test_an_email_is_sent(tmp_path, postbox):
    assert TOLD
    assert notification.deliver(TOLD, tmp_path, "run-1", _settings(postbox.server_address[1])) == []
    (letter,) = postbox.letters
    assert "To: steward@example.org, operator@example.org" in letter
    assert "1 error, +1" in letter


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
