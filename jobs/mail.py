"""Mails: written by notifications and by the doors, sent here."""

from __future__ import annotations

from jobs import context
from webapp import notifications
from webapp.kernel import db, wake
from webapp.notifications import Post

WAKE = "mail"


def drain() -> int:
    """Send the mails that are due, up to 100; returns how many were worked on."""
    settings = context.here().settings
    post = Post(settings.smtp_url, settings.mail_from) if settings.smtp_url else None
    done = 0
    with context.draining(WAKE):
        done = notifications.drain_mail(post, is_demo=settings.demo)
        if done and is_due():
            wake.ping(WAKE)
    return done


def is_due() -> bool:
    """Whether a mail waits to be sent now."""
    found = notifications.are_mails_due()
    db.end_reads()
    return found
