"""Money that people send each other: whole or not at all, told to both, seen by nobody else."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from tests.builders import Someone, a_person, an_admin, inr, money_in_wallet
from tests.stories import behind, scalar
from webapp import accounts, invariants, ledger, notifications, outbox, wallets
from webapp.kernel import db, ids
from webapp.kernel.errors import Invalid, NotFound
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor

PAGE = PageRequest(limit=10)
TEST = False


@pytest.fixture
def asha(app: Flask) -> Someone:
    """Somebody with ₹1,000.00 in the wallet."""
    person = a_person("Asha Raman")
    money_in_wallet(person, inr(1_000_00))
    return person


@pytest.fixture
def meera(app: Flask) -> Someone:
    """Somebody who has no wallet yet."""
    return a_person("Meera Nair")


def scope_of(person: Someone) -> db.Scope:
    """Return the scope of a person on their own pages."""
    return db.Scope(user_id=person.id, livemode=TEST)


def send(
    sender: Someone, recipient: str, amount: Money, *, note: str = "", livemode: bool = TEST
) -> wallets.WalletTransfer:
    """Send as the person does on a page."""
    asked = wallets.NewTransfer(sender.id, recipient, amount, livemode, note)
    with db.scoped(scope_of(sender)):
        return wallets.transfer(asked, by=Actor("shopper", sender.id))


def held_by(person: Someone, currency: str = "INR") -> Money:
    """Return what the books say is in somebody's wallet."""
    with db.scoped(behind()):
        return ledger.balance(ledger.wallet(person.id, TEST, currency))


def tell_all() -> None:
    """Tell every fact to whoever is told of it by itself, as the relay does."""
    with db.transaction(behind()):
        for consumer, tell in (("notify", notifications.notify), ("purse", wallets.open_received)):
            facts = outbox.take_due(consumer)
            tell(facts)
            outbox.told(consumer, facts)


@pytest.mark.requirement("S2-25")
def test_what_one_sends_the_other_has(asha: Someone, meera: Someone) -> None:
    sent = send(asha, meera.email.upper(), inr(250_50), note="for the  tea")
    assert (held_by(asha), held_by(meera)) == (inr(749_50), inr(250_50))
    assert (sent.recipient_id, sent.amount, sent.note) == (meera.id, inr(250_50), "for the tea")
    assert send(asha, meera.id, inr(1)).recipient_id == meera.id
    with db.scoped(behind()):
        assert invariants.check_everything().problems == []


def test_both_are_told_in_their_own_words_and_read_one_anothers_name(
    asha: Someone, meera: Someone
) -> None:
    sent = send(asha, meera.email, inr(250_00), note="for the tea")
    tell_all()
    for person, says, name in (
        (asha, "You sent ₹250 to Meera Nair.", "Meera Nair"),
        (meera, "Asha Raman sent you ₹250: “for the tea”. It is in your wallet.", "Asha Raman"),
    ):
        with db.scoped(scope_of(person)):
            assert says in [one.text for one in notifications.inbox_of(person.id, page=PAGE).rows]
            assert wallets.counterparts([sent.id]) == {sent.id: name}
            line = wallets.history(person.id, TEST, page=PAGE).rows[0]
            assert wallets.sending_in(line.reference) == sent.id
            assert wallets.transfer_of(person.id, sent.id).id == sent.id
            assert [one.id for one in wallets.transfers_of(person.id, TEST, page=PAGE).rows] == [
                sent.id
            ]


@pytest.mark.requirement("S2-21")
def test_a_wallet_that_was_sent_money_is_opened_and_can_be_spent_from(
    asha: Someone, meera: Someone
) -> None:
    send(asha, meera.email, inr(100_00))
    with db.scoped(scope_of(meera)):
        assert wallets.balance_of(meera.id, TEST)[0].available == inr(100_00)
        assert wallets.wallets_of(meera.id) == []
    tell_all()
    with db.scoped(scope_of(meera)):
        assert [one.currency for one in wallets.wallets_of(meera.id)] == ["INR"]
    send(meera, asha.email, inr(100_00))
    assert (held_by(asha), held_by(meera)) == (inr(1_000_00), inr(0))


def test_a_third_person_sees_none_of_it(asha: Someone, meera: Someone) -> None:
    sent = send(asha, meera.email, inr(100_00))
    stranger = a_person("Ravi Menon")
    with db.scoped(scope_of(stranger)):
        assert wallets.counterparts([sent.id]) == {}
        assert db.session.scalar(text("SELECT count(*) FROM wallet_transfer")) == 0
        with pytest.raises(NotFound):
            wallets.transfer_of(asha.id, sent.id)


