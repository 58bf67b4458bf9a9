"""Reads of people and merchants; what is seen depends on the scope in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text

from webapp.accounts.models import (
    MemberRole,
    Membership,
    Merchant,
    User,
    email_index,
)
from webapp.accounts.rows import merchant_row, user_row
from webapp.kernel import db
from webapp.kernel.paging import Page, PageRequest, one_page, page_of


@dataclass(frozen=True, slots=True)
class MerchantCard:
    """What anybody may know of a merchant: what a checkout shows of it."""

    id: str
    name: str
    country: str
    timezone: str
    default_currency: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One person of a merchant, with their row."""

    membership: Membership
    user: User

    @property
    def role(self) -> MemberRole:
        """The role as the enum."""
        return MemberRole(self.membership.role)


def user_of(user_id: str) -> User:
    """Return a person: oneself, or anybody as admin or worker; raises NotFound."""
    return user_row(user_id)


def names_of(user_ids: Iterable[str]) -> dict[str, str]:
    """Return people's names by id, unmasked; needs the admin scope. Unknown ids are left out."""
    wanted = select(User).where(User.id.in_(sorted(set(user_ids))))
    return {user.id: user.name for user in db.session.scalars(wanted)}


def merchant_of(merchant_id: str) -> Merchant:
    """Return a merchant that this scope sees; raises NotFound."""
    return merchant_row(merchant_id)


def merchant_cards(merchant_ids: Iterable[str]) -> dict[str, MerchantCard]:
    """Return the public facts of merchants by id, in every scope; unknown ids are left out."""
    rows = db.session.execute(
        text("SELECT * FROM merchant_cards(:ids)"), {"ids": sorted(set(merchant_ids))}
    )
    return {
        row.id: MerchantCard(
            row.id,
            row.name,
            row.country,
            row.timezone,
            row.default_currency,
            row.status == "active",
        )
        for row in rows
    }


def merchant_card(merchant_id: str) -> MerchantCard | None:
    """Return the public facts of one merchant, in every scope, or None."""
    return merchant_cards([merchant_id]).get(merchant_id)


def members_of(merchant_id: str) -> Sequence[MemberRow]:
    """Return who works for a merchant now, with their rows; needs the admin or worker scope."""
    rows = db.session.execute(
        select(Membership, User)
        .join(User, User.id == Membership.user_id)
        .where(Membership.merchant_id == merchant_id, Membership.ended_at.is_(None))
        .order_by(Membership.id)
    )
    return [MemberRow(membership, user) for membership, user in rows]


def merchants_of(user_id: str) -> Sequence[tuple[Merchant, str]]:
    """Return the merchants that a person works for now, each with the role."""
    rows = db.session.execute(
        select(Merchant, Membership.role)
        .join(Membership, Membership.merchant_id == Merchant.id)
        .where(Membership.user_id == user_id, Membership.ended_at.is_(None))
        .order_by(Membership.id)
    )
    return [(merchant, role) for merchant, role in rows]


def users_page(
    asked: PageRequest, *, status: str | None = None, email: str | None = None
) -> Page[User]:
    """Return people, newest first; needs the admin scope. `email` finds the exact address."""
    wanted = select(User)
    if status:
        wanted = wanted.where(User.status == status)
    if email:
        wanted = wanted.where(User.email_index == email_index(email))
    rows = db.session.scalars(one_page(wanted, User.id, asked)).all()
    return page_of(rows, asked, lambda user: user.id)


def merchants_page(
    asked: PageRequest, *, status: str | None = None, name: str | None = None
) -> Page[Merchant]:
    """Return merchants, newest first; needs the admin scope. `name` finds it inside the name."""
    wanted = select(Merchant)
    if status:
        wanted = wanted.where(Merchant.status == status)
    if name:
        wanted = wanted.where(Merchant.name.icontains(name, autoescape=True))
    rows = db.session.scalars(one_page(wanted, Merchant.id, asked)).all()
    return page_of(rows, asked, lambda merchant: merchant.id)


def user_counts() -> dict[str, int]:
    """Return how many people there are by status; needs the admin scope."""
    rows = db.session.execute(select(User.status, func.count()).group_by(User.status))
    return {row[0]: row[1] for row in rows}


def merchant_counts() -> dict[str, int]:
    """Return how many merchants there are by status; needs the admin scope."""
    rows = db.session.execute(select(Merchant.status, func.count()).group_by(Merchant.status))
    return {row[0]: row[1] for row in rows}
