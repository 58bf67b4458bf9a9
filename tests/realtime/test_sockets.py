"""The socket door end to end: who gets in, what they hear, when they are sent away."""

from __future__ import annotations

import time
from itertools import count

import pytest

from tests.accounts.people import PASSWORD, new_address, signed_in
from tests.jobs.working import until
from tests.realtime.browser import Refused
from tests.realtime.conftest import OURS, SocketProcess
from tests.realtime.test_gate import FOREIGN
from webapp import accounts, orders, realtime
from webapp.accounts import SignedIn
from webapp.kernel import db, wake
from webapp.kernel.money import Money
from webapp.outbox import SYSTEM
from webapp.realtime import Knock

_networks = count(1)


def a_session() -> SignedIn:
    """Sign a new person in, each from a network of their own."""
    email, address = new_address(), f"10.0.{next(_networks)}.1"
    new = accounts.register(email, "Asha Raman", PASSWORD, address=address)
    accounts.verify(new.verification_token)
    return signed_in(email, address=address)


def a_merchant(owner: SignedIn) -> str:
    return accounts.create_merchant("Lotus Tea House", owner.user_id)


def a_checkout(merchant_id: str) -> orders.Opened:
    with db.transaction(db.Scope(merchant_id=merchant_id, livemode=False)):
        asked = orders.NewOrder(
            merchant_id=merchant_id,
            livemode=False,
            amount=Money(1_000_00, "INR"),
            description="Tea",
        )
        return orders.open_checkout(orders.create(asked, by=SYSTEM).id)


@pytest.mark.requirement("S4-13")
def test_a_person_hears_their_own_knocks_and_nobody_elses(sockets: SocketProcess) -> None:
    me, other = a_session(), a_session()
    mine = sockets.browser(me.session_token)
    assert mine.wait("joined") == {f"user:{me.user_id}": 0}
    realtime.send([Knock(f"user:{other.user_id}", "payment", "pay_2", 4)])
    realtime.send([Knock(f"user:{me.user_id}", "payment", "pay_1", 3)])
    assert mine.wait("knock") == {
        "topic": f"user:{me.user_id}",
        "kind": "payment",
        "id": "pay_1",
        "version": 3,
        "n": 1,
    }
    assert mine.listen(0.3) == []
    mine.close()


def test_knocks_are_numbered_and_a_newcomer_learns_the_last_number(
    sockets: SocketProcess,
) -> None:
    me = a_session()
    topic = f"user:{me.user_id}"
    realtime.send([Knock(topic, "payment", "pay_1", version) for version in (1, 2, 3)])
    browser = sockets.browser(me.session_token)
    assert browser.wait("joined") == {topic: 3}
    realtime.send([Knock(topic, "payment", "pay_1", 4)])
    assert browser.wait("knock")["n"] == 4
    wake.client().flushall()
    realtime.send([Knock(topic, "payment", "pay_1", 5)])
    assert browser.wait("knock")["n"] == 1, "numbers that begin again show that some were lost"
    browser.close()


def test_a_member_hears_their_merchant(sockets: SocketProcess) -> None:
    me = a_session()
    merchant_id = a_merchant(me)
    browser = sockets.browser(me.session_token, merchant=merchant_id)
    assert set(browser.wait("joined")) == {
        f"user:{me.user_id}",
        f"merchant:{merchant_id}:test",
        f"merchant:{merchant_id}:live",
    }
    browser.close()


def test_another_merchants_room_is_refused(sockets: SocketProcess) -> None:
    owner, stranger = a_session(), a_session()
    merchant_id = a_merchant(owner)
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser(stranger.session_token, merchant=merchant_id)
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser(merchant=merchant_id)


def test_a_guest_hears_just_the_checkout_whose_link_they_hold(sockets: SocketProcess) -> None:
    merchant_id = a_merchant(a_session())
    opened, other = a_checkout(merchant_id), a_checkout(merchant_id)
    guest = sockets.browser(checkout=opened.token)
    assert set(guest.wait("joined")) == {f"checkout:{opened.session_id}"}
    realtime.send([Knock(f"checkout:{other.session_id}", "payment", "pay_2", 1)])
    realtime.send([Knock(f"merchant:{merchant_id}:test", "payment", "pay_1", 1)])
    realtime.send([Knock(f"checkout:{opened.session_id}", "payment", "pay_1", 1)])
    assert [data["topic"] for _, data in guest.listen(0.5)] == [f"checkout:{opened.session_id}"]
    guest.close()
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser(checkout=opened.token[:-1] + "x")
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser(checkout=opened.token, merchant=merchant_id)


