"""Beginning to pay: what is refused, by what name, and that a refusal changes nothing."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import (
    BACK,
    Link,
    Someone,
    a_checkout,
    a_merchant,
    a_method,
    a_person,
    a_top_up,
    an_admin,
    an_order,
    answered,
    calls_answered,
    card_tried,
    declined,
    end_links,
    hosted_tried,
    inr,
    money_in_wallet,
    needs_action,
    now_at,
    succeeded,
    wallet_tried,
)
from tests.stories import attempts, operations, payment_is_whole, postings, scalar
from webapp import accounts, ledger, orders, payments, wallets
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.errors import Conflict, Declined, Refusal
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor
from webapp.payments import Payer, Status

PRICE = inr(1_000_00)
TEST = False
TABLES = ("payment", "attempt", "provider_operation", "transfer", "entry", "move", "fact")


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


@pytest.fixture
def rich(shop: str) -> Someone:
    """A person with ₹3,000.00 in the wallet."""
    person = a_person()
    money_in_wallet(person, inr(3_000_00))
    return person


def counts() -> dict[str, int]:
    """Return how many rows there are of everything that a payment writes."""
    return {table: scalar(f"SELECT count(*) FROM {table}") for table in TABLES}


def available(person: Someone) -> Money:
    """Return what may be spent from the person's wallet."""
    with db.scoped(db.WORKER):
        return ledger.balance(ledger.wallet(person.id, TEST, "INR"))


@pytest.mark.requirement("S0-01")
def test_a_card_payment_begins_with_a_try_and_a_planned_call(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    assert now_at(payment_id).status == Status.PROCESSING
    assert attempts(payment_id) == ["processing"]
    assert operations(payment_id) == ["create_intent"]
    payment_is_whole(payment_id)


@pytest.mark.requirement("S1-04")
def test_the_same_card_entry_sent_again_is_the_same_payment(shop: str) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    before = counts()
    assert card_tried(link, method) == payment_id
    answered(payment_id, needs_action(method))
    assert card_tried(link, method) == payment_id
    assert counts()["attempt"] == before["attempt"]
    assert counts()["provider_operation"] == before["provider_operation"]


def test_a_card_entry_that_was_declined_is_not_sent_again(shop: str) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    refuse(lambda: card_tried(link, method), payments.MethodRefused)


def test_a_guest_who_signs_in_and_tries_again_gets_the_payment_as_theirs(shop: str) -> None:
    link, method, person = a_checkout(shop, PRICE), a_method(), a_person()
    payment_id = card_tried(link, method)
    answered(payment_id, declined(method))
    assert now_at(payment_id).user_id is None
    assert card_tried(link, payer=person.payer) == payment_id
    assert now_at(payment_id).user_id == person.id
    with db.scoped(db.Scope(user_id=person.id, livemode=TEST)):
        own = payments.payments_of_user(person.id, page=PageRequest())
        assert [row.payment.id for row in own.rows] == [payment_id]


def test_what_is_told_of_a_payment_goes_to_who_tried_it_last(shop: str, rich: Someone) -> None:
    link, guest = a_checkout(shop, PRICE), Payer(email="mistyped@people.example")
    for payer in (guest, Payer(email="guest@people.example"), a_person().payer):
        method = a_method()
        payment_id = card_tried(link, method, payer=payer)
        answered(payment_id, declined(method))
        payment = now_at(payment_id)
        assert (payment.shopper["email"], payment.user_id) == (payer.email, payer.user_id)
        assert payment.is_intact()
    assert wallet_tried(link, rich) == payment_id
    payment = now_at(payment_id)
    assert (payment.shopper["email"], payment.user_id) == (rich.payer.email, rich.id)
    assert payment.is_intact()
    payment_is_whole(payment_id)


def test_a_second_card_waits_for_the_first(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = card_tried(link)
    refuse(lambda: card_tried(link), payments.PaymentUnderWay)
    answered(payment_id, needs_action())
    refuse(lambda: card_tried(link), payments.PaymentUnderWay)
    refuse(lambda: hosted_tried(link), payments.PaymentUnderWay)


def test_a_second_card_waits_until_the_charge_of_the_first_is_settled(shop: str) -> None:
    """The decline came as a message; the answer to the call itself is not there yet."""
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), declined(method))
    refuse(lambda: card_tried(link), Conflict)
    calls_answered(payment_id)
    assert card_tried(link) == payment_id


@pytest.mark.parametrize(
    "method", ["", "card_1", "pm_", "pm_a b", "pm_a\n", "pm_" + "a" * 121, "pm_é", "pm_'; --"]
)
def test_what_is_not_a_method_of_the_provider_is_refused(shop: str, method: str) -> None:
    link = a_checkout(shop, PRICE)

    def send() -> None:
        with db.scoped(link.scope()):
            payments.start_card(link.ref, method, return_url=BACK, payer=Payer())

    assert refuse(send, payments.MethodRefused).param == "payment_method"


