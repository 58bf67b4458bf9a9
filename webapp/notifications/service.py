"""Telling people: a consumer of facts, a verb for the doors' mails, the drain that sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import structlog
from sqlalchemy import select, text, update

from webapp import accounts, orders, payments
from webapp.kernel import clock, db, wake
from webapp.notifications import (
    endpoint_news,
    letters,
    refund_news,
    sentences,
    wallet_news,
    writing,
)
from webapp.notifications.models import Mail, MailStatus, Message
from webapp.notifications.post import NotSent, Post
from webapp.notifications.writing import WAKE, Told
from webapp.outbox import Fact

AT_MOST = 100
GIVE_UP_AFTER = 8
#: What was claimed so often without any outcome has failed: it may be what ends its workers.
CLAIMS_AT_MOST = 3
ENDED_WORKERS = "ended its worker each time"
LEASE = dt.timedelta(seconds=60)
LONGEST_PAUSE = dt.timedelta(hours=1)
CAPTURED = "payment.captured"
RECEIPT = "receipt"
_log = structlog.get_logger(__name__)
_portal: list[str] = []


def use(public_url: str) -> None:
    """Set under which address people reach the portal, for the links in letters."""
    _portal[:] = [public_url]


def notify(facts: Sequence[Fact]) -> list[Told]:
    """Write what people are to be told about these facts (a step of the relay).

    A captured payment: the sentence of S3-10 in its shopper's inbox, and a receipt by mail to the
    address it was paid with. A refund: where its money is. Money that one person sent another:
    both. Told twice, it writes once. Returns the new messages.
    """
    db.assert_transaction()
    about_refunds = [fact for fact in facts if fact.name in refund_news.TOLD_OF]
    told = refund_news.tell(about_refunds, portal=_portal[0] if _portal else "")
    told += wallet_news.tell([fact for fact in facts if fact.name == wallet_news.SENT])
    told += endpoint_news.tell(
        [fact for fact in facts if fact.name == endpoint_news.DISABLED],
        portal=_portal[0] if _portal else "",
    )
    captured = [fact for fact in facts if fact.name == CAPTURED]
    return told + (_tell_of_payments(captured) if captured else [])


def _tell_of_payments(captured: Sequence[Fact]) -> list[Told]:
    paid = _payments([fact.subject_id for fact in captured])
    bought = orders.orders_with_ids([payment.order_id for payment in paid.values()])
    cards = accounts.merchant_cards(payment.merchant_id or "" for payment in paid.values())
    told = []
    for fact in captured:
        payment = paid[fact.subject_id]
        order = bought[payment.order_id]
        told += writing.to_inbox(fact, payment.user_id, _what_happened(payment, order))
        _write_receipt(fact, payment, order, cards.get(payment.merchant_id or ""))
    return told


def send_mail(to: str, template: str, *, about_id: str, **facts: object) -> str:
    """Write a mail and have it sent soon; returns its id. Not to be called for one event twice.

    Raises letters.NoSuchLetter for a template that is not there.
    """
    with db.transaction():
        mail = writing.draft(to, letters.render(template, **facts), template, about_id=about_id)
        db.session.add(mail)
        wake.soon(WAKE)
        return mail.id


def mark_read(user_id: str, message_ids: Sequence[str] | None = None) -> int:
    """Mark a person's messages (all when None) as read; returns how many were not; repeatable."""
    with db.transaction():
        unread = update(Message).where(Message.user_id == user_id, Message.read_at.is_(None))
        if message_ids is not None:
            unread = unread.where(Message.id.in_(message_ids))
        marked = db.session.execute(unread.values(read_at=clock.now()).returning(Message.id))
        return len(marked.all())