@pytest.mark.requirement("S2-25")
def test_more_than_there_is_moves_nothing(asha: Someone, meera: Someone) -> None:
    with pytest.raises(ledger.InsufficientBalance):
        send(asha, meera.email, inr(1_000_01))
    with pytest.raises(ledger.InsufficientBalance):
        send(asha, meera.email, Money(1, "USD"))
    assert (held_by(asha), held_by(meera)) == (inr(1_000_00), inr(0))
    assert scalar("SELECT count(*) FROM wallet_transfer") == 0
    send(asha, meera.email, inr(1_000_00))
    assert held_by(asha) == inr(0)


def test_the_wallet_of_the_other_mode_is_another_one(asha: Someone, meera: Someone) -> None:
    with pytest.raises(ledger.InsufficientBalance):
        send(asha, meera.email, inr(1), livemode=True)
    assert held_by(asha) == inr(1_000_00)


def test_nobody_sends_to_oneself(asha: Someone) -> None:
    for named in (asha.email, asha.id, f" {asha.email.upper()} "):
        with pytest.raises(wallets.RecipientIsSender):
            send(asha, named, inr(1))


def test_whoever_cannot_be_sent_money_is_refused_alike(asha: Someone) -> None:
    admin = Actor("admin", an_admin().id)
    unverified = accounts.register("new@people.example", "New", "correct horse battery")
    suspended, switched_off = a_person(), a_person()
    money_in_wallet(switched_off, inr(1))
    with db.scoped(scope_of(switched_off)):
        wallet_id = wallets.wallets_of(switched_off.id)[0].id
    with db.scoped(db.ADMIN):
        accounts.suspend_user(suspended.id, because="A test.", by=admin)
        wallets.deactivate(wallet_id, because="A test.", by=admin)
    said = set()
    for named in (
        "nobody@people.example",
        ids.new("user"),
        "usr_1",
        "",
        unverified.user_id,
        suspended.email,
        switched_off.id,
    ):
        with pytest.raises(wallets.RecipientUnknown) as refused:
            send(asha, named, inr(1))
        said.add((refused.value.message, refused.value.param))
    assert len(said) == 1


def test_a_wallet_that_is_switched_off_sends_nothing(asha: Someone, meera: Someone) -> None:
    with db.scoped(scope_of(asha)):
        wallet_id = wallets.wallets_of(asha.id)[0].id
    admin = Actor("admin", an_admin().id)
    with db.scoped(db.ADMIN):
        wallets.deactivate(wallet_id, because="A test.", by=admin)
    with pytest.raises(wallets.WalletInactive):
        send(asha, meera.email, inr(1))
    assert held_by(asha) == inr(1_000_00)


@pytest.mark.parametrize(
    ("minor", "note", "param"),
    [
        (0, "", "amount"),
        (-5, "", "amount"),
        (1, "x" * 141, "note"),
        (1, "4242 4242 4242 4242", "note"),
        (1, "tea\u202eaet", "note"),
        (1, "tea\x00", "note"),
    ],
)
def test_what_cannot_be_sent_is_named(
    asha: Someone, meera: Someone, minor: int, note: str, param: str
) -> None:
    with pytest.raises(Invalid) as refused:
        send(asha, meera.email, inr(minor), note=note)
    assert refused.value.param == param


def test_an_address_that_is_none_is_named_as_the_recipient(asha: Someone) -> None:
    with pytest.raises(Invalid) as refused:
        send(asha, "meera@@people", inr(1))
    assert refused.value.param == "recipient"


def test_whoever_is_not_the_sender_cannot_send_it(asha: Someone, meera: Someone) -> None:
    asked = wallets.NewTransfer(asha.id, meera.email, inr(1), TEST)
    with pytest.raises((db.DatabaseError, ledger.InsufficientBalance)), db.scoped(scope_of(meera)):
        wallets.transfer(asked, by=Actor("shopper", meera.id))
    assert held_by(asha) == inr(1_000_00)


def test_a_sending_that_is_not_booked_is_found(asha: Someone, meera: Someone) -> None:
    sent_id = send(asha, meera.email, inr(5)).id
    with db.transaction(behind()) as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL ROLE postgres")
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql("UPDATE wallet_transfer SET amount_minor = 6")
        connection.exec_driver_sql("SET LOCAL session_replication_role = origin")
        connection.exec_driver_sql("SET LOCAL ROLE paydeck_worker")
    with db.scoped(behind()):
        problems = invariants.check_everything().problems
    assert any(sent_id in line and "not booked as it was sent" in line for line in problems)
