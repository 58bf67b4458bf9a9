"""Who may listen where, decided by pure functions."""

from __future__ import annotations

import pytest

from webapp.accounts import Member, MemberRole, Person
from webapp.realtime.listeners import Listener
from webapp.realtime.policy import Wish, read_wish, topics_for


def a_person(*merchants: str, is_admin: bool = False) -> Person:
    members = tuple(Member(one, one, MemberRole.VIEWER, "UTC") for one in merchants)
    return Person(
        "usr_1", "Asha", "a@example.test", is_admin, "UTC", members, "ses_1", is_verified=True
    )


def test_a_person_hears_themselves() -> None:
    assert topics_for(a_person(), None, Wish()) == {"user:usr_1"}


def test_an_admin_hears_admins_too() -> None:
    assert topics_for(a_person(is_admin=True), None, Wish()) == {"user:usr_1", "admin"}


def test_a_member_hears_the_merchant_asked_for_and_no_other() -> None:
    heard = topics_for(a_person("mer_1", "mer_2"), None, Wish(merchant_id="mer_2"))
    assert heard == {"user:usr_1", "merchant:mer_2:test", "merchant:mer_2:live"}


@pytest.mark.parametrize("person", [None, a_person(), a_person("mer_2"), a_person(is_admin=True)])
def test_another_merchants_room_refuses_everything(person: Person | None) -> None:
    assert topics_for(person, None, Wish(merchant_id="mer_1")) == frozenset()


def test_a_guest_hears_only_the_checkout_whose_token_they_hold() -> None:
    assert topics_for(None, "chk_1", Wish(checkout_token="t")) == {"checkout:chk_1"}


def test_nobody_in_particular_hears_nothing() -> None:
    assert topics_for(None, None, Wish()) == frozenset()


def test_a_token_that_opens_nothing_refuses_everything() -> None:
    assert topics_for(a_person("mer_1"), None, Wish(checkout_token="t")) == frozenset()


@pytest.mark.parametrize(
    "auth",
    [None, "x", [], {"merchant": 1}, {"checkout": {"$ne": ""}}, {"merchant": "m" * 201}],
)
def test_a_handshake_not_shaped_like_ours_is_not_read(auth: object) -> None:
    assert read_wish(auth) is None


def test_an_empty_wish_is_a_wish() -> None:
    assert read_wish({"csrf": "x", "merchant": "", "checkout": None}) == Wish()


def test_tokens_do_not_appear_in_print() -> None:
    assert "secret" not in repr(Wish(checkout_token="secret", merchant_id="mer_1"))


def test_ten_events_a_second_are_enough() -> None:
    listener = Listener("sid", None, Wish(), frozenset())
    assert not any(listener.speaks_too_often(place / 9) for place in range(30))
    assert any(listener.speaks_too_often(4 + place / 100) for place in range(11))
