"""People, merchants, links and payments in any state, made through the rooms' own verbs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import count

from flask import Flask
from sqlalchemy import text

from tests.checked_client import CheckedClient
from tests.stories import behind
from webapp import accounts, ledger, orders, payments, wallets
from webapp.gateway import Card, Decline, Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef, NewOrder, NewPaymentLink, Order, PaymentLink
from webapp.outbox import Actor
from webapp.payments import Payer, Payment, Status

PASSWORD = "correct horse battery"
BACK = "http://localhost:8000/checkout/secret-token/return"
VISA = Card(brand="visa", last4="4242", exp_month=12, exp_year=2034, funding="credit")
SHOPPER = Actor("shopper")
#: A customer who has not signed in.
GUEST = "guest@people.example"
_numbers = count(1)


@dataclass(frozen=True)
class Someone:
    """A registered person."""

    id: str
    email: str

    @property
    def payer(self) -> Payer:
        """This person as the one who pays."""
        return Payer(self.id, self.email)


@dataclass(frozen=True)
class Link:
    """An open checkout link and what its token proves."""

    token: str
    ref: CheckoutRef

    def scope(self, user_id: str | None = None) -> db.Scope:
        """Return the scope that the checkout's door puts in force."""
        return db.Scope(merchant_id=self.ref.merchant_id, livemode=False, user_id=user_id)


def inr(minor: int) -> Money:
    """Return that many paise."""
    return Money(minor, "INR")


def a_person(name: str = "Asha Raman") -> Someone:
    """Register and verify somebody whom no other test knows."""
    number = next(_numbers)
    email = f"builder{number}@people.example"
    address = f"10.{number // 200 % 200}.{number % 200}.1"
    new = accounts.register(email, name, PASSWORD, address=address)
    accounts.verify(new.verification_token)
    return Someone(new.user_id, email)


def an_admin() -> Someone:
    """Register an admin."""
    person = a_person("Root Admin")
    with db.transaction(db.OWNER):
        statement = text("UPDATE app_user SET is_admin = true WHERE id = :id")
        db.session.execute(statement, {"id": person.id})
    return person


def a_merchant(owner: Someone | None = None, name: str = "Lotus Tea House") -> str:
    """Open a merchant and return its id."""
    return accounts.create_merchant(name, (owner or a_person()).id)


def an_order(
    merchant_id: str,
    amount: Money | None = None,
    *,
    user_id: str | None = None,
    email: str | None = None,
    capture_later: bool = False,
) -> Order:
    """Create an order that waits to be paid: ₹1,000.00 unless said otherwise."""
    asked = NewOrder(
        merchant_id,
        livemode=False,
        amount=amount or inr(1_000_00),
        user_id=user_id,
        customer_email=email,
        capture_later=capture_later,
    )
    with db.scoped(db.Scope(merchant_id=merchant_id, livemode=False, user_id=user_id)):
        return orders.create(asked)


def a_link(order: Order) -> Link:
    """Open a checkout for an order."""
    with db.scoped(db.Scope(merchant_id=order.merchant_id, livemode=False)):
        opened = orders.open_checkout(order.id)
        return Link(opened.token, orders.checkout_for(opened.token))


def a_checkout(
    merchant_id: str, amount: Money | None = None, *, capture_later: bool = False
) -> Link:
    """Create an order and open its checkout."""
    return a_link(an_order(merchant_id, amount, capture_later=capture_later))


def a_new_payment_link(
    merchant_id: str, *, max_payments: int | None = None, ends_at: dt.datetime | None = None
) -> NewPaymentLink:
    """Return what a link of ₹500.00 asks for."""
    return NewPaymentLink(
        merchant_id,
        livemode=False,
        amount=inr(500_00),
        description="A seat at the tasting",
        max_payments=max_payments,
        ends_at=ends_at,
    )


def a_payment_link(
    merchant_id: str, *, max_payments: int | None = None, ends_at: dt.datetime | None = None
) -> PaymentLink:
    """Make a payment link of ₹500.00; what is returned stays as it was made."""
    asked = a_new_payment_link(merchant_id, max_payments=max_payments, ends_at=ends_at)
    with db.scoped(db.Scope(merchant_id=merchant_id, livemode=False)):
        link = orders.create_payment_link(asked, by=Actor("system"))
        db.session.expunge(link)
        return link


def opened_by(link: PaymentLink) -> Link:
    """Press the button of a payment link: a fresh order with its checkout."""
    with db.scoped(db.Scope(merchant_id=link.merchant_id, livemode=False)):
        opened = orders.open_payment_link(orders.payment_link_for(link.token), by=SHOPPER)
        return Link(opened.token, orders.checkout_for(opened.token))


def a_top_up(person: Someone, amount: Money) -> Link:
    """Make the order by which somebody fills their wallet, and open its checkout."""
    wallet_scope = db.Scope(user_id=person.id, livemode=False)
    with db.scoped(wallet_scope):
        wallets.open(person.id, amount.currency, livemode=False)
    asked = NewOrder(
        accounts.PLATFORM_ID, livemode=False, amount=amount, kind="top_up", user_id=person.id
    )
    scope = db.Scope(merchant_id=accounts.PLATFORM_ID, livemode=False, user_id=person.id)
    with db.scoped(scope):
        return a_link(orders.create(asked))


