"""A charge by a user’s plain name and its balance as a bare number: an older contract’s.

A charge fills the named test user's wallet by a test card, through the provider like any other. It
needs a test key, or in the demo installation nothing; live mode has no such thing.
"""

from __future__ import annotations

import re
import threading
import time
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from flask import g
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel

from webapp import accounts, idempotency, ledger, orders, payments, webhooks
from webapp.api.caller import Caller, Needs, admit, caller, needs, settings
from webapp.api.errors import CredentialsMissing, ModeNotConnected, ParameterInvalid, RoleMissing
from webapp.api.models import Body, Currency, Query
from webapp.api.payment_shape import Status
from webapp.api.routing import Key, get, post
from webapp.kernel import db
from webapp.kernel.money import parse_money
from webapp.outbox import Actor
from webapp.payments import Payer

TAG = "Older contracts"
TEST_CARD = "pm_card_visa"
#: Whose names they are that are charged without a key.
DEMO = "demo"
_WRITTEN = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
MOST_PLACES = 30
WAIT_SECONDS = 2.0
WAIT_STEP_SECONDS = 0.05
#: Each holds a thread of the server while it waits; further ones are answered as it stands.
SEATS = threading.BoundedSemaphore(4)
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]


def _decimal(typed: object) -> object:
    """Read a decimal as it stands in the JSON, exactly: never by way of a float."""
    if isinstance(typed, bool) or not isinstance(typed, int | str | Decimal):
        raise ValueError("Write an amount such as 5000.00.")  # noqa: TRY004 - as pydantic reads it
    if isinstance(typed, str) and not _WRITTEN.fullmatch(typed):
        raise ValueError("Write an amount such as 5000.00.")
    found = Decimal(typed)
    if not found.is_finite() or not -MOST_PLACES < found.adjusted() < MOST_PLACES:
        raise ValueError("Write an amount such as 5000.00.")
    return found


class ChargeUser(Body):
    """How much is charged for whom."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "userId": "bruce_wayne",
        "amount": 5000,
        "currency": "USD",
    }

    userId: Name = Field(description="A test user, made when first named.")  # noqa: N815 - theirs
    amount: Annotated[Decimal, BeforeValidator(_decimal)] = Field(
        gt=0, description="In whole units with decimals, such as 5000.00; read exactly."
    )
    currency: Currency


class Charged(RootModel[dict[str, Any]]):
    """That a charge was begun: its payment, status, user, amount in whole units, and currency."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "payment_id": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "status": "PROCESSING",
        "userId": "bruce_wayne",
        "amount": 5000.0,
        "currency": "USD",
    }