def test_the_order_decides_the_amount_and_nobody_else(shop: str) -> None:
    payment_id = card_tried(a_checkout(shop, Money(1_250, "KWD")))
    assert now_at(payment_id).amount == Money(1_250, "KWD")
    request = scalar("SELECT request FROM provider_operation WHERE subject_id = :id", id=payment_id)
    assert (request["amount_minor"], request["currency"]) == (1_250, "KWD")


@pytest.mark.parametrize("begin", ["card", "hosted", "wallet"])
@pytest.mark.parametrize("state", ["paid", "cancelled", "expired", "suspended"])
def test_what_can_no_longer_be_paid_is_refused_in_every_way(
    shop: str, rich: Someone, begin: str, state: str
) -> None:
    link = a_checkout(shop, PRICE)
    kind = close(shop, link, state)

    def send() -> None:
        match begin:
            case "card":
                card_tried(link)
            case "hosted":
                hosted_tried(link)
            case _:
                wallet_tried(link, rich)

    refuse(send, kind)
    assert available(rich) == inr(3_000_00)


def close(shop: str, link: Link, state: str) -> type[Refusal]:
    """Make a link's order unpayable; returns what must be said then."""
    match state:
        case "paid":
            answered(card_tried(link), succeeded(PRICE))
            return payments.AlreadyPaid
        case "cancelled":
            with db.scoped(link.scope()):
                payments.cancel_order(link.ref.order_id, by=Actor("user", "usr_x"))
            return orders.OrderNotPayable
        case "expired":
            end_links(link)
            return orders.CheckoutExpired
        case _:
            by = Actor("admin", an_admin().id)
            with db.scoped(db.ADMIN):
                accounts.suspend_merchant(shop, because="Under review.", by=by)
            return payments.SellerSuspended


def refuse(send: object, kind: type[Refusal]) -> Refusal:
    """Assert that something is refused by that name and leaves no trace; returns the refusal."""
    before = counts()
    with pytest.raises(kind) as refused:
        send()  # type: ignore[operator]
    assert counts() == before
    return refused.value


def test_the_page_of_the_provider_takes_the_place_of_a_declined_card(shop: str) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    first = card_tried(link, method)
    answered(first, Outcome(Result.CREATED, intent_id=f"pi_{first}"), declined(method))
    calls_answered(first)
    second = hosted_tried(link)
    assert second != first
    assert now_at(first).status == Status.CANCELLED
    assert operations(first)[-1] == "cancel"
    assert operations(second) == ["create_session"]


def test_a_card_takes_the_place_of_a_page_that_ran_out(shop: str) -> None:
    link = a_checkout(shop, PRICE)
    first = hosted_tried(link)
    session = f"cs_{first}"
    answered(
        first,
        Outcome(Result.SESSION_OPEN, session_id=session, next_url="http://p/1"),
        Outcome(Result.SESSION_EXPIRED, session_id=session),
    )
    calls_answered(first)
    second = card_tried(link)
    assert second != first
    assert operations(second) == ["create_intent"]


@pytest.mark.requirement("S0-02", "S0-10", "S3-06", "S3-07", "S3-08", "S4-32e")
def test_a_wallet_pays_an_order_at_once_and_in_full(shop: str, rich: Someone) -> None:
    link = a_checkout(shop, PRICE)
    payment_id = wallet_tried(link, rich)
    payment = now_at(payment_id)
    assert (payment.status, payment.method_label) == (Status.CAPTURED, "Wallet")
    assert payment.user_id == rich.id
    assert available(rich) == inr(2_000_00)
    assert scalar("SELECT status FROM shop_order WHERE id = :i", i=link.ref.order_id) == "completed"
    assert attempts(payment_id) == ["succeeded"]
    assert operations(payment_id) == []
    assert postings(payment_id) == 1
    payment_is_whole(payment_id)
    refuse(lambda: wallet_tried(link, rich), payments.AlreadyPaid)
    assert available(rich) == inr(2_000_00)


@pytest.mark.requirement("S3-06", "S4-32f")
@pytest.mark.parametrize("amount", [inr(3_000_01), inr(99_999_999_999), Money(1, "USD")])
def test_a_wallet_that_holds_too_little_pays_nothing(
    shop: str, rich: Someone, amount: Money
) -> None:
    link = a_checkout(shop, amount)
    refuse(lambda: wallet_tried(link, rich), ledger.InsufficientBalance)
    assert available(rich) == inr(3_000_00)
    assert scalar("SELECT status FROM shop_order WHERE id = :i", i=link.ref.order_id) == "pending"


