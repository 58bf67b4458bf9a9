"""One shop, one shopper and a friend, told to the real rooms and to a model of the books at once.

Hypothesis tells the stories to the real rooms, on real commits, and to a model of the books in
seventy lines; after each step both must agree, and the provider's own books with them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from tests.builders import (
    Link,
    a_checkout,
    a_merchant,
    a_method,
    a_person,
    a_top_up,
    an_order,
    card_tried,
    inr,
    now_at,
    wallet_tried,
)
from tests.payments.bank import BAD_METHOD
from tests.payments.model import Model, Sale
from tests.races.stage import Stage
from tests.stories import behind, order_now, payment_is_whole, scalar
from webapp import ledger, payments, refunds, wallets
from webapp.gateway import Result
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.ledger import InsufficientBalance
from webapp.orders import CheckoutExpired
from webapp.outbox import Actor
from webapp.payments import Status

CLERK = Actor("merchant_user", "usr_clerk")
UNDO = dt.timedelta(seconds=31)
HELD_FOR = dt.timedelta(days=6)
AMOUNTS = st.integers(1_00, 900_00)
SHARES = st.integers(1, 100)
POINTS = (
    "operation.before_send",
    "operation.after_send",
    "operation.before_apply",
    "operation.applied",
    "operation.completed",
)
TEST = False
T = TypeVar("T")


@dataclass
class Waiting:
    """A payment that was declined and can be tried again."""

    link: Link
    payment_id: str
    ends: dt.datetime
    later: bool


class Story(RuleBasedStateMachine):
    """One shop, one shopper and a friend with wallets, from the first order to whatever comes."""

    def __init__(self, stage: Stage, seen: Counter[str]) -> None:
        super().__init__()
        self.stage, self.seen, self.model = stage, seen, Model()
        self.shop, self.person, self.friend = a_merchant(), a_person(), a_person()
        self.known = set(stage.bank.intents)
        self.waiting: list[Waiting] = []
        self.held_until: dict[str, dt.datetime] = {}
        for one in (self.person, self.friend):
            with db.scoped(db.Scope(user_id=one.id, livemode=False)):
                wallets.open(one.id, "INR", livemode=False)
        self.before = self.platform()

    def at_now(self, act: Callable[[], T]) -> T:
        """Do something at the story's time, as the web does."""
        with clock.standing_at(self.stage.now):
            return act()

    def as_shop(self, act: Callable[[], T]) -> T:
        """Do something as the shop."""
        with db.scoped(db.Scope(merchant_id=self.shop, livemode=False)):
            return self.at_now(act)

    def tried(self, link: Link, method: str) -> str:
        """Press Pay twice."""
        payer = self.person.payer
        first = self.at_now(lambda: card_tried(link, method, payer=payer))
        assert self.at_now(lambda: card_tried(link, method, payer=payer)) == first
        self.stage.work()
        return first

    def yes(self, payment_id: str, sale: Sale) -> None:
        """Note that a card was accepted."""
        self.model.pay(payment_id, sale)
        if sale.held:
            self.held_until[payment_id] = self.stage.now + HELD_FOR

    @rule(amount=AMOUNTS)
    def top_up(self, amount: int) -> None:
        """The shopper fills the wallet by card."""
        link = self.at_now(lambda: a_top_up(self.person, inr(amount)))
        self.tried(link, a_method())
        self.model.top_up(amount)

    @rule(amount=AMOUNTS, later=st.booleans())
    def pay(self, amount: int, later: bool) -> None:  # noqa: FBT001 - drawn by name
        """A card is accepted."""
        link = self.at_now(lambda: a_checkout(self.shop, inr(amount), capture_later=later))
        self.yes(self.tried(link, a_method()), Sale(amount, is_card=True, later=later))
        with pytest.raises((payments.AlreadyPaid, payments.PaymentUnderWay)):
            self.at_now(lambda: card_tried(link))

    @rule(amount=AMOUNTS, later=st.booleans())
    def be_declined(self, amount: int, later: bool) -> None:  # noqa: FBT001 - drawn by name
        """A card is declined: nothing moves, and the link stays open."""
        link = self.at_now(lambda: a_checkout(self.shop, inr(amount), capture_later=later))
        ends = self.stage.now + dt.timedelta(minutes=15)
        payment_id = self.tried(link, f"{BAD_METHOD}{a_method()}")
        assert now_at(payment_id).status == Status.AWAITING_METHOD
        self.waiting.append(Waiting(link, payment_id, ends, later))

    @precondition(lambda self: self.waiting)
    @rule(nth=st.integers(0, 9))
    def retry(self, nth: int) -> None:
        """After a definite decline another card is tried, while the link lasts."""
        one = self.waiting.pop(nth % len(self.waiting))
        if one.ends <= self.stage.now:
            with pytest.raises(CheckoutExpired):
                self.at_now(lambda: card_tried(one.link))
            return
        price = now_at(one.payment_id).amount.minor
        assert self.tried(one.link, a_method()) == one.payment_id
        self.yes(one.payment_id, Sale(price, is_card=True, later=one.later))
        self.seen["retried"] += 1

    @precondition(lambda self: self.waiting)
    @rule(nth=st.integers(0, 9))
    def pay_too_late(self, nth: int) -> None:
        """The bank says yes after all, once the order was cancelled: the money goes back."""
        one = self.waiting.pop(nth % len(self.waiting))
        self.as_shop(lambda: payments.cancel_order(one.link.ref.order_id, by=CLERK))
        intent = self.stage.bank.intents[now_at(one.payment_id).provider_intent_id or ""]
        if intent.status is Result.CREATED and not intent.is_manual:
            self.stage.bank.say_yes(intent)
        self.stage.work()
        if intent.charges:
            self.seen["paid too late"] += 1
            assert intent.returned == intent.taken
            assert scalar("SELECT status FROM anomaly WHERE payment_id = :i", i=one.payment_id) == (
                "refunded"
            )

    @rule(amount=AMOUNTS)
    def pay_from_wallet(self, amount: int) -> None:
        """The wallet pays, or has too little and nothing at all happens."""
        link = self.at_now(lambda: a_checkout(self.shop, inr(amount)))
        if amount > self.model.wallet:
            with pytest.raises(InsufficientBalance):
                self.at_now(lambda: wallet_tried(link, self.person))
            assert order_now(link.ref.order_id) == ("pending", 1)
            tried = "SELECT count(*) FROM payment WHERE order_id = :i"
            assert scalar(tried, i=link.ref.order_id) == 0
        else:
            payment_id = self.at_now(lambda: wallet_tried(link, self.person))
            self.model.pay(payment_id, Sale(amount, is_card=False))

    @rule(amount=AMOUNTS, back=st.booleans())
    def transfer(self, amount: int, back: bool) -> None:  # noqa: FBT001 - drawn by name
        """One wallet sends the other money, or has too little and nothing at all happens."""
        ends = (self.friend, self.person) if back else (self.person, self.friend)
        sender, recipient = (one.id for one in ends)
        asked = wallets.NewTransfer(sender, recipient, inr(amount), livemode=False)

        def send() -> None:
            with db.scoped(db.Scope(user_id=sender, livemode=False)):
                wallets.transfer(asked, by=Actor("user", sender))

        if amount > (self.model.friend if back else self.model.wallet):
            with pytest.raises(InsufficientBalance):
                self.at_now(send)
            self.seen["too little to send"] += 1
            return
        self.at_now(send)
        self.model.send(-amount if back else amount)
        self.seen["sent back" if back else "sent"] += 1

    @precondition(lambda self: self.held_until)
    @rule(nth=st.integers(0, 9), share=SHARES, and_void=st.booleans())
    def capture(self, nth: int, share: int, and_void: bool) -> None:  # noqa: FBT001 - drawn by name
        """Held money is taken, in part perhaps; letting it go at the same time is refused."""
        payment_id = sorted(self.held_until)[nth % len(self.held_until)]
        amount = max(1, self.model.sales[payment_id].held * share // 100)
        for _ in range(2):
            self.as_shop(lambda: payments.capture(payment_id, amount=inr(amount), by=CLERK))
        if and_void:
            with pytest.raises(payments.CaptureUnderWay):
                self.as_shop(lambda: payments.void(payment_id, because="Sold out.", by=CLERK))
        self.stage.work()
        del self.held_until[payment_id]
        self.model.take(payment_id, amount)
        self.seen["taken in part"] += share < 100

    @precondition(lambda self: self.held_until)
    @rule(nth=st.integers(0, 9))
    def void(self, nth: int) -> None:
        """Held money is let go; taking it is then refused."""
        payment_id = sorted(self.held_until)[nth % len(self.held_until)]
        self.as_shop(lambda: payments.void(payment_id, because="Sold out.", by=CLERK))
        with pytest.raises(payments.VoidUnderWay):
            self.as_shop(lambda: payments.capture(payment_id, by=CLERK))
        self.stage.work()
        self.gone(payment_id)
        self.seen["let go"] += 1

    def gone(self, payment_id: str) -> None:
        """Note that held money is the shopper's again."""
        del self.held_until[payment_id]
        self.model.let_go(payment_id)
        assert now_at(payment_id).status == Status.CANCELLED

    @precondition(lambda self: any(sale.taken for sale in self.model.sales.values()))
    @rule(
        nth=st.integers(0, 19),
        share=st.integers(1, 130),
        to=st.sampled_from(["original", "original", "wallet", "order_credit"]),
        undone=st.sampled_from([False, False, False, True]),
    )
    def refund(self, nth: int, share: int, to: str, undone: bool) -> None:  # noqa: FBT001 - drawn
        """Some of what was taken goes back, never more; or is called off before it leaves."""
        taken = sorted(key for key, sale in self.model.sales.items() if sale.taken)
        payment_id = taken[nth % len(taken)]
        sale = self.model.sales[payment_id]
        amount = max(1, sale.taken * share // 100)
        refund_id = self.asked(payment_id, amount, to)
        if amount > sale.taken - sale.returned:
            assert refund_id is None
            self.seen["refused"] += 1
            return
        assert refund_id is not None
        if undone:
            self.as_shop(lambda: refunds.undo(refund_id, by=CLERK))
        self.stage.now += UNDO
        self.stage.work()
        wanted = "cancelled" if undone else "succeeded"
        self.seen["undone" if undone else "refunded"] += 1
        assert scalar("SELECT status FROM refund WHERE id = :i", i=refund_id) == wanted
        if not undone:
            self.model.give_back(payment_id, amount, to)

    def asked(self, payment_id: str, amount: int, to: str) -> str | None:
        """Ask for a refund; returns its id, or None where there is not so much left."""
        is_credit, person = to == "order_credit", self.person.id
        target = an_order(self.shop, inr(amount), user_id=person).id if is_credit else None
        try:
            return self.as_shop(
                lambda: (
                    refunds.request(
                        payment_id,
                        amount=inr(amount),
                        reason="other",
                        destination=to,
                        target_order_id=target,
                        by=CLERK,
                    ).id
                )
            )
        except (refunds.RefundExceedsAvailable, refunds.RefundNotPossible, refunds.RefundBlocked):
            return None

    @rule(what=st.sampled_from(["before", "after", *POINTS]))
    def disturb(self, what: str) -> None:
        """The next call's answer is lost, or the next worker ends at a point of its work."""
        if what in POINTS:
            self.stage.context.point = what
        else:
            self.stage.bank.loses = what

    @precondition(lambda self: self.held_until)
    @rule()
    def let_the_bank_wait(self) -> None:
        """Nobody takes held money in time."""
        self.let_time_pass(HELD_FOR)

    @rule(jump=st.sampled_from([dt.timedelta(minutes=20), dt.timedelta(hours=5)]))
    def let_time_pass(self, jump: dt.timedelta) -> None:
        """Links end, and held money that nobody took goes back."""
        self.stage.now += jump
        over = [one for one, ends in self.held_until.items() if ends <= self.stage.now]
        self.stage.sweep()
        for payment_id in over:
            self.gone(payment_id)
            self.seen["let go in time"] += 1
        for one in self.waiting:
            assert now_at(one.payment_id).status == Status.FAILED
            self.seen["failed in time"] += 1
        self.waiting.clear()

    def platform(self) -> dict[str, int]:
        """Return the platform's balances."""
        with db.scoped(behind()):
            accounts = {
                "fees": ledger.fees(TEST, "INR"),
                "clearing": ledger.clearing(TEST, "INR"),
                "suspense": ledger.suspense(TEST, "INR"),
                "in transit": ledger.refunds_in_transit(TEST, "INR"),
                "store credit": ledger.store_credit(TEST, "INR"),
            }
            return {name: ledger.balance(ref).minor for name, ref in accounts.items()}

    @invariant()
    def the_books_agree(self) -> None:
        """Each account holds what the model says, to the last unit."""
        now = self.platform()
        moved = {name: now[name] - self.before[name] for name in now}
        with db.scoped(behind()):
            moved["payable"] = ledger.balance(ledger.payable(self.shop, TEST, "INR")).minor
            for name, one in (("wallet", self.person), ("friend", self.friend)):
                moved[name] = ledger.balance(ledger.wallet(one.id, TEST, "INR")).minor
        model = self.model
        assert moved == {
            "fees": model.fees,
            "clearing": model.clearing,
            "suspense": 0,
            "in transit": 0,
            "store credit": 0,
            "payable": model.payable,
            "wallet": model.wallet,
            "friend": model.friend,
        }
        assert sum(moved.values()) == 0

    @invariant()
    def the_provider_agrees(self) -> None:
        """The provider took each intent's money once at most, and holds what our books say."""
        ours = [one for key, one in self.stage.bank.intents.items() if key not in self.known]
        assert all(one.charges <= 1 for one in ours)
        assert sum(one.taken - one.returned for one in ours) == -self.model.clearing

    @invariant()
    def every_payment_says_what_the_model_says(self) -> None:
        """What was held, taken and given back stands on each payment."""
        for payment_id, sale in self.model.sales.items():
            payment = now_at(payment_id)
            assert payment.captured == Money(sale.taken, "INR")
            assert payment.refunded == Money(sale.returned, "INR")
            assert (payment.status == Status.AUTHORISED) == (payment_id in self.held_until)

    def teardown(self) -> None:
        """Let all that is under way end, and look at the whole of the books."""
        self.stage.bank.loses = self.stage.context.point = None
        self.stage.work()
        for payment_id in list(self.model.sales)[-3:]:
            payment_is_whole(payment_id)
        db.session.remove()
