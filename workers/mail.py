"""The daily digest as an e-mail: counts and links, no document and no person is named."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from datetime import date
from email.message import EmailMessage
from email.utils import make_msgid

from records.digest import Counted

#: Seconds to wait for the server.
SECONDS = 30.0


def compose(counts: Counted, day: date, link: str, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """The message of a day."""
    lines = [
        f"Documents that wait for a decision: {counts.waiting}",
        f"  overdue: {counts.overdue}",
        f"  due within four hours: {counts.soon}",
        f"Decided yesterday: {counts.decided}, of them late: {counts.late}",
        f"In quarantine: {counts.quarantined}",
        f"Being scanned: {counts.in_flight}",
    ]
    if counts.dead_messages:
        lines.append(
            f"Webhook messages that were given up: {counts.dead_messages} (docvigil webhooks list --status dead)"
        )
    message = EmailMessage()
    message["From"], message["To"] = sender, ", ".join(recipients)
    message["Subject"] = f"docvigil on {day.isoformat()}: {counts.waiting} waiting, {counts.overdue} overdue"
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join([*lines, "", f"The queue: {link.rstrip('/')}/queue", ""]))
    return message


def send(
    message: EmailMessage, host: str, port: int, *, security: str, user: str | None = None, password: str | None = None
) -> None:
    """Hand a message to the server. Raises OSError and smtplib.SMTPException (which is one)."""
    context = ssl.create_default_context()
    if security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    with server:
        if security == "starttls":
            server.starttls(context=context)
        if user is not None:
            server.login(user, password or "")
        server.send_message(message)
