"""Sending money on one's pages: a form, a last look, and the same money twice never."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import Someone, a_person, browser_of, inr, money_in_wallet
from tests.checked_client import CheckedClient, Page
from tests.stories import scalar
from webapp import ledger, notifications, outbox
from webapp.kernel import db

SEND, NOW = "/wallet/send", "/wallet/send/now"


@pytest.fixture
def asha(app: Flask) -> Someone:
    """Somebody with ₹1,000.00 in the wallet."""
    person = a_person("Asha Raman")
    money_in_wallet(person, inr(1_000_00))
    return person


@pytest.fixture
def meera(app: Flask) -> Someone:
    """Somebody without a wallet."""
    return a_person("Meera Nair")


@pytest.fixture
def phone(app: Flask, asha: Someone) -> CheckedClient:
    """The sender's browser."""
    return browser_of(app, asha)


def typed(recipient: str, amount: str = "250.50", note: str = "") -> dict[str, str]:
    """Return what is typed into the form."""
    return {"recipient": recipient, "amount": amount, "currency": "INR", "note": note}


def held_by(person: Someone) -> int:
    """Return what is in somebody's wallet, in paise."""
    with db.scoped(db.WORKER):
        return ledger.balance(ledger.wallet(person.id, False, "INR")).minor


@pytest.mark.requirement("S2-25")
def test_money_is_sent_after_a_last_look(
    app: Flask, phone: CheckedClient, asha: Someone, meera: Someone
) -> None:
    assert SEND in phone.page("/wallet").links
    look = phone.send(SEND, SEND, **typed(meera.email, note="For the tea"))
    assert look.status_code == 200
    assert "₹749.50 in your INR wallet" in look.text
    assert held_by(asha) == 1_000_00, "looking moves nothing"
    done = phone.post(NOW, data=Page(look.text).form(NOW).fields)
    assert done.status_code == 303
    assert "Money to Meera Nair" in phone.page(done.location).text
    assert (held_by(asha), held_by(meera)) == (749_50, 250_50)
    assert "₹250.50 sent to Meera Nair" in phone.page("/wallet").text
    theirs = browser_of(app, meera)
    assert "₹250.50 from Asha Raman" in theirs.page("/wallet").text
    got = theirs.page(done.location).text
    assert "Money from Asha Raman" in got
    assert "For the tea" in got


def test_the_same_form_sent_twice_sends_once(
    phone: CheckedClient, asha: Someone, meera: Someone
) -> None:
    look = phone.send(SEND, SEND, **typed(meera.email))
    fields = Page(look.text).form(NOW).fields
    first, second = (phone.post(NOW, data=fields) for _ in range(2))
    assert (first.status_code, first.location) == (303, second.location)
    assert held_by(meera) == 250_50
    other = phone.post(NOW, data=fields | {"amount": "300"})
    assert other.status_code == 400
    assert held_by(asha) == 749_50


def test_who_wants_to_change_it_gets_the_form_as_it_was_typed(
    phone: CheckedClient, asha: Someone, meera: Someone
) -> None:
    look = phone.send(SEND, SEND, **typed(meera.email, note="For the tea"))
    fields = Page(look.text).form(NOW).fields | {"change": "1"}
    back = phone.post(NOW, data=fields)
    assert back.status_code == 200
    kept = Page(back.text).form(SEND).fields
    assert (kept["recipient"], kept["amount"], kept["note"]) == (
        meera.email,
        "250.50",
        "For the tea",
    )
    assert held_by(asha) == 1_000_00


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"recipient": ""}, "Enter an e-mail address."),
        ({"recipient": "meera@@people"}, "Enter an e-mail address such as name@example.com."),
        ({"amount": ""}, "Enter an amount."),
        ({"amount": "0"}, "above zero"),
        ({"amount": "1000.01"}, "There is not that much in the wallet."),
        ({"amount": "1.001"}, "decimals"),
        ({"currency": "USD"}, "Choose one of your wallets."),
        ({"note": "4242 4242 4242 4242"}, "That looks like a card number."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_moves(
    phone: CheckedClient,
    asha: Someone,
    meera: Someone,
    change: dict[str, str],
    says: str,
) -> None:
    answer = phone.send(SEND, SEND, **(typed(meera.email) | change))
    assert answer.status_code == 400
    assert says in answer.text
    assert "No money has moved." in answer.text
    assert held_by(asha) == 1_000_00


def test_nobody_at_that_address_is_said_when_it_is_sent(
    phone: CheckedClient, asha: Someone
) -> None:
    look = phone.send(SEND, SEND, **typed("nobody@people.example"))
    answer = phone.post(NOW, data=Page(look.text).form(NOW).fields)
    assert answer.status_code == 400
    assert "Nobody there can be sent money." in answer.text
    assert held_by(asha) == 1_000_00


def test_an_empty_wallet_has_nothing_to_send(app: Flask, meera: Someone) -> None:
    phone = browser_of(app, meera)
    assert "Nothing to send yet" in phone.page(SEND).text
    assert SEND not in phone.page("/wallet").links


def test_what_others_sent_is_as_what_is_not_there(
    app: Flask, phone: CheckedClient, meera: Someone
) -> None:
    look = phone.send(SEND, SEND, **typed(meera.email))
    done = phone.post(NOW, data=Page(look.text).form(NOW).fields)
    stranger = browser_of(app, a_person())
    assert stranger.get(done.location).status_code == 404
    assert scalar("SELECT count(*) FROM wallet_transfer") == 1


def test_the_message_about_it_leads_to_it(app: Flask, phone: CheckedClient, meera: Someone) -> None:
    look = phone.send(SEND, SEND, **typed(meera.email))
    done = phone.post(NOW, data=Page(look.text).form(NOW).fields)
    with db.transaction(db.WORKER):
        facts = outbox.take_due("notify")
        notifications.notify(facts)
        outbox.told("notify", facts)
    for browser in (phone, browser_of(app, meera)):
        assert done.location in browser.page("/inbox").links