def test_without_session_and_checkout_nobody_gets_in(sockets: SocketProcess) -> None:
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser()
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser("x" * 43)


@pytest.mark.requirement("S4-13")
def test_pages_of_other_origins_are_refused_before_any_word(sockets: SocketProcess) -> None:
    me = a_session()
    for origin in [*FOREIGN, None]:
        with pytest.raises(Refused, match="403"):
            sockets.browser(me.session_token, origin=origin)
    sockets.browser(me.session_token, origin=OURS).close()


def test_a_handshake_without_the_pages_token_is_refused(sockets: SocketProcess) -> None:
    me = a_session()
    _, foreign_token = sockets.form_cookie()
    for csrf in (None, "", "made-up", foreign_token, ["x"]):
        with pytest.raises(Refused, match="stale_page"):
            sockets.browser(me.session_token, csrf=csrf)


def test_a_revoked_session_is_disconnected_within_two_seconds(sockets: SocketProcess) -> None:
    me = a_session()
    browser, elsewhere = sockets.browser(me.session_token), a_session()
    other = sockets.browser(elsewhere.session_token)
    browser.wait("joined")
    other.wait("joined")
    accounts.sign_out(me.session_token)
    assert browser.seconds_until_closed(at_most=4) < 2
    realtime.send([Knock(f"user:{elsewhere.user_id}", "payment", "pay_1", 1)])
    other.wait("knock")
    other.close()
    with pytest.raises(Refused, match="not_allowed"):
        sockets.browser(me.session_token)


def test_an_open_socket_does_not_prolong_a_session(sockets: SocketProcess) -> None:
    me = a_session()
    browser = sockets.browser(me.session_token)
    browser.wait("joined")
    before = seen(sockets, me)
    for _ in range(3):
        wake.ping("sessions")
        time.sleep(0.1)
    assert seen(sockets, me) == before
    browser.close()


def seen(sockets: SocketProcess, session: SignedIn) -> list[object]:
    with sockets.portal.connect("postgres") as connection:
        asked = "SELECT last_seen_at, idle_until FROM sign_in_session WHERE user_id = %s"
        return connection.execute(asked, (session.user_id,)).fetchall()


def test_whoever_talks_too_much_is_sent_away(sockets: SocketProcess) -> None:
    me = a_session()
    browser = sockets.browser(me.session_token)
    browser.wait("joined")
    for _ in range(12):
        browser.say('42["hello",1]')
    browser.seconds_until_closed(at_most=3)


def test_a_message_over_sixteen_kibibytes_ends_the_connection(sockets: SocketProcess) -> None:
    me = a_session()
    browser = sockets.browser(me.session_token)
    browser.wait("joined")
    browser.say('42["hello","' + "x" * 16_500 + '"]')
    browser.seconds_until_closed(at_most=3)


@pytest.mark.parametrize(
    "packet",
    ["42{", "4", "9", "42[]", '451-["x",{"_placeholder":true,"num":0}]', "\x00", "40/admin,{}"],
)
def test_nonsense_harms_nobody_else(sockets: SocketProcess, packet: str) -> None:
    me, other = a_session(), a_session()
    good = sockets.browser(other.session_token)
    good.wait("joined")
    bad = sockets.browser(me.session_token)
    bad.say(packet)
    realtime.send([Knock(f"user:{other.user_id}", "payment", "pay_1", 1)])
    good.wait("knock")
    assert sockets.health()["status"] == "UP"
    bad.close()
    good.close()


def test_the_health_page_says_how_full_it_is(sockets: SocketProcess) -> None:
    until(lambda: sockets.health()["sockets"] == 0, seconds=5, what="earlier sockets are gone")
    assert sockets.health() == {"status": "UP", "sockets": 0, "most": 368, "hears": True}
    browser = sockets.browser(a_session().session_token)
    browser.wait("joined")
    assert sockets.health()["sockets"] == 1
    browser.close()


def test_when_valkey_comes_back_everybody_learns_what_they_missed(sockets: SocketProcess) -> None:
    me = a_session()
    topic = f"user:{me.user_id}"
    browser = sockets.browser(me.session_token)
    browser.wait("joined")
    stores = sockets.portal.stores
    stores.kill("valkey")
    try:
        assert browser.listen(1.0) == []
        assert browser.is_open, "a socket outlives Valkey"
    finally:
        stores.heal()
    assert topic in browser.wait("joined", seconds=5)
    realtime.send([Knock(topic, "payment", "pay_1", 1)])
    browser.wait("knock")
    browser.close()
