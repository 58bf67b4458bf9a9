"""For admins: merchants, people and wallets of the whole platform; looking and doing is audited."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from webapp import accounts, audit, wallets, webhooks
from webapp.accounts import Merchant
from webapp.accounts import User as Person
from webapp.api.caller import caller, needs
from webapp.api.lists import asked_page, listing
from webapp.api.models import Body, ListQuery, Thing, Words
from webapp.api.routing import get, post
from webapp.kernel import crypto, db
from webapp.kernel.errors import Forbidden

TAG = "Admin: people"
AN_ID = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
#: What stands for an id in the audit trail where many were told at once.
ALL = "list"


class AdminMerchant(Thing):
    """A merchant."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"mer_{AN_ID}",
        "object": "merchant",
        "created": 1_763_717_400,
        "livemode": False,
        "metadata": {},
        "status": "ACTIVE",
        "name": "Lotus Tea House",
        "country": "IN",
        "default_currency": "INR",
        "timezone": "Asia/Kolkata",
    }

    object: Literal["merchant"]
    status: Literal["ACTIVE", "SUSPENDED"]
    name: str
    country: str
    default_currency: str
    timezone: str


class AdminUser(Thing):
    """A person, masked."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"usr_{AN_ID}",
        "object": "user",
        "created": 1_763_717_400,
        "livemode": False,
        "metadata": {},
        "status": "ACTIVE",
        "name_masked": "A••• R•••",
        "email_masked": "a•••@people.example",
        "is_admin": False,
        "is_verified": True,
    }

    object: Literal["user"]
    status: Literal["UNVERIFIED", "ACTIVE", "SUSPENDED"]
    name_masked: str
    email_masked: str
    is_admin: bool
    is_verified: bool


class AdminWallet(Thing):
    """A person’s wallet, without what is in it."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"wal_{AN_ID}",
        "object": "wallet",
        "created": 1_763_717_400,
        "livemode": False,
        "metadata": {},
        "status": "INACTIVE",
        "user": f"usr_{AN_ID}",
        "currency": "INR",
    }

    object: Literal["wallet"]
    status: Literal["ACTIVE", "INACTIVE"]
    user: str
    currency: str


