"""E-mail through the operator's SMTP server. The Message-ID is that of the delivery, the same at every try."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import unquote, urlsplit

from todo_cli.jobs.channel_errors import DeliveryFailed
from todo_cli.jobs.messages import ChannelAddress, Notice

SMTP_SECONDS = 20
SUBMISSION_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


async def send_email(channel: ChannelAddress, notice: Notice, *, server: str | None, sender: str | None) -> None:
    """Send the message in a thread, since smtplib blocks; raises DeliveryFailed."""
    if not server or not sender:
        raise DeliveryFailed("the worker has no mail server (smtp_url and mail_from)", permanent=True)
    await asyncio.to_thread(_send, server, _make_email(channel, notice, sender))


def _make_email(channel: ChannelAddress, notice: Notice, sender: str) -> EmailMessage:
    email = EmailMessage(policy=SMTP)
    email["From"], email["To"], email["Subject"] = sender, channel.target, " ".join(notice.title.split())
    email["Message-ID"] = f"<{channel.id}@{sender.rpartition('@')[2].rstrip('>') or 'todo'}>"
    email["Auto-Submitted"] = "auto-generated"
    email.set_content(notice.text + "\n")
    return email


def _send(url: str, email: EmailMessage) -> None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or SUBMISSION_PORTS[parts.scheme]
    try:
        with _connect(parts.scheme, host, port) as client:
            if parts.username:
                client.login(unquote(parts.username), unquote(parts.password or ""))
            client.send_message(email)
    except smtplib.SMTPRecipientsRefused as error:
        code = min(code for code, _ in error.recipients.values())
        raise DeliveryFailed(f"the mail server refused the address ({code})", permanent=code >= 500) from None
    except smtplib.SMTPResponseException as error:
        is_login = isinstance(error, smtplib.SMTPAuthenticationError)
        reason = "the mail server refused the login" if is_login else "the mail server refused the message"
        raise DeliveryFailed(f"{reason} ({error.smtp_code})", permanent=error.smtp_code >= 500) from None
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"the mail server did not answer ({type(error).__name__})") from None


def _connect(scheme: str, host: str, port: int) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=ssl.create_default_context())
    client = smtplib.SMTP(host, port, timeout=SMTP_SECONDS)
    if scheme == "smtp+starttls":
        client.starttls(context=ssl.create_default_context())
    return client
