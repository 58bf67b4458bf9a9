"""Money that people send each other from their wallets."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from webapp import accounts, wallets, webhooks
from webapp.api.caller import caller, needs
from webapp.api.devices import this_program
from webapp.api.errors import RoleMissing
from webapp.api.lists import asked_page, listing
from webapp.api.models import Body, ListQuery, Metadata, Minor, Thing, Words
from webapp.api.routing import get, post
from webapp.api.users import me
from webapp.api.wallets import AN_ID, AT, TAG, mine
from webapp.kernel.money import Money
from webapp.wallets import WalletTransfer


class CreateTransfer(Body):
    """Whom to send how much from the wallet."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "recipient": "meera@people.example",
        "amount": 25_000,
        "note": "For the tea",
    }

    recipient: Annotated[str, Field(min_length=1, max_length=254)] = Field(
        description="The other person’s e-mail address or id."
    )
    amount: Minor
    note: Annotated[Words, Field(max_length=wallets.LONGEST_NOTE)] = ""
    metadata: Metadata = Field(default_factory=dict)


class WalletTransferObject(Thing):
    """Money that one person sent another, from wallet to wallet."""

    model_config = ConfigDict(extra="forbid", title="WalletTransfer")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"wtr_{AN_ID}",
        "object": "wallet_transfer",
        "created": AT,
        "livemode": False,
        "metadata": {},
        "status": "COMPLETED",
        "amount": 25_000,
        "currency": "INR",
        "direction": "out",
        "sender": f"usr_{AN_ID}",
        "recipient": "usr_01KAJ90000W3N7Q2R4S6T8X9YB",
        "counterpart_name": "Meera Nair",
        "note": "For the tea",
    }

    object: Literal["wallet_transfer"]
    status: Literal["COMPLETED"]
    amount: int
    currency: str
    direction: Literal["in", "out"] = Field(description="As the person who asks sees it.")
    sender: str
    recipient: str
    counterpart_name: str
    note: str


def _may_send(**_sent: object) -> None:
    """Count the try before any work begins, so that nobody finds addresses out by trying."""
    person = me()
    if reason := accounts.why_not_pay_from_wallet(person):
        raise RoleMissing(reason)
    accounts.note_try(accounts.SEND_MONEY, person.user_id, this_program().address)


@post(
    "/wallets/<string:wallet_id>/transfers",
    tag=TAG,
    gives=WalletTransferObject,
    before=_may_send,
)
@needs(person=True)
def send_from_wallet(wallet_id: str, body: CreateTransfer) -> dict[str, Any]:
    """Send somebody money.

    At once and for good, into the other person’s wallet of the same currency. Nothing moves where
    there is too little in the wallet, where it is switched off, or where nobody can be sent money
    at that address.
    """
    wallet = mine(wallet_id)
    asked = wallets.NewTransfer(
        wallet.user_id,
        body.recipient,
        Money(body.amount, wallet.currency),
        wallet.livemode,
        note=body.note,
        metadata=dict(body.metadata),
    )
    return _shown_transfers([wallets.transfer(asked, by=caller().actor)])[0]


@get("/wallet-transfers", tag=TAG, gives=WalletTransferObject, is_list=True)
@needs(person=True)
def list_wallet_transfers(query: ListQuery) -> dict[str, Any]:
    """List what one sent and was sent.

    Of all currencies, newest first.
    """
    user_id = me().user_id
    page = asked_page(query, lambda sent: wallets.transfer_of(user_id, sent))
    found = wallets.transfers_of(user_id, caller().livemode, page=page)
    shapes = iter(_shown_transfers(list(found.rows)))
    return listing(found, lambda _sent: next(shapes))


@get("/wallet-transfers/<string:transfer_id>", tag=TAG, gives=WalletTransferObject)
@needs(person=True)
def get_wallet_transfer(transfer_id: str) -> dict[str, Any]:
    """Get what one sent or was sent.

    Both people may look at it, and nobody else.
    """
    return _shown_transfers([wallets.transfer_of(me().user_id, transfer_id)])[0]


def _shown_transfers(sent: list[WalletTransfer]) -> list[dict[str, Any]]:
    names = wallets.counterparts([one.id for one in sent])
    own_id = me().user_id
    return [
        {
            **webhooks.payload_of("wallet_transfer", one.snapshot()),
            "direction": "out" if one.user_id == own_id else "in",
            "counterpart_name": names[one.id],
            "note": one.note,
        }
        for one in sent
    ]