class ChargeState(BaseModel):
    """How a charge of a test user stands."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "payment_id": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "status": "SUCCESS",
        "decline_code": None,
    }

    payment_id: str
    status: Status
    decline_code: str | None = Field(description="Why the provider refused it, if it did.")


class ChargeQuery(Query):
    """Whose charge it is."""

    userId: Name = Field(description="The test user who was charged.")  # noqa: N815 - theirs


class PlainBalance(RootModel[float]):
    """A balance as a bare number in whole units."""

    EXAMPLE: ClassVar[float] = 5000.0


class PlainBalanceQuery(Query):
    """In which currency."""

    currency: Currency | None = Field(None, description="Needed where there are several.")


def enter_to_charge(body: ChargeUser) -> None:
    """Let a test key or the demo in, and act for the user who is named, made now if need be."""
    g.charged_user = _user(body.userId, make=True) or ""
    _act_for(g.charged_user)


def enter_to_read(user_id: str, query: PlainBalanceQuery) -> None:
    """Let a test key or the demo in, and read for the user who is named."""
    del query
    _read_for(user_id)


def enter_to_look(payment_id: str, query: ChargeQuery) -> None:
    """Let a test key or the demo in, and read for the user whose charge it is."""
    del payment_id
    _read_for(query.userId)


@post(
    "/api/payments/charge",
    tag=TAG,
    gives=Charged,
    status=200,
    key=Key.OPTIONAL,
    before=enter_to_charge,
    root=True,
)
@needs(anyone=True)
def charge_user(body: ChargeUser) -> idempotency.Answer:
    """Charge a test user.

    The amount is charged to a test card and, once the provider has taken it, is in the user’s
    wallet. The same Idempotency-Key charges once. Needs a test key, or in the demo no credential.
    """
    amount = parse_money(f"{body.amount:f}", body.currency)
    user_id: str = g.charged_user
    by = Actor("api")
    asked = orders.NewOrder(
        accounts.PLATFORM_ID,
        livemode=False,
        amount=amount,
        description=f"Charge for the {amount.currency} wallet",
        kind="top_up",
        user_id=user_id,
    )
    opened = payments.fresh_link(orders.create(asked, by=by).id, by=by)
    ref = orders.CheckoutRef(
        opened.session_id, opened.order_id, accounts.PLATFORM_ID, livemode=False
    )
    payment_id = payments.start_card(
        ref, TEST_CARD, return_url=settings().public_url, payer=Payer(user_id, by=by)
    )
    g.object_id = payment_id
    text = (
        f'{{"payment_id":"{payment_id}","status":"PROCESSING","userId":"{body.userId}",'
        f'"amount":{amount.plain()},"currency":"{amount.currency}"}}'
    )
    return idempotency.Answer(200, text.encode())


@get(
    "/api/payments/charge/<string:payment_id>",
    tag=TAG,
    gives=ChargeState,
    before=enter_to_look,
    root=True,
)
@needs(anyone=True)
def get_charge(payment_id: str, query: ChargeQuery) -> dict[str, Any]:
    """Get a charge of a test user.

    How it stands, and why it was refused where it was. Needs what the charge needed.
    """
    del query
    if g.charged_user is None:
        raise payments.PaymentNotFound
    payment = payments.payment_of_user(g.charged_user, payment_id).payment
    told = webhooks.payload_of("payment", payment.snapshot())
    return {
        "payment_id": payment_id,
        "status": told["status"],
        "decline_code": told["decline_code"],
    }


@get(
    "/api/ledger/balance/<string:user_id>",
    tag=TAG,
    gives=PlainBalance,
    before=enter_to_read,
    root=True,
)
@needs(anyone=True)
def get_plain_balance(user_id: str, query: PlainBalanceQuery) -> idempotency.Answer:
    """Get a test user’s balance.

    As a bare number such as 5000.0; 0.0 for a user whom nobody has charged. A charge that is under
    way is waited for, two seconds at most and where few wait already.
    """
    del user_id
    if g.charged_user is None:
        return _plain(Decimal(0))
    _wait_for_charges(g.charged_user)
    held = ledger.wallet_balances(g.charged_user, livemode=False)
    if query.currency is not None:
        held = [money for money in held if money.currency == query.currency]
    if len(held) > 1:
        raise ParameterInvalid("Name one of the currencies.", param="currency")
    return _plain(held[0].decimal() if held else Decimal(0))


def _user(name: str, *, make: bool) -> str | None:
    space = _space()
    if make:
        return accounts.make_named_user(name, space=space)
    return accounts.named_user(name, space=space)


def _space() -> str:
    """Return whose test users the caller may name; raises why they may not."""
    who: Caller = caller()
    if who.livemode or settings().livemode:
        raise ModeNotConnected("Test users are charged in test mode only.")
    if who.kind == "key":
        admit(who, Needs(scope="payments:write"), "POST")
        return who.merchant
    if who.kind == "person":
        raise RoleMissing("Test users are charged with a merchant’s test key.")
    if not settings().demo:
        raise CredentialsMissing
    return DEMO


def _read_for(name: str) -> None:
    g.charged_user = _user(name, make=False)
    if g.charged_user is not None:
        _act_for(g.charged_user)


def _act_for(user_id: str) -> None:
    db.use_scope(db.Scope(merchant_id=accounts.PLATFORM_ID, livemode=False, user_id=user_id))


def _wait_for_charges(user_id: str) -> None:
    """Wait until no charge of the user’s is under way, two seconds at most, holding nothing.

    A few wait at once; whoever finds no seat does not.
    """
    if not SEATS.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until and payments.is_being_charged(user_id):
            db.end_reads()
            time.sleep(WAIT_STEP_SECONDS)
    finally:
        SEATS.release()


def _plain(amount: Decimal) -> idempotency.Answer:
    """Return an amount with one decimal at least and no zero more than that."""
    text = f"{amount:f}".rstrip("0") if "." in f"{amount:f}" else f"{amount:f}."
    return idempotency.Answer(200, (text + "0" if text.endswith(".") else text).encode())
