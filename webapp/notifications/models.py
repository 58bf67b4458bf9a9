"""Messages in people's inboxes, and mails waiting to be sent; addresses and letters are sealed."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel import crypto
from webapp.kernel.db import Base, Id, Moment


class Message(Base):
    """One sentence to one person, at most one per fact and person."""

    __tablename__ = "message"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    user_id: Mapped[str] = mapped_column(Id)
    merchant_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool]
    kind: Mapped[str]
    text: Mapped[str]
    about_kind: Mapped[str]
    about_id: Mapped[str] = mapped_column(Id)
    fact_id: Mapped[str] = mapped_column(Id)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    read_at: Mapped[dt.datetime | None] = mapped_column(Moment)

    @property
    def is_read(self) -> bool:
        """Whether the person has seen it."""
        return self.read_at is not None


class MailStatus(StrEnum):
    """Where a mail stands.

    `simulated` means that no mail server is set and nothing was sent, `discarded` that it failed
    and a person let it be.
    """

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SIMULATED = "simulated"
    DISCARDED = "discarded"


class Mail(Base):
    """One mail to one address, written once; letters may hold secret links, so they are sealed."""

    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    template: Mapped[str]
    subject: Mapped[str]
    to_sealed: Mapped[str]
    to_index: Mapped[str]
    text_sealed: Mapped[str]
    html_sealed: Mapped[str]
    about_id: Mapped[str] = mapped_column(Id)
    fact_id: Mapped[str | None] = mapped_column(Id)
    status: Mapped[str]
    tries: Mapped[int]
    last_error: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    due_at: Mapped[dt.datetime] = mapped_column(Moment)
    sent_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    claims: Mapped[int] = mapped_column(default=0)

    @property
    def to(self) -> str:
        """The address in the clear."""
        return crypto.unseal(self.to_sealed, context=f"mail:to:{self.id}")

    @property
    def text_body(self) -> str:
        """The letter as plain text."""
        return crypto.unseal(self.text_sealed, context=f"mail:text:{self.id}")

    @property
    def html_body(self) -> str:
        """The letter as HTML."""
        return crypto.unseal(self.html_sealed, context=f"mail:html:{self.id}")
