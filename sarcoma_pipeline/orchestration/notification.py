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

from schemas.language import counted, marked, ngettext
from schemas.language import gettext as _
from schemas.vocabularies import NOTICE, SEVERITY

_SMTP_SECONDS = 20
"""Timeout of the connection to the mail server."""


OF_RULES = "rules"
"""Metadata key of a check of rules: a row per rule and severity, with numbers of findings by kind of news."""
KNOWN = "known"
NEWS = ("new", "back", "more")
"""Kinds of news: a new finding; one that is back or reopened; one about more records, or more severe."""
_WORDS = {
    "new": marked("{number} new"),
    "back": marked("{number} back"),
    "more": marked("{number} about more records, or more severe"),
}

NEWS_OF_CHECK = "news"
"""Metadata key of a check that fails as long as its cause lasts: the number of new findings."""

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
class OfRule:
    """The findings of one rule and severity after a run.

    Attributes:
        rule: the rule.
        severity: ``error``, ``warning`` or ``notice``.
        news: number of findings by kind of news.
        known: number of findings that are known and unchanged.
        what: what is wrong, in English.
    """

    rule: str
    severity: str
    news: Mapping[str, int]
    known: int
    what: str = ""

    @property
    def alarms(self) -> int:
        """Number of findings that somebody must be told about: notices are read when there is time."""
        return 0 if self.severity == NOTICE else sum(self.news.values())


@dataclass(frozen=True)
class Night:
    """What somebody may have to be told about a run.

    Attributes:
        failed: failed steps.
        checks: checks that failed with severity error, without those of rules.
        rules: the findings by rule.
    """

    failed: Sequence[Problem] = ()
    checks: Sequence[Problem] = ()
    rules: Sequence[OfRule] = ()


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


def message(
    study: str, run_id: str, night: Night, page: str | None = None, run: str | None = None
) -> Message | None:
    """Compose the notification of a run, news first; None if nothing failed and nothing is new.

    Args:
        study: name of the study.
        run_id: id of Dagster's run.
        night: what happened.
        page: address of the steward's page, or its path.
        run: address of the run.
    """
    news = [rule for rule in night.rules if rule.alarms]
    if not night.failed and not night.checks and not news:
        return None
    moved = [p for p in night.checks if p.what.startswith(MOVED)]
    others = [p for p in night.checks if p not in moved]
    states = [
        _("released values moved and nothing says why") if moved else "",
        _("refresh FAILED, the last release is unchanged") if night.failed else "",
        _("news: {counted}").format(counted=_counted(news)) if news else "",
        ngettext("{number} check failed", "{number} checks failed", len(others)).format(number=len(others))
        if others
        else "",
    ]
    state = "; ".join(filter(None, states))
    lines = [f"{study}: {state}.", ""]
    told = [Problem(f"{_(r.severity):7} {r.rule}", _news(r)) for r in news]
    sections = (
        (_("Moved"), moved),
        (_("Failed steps"), night.failed),
        (_("News since the last refresh"), told),
    )
    for title, problems in (*sections, (_("Failed checks"), others)):
        if problems:
            lines += [f"{title}:", *(f"  {p.what}: {p.reason}" for p in problems), ""]
    known = _counted([r for r in night.rules if r.severity != NOTICE and r.known], known=True)
    lines += [_("Known and unchanged: {known}.").format(known=known), ""] if known else []
    lines += [
        _("Run: {address}").format(address=run)
        if run
        else _("Run {run}: see Runs in the Dagster UI.").format(run=run_id),
        _("Findings: {command}, or {page}").format(
            command=f"sarcoma findings --study {study}", page=page or f"data/published/{study}/steward.html"
        ),
    ]
    return Message(f"[sarcoma] {study}: {state}", "\n".join(lines) + "\n")


def _news(rule: OfRule) -> str:
    """Return how much is new of a rule, and what is wrong in a line of its own."""
    kinds = ", ".join(_(_WORDS[kind]).format(number=n) for kind, n in rule.news.items() if n)
    return f"{kinds}\n          {_(rule.what)}" if rule.what else kinds


def _counted(rules: Sequence[OfRule], *, known: bool = False) -> str:
    """Return the number of findings by severity, such as ``1 error, 2 warnings``."""
    totals = {s: sum(r.known if known else r.alarms for r in rules if r.severity == s) for s in SEVERITY}
    return ", ".join(counted(n, s) for s, n in totals.items() if n)


def path(folder: Path, name: str) -> Path:
    """Return the file of a notification.

    Args:
        folder: the study's notifications.
        name: name of the notification.
    """
    return folder / f"{name}.txt"


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
    path(folder, name).write_text(f"Subject: {message.subject}\n\n{message.body}", encoding="utf-8")
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
