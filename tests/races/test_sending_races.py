"""Many who send each other money at the same moment: nothing is lost, made, or below zero."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.books import at_once
from tests.builders import Someone, a_person, inr, money_in_wallet
from tests.races.racing import Race
from webapp import ledger, wallets
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor

TEST = False


def rich(minor: int) -> Someone:
    """Return somebody with that much in the wallet."""
    person = a_person()
    money_in_wallet(person, inr(minor))
    return person


def send(sender: Someone, recipient: Someone, minor: int) -> str:
    """Send as the web does; whether it was done, in a word."""
    scope = db.Scope(user_id=sender.id, livemode=TEST)
    asked = wallets.NewTransfer(sender.id, recipient.email, inr(minor), TEST)
    try:
        with db.scoped(scope):
            wallets.transfer(asked, by=Actor("shopper", sender.id))
    except ledger.InsufficientBalance:
        return "refused"
    return "sent"


def held_by(app: Flask, *people: Someone) -> list[Money]:
    """Return what is in the wallets, and that the books are sound."""
    with app.app_context(), db.scoped(db.WORKER):
        assert ledger.check_books().problems == []
        return [ledger.balance(ledger.wallet(one.id, TEST, "INR")) for one in people]


@pytest.mark.races
@pytest.mark.requirement("S2-25", "S4-32f")
def test_fifty_sendings_at_once_never_overdraw_a_wallet(race: Race) -> None:
    sender, recipient = rich(105), a_person()
    done = at_once(race.web, db.NOBODY, lambda _n: send(sender, recipient, 10), threads=50)
    assert (done.count("sent"), done.count("refused")) == (10, 40)
    assert held_by(race.worker, sender, recipient) == [inr(5), inr(100)]


@pytest.mark.races
def test_two_who_send_each_other_all_they_have_do_not_deadlock(race: Race) -> None:
    first, second = rich(100), rich(100)

    def swap(number: int) -> str:
        pair = (first, second) if number % 2 else (second, first)
        return send(*pair, 100)

    done = at_once(race.web, db.NOBODY, swap, threads=16)
    assert "sent" in done
    held = held_by(race.worker, first, second)
    assert sum(one.minor for one in held) == 200
    assert min(one.minor for one in held) >= 0


@pytest.mark.races
def test_money_that_goes_in_a_ring_comes_back(race: Race) -> None:
    ring = [rich(100) for _ in range(5)]

    def pass_on(number: int) -> str:
        return send(ring[number % 5], ring[(number + 1) % 5], 20)

    assert set(at_once(race.web, db.NOBODY, pass_on, threads=25)) == {"sent"}
    assert held_by(race.worker, *ring) == [inr(100)] * 5


@pytest.mark.races
def test_a_wallet_that_many_fill_at_once_is_opened_once(race: Race) -> None:
    senders, recipient = [rich(10) for _ in range(8)], a_person()
    at_once(race.web, db.NOBODY, lambda n: send(senders[n], recipient, 10), threads=8)

    def open_it(_number: int) -> str:
        return wallets.open(recipient.id, "INR", TEST).id

    assert len(set(at_once(race.worker, db.WORKER, open_it, threads=8))) == 1
    assert held_by(race.worker, recipient) == [inr(80)]
