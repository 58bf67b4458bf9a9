"""The mails that a test's portal wrote, and the links in them."""

from __future__ import annotations

import re

from sqlalchemy import select

from webapp.kernel import db
from webapp.notifications import Mail

PUBLIC = "http://localhost:8000"


def letters_to(address: str) -> list[Mail]:
    """Return what was written to an address, the oldest first."""
    db.end_reads()
    with db.scoped(db.WORKER):
        return [
            mail
            for mail in db.session.scalars(select(Mail).order_by(Mail.id))
            if mail.to == address
        ]


def link_in(mail: Mail) -> str:
    """Return the path of the first link in a mail."""
    found = re.search(rf"{PUBLIC}(/\S+)", mail.text_body)
    assert found is not None, mail.text_body
    assert found[1] in mail.html_body
    return found[1]
