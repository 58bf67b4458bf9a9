"""What goes back of the story’s sales: most arrives, some comes back, one waits for approval."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from demo.books import Books
from demo.cast import Cast
from demo.rows import Rows
from demo.story import APPROVAL_ABOVE, REFUNDS
from webapp.kernel.money import Money
from webapp.orders import Order
from webapp.outbox import PROVIDER, SYSTEM, Actor
from webapp.payments import Payment
from webapp.refunds import Destination, Refund, advice_on, entries, expected_by
from webapp.refunds.books import FAILED, SENT, SETTLED, UNSETTLED, text

UNDO = dt.timedelta(seconds=30)
#: Nothing of the story is under way when it ends, but what waits for a person.
SETTLED_BEFORE = dt.timedelta(hours=1)
CARD_CLOSED = "expired_or_canceled_card"


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one payment: how much goes back, when it was asked for, and its end."""

    ending: str
    amount: Money
    at: dt.datetime


class Returns:
    """Writes refunds as rows."""

    def __init__(self, rows: Rows, cast: Cast, books: Books, until: dt.datetime) -> None:
        self._rows = rows
        self._cast = cast
        self._books = books
        self._until = until

    def after(self, order: Order, payment: Payment, captured_at: dt.datetime) -> None:
        """Perhaps refund a captured payment, as the story's weights say."""
        plan = self._plan(payment, captured_at)
        if plan is not None:
            self._write(order, payment, plan)

    def _plan(self, payment: Payment, captured_at: dt.datetime) -> Plan | None:
        chance = self._rows.chance
        if payment.amount_minor > APPROVAL_ABOVE:
            return Plan("requested", payment.amount, self._until - 2 * SETTLED_BEFORE)
        ending = chance.pick(REFUNDS)
        hours, share = chance.between(3, 12 * 24), chance.between(2, 5)
        at = captured_at + dt.timedelta(hours=hours)
        if ending == "none" or at > self._until - SETTLED_BEFORE:
            return None
        part = Money(payment.amount_minor // (share * 10) * 10, payment.currency)
        is_part = ending == "partial" and bool(part)
        return Plan(
            "succeeded" if ending == "partial" else ending, part if is_part else payment.amount, at
        )

    def _write(self, order: Order, payment: Payment, plan: Plan) -> None:
        refund = self._asked(payment, plan)
        match plan.ending:
            case "requested":
                pass
            case "cancelled":
                self._end(refund, "cancelled", plan.at + UNDO / 2, "It was undone before it left.")
            case _:
                self._sent(order, refund, fails=plan.ending == "failed")
        self._rows.put("refund", refund, metadata={})

    def _asked(self, payment: Payment, plan: Plan) -> Refund:
        clerk = self._clerk(payment.merchant_id or "")
        is_large = plan.ending == "requested"
        stored = payment.method_kind == "wallet"
        refund = Refund(
            id=self._rows.chance.id("refund", plan.at),
            merchant_id=payment.merchant_id,
            livemode=False,
            user_id=payment.user_id,
            payment_id=payment.id,
            amount_minor=plan.amount.minor,
            currency=plan.amount.currency,
            reason="requested_by_customer",
            note="The event was called off." if is_large else "The customer sent it back.",
            destination=(Destination.WALLET if stored else Destination.ORIGINAL).value,
            needs_approval=is_large,
            requested_by_kind="merchant_user",
            requested_by_id=clerk,
            leaves_at=None if is_large else plan.at + UNDO,
            created_at=plan.at,
        )
        by = Actor("merchant_user", clerk)
        if is_large:
            refund.check_at = refund.deadline_at = plan.at + dt.timedelta(days=7)
            because = "It is more than one person may refund alone."
            self._rows.step(refund, "requested", plan.at, because=because, by=by)
        else:
            self._rows.step(refund, "approved", plan.at, because="It was asked for.", by=by)
        return refund

    def _sent(self, order: Order, refund: Refund, *, fails: bool) -> None:
        leaves = refund.leaves_at or refund.created_at
        refund.expected_by = expected_by(refund.destination, leaves.date())
        self._book(SENT, refund, order, leaves)
        if refund.destination == Destination.WALLET:
            refund.sent_at = leaves
            self._arrive(order, refund, leaves, "The money is in the wallet.")
            return
        self._rows.step(refund, "unsent", leaves, because="It can no longer be undone.")
        answered = leaves + dt.timedelta(seconds=self._rows.chance.between(1, 6))
        refund.provider_refund_id = f"re_demo_{refund.id[3:]}"
        refund.bank_reference = f"7{self._rows.chance.between(10**10, 10**11 - 1)}"
        refund.sent_at = answered
        self._book(SETTLED, refund, order, answered)
        self._arrive(order, refund, answered, "The provider has paid it out.")
        if fails:
            self._fail(order, refund, answered + dt.timedelta(minutes=41))

    def _arrive(self, order: Order, refund: Refund, at: dt.datetime, because: str) -> None:
        by = SYSTEM if refund.destination == Destination.WALLET else PROVIDER
        fact_id = self._end(refund, "succeeded", at, because, by)
        if refund.user_id is not None:
            where = "is in your wallet." if by is SYSTEM else "has been sent to your bank."
            said = text(refund, order.number).replace(" refunded for ", " for ")
            self._tell(refund, fact_id, at, f"Your refund of {said} {where}")

    def _fail(self, order: Order, refund: Refund, at: dt.datetime) -> None:
        self._book(UNSETTLED, refund, order, at)
        self._book(FAILED, refund, order, at)
        refund.failure_code = CARD_CLOSED
        self._end(refund, "failed", at, advice_on(CARD_CLOSED).says, PROVIDER)

    def _end(
        self, refund: Refund, status: str, at: dt.datetime, because: str, by: Actor = SYSTEM
    ) -> str:
        refund.finished_at = at
        return self._rows.step(refund, status, at, because=because, by=by)

    def _book(self, fact: str, refund: Refund, order: Order, at: dt.datetime) -> None:
        line = entries.leaves(refund) if fact in (SENT, FAILED) else entries.settled(refund)
        undone = {UNSETTLED: SETTLED, FAILED: SENT}.get(fact)
        self._books.post(
            f"{fact}:{refund.id}",
            [line] if undone is None else self._books.turned([line]),
            at,
            kind=fact if undone is None else f"{undone}.reversed",
            merchant_id=refund.merchant_id or "",
            because=text(refund, order.number),
            reverses=f"{undone}:{refund.id}" if undone else None,
        )

    def _tell(self, refund: Refund, fact_id: str, at: dt.datetime, words: str) -> None:
        self._rows.add(
            "message",
            id=self._rows.chance.id("message", at),
            user_id=refund.user_id,
            merchant_id=refund.merchant_id,
            livemode=False,
            kind="refund.succeeded",
            text=words,
            about_kind="refund",
            about_id=refund.id,
            fact_id=fact_id,
            created_at=at,
            read_at=at + dt.timedelta(hours=3),
        )

    def _clerk(self, merchant_id: str) -> str:
        """Return who asks for a merchant's refunds: its clerk, else its owner."""
        shop = next(key for key, one in self._cast.merchants.items() if one.id == merchant_id)
        clerk = self._cast.clerks.get(shop)
        return self._cast.users[clerk].id if clerk else self._cast.merchants[shop].user_id or ""
