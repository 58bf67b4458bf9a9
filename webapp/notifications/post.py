"""Sending one mail through the server that SMTP_URL names: smtp://user:password@host:port.

`smtps://` speaks TLS from the first byte; `smtp://` turns it on where the server offers it, and
insists on it before a password is sent.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from urllib.parse import unquote, urlsplit

from webapp.kernel import clock

TIMEOUT_SECONDS = 10
_PERMANENT = 500


class NotSent(Exception):
    """The server did not take the mail; `is_final` says that trying again is no use."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        self.is_final = is_final
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Post:
    """A mail server and the sender's address."""

    url: str = field(repr=False)
    sender: str

    def send(self, *, to: str, subject: str, text: str, html: str, mail_id: str) -> None:
        """Hand one mail over, its id in its Message-ID each time; raises NotSent."""
        letter = EmailMessage()
        letter["From"] = self.sender
        letter["To"] = to
        letter["Subject"] = subject
        letter["Date"] = format_datetime(clock.now())
        domain = parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"
        letter["Message-ID"] = f"<{mail_id}@{domain}>" if mail_id else make_msgid(domain=domain)
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(text, cte="quoted-printable")
        letter.add_alternative(html, subtype="html", cte="quoted-printable")
        try:
            self._hand_over(letter)
        except smtplib.SMTPResponseException as refusal:
            final = refusal.smtp_code >= _PERMANENT
            raise NotSent(
                f"{type(refusal).__name__} {refusal.smtp_code}", is_final=final
            ) from refusal
        except smtplib.SMTPRecipientsRefused as refused:
            final = all(code >= _PERMANENT for code, _ in refused.recipients.values())
            raise NotSent("the address was refused", is_final=final) from refused
        except (smtplib.SMTPException, OSError) as fault:
            raise NotSent(type(fault).__name__) from fault

    def _hand_over(self, letter: EmailMessage) -> None:
        parts = urlsplit(self.url)
        host, tls = parts.hostname or "localhost", ssl.create_default_context()
        with (
            smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=tls)
            if parts.scheme == "smtps"
            else smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
        ) as server:
            if parts.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=tls)
            if parts.username:
                if not isinstance(server.sock, ssl.SSLSocket):
                    raise NotSent("the mail server offers no TLS, so no password is sent")
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(letter)
