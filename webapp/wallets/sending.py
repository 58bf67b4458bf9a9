"""Money that people send each other, from wallet to wallet."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, or_, select, text

from webapp import accounts, ledger
from webapp.kernel import clock, crypto, db, ids, words
from webapp.kernel.errors import Invalid, NotFound
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.outbox import Actor, Fact
from webapp.wallets import display, service
from webapp.wallets.errors import RecipientIsSender, RecipientUnknown
from webapp.wallets.models import TransferStatus, WalletTransfer

LONGEST_NOTE = 140
KIND = "wallet.transferred"
_RECIPIENT = text("SELECT wallet_recipient(:index, :id, :livemode, :currency)")
_NAMES = text("SELECT * FROM wallet_names(CAST(:ids AS text[]))")


@dataclass(frozen=True, slots=True)
class NewTransfer:
    """What somebody asks to be sent: `recipient` is an e-mail address or a person's id."""

    sender_id: str
    recipient: str = field(repr=False)
    amount: Money
    livemode: bool
    note: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def transfer(asked: NewTransfer, *, by: Actor) -> WalletTransfer:
    """Move money from the sender's wallet into another person's of the same mode and currency.

    Each call sends once more: the door remembers what was sent with the same key. The ledger
    locks both balances in the order of their accounts, so two who pay each other at once wait and
    do not deadlock, and no wallet goes below zero. The other's wallet is opened by a consumer of
    the fact where there was none.

    Raises Invalid, RecipientUnknown, RecipientIsSender, WalletInactive for the sender's wallet and
    ledger.InsufficientBalance; then nothing has moved.
    """
    note = check_transfer(asked)
    with db.transaction():
        recipient_id = _recipient_of(asked)
        service.require_active(asked.sender_id, asked.livemode, asked.amount.currency)
        sent = WalletTransfer(
            id=ids.new("wallet_transfer"),
            merchant_id=ledger.PLATFORM_ID,
            livemode=asked.livemode,
            user_id=asked.sender_id,
            recipient_id=recipient_id,
            amount_minor=asked.amount.minor,
            currency=asked.amount.currency,
            note=note,
            created_at=clock.now(),
            details=dict(asked.metadata),
        )
        _book(sent)
        sent.begin(TransferStatus.COMPLETED, because="The money was sent.", by=by)
        display.forget(recipient_id, livemode=asked.livemode)
        return sent


def open_received(facts: Sequence[Fact]) -> None:
    """Open the wallets of people who were sent money in a currency for the first time (a step)."""
    db.assert_transaction()
    for fact in facts:
        told = fact.snapshot
        service.open(told["recipient"], told["currency"], bool(fact.livemode))


def transfer_of(user_id: str, transfer_id: str) -> WalletTransfer:
    """Return what a person has sent or been sent; raises NotFound."""
    found = db.session.scalar(_seen_by(user_id).where(WalletTransfer.id == transfer_id))
    if found is None:
        raise NotFound
    return found


def transfers_of(
    user_id: str,
    livemode: bool,  # noqa: FBT001 - mode
    *,
    page: PageRequest,
) -> Page[WalletTransfer]:
    """Return a page of what a person sent and was sent, newest first."""
    wanted = _seen_by(user_id).where(WalletTransfer.livemode == livemode)
    rows = db.session.scalars(one_page(wanted, WalletTransfer.id, page)).all()
    return page_of(rows, page, lambda sent: sent.id)


def counterparts(transfer_ids: Sequence[str]) -> Mapping[str, str]:
    """Return by sending the name of the other person, as the person of the scope may know it."""
    if not transfer_ids:
        return {}
    rows = db.session.execute(_NAMES, {"ids": sorted(transfer_ids)})
    return {
        row.transfer_id: crypto.unseal(row.name_sealed, context=f"app_user:name:{row.user_id}")
        for row in rows
    }


def sending_in(reference: str) -> str | None:
    """Return the id of the sending that a ledger reference names, or None."""
    kind, _, transfer_id = reference.partition(":")
    return transfer_id if kind == KIND else None


def check_transfer(asked: NewTransfer) -> str:
    """Return the note made normal; raises Invalid for it, the amount or an address that is none.

    Whether there is such a person is not looked at.
    """
    if "@" in asked.recipient:
        _index_of(asked.recipient)
    if asked.amount.minor <= 0:
        raise Invalid("Enter an amount above zero.", param="amount")
    note = " ".join(unicodedata.normalize("NFC", asked.note).split())
    if len(note) > LONGEST_NOTE:
        raise Invalid(f"A note has at most {LONGEST_NOTE} characters.", param="note")
    if words.turns_text(note) or any(unicodedata.category(letter) == "Cc" for letter in note):
        raise Invalid("Leave out characters that cannot be printed.", param="note")
    if crypto.looks_like_card_number(note):
        raise Invalid("That looks like a card number. Never type one here.", param="note")
    return note


def _recipient_of(asked: NewTransfer) -> str:
    """Return whose wallet the money goes to; raises RecipientUnknown, RecipientIsSender."""
    named = asked.recipient.strip()
    index = _index_of(named) if "@" in named else ""
    found: str | None = db.session.scalar(
        _RECIPIENT,
        {
            "index": index,
            "id": "" if index else named,
            "livemode": asked.livemode,
            "currency": asked.amount.currency,
        },
    )
    if asked.sender_id in {found, named}:
        raise RecipientIsSender(param="recipient")
    if found is None:
        raise RecipientUnknown(param="recipient")
    return found


def _index_of(address: str) -> str:
    try:
        return accounts.email_index(accounts.checked_email(address))
    except Invalid as wrong:
        raise Invalid(wrong.message, param="recipient") from wrong


def _book(sent: WalletTransfer) -> None:
    ledger.post(
        f"{KIND}:{sent.id}",
        [
            ledger.Line(
                source=ledger.wallet(sent.user_id, sent.livemode, sent.currency),
                target=ledger.wallet(sent.recipient_id, sent.livemode, sent.currency),
                amount=sent.amount,
            )
        ],
        kind=KIND,
        merchant_id=ledger.PLATFORM_ID,
        livemode=sent.livemode,
        because=f"{words.money_short(sent.amount)} sent from wallet to wallet",
    )


def _seen_by(user_id: str) -> Select[WalletTransfer]:
    either = or_(WalletTransfer.user_id == user_id, WalletTransfer.recipient_id == user_id)
    return select(WalletTransfer).where(either)