class Reason(Body):
    """Why: it is kept for good."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"because": "Asked for by its owner, ticket 4711."}
    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True)

    because: Annotated[Words, Field(min_length=3, max_length=300)]


class AdminMerchantQuery(ListQuery):
    """Filters of merchants."""

    status: Literal["ACTIVE", "SUSPENDED"] | None = None
    name: str | None = Field(None, max_length=80, description="A part of the name.")


class AdminUserQuery(ListQuery):
    """Filters of people."""

    status: Literal["UNVERIFIED", "ACTIVE", "SUSPENDED"] | None = None


@get("/admin/merchants", tag=TAG, gives=AdminMerchant, is_list=True)
@needs(admin=True)
def list_merchants(query: AdminMerchantQuery) -> dict[str, Any]:
    """List merchants.

    Newest first, by status and name. That they were listed is written to the audit trail.
    """
    page = asked_page(query, accounts.merchant_of)
    note_list("merchant", query)
    status = query.status.lower() if query.status else None
    found = accounts.merchants_page(page, status=status, name=query.name)
    return listing(found, _shown_merchant)


@get("/admin/merchants/<string:merchant_id>", tag=TAG, gives=AdminMerchant)
@needs(admin=True)
def get_merchant(merchant_id: str) -> dict[str, Any]:
    """Get a merchant.

    That it was looked at is written to the audit trail.
    """
    found = accounts.merchant_of(merchant_id)
    _note("merchant.viewed", "merchant", merchant_id, merchant_id=merchant_id)
    return _shown_merchant(found)


@post("/admin/merchants/<string:merchant_id>/suspend", tag=TAG, gives=AdminMerchant, status=200)
@needs(admin=True)
def suspend_merchant(merchant_id: str, body: Reason) -> dict[str, Any]:
    """Suspend a merchant.

    It takes no new payments. Twice changes nothing.
    """
    accounts.suspend_merchant(merchant_id, because=body.because, by=caller().actor)
    return _shown_merchant(accounts.merchant_of(merchant_id))


@post("/admin/merchants/<string:merchant_id>/restore", tag=TAG, gives=AdminMerchant, status=200)
@needs(admin=True)
def restore_merchant(merchant_id: str, body: Reason) -> dict[str, Any]:
    """Let a suspended merchant sell again.

    Twice changes nothing.
    """
    accounts.restore_merchant(merchant_id, because=body.because, by=caller().actor)
    return _shown_merchant(accounts.merchant_of(merchant_id))


@get("/admin/users", tag=TAG, gives=AdminUser, is_list=True)
@needs(admin=True)
def list_users(query: AdminUserQuery) -> dict[str, Any]:
    """List people.

    Newest first. Names and addresses are masked; to see one in the clear there is a page. That
    they were listed is written to the audit trail.
    """
    page = asked_page(query, accounts.user_of)
    note_list("user", query)
    status = query.status.lower() if query.status else None
    return listing(accounts.users_page(page, status=status), _shown_user)


@get("/admin/users/<string:user_id>", tag=TAG, gives=AdminUser)
@needs(admin=True)
def get_user(user_id: str) -> dict[str, Any]:
    """Get a person.

    Masked; that they were looked at is written to the audit trail.
    """
    found = accounts.user_of(user_id)
    _note("user.viewed", "user", user_id)
    return _shown_user(found)


@post("/admin/users/<string:user_id>/suspend", tag=TAG, gives=AdminUser, status=200)
@needs(admin=True)
def suspend_user(user_id: str, body: Reason) -> dict[str, Any]:
    """Suspend a person.

    They are signed out everywhere. Nobody suspends themselves. Twice changes nothing.
    """
    if caller().user_id == user_id:
        raise Forbidden("You cannot suspend yourself. Ask another admin.")
    accounts.suspend_user(user_id, because=body.because, by=caller().actor)
    return _shown_user(accounts.user_of(user_id))


@post("/admin/users/<string:user_id>/restore", tag=TAG, gives=AdminUser, status=200)
@needs(admin=True)
def restore_user(user_id: str, body: Reason) -> dict[str, Any]:
    """Open a suspended account again.

    Any other is left as it is.
    """
    accounts.restore_user(user_id, because=body.because, by=caller().actor)
    return _shown_user(accounts.user_of(user_id))


@post("/admin/wallets/<string:wallet_id>/deactivate", tag=TAG, gives=AdminWallet, status=200)
@needs(admin=True)
def deactivate_wallet(wallet_id: str, body: Reason) -> dict[str, Any]:
    """Switch a wallet off.

    Nothing goes out of it. What is in it stays, and what it is owed still comes in.
    """
    found = wallets.deactivate(wallet_id, because=body.because, by=caller().actor)
    _note("wallet.deactivated", "wallet", wallet_id, because=body.because)
    return webhooks.payload_of("wallet", found.snapshot())


@post("/admin/wallets/<string:wallet_id>/activate", tag=TAG, gives=AdminWallet, status=200)
@needs(admin=True)
def activate_wallet(wallet_id: str, body: Reason) -> dict[str, Any]:
    """Switch a wallet on again.

    Twice changes nothing.
    """
    found = wallets.activate(wallet_id, because=body.because, by=caller().actor)
    _note("wallet.activated", "wallet", wallet_id, because=body.because)
    return webhooks.payload_of("wallet", found.snapshot())


def note_list(kind: str, query: ListQuery) -> None:
    """Write down that an admin listed things of a kind, and which: one row, without typed words."""
    asked = query.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"name"})
    who = caller()
    with db.transaction():
        audit.record(f"{kind}.listed", kind, ALL, by=who.actor, data=asked, livemode=who.livemode)


def _note(
    action: str, kind: str, subject_id: str, *, merchant_id: str | None = None, **told: str
) -> None:
    with db.transaction():
        audit.record(
            action, kind, subject_id, by=caller().actor, merchant_id=merchant_id, data=told
        )


def _shown_merchant(merchant: Merchant) -> dict[str, Any]:
    return {
        **webhooks.payload_of("merchant", merchant.snapshot()),
        "timezone": merchant.timezone,
    }


def _shown_user(user: Person) -> dict[str, Any]:
    return {
        **webhooks.payload_of("user", user.snapshot()),
        "name_masked": crypto.mask_name(user.name),
        "email_masked": crypto.mask_email(user.email),
        "is_admin": user.is_admin,
        "is_verified": user.is_verified,
    }
