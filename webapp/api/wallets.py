"""Wallets of the person who asks: open, fill, look at, send from."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flask import url_for
from pydantic import BaseModel, ConfigDict, Field

from webapp import accounts, ledger, orders, payments, wallets, webhooks
from webapp.api.caller import caller, needs, settings
from webapp.api.errors import RoleMissing
from webapp.api.models import Body, Currency, Minor, Thing
from webapp.api.routing import get, post
from webapp.api.users import me, whole
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.wallets import Wallet

TAG = "Wallets"
AN_ID = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
AT = 1_763_717_400


class WalletObject(Thing):
    """One’s stored money in one currency."""

    model_config = ConfigDict(extra="forbid", title="Wallet")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"wal_{AN_ID}",
        "object": "wallet",
        "created": AT,
        "livemode": False,
        "metadata": {},
        "status": "ACTIVE",
        "user": f"usr_{AN_ID}",
        "currency": "INR",
        "balance": 250_050,
    }

    object: Literal["wallet"]
    status: Literal["ACTIVE", "INACTIVE"]
    user: str
    currency: str
    balance: int = Field(description="Whole minor units.")


class CreateWallet(Body):
    """Which wallet to open."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"currency": "INR"}

    currency: Currency


class WalletBalance(BaseModel):
    """What is in a wallet now."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "balance",
        "wallet": f"wal_{AN_ID}",
        "available": 250_050,
        "currency": "INR",
    }

    object: Literal["balance"]
    wallet: str
    available: int = Field(description="Whole minor units.")
    currency: str


class CreateDeposit(Body):
    """How much to put in."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"amount": 50_000}

    amount: Minor


class WalletDeposit(BaseModel):
    """An order to fill a wallet, and the page where it is paid by card."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "wallet_deposit",
        "wallet": f"wal_{AN_ID}",
        "order": f"ord_{AN_ID}",
        "checkout_session": f"chk_{AN_ID}",
        "url": "http://localhost:8000/checkout/3q2-…",
        "expires_at": AT + 900,
        "amount": 50_000,
        "currency": "INR",
        "status": "PENDING",
    }

    object: Literal["wallet_deposit"]
    wallet: str
    order: str
    checkout_session: str
    url: str = Field(description="The money is in the wallet once it is paid here.")
    expires_at: int
    amount: int
    currency: str
    status: Literal["PENDING"]


def _as_the_platforms_shopper(**_sent: object) -> None:
    """Put the scope in force in which a top-up is sold: the platform’s order to this person."""
    who = caller()
    if reason := accounts.why_not_pay_from_wallet(me()):
        raise RoleMissing(reason)
    platform = db.Scope(
        merchant_id=accounts.PLATFORM_ID, livemode=who.livemode, user_id=me().user_id
    )
    db.use_scope(platform)


@post("/wallets", tag=TAG, gives=WalletObject)
@needs(person=True)
def create_wallet(body: CreateWallet) -> dict[str, Any]:
    """Open a wallet.

    One for each currency: where there is one already, that one is given.
    """
    return shown(wallets.open(me().user_id, body.currency, caller().livemode))


@get("/wallets", tag=TAG, gives=WalletObject, is_list=True)
@needs(person=True)
def list_wallets() -> dict[str, Any]:
    """List one’s wallets.

    All of them, by currency.
    """
    livemode = caller().livemode
    found = [one for one in wallets.wallets_of(me().user_id) if one.livemode == livemode]
    return whole([shown(one) for one in found], "/api/v1/wallets")


@get("/wallets/<string:wallet_id>", tag=TAG, gives=WalletObject)
@needs(person=True)
def get_wallet(wallet_id: str) -> dict[str, Any]:
    """Get a wallet.

    With what is in it now, as the books say.
    """
    return shown(mine(wallet_id))


@get("/wallets/<string:wallet_id>/balance", tag=TAG, gives=WalletBalance)
@needs(person=True)
def get_wallet_balance(wallet_id: str) -> dict[str, Any]:
    """Get what is in a wallet.

    Straight from the books, never from a copy.
    """
    wallet = mine(wallet_id)
    return {
        "object": "balance",
        "wallet": wallet.id,
        "available": _held(wallet).minor,
        "currency": wallet.currency,
    }


@post(
    "/wallets/<string:wallet_id>/deposits",
    tag=TAG,
    gives=WalletDeposit,
    before=_as_the_platforms_shopper,
)
@needs(person=True)
def deposit_into_wallet(wallet_id: str, body: CreateDeposit) -> dict[str, Any]:
    """Fill a wallet by card.

    Gives an address where it is paid; the money is in the wallet once it was. The link ends after
    a quarter of an hour.
    """
    wallet, by = mine(wallet_id), Actor("shopper", me().user_id)
    wallets.refuse_switched_off(wallet)
    order = orders.create(
        orders.NewOrder(
            accounts.PLATFORM_ID,
            wallet.livemode,
            Money(body.amount, wallet.currency),
            description=f"Top up the {wallet.currency} wallet",
            kind="top_up",
            user_id=wallet.user_id,
            customer_email=me().email,
        ),
        by=by,
    )
    opened = payments.fresh_link(order.id, by=by)
    return {
        "object": "wallet_deposit",
        "wallet": wallet.id,
        "order": order.id,
        "checkout_session": opened.session_id,
        "url": settings().public_url + url_for("checkout.show", token=opened.token),
        "expires_at": int(opened.expires_at.timestamp()),
        "amount": order.amount_minor,
        "currency": order.currency,
        "status": "PENDING",
    }


def shown(wallet: Wallet) -> dict[str, Any]:
    """Return a wallet as the API shows it, with what is in it."""
    return {
        **webhooks.payload_of("wallet", wallet.snapshot()),
        "balance": _held(wallet).minor,
    }


def mine(wallet_id: str) -> Wallet:
    """Return the wallet of the person who asks; raises NotFound for everybody else’s."""
    return wallets.own_wallet(me().user_id, wallet_id, livemode=caller().livemode)


def _held(wallet: Wallet) -> Money:
    return ledger.balance(ledger.wallet(wallet.user_id, wallet.livemode, wallet.currency))