def money_in_wallet(person: Someone, amount: Money) -> None:
    """Fill a wallet by card."""
    payment_id = card_tried(a_top_up(person, amount), payer=person.payer)
    answered(payment_id, succeeded(amount))


def a_method() -> str:
    """Return a method id that no other test uses."""
    return f"pm_builder{next(_numbers)}"


def card_tried(link: Link, method: str | None = None, *, payer: Payer | None = None) -> str:
    """Begin to pay by card; returns the payment's id."""
    who = payer or Payer()
    with db.scoped(link.scope(who.user_id)):
        return payments.start_card(link.ref, method or a_method(), return_url=BACK, payer=who)


def hosted_tried(link: Link) -> str:
    """Begin to pay on the provider's page; returns the payment's id."""
    with db.scoped(link.scope()):
        return payments.start_hosted(link.ref, success_url=BACK, cancel_url=BACK, payer=Payer())


def wallet_tried(link: Link, person: Someone) -> str:
    """Pay from the person's wallet; returns the payment's id."""
    with db.scoped(link.scope(person.id)):
        return payments.pay_from_wallet(link.ref, payer=person.payer)


def answered(payment_id: str, *outcomes: Outcome) -> None:
    """Apply what the provider says, as a worker does."""
    with db.scoped(behind()):
        for outcome in outcomes:
            payments.apply(payment_id, outcome)


def calls_answered(payment_id: str) -> None:
    """Close the calls to the provider that are planned for a payment, as their answers do."""
    sent = "state = 'in_flight', lease_until = clock_now() WHERE state = 'pending'"
    ends = "lease_until = NULL, due_at = NULL, closed_at = clock_now() WHERE state = 'in_flight'"
    for step in (sent, f"state = 'succeeded', {ends}"):
        with db.transaction(behind()) as session:
            statement = f"UPDATE provider_operation SET {step} AND subject_id = :id"
            session.execute(text(statement), {"id": payment_id})


def succeeded(amount: Money, method: str | None = None, *, intent: str | None = None) -> Outcome:
    """The provider has taken that much."""
    return Outcome(
        Result.SUCCEEDED,
        intent_id=intent,
        method_id=method,
        amount=amount,
        card=VISA,
        charge_id="ch_1",
    )


def held(amount: Money, method: str | None = None) -> Outcome:
    """The bank holds that much."""
    return Outcome(Result.AUTHORISED, method_id=method, amount=amount, card=VISA, charge_id="ch_1")


def declined(method: str | None = None, code: str = "insufficient_funds") -> Outcome:
    """The bank has said no."""
    said = Decline(code="card_declined", decline_code=code)
    return Outcome(Result.DECLINED, method_id=method, decline=said, card=Card("visa", "0002"))


def needs_action(method: str | None = None) -> Outcome:
    """The bank wants to check that it is the shopper."""
    url = "http://127.0.0.1:8002/challenge/1"
    return Outcome(Result.REQUIRES_ACTION, method_id=method, next_url=url, card=VISA)


def now_at(payment_id: str) -> Payment:
    """Read a payment as it stands."""
    with db.scoped(behind()):
        return payments.any_payment(payment_id).payment


def a_payment(status: Status, merchant_id: str | None = None, amount: Money | None = None) -> str:
    """Return the id of a payment that came to this state by the usual way."""
    price = amount or inr(1_000_00)
    shop, is_held = merchant_id or a_merchant(), status == Status.AUTHORISED
    link = a_checkout(shop, price, capture_later=is_held)
    payment_id = card_tried(link)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_builder{next(_numbers)}"))
    match status:
        case Status.CAPTURED:
            answered(payment_id, succeeded(price))
        case Status.AWAITING_METHOD:
            answered(payment_id, declined())
        case Status.REQUIRES_ACTION:
            answered(payment_id, needs_action())
        case Status.AUTHORISED:
            answered(payment_id, held(price))
            calls_answered(payment_id)
        case Status.CANCELLED:
            answered(payment_id, Outcome(Result.CANCELLED))
        case Status.FAILED:
            answered(payment_id, declined())
            end_links(link)
        case _:
            pass
    assert now_at(payment_id).status == status
    return payment_id


def end_links(link: Link) -> None:
    """Let the time of a link pass, and the sweeper see it."""
    with db.scoped(behind()):
        ends = orders.checkout_of(link.ref.session_id).expires_at
        with clock.standing_at(ends):
            payments.expire_due()


def browser_of(app: Flask, person: Someone) -> CheckedClient:
    """Return a browser in which that person is signed in."""
    session = accounts.sign_in(person.email, PASSWORD, device="Firefox", address="203.0.113.7")
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    client.set_cookie(app.extensions["paydeck_settings"].session_cookie, session.session_token)
    return client


def an_imported_sale(merchant_id: str) -> str:
    """Book a sale of ₹1,000.00 that no payment stands for; returns the id of its transfer."""
    clearing = ledger.clearing(False, "INR")
    lines = [
        ledger.Line(clearing, ledger.payable(merchant_id, False, "INR"), inr(980_00)),
        ledger.Line(clearing, ledger.fees(False, "INR"), inr(20_00)),
    ]
    with db.scoped(behind()), db.transaction():
        posted = ledger.post(
            f"sale.imported:{merchant_id}",
            lines,
            kind="sale.imported",
            merchant_id=merchant_id,
            livemode=False,
            because="A sale from before.",
        )
    assert posted is not None
    return posted
