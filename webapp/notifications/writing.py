"""Writing one message or one mail, once per fact however often it is told (steps)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from webapp import orders, payments
from webapp.kernel import clock, crypto, db, ids, wake
from webapp.notifications.letters import Letter
from webapp.notifications.models import Mail, MailStatus, Message
from webapp.outbox import Fact, announce

WAKE = "mail"
WRITTEN = "message.written"
#: What is announced of messages and of mails, by where a mail came to stand.
EVENTS = (WRITTEN, "mail.sent", "mail.failed", "mail.simulated")


@dataclass(frozen=True, slots=True)
class Told:
    """Whose inboxes got a new message, with the message's id."""

    user_id: str
    message_id: str


def to_inbox(fact: Fact, user_id: str | None, text: str) -> list[Told]:
    """Put a sentence into somebody's inbox; nothing for nobody, nor for the same fact again."""
    if user_id is None:
        return []
    row = {
        "id": ids.new("message"),
        "user_id": user_id,
        "merchant_id": fact.merchant_id,
        "livemode": bool(fact.livemode),
        "kind": fact.name,
        "text": text,
        "about_kind": fact.subject_kind,
        "about_id": fact.subject_id,
        "fact_id": fact.id,
        "created_at": clock.now(),
    }
    written = insert(Message).values(row).on_conflict_do_nothing().returning(Message.id)
    message_id = db.session.scalar(written)
    if message_id is None:
        return []
    said = {name: row[name] for name in ("id", "user_id", "kind", "about_kind", "about_id")}
    announce(WRITTEN, "message", message_id, said, because=fact.name)
    return [Told(user_id, message_id)]


def by_mail(fact: Fact, to: str, letter: Letter, template: str) -> None:
    """Write a mail about a fact and have it sent soon; the same one is written once."""
    mail = draft(to, letter, template, about_id=fact.subject_id)
    row = {column.key: getattr(mail, column.key) for column in Mail.__table__.columns}
    written = insert(Mail).values(row | {"fact_id": fact.id}).on_conflict_do_nothing()
    if db.session.scalar(written.returning(Mail.id)) is not None:
        wake.soon(WAKE)


def announce_mail(mail_id: str, status: str, template: str, about_id: str) -> None:
    """Tell where a mail came to stand; never to whom it goes (a step of a worker)."""
    said = {"id": mail_id, "status": status, "template": template, "about": about_id}
    announce(f"mail.{status}", "mail", mail_id, said, because=template)


def address_of(payment: payments.Payment) -> str | None:
    """Return whom to write to about a payment: its payer, else whom the merchant named."""
    given = payment.shopper.get("email")
    if given:
        return given
    customer = orders.customer_of(payment.merchant_id or "", payment.customer_id)
    return customer.email if customer else None


def draft(to: str, letter: Letter, template: str, *, about_id: str) -> Mail:
    """Return a mail that waits to be sent, its address and letter sealed."""
    mail_id, now = ids.new("mail"), clock.now()
    return Mail(
        id=mail_id,
        template=template,
        subject=letter.subject,
        to_sealed=crypto.seal(to.strip(), context=f"mail:to:{mail_id}"),
        to_index=crypto.blind_index(to.strip().lower(), purpose="email"),
        text_sealed=crypto.seal(letter.text, context=f"mail:text:{mail_id}"),
        html_sealed=crypto.seal(letter.html, context=f"mail:html:{mail_id}"),
        about_id=about_id,
        status=MailStatus.WAITING,
        tries=0,
        claims=0,
        created_at=now,
        due_at=func.clock_now(),
    )
