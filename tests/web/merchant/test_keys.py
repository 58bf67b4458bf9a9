"""API keys through the door: shown once, made once, rolled, revoked, and whose they are."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from flask import Flask

from tests.checked_client import Page
from tests.web.merchant.world import Shop, a_colleague, a_shop
from webapp import accounts
from webapp.accounts import ApiKey, KeyEnd, KeyKind
from webapp.kernel import clock, db
from webapp.outbox import Actor
from webapp.web.merchant.key_forms import LIVES, OVERLAPS, RESOURCES, acts_on, read_key_form

KEYS = "/merchant/developers/keys"
NEW = f"{KEYS}/new"
GOOD = {"name": "Web shop server", "kind": "secret", "reach": "all"}
TOKEN = re.compile(r"[sp]k_test_[A-Za-z0-9_-]{43}")
DAY = dt.timedelta(days=1)


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def keys_in(shop: Shop) -> list[ApiKey]:
    with db.scoped(shop.scope()):
        return list(accounts.keys_of(shop.id, livemode=False))


def created(shop: Shop, **fields: str) -> tuple[ApiKey, str]:
    """Make a key through the form; returns its row and the text that was shown."""
    answer = shop.client.send(NEW, KEYS, **GOOD | fields)
    assert answer.status_code == 200
    token = TOKEN.search(Page(answer.get_data(as_text=True)).text)
    assert token is not None
    newest = max(keys_in(shop), key=lambda key: key.id)
    db.session.expunge_all()
    return newest, token[0]


def test_a_key_is_shown_once_and_works(shop: Shop) -> None:
    key, token = created(shop)
    caller = accounts.key_for(token)
    assert caller is not None
    assert (caller.key_id, caller.merchant_id) == (key.id, shop.id)
    for address in (KEYS, f"{KEYS}/{key.id}"):
        page = shop.client.page(address)
        assert TOKEN.search(page.text) is None
        assert key.shown in page.text


def test_the_answer_with_the_text_is_kept_by_no_browser_and_no_cookie(shop: Shop) -> None:
    answer = shop.client.send(NEW, KEYS, **GOOD)
    assert "no-store" in answer.headers["Cache-Control"]
    token = TOKEN.search(answer.get_data(as_text=True))
    assert token is not None
    assert token[0] not in str(answer.headers)
    cookie = shop.client.get_cookie("paydeck_8000_form")
    assert cookie is None or token[0] not in cookie.value


def test_the_same_form_sent_again_makes_no_second_key_and_says_what_to_do(shop: Shop) -> None:
    form = shop.client.page(NEW).form(KEYS)
    first = shop.client.post(KEYS, data=form.fields | GOOD)
    second = shop.client.post(KEYS, data=form.fields | GOOD)
    assert (first.status_code, second.status_code) == (200, 303)
    [key] = keys_in(shop)
    assert second.location == f"{KEYS}/{key.id}"
    page = shop.client.page(second.location)
    assert "If you did not see it, roll the key." in page.text


def test_a_restricted_key_may_do_what_was_chosen(shop: Shop) -> None:
    _key, token = created(shop, reach="chosen", scope_refunds="write", scope_events="read")
    caller = accounts.key_for(token)
    assert caller is not None
    assert caller.scopes == {"refunds:write", "refunds:read", "events:read"}


def test_a_publishable_key_ignores_what_is_chosen_for_secret_ones(shop: Shop) -> None:
    key, token = created(shop, kind="publishable", reach="chosen", scope_refunds="write")
    assert token.startswith("pk_test_")
    assert key.scopes is None


def test_a_key_ends_when_it_was_chosen_to(shop: Shop) -> None:
    now = clock.now()
    with clock.standing_at(now):
        key, _token = created(shop, lasts="30")
    assert key.expires_at == now + 30 * DAY


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "  "}, "Give the key a name"),
        ({"name": "4242 4242 4242 4242"}, "That looks like a card number"),
        ({"name": "x" * 81}, "Use at most 80 characters"),
        ({"kind": "master"}, "Choose a secret or a publishable key."),
        ({"reach": "chosen"}, "Choose at least one thing"),
        ({"reach": "chosen", "scope_orders": "own"}, "Choose at least one thing"),
        ({"lasts": "3650"}, "Choose from the list when the key ends."),
    ],
)
def test_a_wrong_form_makes_no_key_and_keeps_what_was_typed(
    shop: Shop, wrong: dict[str, str], says: str
) -> None:
    answer = shop.client.send(NEW, KEYS, **GOOD | wrong)
    assert answer.status_code == 400
    page = Page(answer.get_data(as_text=True))
    assert "No key was created" in page.text
    assert says in page.text
    assert page.form(KEYS).fields["name"] == (GOOD | wrong)["name"]
    assert keys_in(shop) == []


def test_rolling_shows_the_new_key_once_and_when_the_old_one_ends(shop: Shop) -> None:
    now = clock.now()
    with clock.standing_at(now):
        old, old_token = created(shop)
        address = f"{KEYS}/{old.id}"
        answer = shop.client.send(address, f"{address}/roll", overlap="24")
        assert answer.status_code == 200
        token = TOKEN.search(answer.get_data(as_text=True))
    assert token is not None
    assert token[0] != old_token
    db.end_reads()
    with clock.standing_at(now + DAY):
        assert accounts.key_for(old_token) is None
        assert accounts.key_for(token[0]) is not None
    page = shop.client.page(address)
    assert "Replaced, ends soon" in page.text
    assert f"{address}/roll" not in {form.action for form in page.forms}


def test_an_overlap_that_is_not_offered_rolls_nothing(shop: Shop) -> None:
    key, token = created(shop)
    address = f"{KEYS}/{key.id}"
    answer = shop.client.send(address, f"{address}/roll", overlap="9000")
    assert answer.status_code == 400
    assert "Choose from the list when the old key ends." in answer.get_data(as_text=True)
    assert len(keys_in(shop)) == 1
    assert accounts.key_for(token) is not None


def test_revoking_says_when_it_was_last_used_and_ends_it_at_once(shop: Shop) -> None:
    key, token = created(shop)
    address = f"{KEYS}/{key.id}"
    assert "It was never used." in shop.client.page(address).text
    accounts.key_for(token)
    page = shop.client.page(address)
    assert re.search(r"Last used (just now|\d+ seconds? ago)", page.text)
    answer = shop.client.send(address, f"{address}/revoke")
    assert answer.status_code == 303
    assert accounts.key_for(token) is None
    after = shop.client.page(answer.location)
    assert f"{key.shown} was revoked." in after.text
    assert {form.action for form in after.forms} & {f"{address}/roll", f"{address}/revoke"} == set()
    assert keys_in(shop)[0].end_at(clock.now()) is KeyEnd.REVOKED


def test_a_keys_page_lists_what_it_made_and_what_that_made_while_it_works(shop: Shop) -> None:
    first, _token = created(shop)
    made: list[ApiKey] = []
    for name in ("Till", "Kitchen", "Garden"):
        maker = Actor("api_key", made[0].id if name == "Garden" else first.id)
        with db.scoped(shop.scope()):
            new = accounts.create_key(
                shop.id, livemode=False, kind=KeyKind.SECRET, name=name, by=maker
            )
        made.append(new.key)
    shown = {f"{KEYS}/{key.id}" for key in made}
    for ended in (first.id, made[0].id):
        shop.client.send(f"{KEYS}/{ended}", f"{KEYS}/{ended}/revoke")
    page = shop.client.page(f"{KEYS}/{first.id}")
    assert "They go on working" in page.text
    assert shown & set(page.links) == shown - {f"{KEYS}/{made[0].id}"}
    assert "Keys it made" not in shop.client.page(f"{KEYS}/{made[1].id}").text


@pytest.mark.parametrize("role", ["support", "analyst", "viewer"])
def test_who_may_only_look_sees_the_keys_and_changes_none(shop: Shop, role: str) -> None:
    key, token = created(shop)
    colleague = a_colleague(shop, role)
    page = colleague.page(KEYS)
    assert key.shown in page.text
    assert "a colleague" in page.text
    colleague.page(NEW, status=403)
    own = colleague.page(f"{KEYS}/{key.id}").form("/roll").fields
    for action in (KEYS, f"{KEYS}/{key.id}/roll", f"{KEYS}/{key.id}/revoke"):
        assert colleague.post(action, data=own | GOOD).status_code == 403
    assert len(keys_in(shop)) == 1
    assert accounts.key_for(token) is not None


def test_a_developer_makes_keys(shop: Shop) -> None:
    developer = a_colleague(shop, "developer")
    answer = developer.send(NEW, KEYS, **GOOD)
    assert answer.status_code == 200
    assert len(keys_in(shop)) == 1


def test_another_merchants_key_is_not_there(shop: Shop, app: Flask) -> None:
    key, token = created(shop)
    other = a_shop(app)
    own = other.client.page(NEW).form(KEYS).fields
    other.client.page(f"{KEYS}/{key.id}", status=404)
    for act in ("roll", "revoke"):
        answer = other.client.post(f"{KEYS}/{key.id}/{act}", data={**own, "overlap": "0"})
        assert answer.status_code == 404
    assert accounts.key_for(token) is not None


def test_the_navigation_leads_to_the_keys_and_marks_where_one_is(shop: Shop) -> None:
    assert "/merchant/developers" in shop.client.page("/merchant").links
    answer = shop.client.get("/merchant/developers")
    assert (answer.status_code, answer.location) == (302, KEYS)
    html = shop.client.get(KEYS).get_data(as_text=True)
    marked = re.findall(r'href="([^"]+)"\s+aria-current="page"', html)
    assert KEYS in marked
    assert "/merchant/developers" in marked


def test_every_resource_of_the_api_can_be_chosen_by_a_name_people_know() -> None:
    assert set(RESOURCES) == {scope.partition(":")[0] for scope in accounts.SCOPES}
    for resource in RESOURCES:
        for act, _label in acts_on(resource):
            assert not act or f"{resource}:{act}" in accounts.SCOPES


def test_a_form_is_read_without_the_database() -> None:
    form = read_key_form({"name": "Till", "kind": "secret", "reach": "chosen"} | {"lasts": "7"})
    assert form.errors == {"reach": "Choose at least one thing that the key may do."}
    assert form.life == 7 * DAY
    assert set(LIVES) == {"", "7", "30", "90", "365"}
    assert max(map(int, OVERLAPS)) == 7 * 24
