"""The story's people, merchants and customers as rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from demo.rows import Rows
from demo.story import DEMO_PASSWORD, PEOPLE, SHOPS, Shop, SomePerson
from webapp import accounts
from webapp.accounts import Merchant, User
from webapp.kernel import crypto
from webapp.outbox import Actor


@dataclass(slots=True)
class Cast:
    """Who is in the story, by key; customers by merchant and e-mail address, clerks by shop."""

    users: dict[str, User] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)
    merchants: dict[str, Merchant] = field(default_factory=dict)
    customers: dict[tuple[str, str], str] = field(default_factory=dict)
    clerks: dict[str, str] = field(default_factory=dict)


def assemble(rows: Rows, since: dt.datetime) -> Cast:
    """Write the people and merchants, who all joined shortly before `since`."""
    cast = Cast()
    hashed = accounts.hash_password(DEMO_PASSWORD)
    for number, person in enumerate(PEOPLE):
        at = since - dt.timedelta(days=3, hours=number)
        cast.users[person.key] = somebody(rows, person, hashed, at)
        cast.emails[person.key] = person.email
    for number, shop in enumerate(SHOPS):
        at = since - dt.timedelta(days=2, hours=number)
        cast.merchants[shop.key] = _merchant(rows, shop, cast, at)
    for person in PEOPLE:
        for number, (shop_key, role) in enumerate(person.sells_at):
            if role == "support":
                cast.clerks[shop_key] = person.key
            at = since - dt.timedelta(days=1) + dt.timedelta(minutes=number)
            rows.add(
                "membership",
                id=rows.chance.id("membership", at),
                merchant_id=cast.merchants[shop_key].id,
                user_id=cast.users[person.key].id,
                role=role,
                created_at=at,
            )
    return cast


def customer(
    rows: Rows, cast: Cast, shop: Shop, email: str, at: dt.datetime, user_id: str | None
) -> str:
    """Return the shop's customer with that address, written at their first order."""
    known = cast.customers.get((shop.key, email))
    if known:
        return known
    customer_id = rows.chance.id("customer", at)
    rows.add(
        "customer",
        id=customer_id,
        merchant_id=cast.merchants[shop.key].id,
        livemode=False,
        user_id=user_id,
        email_sealed=crypto.seal(email, context=f"customer:email:{customer_id}"),
        email_index=crypto.blind_index(email, purpose="email"),
        created_at=at,
        metadata={},
    )
    cast.customers[shop.key, email] = customer_id
    return customer_id


def somebody(rows: Rows, person: SomePerson, hashed: str, at: dt.datetime) -> User:
    """Write somebody who registered then and confirmed their address."""
    user = User(id=rows.chance.id("user", at), created_at=at)
    user.set_email(person.email)
    user.set_name(person.name)
    user.password_hash = hashed
    user.is_admin = person.is_admin
    user.timezone = person.timezone
    user.locale = "en"
    user.verified_at = at + dt.timedelta(minutes=4)
    user.password_changed_at = at
    by = Actor("user", user.id)
    rows.step(user, "unverified", at, because="Registered.", by=by)
    rows.step(user, "active", user.verified_at, because="Confirmed the e-mail address.", by=by)
    rows.put("app_user", user)
    return user


def _merchant(rows: Rows, shop: Shop, cast: Cast, at: dt.datetime) -> Merchant:
    owner = next(p.key for p in PEOPLE if (shop.key, "owner") in p.sells_at)
    merchant = Merchant(
        id=rows.chance.id("merchant", at),
        name=shop.name,
        slug=shop.slug,
        country=shop.country,
        timezone=shop.timezone,
        default_currency=shop.currencies[0][0],
        fee_bps=shop.fee_bps,
        created_at=at,
        is_platform=False,
        user_id=cast.users[owner].id,
    )
    by = Actor("user", cast.users[owner].id)
    rows.step(merchant, "active", at, because="Registered.", by=by)
    rows.put("merchant", merchant)
    return merchant
