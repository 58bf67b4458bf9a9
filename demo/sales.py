"""One sale of the story from order to end: every row it leaves, every move, fact and entry."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from itertools import count

from demo.books import Books
from demo.cast import Cast, customer
from demo.refunds import Returns
from demo.rows import Rows
from demo.story import CARDS, DECLINES, OUTAGE_DECLINE, Shop
from webapp import ledger, payments
from webapp.kernel import crypto, ids, words
from webapp.kernel.money import Money
from webapp.ledger import AccountRef
from webapp.orders import CHECKOUT_LASTS, CheckoutSession, Order
from webapp.outbox import PROVIDER, SYSTEM, Actor
from webapp.payments import Payment
from webapp.payments.entries import Capture, captured, set_aside
from webapp.payments.states import AUTHORISED_DEADLINE, CHECK_AUTHORISED

SECONDS = dt.timedelta(seconds=1)
#: The card with which the sandbox recalls a payment of the past.
RECALLED = ("visa", "4242")
SHORT = "The money came but the order could not take it; it is set aside."


@dataclass(frozen=True, slots=True)
class Sale:
    """What is sold to whom and what becomes of it: declines first, then `ending`."""

    shop: Shop
    amount: Money
    words: str
    at: dt.datetime
    email: str
    user_key: str | None
    declines: int
    ending: str
    method: str = "card"
    is_outage: bool = False


def past_intent(payment: Payment, took: Money, *, is_held: bool = False) -> str:
    """Return the provider's id of a payment of the past, from which the sandbox recalls it."""
    kind = "held_" if is_held else ""
    whose = payment.id.partition("_")[2]
    return f"pi_demo_{kind}{took.currency.lower()}_{took.minor}_{whose}"