def test_a_wallet_can_be_emptied_to_the_last_unit(shop: str, rich: Someone) -> None:
    wallet_tried(a_checkout(shop, inr(2_999_99)), rich)
    wallet_tried(a_checkout(shop, inr(1)), rich)
    assert available(rich) == inr(0)
    one_more = a_checkout(shop, inr(1))
    refuse(lambda: wallet_tried(one_more, rich), ledger.InsufficientBalance)


def test_nobody_pays_from_a_wallet_without_being_signed_in(shop: str) -> None:
    link = a_checkout(shop, PRICE)

    def send() -> None:
        with db.scoped(link.scope()):
            payments.pay_from_wallet(link.ref, payer=Payer(email="guest@people.example"))

    refuse(send, payments.SignInToPay)


def test_a_wallet_is_not_filled_from_itself(rich: Someone) -> None:
    link = a_top_up(rich, inr(10_00))
    assert isinstance(refuse(lambda: wallet_tried(link, rich), payments.WrongMethod), Declined)
    assert available(rich) == inr(3_000_00)


def test_a_wallet_that_is_off_pays_nothing(shop: str, rich: Someone) -> None:
    wallet_id = scalar("SELECT id FROM wallet WHERE user_id = :id", id=rich.id)
    with db.scoped(db.ADMIN):
        wallets.deactivate(wallet_id, because="Under review.", by=Actor("admin", "usr_x"))
    link = a_checkout(shop, PRICE)
    refuse(lambda: wallet_tried(link, rich), wallets.WalletInactive)
    assert available(rich) == inr(3_000_00)


def test_a_wallet_pays_after_a_declined_card_and_the_intent_is_given_up(
    shop: str, rich: Someone
) -> None:
    link, method = a_checkout(shop, PRICE), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id=f"pi_{payment_id}"), declined(method))
    assert wallet_tried(link, rich) == payment_id
    assert attempts(payment_id) == ["declined", "succeeded"]
    assert operations(payment_id)[-1] == "cancel"
    answered(payment_id, Outcome(Result.CANCELLED))
    assert now_at(payment_id).status == Status.CAPTURED
    payment_is_whole(payment_id)


@pytest.mark.requirement("S4-42", "S4-43")
def test_the_shoppers_data_and_the_amount_are_sealed_and_hashed(shop: str) -> None:
    payer = Payer(email="meera.pillai@people.example")
    payment_id = card_tried(a_checkout(shop, PRICE), payer=payer)
    answered(payment_id, succeeded(PRICE))
    payment = now_at(payment_id)
    assert payment.is_intact()
    assert payment.shopper == {"email": payer.email}
    record = payment.sealed_record()
    assert set(record) == {"payment_id", "encrypted_pii", "encrypted_amount", "hash"}
    stored = scalar("SELECT row_to_json(p)::text FROM payment p WHERE id = :id", id=payment_id)
    tried = scalar("SELECT string_agg(row_to_json(a)::text, '') FROM attempt a")
    for secret in ("meera", "people.example", "secret-token"):
        assert secret not in stored
        assert secret not in tried
    assert "2034" not in tried, "the card's expiry is sealed"


@pytest.mark.requirement("S4-42")
@pytest.mark.parametrize(
    "change",
    [
        "amount_minor = 1",
        "currency = 'USD'",
        "order_id = (SELECT max(id) FROM shop_order)",
        "pii_sealed = 'k1.AAAA'",
        "amount_sealed = 'k1.AAAA'",
        "integrity_hash = repeat('0', 64)",
    ],
)
def test_a_record_that_was_altered_behind_our_back_is_found(shop: str, change: str) -> None:
    payment_id = card_tried(a_checkout(shop, PRICE))
    an_order(shop)
    with db.scoped(db.WORKER):
        assert payment_id not in payments.altered_records()
    with db.transaction(db.OWNER) as session:
        session.execute(text("ALTER TABLE payment DISABLE TRIGGER USER"))
        session.execute(text(f"UPDATE payment SET {change} WHERE id = :id"), {"id": payment_id})
    assert not is_intact(payment_id)
    with db.scoped(db.WORKER):
        assert payments.altered_records() == [payment_id]


def is_intact(payment_id: str) -> bool:
    """Return whether a payment's record still carries the right hash."""
    with db.transaction(db.WORKER):
        found = db.session.get(payments.Payment, payment_id, populate_existing=True)
        assert found is not None
        return found.is_intact()


def test_a_sealed_amount_of_another_payment_does_not_open(shop: str) -> None:
    one = now_at(card_tried(a_checkout(shop, inr(1_00))))
    other = now_at(card_tried(a_checkout(shop, inr(2_00))))
    other.amount_sealed = one.amount_sealed
    other.integrity_hash = other.computed_hash()
    assert not other.is_intact()
    db.session.rollback()
