"""A wallet is opened once, filled by card, shown fresh, switched off without losing its money."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.books import (
    ALICE,
    AS_ALICE,
    BOB,
    LIVE,
    TEST,
    inr,
    post,
    refusal_of,
    rows_in,
    spent,
)
from tests.portal import Committed
from webapp import ledger, outbox, wallets
from webapp.kernel import cache, db, wake
from webapp.kernel.errors import Declined, Invalid, NotFound
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest, page_request
from webapp.outbox import Actor
from webapp.wallets import display

ADMIN = Actor("admin", BOB)
NO_PRIVILEGE = "42501"


def deposit(amount: Money, reference: str, user_id: str = ALICE) -> str | None:
    """Deposit in a transaction of its own."""
    with db.transaction():
        return wallets.deposit(user_id, amount, livemode=TEST, reference=reference)


def require_active(user_id: str, currency: str) -> None:
    """Ask in a transaction of its own."""
    with db.transaction():
        wallets.require_active(user_id, TEST, currency)


def switch(verb: Callable[..., wallets.Wallet], wallet_id: str, *, because: str) -> wallets.Wallet:
    """Switch a wallet as an admin does."""
    with db.scoped(db.ADMIN):
        return verb(wallet_id, because=because, by=ADMIN)


def balances(user_id: str = ALICE) -> list[Money]:
    """Return what a page would show now."""
    return [balance.available for balance in wallets.balance_of(user_id, TEST)]


@pytest.mark.requirement("S2-46")
def test_there_is_one_wallet_per_person_mode_and_currency(held: None) -> None:
    first = wallets.open(ALICE, "INR", TEST)
    assert wallets.open(ALICE, "INR", TEST).id == first.id
    others = {
        wallets.open(*which).id
        for which in ((ALICE, "USD", TEST), (ALICE, "INR", LIVE), (BOB, "INR", TEST))
    }
    assert len(others | {first.id}) == 4
    assert rows_in("wallet") == 4
    assert (first.status, first.version, first.merchant_id) == ("active", 1, ledger.PLATFORM_ID)
    assert [fact.name for fact in outbox.facts_about("wallet", first.id)] == ["wallet.opened"]


def test_a_person_opens_the_own_wallet_through_the_web(held: None) -> None:
    with db.scoped(AS_ALICE):
        mine = wallets.open(ALICE, "INR", TEST)
        assert [wallet.id for wallet in wallets.wallets_of(ALICE)] == [mine.id]
    with pytest.raises(db.DatabaseError), db.scoped(AS_ALICE):
        wallets.open(BOB, "INR", TEST)
    assert rows_in("wallet") == 1


@pytest.mark.parametrize("currency", ["XXX", "inr", ""])
def test_a_wallet_in_no_currency_of_ours_is_refused(held: None, currency: str) -> None:
    with pytest.raises(Invalid):
        wallets.open(ALICE, currency, TEST)
    assert rows_in("wallet") == 0


@pytest.mark.requirement("S3-02")
def test_a_deposit_opens_the_wallet_and_is_booked_once(held: None) -> None:
    assert deposit(inr(100_000), "payment.captured:pay_1") is not None
    assert deposit(inr(100_000), "payment.captured:pay_1") is None
    assert balances() == [inr(100_000)]
    assert ledger.balance(ledger.clearing(TEST, "INR")) == inr(-100_000)
    assert ledger.check_books().problems == []


def test_a_deposit_belongs_inside_the_transaction_that_captures(held: None) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        wallets.deposit(ALICE, inr(1), livemode=TEST, reference="payment.captured:pay_1")


def test_an_open_wallet_that_was_never_used_shows_nothing_in_it(held: None) -> None:
    assert balances() == []
    wallets.open(ALICE, "JPY", TEST)
    deposit(inr(500), "payment.captured:pay_1")
    assert balances() == [inr(500), Money(0, "JPY")]
    assert balances(BOB) == []


@pytest.mark.requirement("S2-53")
def test_a_shown_balance_is_kept_and_is_fresh_after_each_commit(held: None) -> None:
    deposit(inr(500), "payment.captured:pay_1")
    assert balances() == [inr(500)]
    post("behind:1", spent(ALICE, inr(100)))
    assert balances() == [inr(500)], "kept for display"
    kept = cache.PREFIX + display.key_for(ALICE, livemode=TEST)
    assert 290 < int(wake.client().ttl(kept)) <= 300, "for five minutes"
    with db.transaction():
        wallets.require_active(ALICE, TEST, "INR")
        ledger.post(
            "payment.captured:pay_2",
            [spent(ALICE, inr(150))],
            kind="payment.captured",
            merchant_id=spent(ALICE, inr(1)).target.merchant_id,
            livemode=TEST,
            because="₹1.50 paid for Order #1042",
        )
        assert balances() == [inr(500)], "nothing is forgotten before the commit"
    assert balances() == [inr(250)]
    deposit(inr(50), "payment.captured:pay_3")
    assert balances() == [inr(300)]


def test_what_was_read_before_a_change_is_not_shown_after_it(held: None) -> None:
    """A slow reader that puts its old answer down late puts it where nobody looks."""
    deposit(inr(500), "payment.captured:pay_1")

    key = display.key_for(ALICE, livemode=TEST)
    deposit(inr(100), "payment.captured:pay_2")
    display.keep(key, [inr(500)])
    assert balances() == [inr(600)]


def test_a_balance_is_shown_without_valkey(held: None, monkeypatch: pytest.MonkeyPatch) -> None:
    deposit(inr(500), "payment.captured:pay_1")
    monkeypatch.setattr(cache, "_is_resting", lambda: True)
    assert balances() == [inr(500)]
    deposit(inr(500), "payment.captured:pay_2")
    assert balances() == [inr(1_000)]


def test_what_is_kept_for_display_decides_nothing(held: None) -> None:
    deposit(inr(500), "payment.captured:pay_1")
    assert balances() == [inr(500)]
    post("behind:1", spent(ALICE, inr(500)))
    assert balances() == [inr(500)]
    with pytest.raises(ledger.InsufficientBalance):
        post("payment.captured:pay_2", spent(ALICE, inr(1)))


def test_history_says_what_came_and_went_newest_first(held: None) -> None:
    deposit(inr(100_000), "payment.captured:pay_1")
    deposit(Money(1_250, "KWD"), "payment.captured:pay_2")
    post("payment.captured:pay_3", spent(ALICE, inr(40_000)))
    deposit(inr(7), "payment.captured:pay_4", BOB)
    page = wallets.history(ALICE, TEST, page=PageRequest())
    assert [(line.text, line.amount) for line in page.rows] == [
        ("Posted payment.captured:pay_3.", inr(-40_000)),
        ("KWD 1.250 added to the wallet by card", Money(1_250, "KWD")),
        ("₹1,000 added to the wallet by card", inr(100_000)),
    ]
    assert wallets.history(ALICE, LIVE, page=PageRequest()).rows == []


def test_history_comes_in_pages_there_and_back(held: None) -> None:
    for number in range(5):
        deposit(inr(number + 1), f"payment.captured:pay_{number}")
    first = wallets.history(ALICE, TEST, page=PageRequest(limit=2))
    assert [line.amount.minor for line in first.rows] == [5, 4]
    second = wallets.history(ALICE, TEST, page=page_request(older=first.older, newer=None, limit=2))
    assert [line.amount.minor for line in second.rows] == [3, 2]
    back = wallets.history(ALICE, TEST, page=page_request(older=None, newer=second.newer, limit=2))
    assert [line.amount.minor for line in back.rows] == [5, 4]
    with pytest.raises(Invalid):
        wallets.history(ALICE, TEST, page=PageRequest(before="nonsense"))


@pytest.mark.requirement("S3-02")
def test_a_wallet_that_is_off_takes_money_and_gives_none(held: None) -> None:
    wallet = wallets.open(ALICE, "INR", TEST)
    off = switch(wallets.deactivate, wallet.id, because="Under review.")
    assert (off.status, off.version) == ("inactive", 2)
    assert switch(wallets.deactivate, wallet.id, because="Again.").version == 2
    with pytest.raises(wallets.WalletInactive) as refused:
        require_active(ALICE, "INR")
    assert isinstance(refused.value, Declined)
    assert deposit(inr(500), "payment.captured:pay_1") is not None
    assert balances() == [inr(500)]
    assert switch(wallets.activate, wallet.id, because="Cleared.").version == 3
    require_active(ALICE, "INR")
    names = [fact.name for fact in outbox.facts_about("wallet", wallet.id)]
    assert names == ["wallet.opened", "wallet.deactivated", "wallet.activated"]


def test_who_has_no_wallet_has_not_enough_in_it(held: None) -> None:
    with pytest.raises(ledger.InsufficientBalance):
        require_active(ALICE, "INR")


def test_a_wallet_that_is_not_there_is_not_found(held: None) -> None:
    with pytest.raises(NotFound):
        switch(wallets.deactivate, "wal_nothing", because="x")


def test_the_web_switches_no_wallet_and_sees_only_its_persons(books: Committed) -> None:
    wallets.open(ALICE, "INR", TEST)
    wallets.open(BOB, "INR", TEST)
    with books.connect("paydeck_web") as web:
        assert refusal_of(web, "UPDATE wallet SET status = 'inactive'") == NO_PRIVILEGE
        assert refusal_of(web, "DELETE FROM wallet") == NO_PRIVILEGE
        assert web.execute("SELECT count(*) FROM wallet").fetchone() == (0,)
        web.execute("SELECT set_config('app.user', %s, true)", (ALICE,))
        assert web.execute("SELECT user_id FROM wallet").fetchall() == [(ALICE,)]


MOVES = (
    "UPDATE wallet SET user_id = 'usr_x'",
    "UPDATE wallet SET currency = 'USD'",
    "UPDATE wallet SET status = 'inactive'",
    "UPDATE wallet SET status = 'inactive', version = 3",
    "UPDATE wallet SET status = 'inactive', version = 2",
    "DELETE FROM wallet",
    "TRUNCATE wallet CASCADE",
)


def test_not_even_the_owner_moves_a_wallet_without_its_story(books: Committed) -> None:
    wallets.open(ALICE, "INR", TEST)
    with books.connect("paydeck_owner") as owner:
        for statement in MOVES:
            assert refusal_of(owner, statement).startswith("PD"), statement
    db.end_reads()
    assert db.session.scalar(text("SELECT status FROM wallet")) == "active"
