"""Who may do what, as pure functions that return the reason why not, or None."""

from __future__ import annotations

from webapp.accounts.models import MemberRole
from webapp.accounts.person import Member, Person

_MANAGERS = frozenset({MemberRole.OWNER, MemberRole.ADMIN})
#: What each act of a merchant's people asks for; a role that is not named may only look.
ROLES_FOR: dict[str, frozenset[MemberRole]] = {
    "create_order": _MANAGERS | {MemberRole.DEVELOPER, MemberRole.SUPPORT},
    "cancel_order": _MANAGERS | {MemberRole.SUPPORT},
    "capture": _MANAGERS | {MemberRole.SUPPORT},
    "refund": _MANAGERS | {MemberRole.SUPPORT},
    "approve_refund": _MANAGERS,
    "unmask": _MANAGERS | {MemberRole.SUPPORT},
    "export": _MANAGERS | {MemberRole.SUPPORT, MemberRole.ANALYST},
    "manage_people": _MANAGERS,
    "change_settings": _MANAGERS,
    "manage_keys": _MANAGERS | {MemberRole.DEVELOPER},
    "manage_webhooks": _MANAGERS | {MemberRole.DEVELOPER},
    "see_api_log": _MANAGERS | {MemberRole.DEVELOPER, MemberRole.SUPPORT},
    "move_clock": _MANAGERS | {MemberRole.DEVELOPER, MemberRole.SUPPORT},
}
#: What brings new payments, which a suspended merchant does not get.
SELLING = frozenset({"create_order"})
_WORDS = {
    "create_order": "create orders",
    "cancel_order": "cancel orders",
    "capture": "take or let go of held money",
    "refund": "refund payments",
    "approve_refund": "approve refunds",
    "unmask": "see personal data",
    "export": "export lists",
    "manage_people": "invite people and change roles",
    "change_settings": "change settings",
    "manage_keys": "create, roll or revoke API keys",
    "manage_webhooks": "change webhook endpoints or send events again",
    "see_api_log": "see the log of API requests",
    "move_clock": "move the test clock",
}


def why_not_pay_from_wallet(person: Person) -> str | None:
    """Return why this person cannot pay from a wallet or top it up, or None."""
    return _why_unverified(person)


def why_not_at_merchant(person: Person, merchant_id: str, act: str) -> str | None:
    """Return why this person cannot do `act` (a name in ROLES_FOR) for the merchant, or None."""
    member = _member(person, merchant_id)
    if member is None:
        return "You do not work for this merchant."
    role = member.role
    if role not in ROLES_FOR[act]:
        return f"Your role ({role}) cannot {_WORDS[act]}. Ask an owner or admin of this merchant."
    if act in SELLING and not member.is_active:
        return "The platform has suspended this merchant: it takes no new payments. Ask its team."
    return _why_unverified(person)


def role_at(person: Person, merchant_id: str) -> MemberRole | None:
    """Return the person's role at a merchant, or None where they have none."""
    member = _member(person, merchant_id)
    return member.role if member else None


def roles_of(person: Person) -> tuple[str, ...]:
    """Return the person's platform-wide roles: everybody is a User, some are Merchant, Admin."""
    roles = ["User"]
    if person.memberships:
        roles.append("Merchant")
    if person.is_admin:
        roles.append("Admin")
    return tuple(roles)


def _member(person: Person, merchant_id: str) -> Member | None:
    return next((one for one in person.memberships if one.merchant_id == merchant_id), None)


def _why_unverified(person: Person) -> str | None:
    if person.is_verified:
        return None
    return "Confirm your e-mail address first: open the link that we sent you."
