"""Notifies people of problems in a run: composes the message, writes it to a file and sends it by e-mail.

The file is always written, so that it works without configuration. E-mail is sent if ``SARCOMA_SMTP_HOST``
and ``SARCOMA_MAIL_TO`` are set. A message names rules and counts, never a patient.
"""

from __future__ import annotations

import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

_SMTP_SECONDS = 20
"""Timeout of the connection to the mail server."""


MOVED = ("moves_are_explained", "estimates_are_explained")
"""Checks of the account of movement, listed first in a message."""


@dataclass(frozen=True)
class Problem:
    """One failed step or check.

    Attributes:
        what: the step or check.
        reason: description of the failure.
    """

    what: str
    reason: str


@dataclass(frozen=True)
class Message:
    """The notification of one run."""

    subject: str
    body: str


@dataclass(frozen=True)
class Mail:
    """The SMTP settings.

    Attributes:
        host: the SMTP server.
        port: by default 587 with STARTTLS, 465 with TLS from the start, 25 without encryption.
        security: ``starttls``, ``tls`` or ``none``.
        to: recipients.
        sender: the From address.
        user: user name for authentication; None for none.
        password: password for authentication.
    """

    host: str
    port: int
    security: str
    to: tuple[str, ...]
    sender: str
    user: str | None
    password: str | None


_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def mail_settings(environment: Mapping[str, str] = os.environ) -> Mail | None:
    """Read the SMTP settings from the environment; None if they are not set.

    Raises:
        ValueError: a setting is invalid; the message names the variable and not its value.
    """
    host, to = environment.get("SARCOMA_SMTP_HOST"), environment.get("SARCOMA_MAIL_TO")
    if not host or not to:
        return None
    security = environment.get("SARCOMA_SMTP_SECURITY", "starttls")
    if security not in _PORTS:
        raise ValueError("SARCOMA_SMTP_SECURITY must be starttls, tls or none")
    port = environment.get("SARCOMA_SMTP_PORT", str(_PORTS[security]))
    if not port.isdecimal():
        raise ValueError("SARCOMA_SMTP_PORT must be a number")
    return Mail(
        host,
        int(port),
        security,
        tuple(a.strip() for a in to.split(",")),
        environment.get("SARCOMA_MAIL_FROM", "sarcoma_pipeline@localhost"),
        environment.get("SARCOMA_SMTP_USER"),
        environment.get("SARCOMA_SMTP_PASSWORD"),
    )


def message(study: str, run_id: str, failed: Sequence[Problem], checks: Sequence[Problem]) -> Message | None:
    """Compose the notification of a run; None if nothing failed.

    Args:
        study: name of the study.
        run_id: id of Dagster's run.
        failed: failed steps.
        checks: checks that failed with severity error.
    """
    if not failed and not checks:
        return None
    moved = [p for p in checks if p.what.startswith(MOVED)]
    state = "refresh FAILED, the last release is unchanged" if failed else f"{len(checks)} checks failed"
    if moved:
        state = f"released values moved and nothing says why; {state}"
    lines = [f"{study}: {state}.", ""]
    others = [p for p in checks if p not in moved]
    for title, problems in (("Moved", moved), ("Failed steps", failed), ("Failed checks", others)):
        if problems:
            lines += [f"{title}:", *(f"  {p.what}: {p.reason}" for p in problems), ""]
    lines += [
        f"Run {run_id}: see Runs in the Dagster UI.",
        f"Findings: sarcoma findings --study {study}, or data/published/{study}/steward.html",
    ]
    return Message(f"[sarcoma] {study}: {state}", "\n".join(lines) + "\n")


def deliver(message: Message, folder: Path, name: str, mail: Mail | None) -> list[str]:
    """Write the message to a file, and send it by e-mail if that is configured.

    Args:
        message: the message.
        folder: the study's notifications; created if missing.
        name: name of the file, without its suffix.
        mail: SMTP settings; None sends nothing.

    Returns:
        Errors, in words: an unreachable mail server never stops anything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(f"Subject: {message.subject}\n\n{message.body}", encoding="utf-8")
    if mail is None:
        return []
    email = EmailMessage()
    email["Subject"], email["From"], email["To"] = message.subject, mail.sender, ", ".join(mail.to)
    email.set_content(message.body)
    try:
        _send(email, mail)
    except (OSError, smtplib.SMTPException) as broken:
        return [f"the e-mail could not be sent: {type(broken).__name__}"]
    return []


def _send(email: EmailMessage, mail: Mail) -> None:
    trusted = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(mail.host, mail.port, timeout=_SMTP_SECONDS, context=trusted)
        if mail.security == "tls"
        else smtplib.SMTP(mail.host, mail.port, timeout=_SMTP_SECONDS)
    )
    with server:
        if mail.security == "starttls":
            server.starttls(context=trusted)
        if mail.user:
            server.login(mail.user, mail.password or "")
        server.send_message(email)