def drain_mail(post: Post | None, *, is_demo: bool, at_most: int = AT_MOST) -> int:
    """Send up to `at_most` mails that are due; returns how many were worked on.

    Without a mail server the demo marks each as simulated, and any other installation keeps them
    waiting. A mail whose sender died is tried again after a minute: it may arrive twice, with the
    same Message-ID, and never gets lost; one whose senders died three times over has failed.
    """
    worked = 0
    while worked < at_most and (mail := _claim()) is not None:
        worked += 1
        if mail.claims > CLAIMS_AT_MOST:
            _log.error("mail_quarantined", mail_id=mail.id, template=mail.template)
            _settle(mail, MailStatus.FAILED, error=ENDED_WORKERS)
        elif post is None and is_demo:
            _settle(mail, MailStatus.SIMULATED)
        else:
            _send(mail, post)
    return worked


def _payments(payment_ids: Sequence[str]) -> dict[str, payments.Payment]:
    wanted = select(payments.Payment).where(payments.Payment.id.in_(payment_ids))
    found = db.session.scalars(wanted.execution_options(populate_existing=True))
    return {payment.id: payment for payment in found}


def _what_happened(payment: payments.Payment, order: orders.Order) -> str:
    if order.kind == "top_up":
        return sentences.topped_up(payment.captured)
    return sentences.paid(payment.captured, order.number)


def _write_receipt(
    fact: Fact,
    payment: payments.Payment,
    order: orders.Order,
    merchant: accounts.MerchantCard | None,
) -> None:
    address = writing.address_of(payment)
    if not address:
        return
    zone = merchant.timezone if merchant else "UTC"
    letter = letters.render(
        RECEIPT,
        amount=payment.captured,
        order_number=order.number,
        description=order.description,
        merchant_name=merchant.name if merchant else "",
        method=payment.method_label or "",
        paid_at=sentences.moment(payment.captured_at or payment.created_at, zone),
        payment_id=payment.id,
        mode="live" if payment.livemode else "test",
        link=f"{_portal[0]}/receipt/{payment.receipt_key}" if _portal else "",
    )
    writing.by_mail(fact, address, letter, RECEIPT)


def _claim() -> Mail | None:
    """Take one due mail for a minute, so that no other worker sends it meanwhile."""
    with db.transaction():
        due = (
            select(Mail)
            .where(Mail.status == MailStatus.WAITING, Mail.due_at <= text("clock_now()"))
            .order_by(Mail.due_at, Mail.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        mail = db.session.scalar(due.execution_options(populate_existing=True))
        if mail is not None:
            mail.tries += 1
            mail.claims += 1
            mail.due_at = clock.now() + LEASE
        return mail


def _send(mail: Mail, post: Post | None) -> None:
    db.assert_no_transaction()
    if post is None:
        _settle(mail, MailStatus.WAITING, error="SMTP_URL is not set")
        return
    try:
        post.send(
            to=mail.to,
            subject=mail.subject,
            text=mail.text_body,
            html=mail.html_body,
            mail_id=mail.id,
        )
    except NotSent as fault:
        is_final = fault.is_final or mail.tries >= GIVE_UP_AFTER
        _log.warning("mail_not_sent", mail_id=mail.id, error=str(fault), is_final=is_final)
        _settle(mail, MailStatus.FAILED if is_final else MailStatus.WAITING, error=str(fault))
    else:
        _settle(mail, MailStatus.SENT)


def _settle(mail: Mail, status: MailStatus, *, error: str | None = None) -> None:
    pause = min(dt.timedelta(seconds=10 * 2 ** min(mail.tries, 12)), LONGEST_PAUSE)
    now = clock.now()
    with db.transaction():
        settled = db.session.scalar(
            update(Mail)
            .where(Mail.id == mail.id, Mail.status == MailStatus.WAITING)
            .values(
                status=status,
                last_error=error,
                claims=0,
                sent_at=now if status is MailStatus.SENT else None,
                due_at=now + pause if status is MailStatus.WAITING else mail.due_at,
            )
            .returning(Mail.id)
        )
        if settled is not None and status is not MailStatus.WAITING:
            writing.announce_mail(mail.id, status, mail.template, mail.about_id)
