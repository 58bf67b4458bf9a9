"""Merchants, the people who work for them, and what each role may do."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.accounts.people import as_user, new_address, person_of, signed_in, somebody
from webapp import accounts, outbox
from webapp.accounts import MemberRole, Person
from webapp.accounts.person import Member
from webapp.accounts.policy import ROLES_FOR
from webapp.kernel import db
from webapp.kernel.errors import Forbidden, Invalid, NotFound
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor

ADMIN = Actor("admin", "usr_admin")


def a_person(*roles: MemberRole, is_verified: bool = True, is_admin: bool = False) -> Person:
    members = tuple(
        Member(f"mer_{n}", f"Shop {n}", role, "UTC") for n, role in enumerate(roles, start=1)
    )
    return Person("usr_1", "A", "a@b.example", is_admin, "UTC", members, "ses_1", is_verified)


@pytest.mark.requirement("S2-77")
def test_one_person_works_for_several_merchants_in_a_role_each(app: Flask) -> None:
    user_id = somebody()
    first = accounts.create_merchant("Chai & Co", user_id)
    accounts.create_merchant(
        "Ōkubo 茶", user_id, currency="JPY", timezone="Asia/Tokyo", country="JP"
    )
    with db.scoped(as_user(user_id)):
        mine = accounts.merchants_of(user_id)
        assert [(merchant.name, role) for merchant, role in mine] == [
            ("Chai & Co", "owner"),
            ("Ōkubo 茶", "owner"),
        ]
        facts = outbox.facts_about("merchant", first)
        assert [fact.name for fact in facts] == ["merchant.created"]
    slugs = {merchant.slug for merchant, _ in mine}
    assert len(slugs) == 2


def test_two_shops_may_have_one_name(app: Flask) -> None:
    user_id = somebody()
    assert accounts.create_merchant("Same", user_id) != accounts.create_merchant("Same", user_id)


@pytest.mark.parametrize(
    ("facts", "param"),
    [({"name": " "}, "merchant_name"), ({"name": "x" * 81}, "merchant_name"),
     ({"currency": "BTC"}, "currency"), ({"timezone": "Nowhere"}, "timezone"),
     ({"country": "IND"}, "country")],
)  # fmt: skip
def test_a_shop_with_wrong_facts_is_refused_by_field(
    app: Flask, facts: dict[str, str], param: str
) -> None:
    user_id = somebody()
    name = facts.pop("name", "Chai & Co")
    with pytest.raises(Invalid) as refused:
        accounts.create_merchant(name, user_id, **facts)
    assert refused.value.param == param
    with db.scoped(as_user(user_id)):
        assert accounts.merchants_of(user_id) == []


def test_a_strangers_merchant_is_not_there_but_its_card_is_public(app: Flask) -> None:
    theirs = accounts.create_merchant("Chai & Co", somebody())
    with db.scoped(as_user(somebody())):
        with pytest.raises(NotFound):
            accounts.merchant_of(theirs)
        card = accounts.merchant_card(theirs)
        assert card is not None
        assert (card.name, card.is_active) == ("Chai & Co", True)
        assert accounts.merchant_card("mer_unknown") is None


def test_the_platform_is_a_merchant_from_the_first_migration(app: Flask) -> None:
    card = accounts.merchant_card(accounts.PLATFORM_ID)
    assert card is not None
    assert card.name == "Paydeck"


def test_the_fee_is_the_usual_one_unless_another_was_agreed(app: Flask) -> None:
    merchant_id = accounts.create_merchant("Chai & Co", somebody())
    usual = accounts.fee_bps_of(merchant_id)
    assert usual == app.extensions["paydeck_settings"].fee_bps
    with db.transaction(db.ADMIN):
        accounts.merchant_of(merchant_id).fee_bps = 0
    with db.scoped(as_user(somebody())):
        assert accounts.fee_bps_of(merchant_id) == 0


def test_the_platform_itself_is_not_suspended(app: Flask) -> None:
    with db.scoped(db.ADMIN):
        with pytest.raises(Forbidden):
            accounts.suspend_merchant(accounts.PLATFORM_ID, because="A slip.", by=ADMIN)
        assert accounts.merchant_of(accounts.PLATFORM_ID).status == "active"


def test_an_admin_suspends_and_restores_a_merchant(app: Flask) -> None:
    merchant_id = accounts.create_merchant("Chai & Co", somebody())
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(merchant_id, because="fraud", by=ADMIN)
        accounts.suspend_merchant(merchant_id, because="fraud", by=ADMIN)
        assert accounts.merchant_of(merchant_id).status == "suspended"
        assert accounts.merchant_counts()["suspended"] == 1
        accounts.restore_merchant(merchant_id, because="cleared", by=ADMIN)
        assert accounts.merchant_of(merchant_id).version == 3


def test_an_admin_lists_people_and_merchants_newest_first(app: Flask) -> None:
    emails = [new_address() for _ in range(3)]
    people = [somebody(email) for email in emails]
    merchants = [accounts.create_merchant(f"Shop 100%_{n}", people[0]) for n in range(3)]
    with db.scoped(db.ADMIN):
        page = accounts.users_page(PageRequest(limit=2))
        assert [user.id for user in page.rows] == [people[2], people[1]]
        assert page.older is not None
        found = accounts.users_page(PageRequest(), email=emails[0].upper())
        assert [user.id for user in found.rows] == [people[0]]
        shops = accounts.merchants_page(PageRequest(), name="100%_1")
        assert [shop.id for shop in shops.rows] == [merchants[1]]
        assert [row.user.id for row in accounts.members_of(merchants[0])] == [people[0]]
    with db.scoped(as_user(people[0])):
        assert [user.id for user in accounts.users_page(PageRequest()).rows] == [people[0]]


@pytest.mark.requirement("S2-77")
@pytest.mark.parametrize("act", sorted(ROLES_FOR))
@pytest.mark.parametrize("role", list(MemberRole))
def test_a_role_may_do_what_the_table_says_and_is_told_why_not(role: MemberRole, act: str) -> None:
    reason = accounts.why_not_at_merchant(a_person(role), "mer_1", act)
    if role in ROLES_FOR[act]:
        assert reason is None
    else:
        assert reason is not None
        assert role in reason


def test_a_viewer_only_looks_and_an_owner_does_everything() -> None:
    viewer, owner = a_person(MemberRole.VIEWER), a_person(MemberRole.OWNER)
    assert all(accounts.why_not_at_merchant(viewer, "mer_1", act) for act in ROLES_FOR)
    assert not any(accounts.why_not_at_merchant(owner, "mer_1", act) for act in ROLES_FOR)


def test_a_role_at_one_merchant_is_none_at_another() -> None:
    assert accounts.why_not_at_merchant(a_person(MemberRole.OWNER), "mer_2", "create_order")


def test_an_unconfirmed_address_looks_but_does_not_move_money() -> None:
    person = a_person(MemberRole.OWNER, is_verified=False)
    for reason in (
        accounts.why_not_at_merchant(person, "mer_1", "create_order"),
        accounts.why_not_pay_from_wallet(person),
    ):
        assert reason is not None
        assert "Confirm your e-mail address" in reason
    assert accounts.why_not_pay_from_wallet(a_person()) is None


@pytest.mark.requirement("S2-77")
def test_everybody_is_a_user_some_are_merchant_and_admin() -> None:
    assert accounts.roles_of(a_person()) == ("User",)
    assert accounts.roles_of(a_person(MemberRole.VIEWER)) == ("User", "Merchant")
    assert accounts.roles_of(a_person(is_admin=True)) == ("User", "Admin")


def test_a_new_session_knows_its_merchants(app: Flask) -> None:
    email = new_address()
    accounts.create_merchant("Chai & Co", somebody(email))
    (member,) = person_of(signed_in(email)).memberships
    assert member.role is MemberRole.OWNER
