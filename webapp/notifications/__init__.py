"""Messages to people: sentences in their inbox, and mails, which a worker sends."""

from webapp.notifications.failed import discard_mail, send_again
from webapp.notifications.letters import NoSuchLetter, render
from webapp.notifications.models import Mail, MailStatus, Message
from webapp.notifications.post import NotSent, Post
from webapp.notifications.queries import (
    MailView,
    are_mails_due,
    inbox_of,
    mail_of,
    mailbox,
    message_of,
    unread_count,
)
from webapp.notifications.service import drain_mail, mark_read, notify, send_mail, use
from webapp.notifications.writing import EVENTS, Told

__all__ = [
    "EVENTS",
    "Mail",
    "MailStatus",
    "MailView",
    "Message",
    "NoSuchLetter",
    "NotSent",
    "Post",
    "Told",
    "are_mails_due",
    "discard_mail",
    "drain_mail",
    "inbox_of",
    "mail_of",
    "mailbox",
    "mark_read",
    "message_of",
    "notify",
    "render",
    "send_again",
    "send_mail",
    "unread_count",
    "use",
]
