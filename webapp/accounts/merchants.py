"""Opening merchants, and closing and restoring them."""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import text

from webapp import audit
from webapp.accounts import typed
from webapp.accounts.models import (
    PLATFORM_ID,
    MemberRole,
    Membership,
    Merchant,
    MerchantStatus,
)
from webapp.accounts.rows import merchant_row, own
from webapp.accounts.service import DEFAULT_ZONE
from webapp.accounts.sessions import forget_person
from webapp.kernel import clock, db, ids
from webapp.kernel.errors import Forbidden
from webapp.outbox import Actor

_usual_fee_bps: list[int] = []
SLUG_TAIL = 6
SLUG_HEAD = 40


def use(*, usual_fee_bps: int) -> None:
    """Set the fee of merchants that have none of their own; called once at start."""
    _usual_fee_bps[:] = [usual_fee_bps]


def fee_bps_of(merchant_id: str) -> int:
    """Return what the platform keeps of a merchant's payments, in basis points, in every scope."""
    agreed: int | None = db.session.scalar(
        text("SELECT merchant_fee_bps(:id)"), {"id": merchant_id}
    )
    return _usual_fee_bps[0] if agreed is None else agreed


def create_merchant(
    name: str,
    owner_user_id: str,
    *,
    currency: str = "INR",
    timezone: str = DEFAULT_ZONE,
    country: str = "IN",
) -> str:
    """Open a merchant with a person as its owner and return its id; raises Invalid by field."""
    name = checked_shop_name(name)
    merchant = Merchant(
        id=ids.new("merchant"),
        user_id=owner_user_id,
        name=name,
        country=typed.country(country),
        timezone=typed.timezone(timezone),
        default_currency=typed.currency(currency),
        created_at=clock.now(),
    )
    merchant.slug = _slug(name, merchant.id)
    by = Actor("user", owner_user_id)
    with db.transaction(own(owner_user_id, merchant_id=merchant.id)):
        merchant.begin(MerchantStatus.ACTIVE, because="signed up to sell", by=by)
        db.session.add(
            Membership(
                id=ids.new("membership"),
                merchant_id=merchant.id,
                user_id=owner_user_id,
                role=MemberRole.OWNER.value,
                created_at=merchant.created_at,
            )
        )
        forget_person(owner_user_id)
    return merchant.id


def checked_shop_name(name: str) -> str:
    """Return a shop's name as it is stored; raises Invalid naming `merchant_name`."""
    return typed.name(name, param="merchant_name", empty="Enter the name of your shop.")


def suspend_merchant(merchant_id: str, *, because: str, by: Actor) -> None:
    """Stop a merchant from selling; needs the admin scope. Twice changes nothing.

    Raises Forbidden for the platform itself: wallets are filled through it.
    """
    if merchant_id == PLATFORM_ID:
        raise Forbidden("The platform itself cannot be suspended: wallets are filled through it.")
    _put(merchant_id, MerchantStatus.SUSPENDED, because=because, by=by)


def restore_merchant(merchant_id: str, *, because: str, by: Actor) -> None:
    """Let a suspended merchant sell again; needs the admin scope. Twice changes nothing."""
    _put(merchant_id, MerchantStatus.ACTIVE, because=because, by=by)


def _put(merchant_id: str, status: MerchantStatus, *, because: str, by: Actor) -> None:
    with db.transaction():
        merchant = merchant_row(merchant_id, lock=True)
        if merchant.status == status:
            return
        merchant.move_to(status, because=because, by=by)
        action = "suspended" if status is MerchantStatus.SUSPENDED else "restored"
        audit.record(
            f"merchant.{action}",
            "merchant",
            merchant_id,
            by=by,
            data={"because": because},
            merchant_id=merchant_id,
        )


def _slug(name: str, merchant_id: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    head = re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_HEAD].strip("-")
    tail = merchant_id[-SLUG_TAIL:].lower()
    return f"{head}-{tail}" if head else tail