class Till:
    """Writes sales as rows."""

    def __init__(self, rows: Rows, cast: Cast, books: Books, returns: Returns) -> None:
        self._rows = rows
        self._returns = returns
        self._cast = cast
        self._books = books
        self._numbers = {key: count(1001) for key in cast.merchants}
        self._methods = count(1)
        self.last_numbers: dict[str, int] = {}

    def ring(self, sale: Sale) -> None:
        """Write one sale."""
        order = self._order(sale)
        session = self._session(sale, order)
        if sale.ending == "untried":
            self._close(session, "expired", session.expires_at, "Its time was over.")
        else:
            self._pay(sale, order, session)
        self._rows.put("checkout_session", session)
        self._rows.put("shop_order", order, metadata={})

    def _order(self, sale: Sale) -> Order:
        merchant = self._cast.merchants[sale.shop.key]
        user = self._cast.users[sale.user_key] if sale.user_key else None
        number = next(self._numbers[sale.shop.key])
        self.last_numbers[sale.shop.key] = number
        owner = Actor("merchant_user", merchant.user_id)
        order = Order(
            id=self._rows.chance.id("order", sale.at),
            merchant_id=merchant.id,
            livemode=False,
            user_id=user.id if user else None,
            customer_id=customer(
                self._rows, self._cast, sale.shop, sale.email, sale.at, user.id if user else None
            ),
            kind="sale",
            number=str(number),
            amount_minor=sale.amount.minor,
            currency=sale.amount.currency,
            description=sale.words,
            created_at=sale.at,
            created_by=merchant.user_id,
            capture_later=sale.ending == "held",
        )
        self._rows.step(order, "pending", sale.at, because="The order was created.", by=owner)
        return order

    def _session(self, sale: Sale, order: Order) -> CheckoutSession:
        opened = sale.at + 20 * SECONDS
        session_id = self._rows.chance.id("checkout_session", opened)
        session = CheckoutSession(
            id=session_id,
            merchant_id=order.merchant_id,
            livemode=False,
            user_id=order.user_id,
            order_id=order.id,
            token_hash=ids.token_hash(f"demo:{session_id}"),
            opened_at=opened,
            expires_at=opened + CHECKOUT_LASTS,
        )
        self._rows.step(session, "open", opened, because="The checkout was opened.")
        return session

    def _pay(self, sale: Sale, order: Order, session: CheckoutSession) -> None:
        at = sale.at + self._rows.chance.between(40, 200) * SECONDS
        payment = self._payment(sale, order, session, at)
        shopper = Actor("shopper", payment.user_id)
        self._rows.step(payment, "created", at, because="The shopper began to pay.", by=shopper)
        for _ in range(sale.declines):
            at = self._decline(sale, payment, at)
        if sale.ending == "captured":
            at = self._capture(sale, order, payment, at)
            order.completed_at = at
            self._rows.step(order, "completed", at, because="The order was paid.", by=PROVIDER)
            self._close(session, "complete", at, "The order was paid.")
        elif sale.ending == "held":
            at = self._hold(payment, at)
            self._close(session, "complete", at, "The bank holds the money.")
        elif sale.ending == "underpaid":
            self._fall_short(payment, at)
            self._close(session, "expired", session.expires_at, "Its time was over.")
        else:
            ends = max(session.expires_at, at + SECONDS)
            payment.finished_at = ends
            because = "Every try was declined and the link’s time is over."
            if sale.ending == "expired":
                because = "Nobody paid before the link’s time was over."
            self._rows.step(payment, sale.ending, ends, because=because)
            self._close(session, "expired", ends, "Its time was over.")
        self._rows.put("payment", payment, metadata={})

    def _hold(self, payment: Payment, at: dt.datetime) -> dt.datetime:
        """Have the bank hold the money; the shop has yet to take it."""
        held = at + self._rows.chance.between(1, 7) * SECONDS
        self._begin(payment, "card", at)
        self._attempt(payment, "succeeded", at, held, card=RECALLED)
        payment.authorised_minor = payment.amount_minor
        payment.provider_intent_id = past_intent(payment, payment.amount, is_held=True)
        payment.capture_before = payment.deadline_at = held + AUTHORISED_DEADLINE
        payment.check_at = held + CHECK_AUTHORISED
        because = "The bank holds the money."
        self._rows.step(payment, "authorised", held, because=because, by=PROVIDER)
        return held

    def _fall_short(self, payment: Payment, at: dt.datetime) -> None:
        """Have less come than was asked for: it waits in suspense for the shop to decide."""
        came_at = at + self._rows.chance.between(1, 7) * SECONDS
        came = Money(payment.amount_minor // 2, payment.currency)
        self._begin(payment, "card", at)
        self._attempt(payment, "abandoned", at, came_at)
        payment.provider_intent_id = past_intent(payment, came)
        payment.finished_at = came_at
        self._rows.step(payment, "failed", came_at, because=SHORT, by=PROVIDER)
        self._books.post(
            f"payment.suspense:{payment.id}",
            set_aside(livemode=False, amount=came),
            came_at,
            kind="payment.suspense",
            merchant_id=payment.merchant_id or "",
            because="Money came that fits no open order.",
        )
        anomaly = payments.Anomaly(
            id=self._rows.chance.id("anomaly", came_at),
            payment_id=payment.id,
            merchant_id=payment.merchant_id,
            livemode=False,
            user_id=payment.user_id,
            kind=payments.AnomalyKind.UNDERPAID.value,
            amount_minor=came.minor,
            currency=came.currency,
            note=f"{words.money_short(came)} came; the order asks for"
            f" {words.money_short(payment.amount)}.",
            opened_at=came_at,
        )
        self._rows.step(anomaly, "open", came_at, because=anomaly.note, by=PROVIDER)
        self._rows.put("anomaly", anomaly)

    def _payment(
        self, sale: Sale, order: Order, session: CheckoutSession, at: dt.datetime
    ) -> Payment:
        payment = Payment(
            id=self._rows.chance.id("payment", at),
            merchant_id=order.merchant_id,
            livemode=False,
            user_id=order.user_id,
            order_id=order.id,
            customer_id=order.customer_id,
            checkout_session_id=session.id,
            amount_minor=order.amount_minor,
            currency=order.currency,
            authorised_minor=0,
            captured_minor=0,
            fee_bps=sale.shop.fee_bps,
            fee_minor=0,
            created_at=at,
            attempt_count=0,
            email_index=crypto.blind_index(sale.email, purpose="email"),
        )
        payment.seal({"email": sale.email})
        return payment

    def _decline(self, sale: Sale, payment: Payment, at: dt.datetime) -> dt.datetime:
        answered = at + self._rows.chance.between(2, 9) * SECONDS
        code = OUTAGE_DECLINE if sale.is_outage else self._rows.chance.pick(DECLINES)
        self._begin(payment, "card", at)
        self._attempt(payment, "declined", at, answered, decline_code=code)
        payment.last_decline_code = code
        self._rows.step(
            payment, "awaiting_method", answered, because="The bank declined.", by=PROVIDER
        )
        return answered + self._rows.chance.between(15, 90) * SECONDS

    def _capture(self, sale: Sale, order: Order, payment: Payment, at: dt.datetime) -> dt.datetime:
        from_wallet = sale.method == "wallet"
        taken = at + (SECONDS if from_wallet else self._rows.chance.between(1, 7) * SECONDS)
        if from_wallet:
            payment.method_kind, payment.method_label = "wallet", "Wallet"
            payment.attempt_count += 1
            self._row_of_attempt(payment, "wallet", "succeeded", taken, taken)
            source = ledger.wallet(payment.user_id or "", False, payment.currency)  # noqa: FBT003
        else:
            self._begin(payment, "card", at)
            self._attempt(payment, "succeeded", at, taken)
            source = ledger.clearing(False, payment.currency)  # noqa: FBT003
        fee = payment.amount.basis_points(payment.fee_bps)
        payment.authorised_minor = payment.captured_minor = payment.amount_minor
        payment.fee_minor = fee.minor
        if not from_wallet:
            payment.provider_intent_id = past_intent(payment, payment.amount)
        payment.captured_at = payment.finished_at = taken
        payment.last_decline_code = None
        fact_id = self._rows.step(
            payment, "captured", taken, because="The money was taken.", by=PROVIDER
        )
        self._post(order, payment, source, taken)
        self._tell(order, payment, fact_id, taken)
        self._returns.after(order, payment, taken)
        return taken

    def _begin(self, payment: Payment, method: str, at: dt.datetime) -> None:
        payment.method_kind = method
        payment.method_label = None
        shopper = Actor("shopper", payment.user_id)
        self._rows.step(payment, "processing", at, because="The shopper asked to pay.", by=shopper)

    def _attempt(
        self,
        payment: Payment,
        status: str,
        at: dt.datetime,
        ended: dt.datetime,
        *,
        decline_code: str | None = None,
        card: tuple[str, str] | None = None,
    ) -> None:
        payment.attempt_count += 1
        drawn = (self._rows.chance.pick(CARDS), f"{self._rows.chance.between(0, 9999):04}")
        brand, last4 = card or drawn
        payment.method_label = payments.card_label(brand, last4)
        self._row_of_attempt(
            payment, "card", status, at, ended, card=(brand, last4), decline_code=decline_code
        )

    def _row_of_attempt(  # noqa: PLR0913 - one row's columns
        self,
        payment: Payment,
        kind: str,
        status: str,
        at: dt.datetime,
        ended: dt.datetime,
        *,
        card: tuple[str, str] | None = None,
        decline_code: str | None = None,
    ) -> None:
        attempt_id = self._rows.chance.id("attempt", at)
        brand, last4 = card or (None, None)
        known = json.dumps({"brand": brand, "last_4": last4, "card_type": "credit"})
        self._rows.add(
            "attempt",
            id=attempt_id,
            payment_id=payment.id,
            merchant_id=payment.merchant_id,
            livemode=False,
            user_id=payment.user_id,
            number=payment.attempt_count,
            method_kind=kind,
            provider_method_id=f"pm_demo_{next(self._methods)}" if card else None,
            status=status,
            card_brand=brand,
            card_last4=last4,
            card_sealed=crypto.seal(known, context=f"attempt:card:{attempt_id}") if card else None,
            decline_code=decline_code,
            started_at=at,
            finished_at=ended,
        )

    def _post(self, order: Order, payment: Payment, source: AccountRef, at: dt.datetime) -> None:
        capture = Capture(
            source=source,
            merchant_id=order.merchant_id or "",
            livemode=False,
            amount=payment.amount,
            fee=payment.fee,
        )
        self._books.post(
            f"payment.captured:{payment.id}",
            captured(capture),
            at,
            kind="payment.captured",
            merchant_id=order.merchant_id or "",
            because=payments.history_text(payment.captured, order.number),
        )

    def _tell(self, order: Order, payment: Payment, fact_id: str, at: dt.datetime) -> None:
        if payment.user_id is None:
            return
        said = payments.history_text(payment.captured, order.number).split(" paid for ")
        self._rows.add(
            "message",
            id=self._rows.chance.id("message", at),
            user_id=payment.user_id,
            merchant_id=payment.merchant_id,
            livemode=False,
            kind="payment.captured",
            text=f"Your payment of {said[0]} for {said[1]} is successful.",
            about_kind="payment",
            about_id=payment.id,
            fact_id=fact_id,
            created_at=at,
            read_at=at + dt.timedelta(hours=2),
        )

    def _close(self, session: CheckoutSession, status: str, at: dt.datetime, because: str) -> None:
        session.closed_at = at
        self._rows.step(session, status, at, because=because, by=SYSTEM)
