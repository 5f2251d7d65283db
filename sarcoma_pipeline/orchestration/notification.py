"""Who is told when a night went wrong: a message, and where it goes.

A message always goes to a file, so that it works with nothing configured, and by e-mail where
``SARCOMA_SMTP_HOST`` and ``SARCOMA_MAIL_TO`` are set. It names rules and counts, never a patient.
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


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong.

    Attributes:
        what: the step or check.
        said: why, in words.
    """

    what: str
    said: str


@dataclass(frozen=True)
class Message:
    """What is told."""

    subject: str
    body: str


@dataclass(frozen=True)
class Mail:
    """Where e-mail goes.

    Attributes:
        host: of the SMTP server.
        port: 587 with STARTTLS, 465 with TLS from the start, 25 without either.
        security: ``starttls``, ``tls`` or ``none``.
        to: recipients.
        sender: the From address.
        user: for authentication; none without it.
        password: for authentication.
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
    """The SMTP settings, or None where they are not set.

    Raises:
        ValueError: they are set and wrong; the message names the variable and not its value.
    """
    host, to = environment.get("SARCOMA_SMTP_HOST"), environment.get("SARCOMA_MAIL_TO")
    if not host or not to:
        return None
    security = environment.get("SARCOMA_SMTP_SECURITY", "starttls")
    if security not in _PORTS:
        raise ValueError("SARCOMA_SMTP_SECURITY is none of starttls, tls, none")
    port = environment.get("SARCOMA_SMTP_PORT", str(_PORTS[security]))
    if not port.isdecimal():
        raise ValueError("SARCOMA_SMTP_PORT is no number")
    return Mail(
        host,
        int(port),
        security,
        tuple(a.strip() for a in to.split(",")),
        environment.get("SARCOMA_MAIL_FROM", "sarcoma_pipeline@localhost"),
        environment.get("SARCOMA_SMTP_USER"),
        environment.get("SARCOMA_SMTP_PASSWORD"),
    )


def message(study: str, run_id: str, failed: Sequence[Trouble], checks: Sequence[Trouble]) -> Message | None:
    """What to tell of a run, or None if all went well.

    Args:
        study: its name.
        run_id: Dagster's run.
        failed: steps that failed.
        checks: checks that failed as errors.
    """
    if not failed and not checks:
        return None
    state = "refresh FAILED, the last release stands" if failed else f"{len(checks)} checks failed"
    lines = [f"{study}: {state}.", ""]
    for title, troubles in (("Failed steps", failed), ("Failed checks", checks)):
        if troubles:
            lines += [f"{title}:", *(f"  {t.what}: {t.said}" for t in troubles), ""]
    lines += [
        f"Run {run_id}, in the Dagster UI below Runs.",
        f"Findings: sarcoma findings --study {study}, or data/published/{study}/steward.html",
    ]
    return Message(f"[sarcoma] {study}: {state}", "\n".join(lines) + "\n")


def deliver(told: Message, folder: Path, name: str, mail: Mail | None) -> list[str]:
    """Write the message to ``folder``, and send it where mail is configured.

    Args:
        told: the message.
        folder: of the study's notifications; made if it is not there.
        name: of the file, without its ending.
        mail: SMTP settings.

    Returns:
        What could not be done, in words; a mail server that is away never stops anything.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_text(f"Subject: {told.subject}\n\n{told.body}", encoding="utf-8")
    if mail is None:
        return []
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = told.subject, mail.sender, ", ".join(mail.to)
    letter.set_content(told.body)
    try:
        _send(letter, mail)
    except (OSError, smtplib.SMTPException) as broken:
        return [f"the e-mail could not be sent: {type(broken).__name__}"]
    return []


def _send(letter: EmailMessage, mail: Mail) -> None:
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
        server.send_message(letter)
