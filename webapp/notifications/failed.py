"""Mails that failed for good: a person has one sent again, or lets it be."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, update

from webapp.kernel import db, wake
from webapp.kernel.errors import NotFound
from webapp.notifications.models import Mail, MailStatus
from webapp.notifications.writing import WAKE


def send_again(mail_id: str) -> None:
    """Have a mail that failed sent again, as a step of an admin's transaction.

    Raises NotFound when it did not fail, or not any more.
    """
    _decide(mail_id, status=MailStatus.WAITING, due_at=func.clock_now(), tries=0, claims=0)
    wake.soon(WAKE)


def discard_mail(mail_id: str) -> None:
    """Let a mail that failed be, as a step of an admin's transaction; raises NotFound likewise."""
    _decide(mail_id, status=MailStatus.DISCARDED)


def _decide(mail_id: str, **values: Any) -> None:
    db.assert_transaction()
    failed = update(Mail).where(Mail.id == mail_id, Mail.status == MailStatus.FAILED)
    if db.session.scalar(failed.values(**values).returning(Mail.id)) is None:
        raise NotFound
