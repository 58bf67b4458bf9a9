"""Reads of inboxes and mails, scope first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Select, exists, func, select, text

from webapp.kernel import db
from webapp.kernel.errors import NotFound
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.notifications.models import Mail, MailStatus, Message


@dataclass(frozen=True, slots=True)
class MailView:
    """A mail of the demo mailbox, opened: nothing of it was sent."""

    id: str
    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    written_at: dt.datetime


def inbox_of(user_id: str, *, page: PageRequest) -> Page[Message]:
    """Return a page of a person's messages, newest first."""
    wanted: Select[Message] = select(Message).where(Message.user_id == user_id)
    rows = db.session.scalars(one_page(wanted, Message.id, page)).all()
    return page_of(rows, page, lambda message: message.id)


def message_of(user_id: str, message_id: str) -> Message | None:
    """Return one of a person's messages, or None."""
    return db.session.scalar(
        select(Message).where(Message.id == message_id, Message.user_id == user_id)
    )


def unread_count(user_id: str) -> int:
    """Return how many messages a person has not read."""
    wanted = select(func.count()).where(Message.user_id == user_id, Message.read_at.is_(None))
    return db.session.scalar(wanted) or 0


def mailbox(*, page: PageRequest) -> Page[MailView]:
    """Return a page of the mails that were written and not sent, newest first."""
    wanted: Select[Mail] = select(Mail).where(Mail.status == MailStatus.SIMULATED)
    mails = db.session.scalars(one_page(wanted, Mail.id, page)).all()
    return page_of([_view(mail) for mail in mails], page, lambda view: view.id)


def mail_of(mail_id: str) -> MailView:
    """Return one mail of the demo mailbox; raises NotFound."""
    wanted = select(Mail).where(Mail.id == mail_id, Mail.status == MailStatus.SIMULATED)
    mail = db.session.scalar(wanted)
    if mail is None:
        raise NotFound
    return _view(mail)


def are_mails_due() -> bool:
    """Whether any mail waits to be sent now."""
    due = exists().where(Mail.status == MailStatus.WAITING, Mail.due_at <= text("clock_now()"))
    return bool(db.session.scalar(select(due)))


def _view(mail: Mail) -> MailView:
    return MailView(mail.id, mail.to, mail.subject, mail.text_body, mail.html_body, mail.created_at)
