"""Webhook endpoints through the door: added, changed, paused, rolled, removed, and whose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.checked_client import Page
from tests.web.merchant.world import Shop, a_colleague, a_shop, paid
from tests.webhooks.hooks import PUBLIC, Server, an_endpoint, broken, public_names, tell
from webapp import webhooks
from webapp.kernel import db
from webapp.kernel.paging import PageRequest
from webapp.web.merchant.workbench.endpoint_forms import GROUPS, event_groups, read_endpoint_form
from webapp.web.merchant.workbench.endpoint_views import ANSWERS
from webapp.webhooks import Answer, DeliveryRow, Endpoint

HOOKS = "/merchant/developers/webhooks"
NEW = f"{HOOKS}/new"
GOOD = {"target": "own", "url": "https://shop.example/hooks", "reach": "all"}
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]{40,}")


@pytest.fixture
def shop(app: Flask) -> Iterator[Shop]:
    with public_names():
        yield a_shop(app)


def endpoints(shop: Shop) -> list[Endpoint]:
    db.session.expunge_all()
    with db.scoped(shop.scope()):
        return list(webhooks.endpoints_of(shop.id, livemode=False))


def sent(shop: Shop, page: str, to: str, **fields: str) -> TestResponse:
    """Send the form of a page that goes to `to`, with fields of any name."""
    form = shop.client.page(page).form(to)
    return shop.client.post(to, data=form.fields | fields)


def added(shop: Shop, **fields: str) -> tuple[str, str]:
    """Add an endpoint by the form; returns its address in the portal and the secret shown."""
    answer = sent(shop, NEW, HOOKS, **GOOD | fields)
    assert answer.status_code == 200
    secret = SECRET.search(Page(answer.get_data(as_text=True)).text)
    newest = max(endpoints(shop), key=lambda one: one.id)
    return f"{HOOKS}/{newest.id}", secret[0] if secret else ""


def deliveries(shop: Shop) -> list[DeliveryRow]:
    db.session.expunge_all()
    with db.scoped(shop.scope()):
        page = webhooks.deliveries_of(shop.id, livemode=False, page=PageRequest())
        return list(page.rows)


def test_the_form_looks_names_up_before_the_database_is_held(shop: Shop) -> None:
    held: list[bool] = []

    def resolve(_host: str, _port: int) -> list[str]:
        held.append(db.in_transaction())
        return [PUBLIC]

    webhooks.use(receiver=None, resolve=resolve)
    address, _secret = added(shop)
    changed = sent(shop, f"{address}/edit", f"{address}/edit", url="https://new.example/")
    assert changed.status_code == 303
    assert held == [False, False]


def test_an_endpoint_is_added_and_its_secret_shown_once(shop: Shop) -> None:
    address, secret = added(shop, description="The shop")
    assert secret
    for page in (shop.client.page(HOOKS), shop.client.page(address)):
        assert secret not in page.text
        assert "https://shop.example/hooks" in page.text
    [endpoint] = endpoints(shop)
    assert endpoint.events == ["*"]


def test_the_same_form_sent_again_adds_no_second_one(shop: Shop) -> None:
    form = shop.client.page(NEW).form(HOOKS)
    first = shop.client.post(HOOKS, data=form.fields | GOOD)
    second = shop.client.post(HOOKS, data=form.fields | GOOD)
    assert (first.status_code, second.status_code) == (200, 303)
    assert len(endpoints(shop)) == 1
    assert "roll the secret" in shop.client.page(second.location).text


@pytest.mark.requirement("S3-13")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"url": ""}, "Give the address of your server"),
        ({"url": "http://shop.example/hooks"}, "begins with https://"),
        ({"url": "https://shop.example:8443/"}, "Use port 443"),
        ({"url": "https://me:secret@shop.example/"}, "Leave the name and password out"),
        ({"reach": "chosen"}, "Choose at least one event."),
        ({"secret": "short"}, "Give a secret of 12 to 200"),
        ({"description": "4242 4242 4242 4242"}, "Leave card numbers out"),
    ],
)
def test_a_wrong_form_adds_nothing_and_says_what_is_wrong(
    shop: Shop, wrong: dict[str, str], says: str
) -> None:
    answer = sent(shop, NEW, HOOKS, **GOOD | wrong)
    assert answer.status_code == 400
    assert says in Page(answer.get_data(as_text=True)).text
    assert endpoints(shop) == []


def test_an_address_that_leads_inside_is_refused_beside_its_field(app: Flask) -> None:
    with public_names("10.0.0.7"):
        shop = a_shop(app)
        answer = sent(shop, NEW, HOOKS, **GOOD)
        assert answer.status_code == 400
        html = answer.get_data(as_text=True)
        assert re.search(r'id="url-error".*?does not lead to a public server', html, re.DOTALL)
        assert endpoints(shop) == []


def test_an_endpoint_is_changed_paused_resumed_and_removed(shop: Shop) -> None:
    address, _secret = added(shop)
    edit = f"{address}/edit"
    changed = {"reach": "chosen", "event": "payment.success", "url": "https://shop.example/2"}
    assert sent(shop, edit, edit, **changed).status_code == 303
    [endpoint] = endpoints(shop)
    assert (endpoint.url, endpoint.events) == ("https://shop.example/2", ["payment.success"])
    assert shop.client.send(address, f"{address}/pause").status_code == 303
    paid(shop)
    tell()
    page = shop.client.page(address)
    assert re.search(r"1 waits\s*:\s*payment\.success × 1\. They are sent", page.text)
    assert "when you resume" in page.text
    assert Server().drain() == 0
    assert shop.client.send(address, f"{address}/resume").status_code == 303
    assert Server().drain() == 1
    assert "1 arrived (2xx)" in shop.client.page(address).text
    gone = shop.client.send(address, f"{address}/delete")
    assert (gone.status_code, gone.location) == (303, HOOKS)
    shop.client.page(address, status=404)


def test_rolling_shows_the_new_secret_once_and_until_when_the_old_one_signs(shop: Shop) -> None:
    address, secret = added(shop)
    answer = shop.client.send(address, f"{address}/roll-secret", overlap="24")
    shown = SECRET.search(answer.get_data(as_text=True))
    assert shown is not None
    assert shown[0] != secret
    for header in ("webhook-signature", "X-Webhook-Signature"):
        assert header in answer.get_data(as_text=True)
    page = shop.client.page(address)
    assert "signs too until" in page.text
    assert shown[0] not in page.text
    refused = shop.client.send(address, f"{address}/roll-secret", overlap="9000")
    assert refused.status_code == 400


def test_a_delivery_shows_each_try_with_both_sides_and_is_sent_again_elsewhere(shop: Shop) -> None:
    address, _secret = added(shop)
    other, _secret = added(shop, url="https://second.example/in")
    answer = shop.client.send(address, f"{address}/test", name="payment.declined")
    assert answer.status_code == 303
    Server(lambda _request: broken(500, retry_after="3")).drain()
    page = shop.client.page(answer.location)
    for word in ("webhook-signature: v1,", "X-Webhook-Event: payment.declined", "retry-after: 3"):
        assert word in page.text
    assert "webhook delivery failed: status 500" in page.text
    assert re.search(r"Next try: \d+ \w+ \d{4}, \d\d:\d\d:\d\d ", page.text)
    assert re.search(r"Next try: \d+ \w+ \d{4}, \d\d:\d\d:\d\d ", shop.client.page(address).text)
    to = other.rpartition("/")[2]
    again = shop.client.send(answer.location, f"{answer.location}/resend", to=to)
    assert again.status_code == 303
    newest, oldest = deliveries(shop)
    assert (newest.delivery.endpoint_id, newest.event.id) == (to, oldest.event.id)
    first = answer.location.rpartition("/")[2]
    compared = shop.client.page(f"{again.location}?with={first}")
    assert "What differs" in compared.text


def test_an_answer_that_is_nested_too_deeply_is_shown_as_it_came(shop: Shop) -> None:
    address, _secret = added(shop)
    answer = shop.client.send(address, f"{address}/test", name="payment.declined")
    deep = "[" * 16_000
    Server(lambda _request: replace(broken(500), body=deep)).drain()
    assert deep in shop.client.page(answer.location).text


def test_a_range_is_counted_before_it_is_sent(shop: Shop) -> None:
    address, _secret = added(shop, reach="chosen", event="payment.success")
    paid(shop)
    tell()
    Server().drain()
    preview = f"{address}/resend"
    assert "0 events" in shop.client.page(preview).text
    form = shop.client.page(f"{preview}?only=all").form("/resend")
    assert "Send 1 again" in shop.client.page(f"{preview}?only=all").text
    assert shop.client.post(preview, data=form.fields).status_code == 303
    assert len(deliveries(shop)) == 2
    wrong = shop.client.page(f"{preview}?since=2020-01-01T00:00")
    assert "Choose a time within the last 30 days" in wrong.text


def test_the_built_in_receiver_answers_as_told_and_shows_what_came(shop: Shop) -> None:
    address, _secret = added(shop, target="built_in", url="")
    answer = shop.client.send(address, f"{address}/answer", answer="error")
    assert answer.status_code == 303
    [endpoint] = endpoints(shop)
    assert endpoint.receiver_answer == Answer.ERROR
    body, headers = '{"type": "payment.success"}', {"X-Webhook-Event": "payment.success"}
    webhooks.receive(endpoint.id, headers, body)
    page = shop.client.page(f"{address}/received")
    for word in ("Signature wrong", "answered 500", "payment.success"):
        assert word in page.text
    nonsense = shop.client.send(address, f"{address}/answer", answer="dance")
    assert nonsense.status_code == 400


def test_doubles_and_disorder_send_what_happened_with_its_own_ids(shop: Shop) -> None:
    address, _secret = added(shop)
    none = shop.client.send(address, f"{address}/twice")
    assert "Nothing has happened yet" in shop.client.page(none.location).text
    paid(shop)
    tell()
    before = len(deliveries(shop))
    shop.client.send(address, f"{address}/test", name="order.created")
    shop.client.send(address, f"{address}/twice")
    newest, second, *_ = deliveries(shop)
    assert newest.event.id == second.event.id
    shop.client.send(address, f"{address}/disorder")
    sent = [one.event for one in deliveries(shop)[: -before - 3]]
    assert 2 <= len(sent) <= 5
    assert len({one.subject_id for one in sent}) == 1
    # Newest first: the last that was sent is the oldest.
    versions = [one.subject_version for one in sent]
    assert versions == sorted(versions)


@pytest.mark.parametrize("role", ["support", "analyst", "viewer"])
def test_who_may_only_look_changes_nothing(shop: Shop, role: str) -> None:
    address, _secret = added(shop)
    colleague = a_colleague(shop, role)
    page = colleague.page(address)
    colleague.page(NEW, status=403)
    colleague.page(f"{address}/edit", status=403)
    own = page.form("/pause").fields | {"overlap": "0", "name": "payment.success"}
    for act in ("edit", "pause", "roll-secret", "delete", "test", "resend", "twice", "disorder"):
        assert colleague.post(f"{address}/{act}", data=own).status_code == 403, act
    assert [one.status for one in endpoints(shop)] == ["enabled"]


def test_another_merchants_endpoint_and_delivery_are_not_there(shop: Shop, app: Flask) -> None:
    address, _secret = added(shop)
    delivery = shop.client.send(address, f"{address}/test", name="payment.success").location
    other = a_shop(app)
    own = other.client.page(NEW).form(HOOKS).fields | {"overlap": "0", "name": "payment.success"}
    for page in (address, f"{address}/edit", f"{address}/resend", f"{address}/received", delivery):
        other.client.page(page, status=404)
    for act in ("pause", "resume", "roll-secret", "test", "resend", "twice", "answer"):
        data = own | {"since": "2026-01-01T00:00", "until": "2026-01-02T00:00"}
        assert other.client.post(f"{address}/{act}", data=data).status_code == 404, act
    assert other.client.post(f"{delivery}/resend", data=own).status_code == 404
    assert len(deliveries(shop)) == 1


def test_the_address_of_letters_leads_to_the_endpoint(shop: Shop) -> None:
    address, _secret = added(shop)
    answer = shop.client.get(address.replace("/developers", ""))
    assert (answer.status_code, answer.location) == (302, address)


def test_every_event_can_be_chosen_and_every_answer_has_words() -> None:
    offered = [kind.name for _label, kinds in event_groups() for kind in kinds]
    assert sorted(offered) == sorted(webhooks.NAMES)
    assert len(event_groups()) == len(GROUPS)
    assert set(ANSWERS) == set(Answer)


def test_a_form_is_read_without_the_database() -> None:
    form = read_endpoint_form({"reach": "chosen", "url": "x"}, ["payment.success", "made.up"])
    assert form.events == ["payment.success"]
    assert form.errors == {}


def test_an_endpoints_page_and_its_deliveries_keep_themselves_fresh(shop: Shop, app: Flask) -> None:
    address, _secret = added(shop, target="built_in", url="")
    delivery = shop.client.send(address, f"{address}/test", name="payment.success").location
    Server(lambda _request: broken(503)).drain()
    other = a_shop(app)
    for page, says in (
        (HOOKS, "1 on the way"),
        (address, "1 failed and tried again"),
        (delivery, "Try 1"),
        (f"{address}/received", "Nothing has come yet"),
    ):
        live = f'data-live-url="{page}/live"'
        answer = shop.client.get(f"{page}/live", headers={"X-Fragment": "1"})
        part = answer.get_data(as_text=True)
        assert live in part
        assert f'data-live="merchant:{shop.id}:test"' in part
        assert says in part
        assert "<html" not in part
        assert live in shop.client.get(page).get_data(as_text=True)
        if page != HOOKS:
            assert other.client.get(f"{page}/live").status_code == 404


def test_in_live_mode_no_example_is_offered_and_the_page_says_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = replace(shop.app.extensions["paydeck_settings"], stripe_secret_key="sk_live_1")
    endpoint = an_endpoint(shop.id, "payment.success", livemode=True)
    monkeypatch.setitem(shop.app.extensions, "paydeck_settings", live)
    said = shop.client.page(f"{HOOKS}/{endpoint.id}").text
    assert said.count(webhooks.TestModeOnly.says) == 2
