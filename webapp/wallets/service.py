"""Opening wallets, putting money in, and switching them off and on."""

from __future__ import annotations

from sqlalchemy import text

from webapp import ledger
from webapp.kernel import clock, db, ids, words
from webapp.kernel.errors import NotFound
from webapp.kernel.money import Money
from webapp.outbox import SYSTEM, Actor
from webapp.wallets import display
from webapp.wallets.errors import WalletInactive
from webapp.wallets.models import Status, Wallet
from webapp.wallets.queries import wallet_by_id, wallet_of

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def open(user_id: str, currency: str, livemode: bool) -> Wallet:  # noqa: A001, FBT001 - the verb
    """Return the person's wallet in that currency, opened now if there was none yet.

    May be called twice, and by two at once: there is one wallet per person, mode and currency.
    Raises Invalid for a currency that we do not take.
    """
    currency = Money(0, currency).currency
    with db.transaction():
        found = wallet_of(user_id, currency, livemode=livemode)
        if found is not None:
            return found
        account = ledger.wallet(user_id, livemode, currency)
        db.session.execute(_LOCK, {"name": f"wallet:{account.name}"})
        found = wallet_of(user_id, currency, livemode=livemode)
        return found or _begin(user_id, currency, livemode=livemode)


def deposit(
    user_id: str,
    amount: Money,
    *,
    livemode: bool,
    reference: str,
    source: ledger.AccountRef | None = None,
) -> str | None:
    """Put money that came by card into the person's wallet; a step of the capturing transaction.

    `source` is the account that holds it: clearing, unless it was set aside meanwhile. Returns
    the transfer's id, or None when that reference was booked before. A wallet that is switched off
    takes money too: it was paid and belongs to its owner.
    """
    db.assert_transaction()
    open(user_id, amount.currency, livemode)
    line = ledger.Line(
        source=source or ledger.clearing(livemode, amount.currency),
        target=ledger.wallet(user_id, livemode, amount.currency),
        amount=amount,
    )
    display.forget(user_id, livemode=livemode)
    return ledger.post(
        reference,
        [line],
        kind="wallet.deposited",
        merchant_id=ledger.PLATFORM_ID,
        livemode=livemode,
        because=f"{words.money_short(amount)} added to the wallet by card",
    )


def receive(
    line: ledger.Line, *, reference: str, kind: str, merchant_id: str, because: str
) -> str | None:
    """Put money into a person's wallet that was with us already, such as a refund (a step).

    `line` goes to a wallet's account, which is opened when there was none; one that is switched
    off takes money too. Returns the transfer's id, or None when that was booked before.
    """
    db.assert_transaction()
    user_id, livemode = line.target.user_id or "", line.target.livemode
    open(user_id, line.amount.currency, livemode)
    display.forget(user_id, livemode=livemode)
    return ledger.post(
        reference,
        [line],
        kind=kind,
        merchant_id=merchant_id,
        livemode=livemode,
        because=because,
    )


def refuse_switched_off(wallet: Wallet) -> None:
    """Raise WalletInactive for a wallet that is switched off, before anybody pays into it."""
    if wallet.status != Status.ACTIVE:
        raise WalletInactive("This wallet is switched off and is not filled. Nothing was charged.")


def require_active(user_id: str, livemode: bool, currency: str) -> None:  # noqa: FBT001 - mode
    """Check that the wallet may be paid from, before the ledger takes from it (a step).

    Raises ledger.InsufficientBalance where there is none, and WalletInactive. Whether there is
    enough in it is decided by the ledger alone, under lock.
    """
    db.assert_transaction()
    found = wallet_of(user_id, currency, livemode=livemode)
    if found is None:
        raise ledger.InsufficientBalance
    if found.status != Status.ACTIVE:
        raise WalletInactive
    display.forget(user_id, livemode=livemode)


def deactivate(wallet_id: str, *, because: str, by: Actor) -> Wallet:
    """Switch a wallet off (admin); does nothing when it is off. Raises NotFound."""
    return _switch(wallet_id, Status.INACTIVE, because=because, by=by)


def activate(wallet_id: str, *, because: str, by: Actor) -> Wallet:
    """Switch a wallet on again (admin); does nothing when it is on. Raises NotFound."""
    return _switch(wallet_id, Status.ACTIVE, because=because, by=by)


def _begin(user_id: str, currency: str, *, livemode: bool) -> Wallet:
    wallet = Wallet(
        id=ids.new("wallet"),
        merchant_id=ledger.PLATFORM_ID,
        livemode=livemode,
        user_id=user_id,
        currency=currency,
        created_at=clock.now(),
        details={},
    )
    wallet.begin(Status.ACTIVE, because="The wallet was opened.", by=SYSTEM)
    display.forget(user_id, livemode=livemode)
    return wallet


def _switch(wallet_id: str, status: Status, *, because: str, by: Actor) -> Wallet:
    with db.transaction():
        wallet = wallet_by_id(wallet_id, lock=True)
        if wallet is None:
            raise NotFound
        if wallet.status != status:
            wallet.move_to(status, because=because, by=by)
        return wallet
