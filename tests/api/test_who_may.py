"""Who may call what, tried at every operation of the table: a new one is tried by being there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.api.desk import Program, Shop, a_shop, a_user, nobody
from tests.api.things import MAKERS
from tests.builders import Someone, a_merchant, a_person, an_admin
from webapp import accounts, api
from webapp.accounts import policy
from webapp.api.caller import MERCHANT_HEADER
from webapp.api.routing import Operation
from webapp.kernel import clock, db, ids
from webapp.outbox import Actor

GAP = re.compile(r"<string:([a-z_]+)>")
GUARDED = [one for one in api.OPERATIONS.values() if not one.needs.anyone]
SCOPED = [one for one in GUARDED if one.needs.scope]
WRITES = [one for one in SCOPED if one.method != "GET"]
FOR_ADMINS = [one for one in GUARDED if one.needs.admin]
WITH_IDS = [one for one in GUARDED if GAP.search(one.rule)]
#: Operations that a program outside calls with no key of ours may pass by the address alone.
Fill = Callable[[str], str]


def call(program: Program, operation: Operation, fill: Fill | None = None) -> TestResponse:
    """Call an operation with an example's body, and something in each gap of its address."""
    rule = operation.address.removeprefix("/api/v1")
    path = GAP.sub(lambda gap: fill(gap[1]) if fill else "nothing", rule)
    sent: dict[str, Any] = {"json": operation.body.EXAMPLE} if operation.body else {}
    return program.ask(operation.method, path, root=operation.root, **sent)


def told(answer: TestResponse) -> tuple[int, str]:
    """Return an error's status and code."""
    return answer.status_code, answer.get_json()["error"]["code"]


def all_told(operations: list[Operation], program: Program) -> dict[tuple[int, str], list[str]]:
    """Return the operations by what they answered."""
    found: dict[tuple[int, str], list[str]] = {}
    for operation in operations:
        answer = call(program, operation)
        assert "error" in answer.get_json(), (operation.name, answer.status_code)
        found.setdefault(told(answer), []).append(operation.name)
    return found


def member(shop: Shop, role: str) -> Someone:
    """Add a person with a role to the shop."""
    person = a_person()
    with db.transaction(db.OWNER) as session:
        session.execute(
            text(
                "INSERT INTO membership (id, merchant_id, user_id, role, created_at)"
                " VALUES (:id, :merchant, :user, :role, now())"
            ),
            {
                "id": ids.new("membership"),
                "merchant": shop.merchant_id,
                "user": person.id,
                "role": role,
            },
        )
    return person


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.mark.requirement("S2-75", "S2-78")
def test_without_a_credential_every_protected_operation_asks_for_one(app: Flask) -> None:
    assert GUARDED
    assert all_told(GUARDED, nobody(app)).keys() == {(401, "credentials_missing")}
    assert call(nobody(app), GUARDED[0]).headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.requirement("S0-04")
@pytest.mark.parametrize(
    "sent",
    [
        "Bearer sk_test_" + "A" * 43,
        "Bearer pk_test_" + "A" * 43,
        "Bearer nonsense",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9.",
        "Bearer ",
        "Bearer ключ",
        "Basic c2tfdGVzdDo=",
        "sk_test_" + "A" * 43,
    ],
)
def test_a_credential_that_is_none_opens_no_operation(app: Flask, sent: str) -> None:
    program = Program(nobody(app).client, headers={"Authorization": sent.encode().decode("latin1")})
    assert all_told(list(api.OPERATIONS.values()), program).keys() == {(401, "credentials_wrong")}


def test_a_session_cookie_of_the_portal_opens_nothing_here(app: Flask, shop: Shop) -> None:
    signed_in = accounts.sign_in(
        shop.owner.email, "correct horse battery", device="Firefox", address="192.0.2.3"
    )
    program = nobody(app)
    cookie = app.extensions["paydeck_settings"].session_cookie
    program.client.set_cookie(cookie, signed_in.session_token)
    assert all_told(GUARDED, program).keys() == {(401, "credentials_missing")}


@pytest.mark.requirement("S2-75")
def test_what_has_ended_opens_nothing(app: Flask, shop: Shop) -> None:
    soon = clock.now() + dt.timedelta(hours=1)
    expiring, person = shop.program(expires_at=soon), a_user(app, shop.owner)
    assert expiring.get("/orders").status_code == 200
    with clock.standing_at(soon + dt.timedelta(seconds=1)):
        assert all_told(GUARDED, expiring).keys() == {(401, "credentials_wrong")}
        assert all_told(GUARDED, person).keys() == {(401, "credentials_wrong")}


def test_a_revoked_key_opens_nothing(shop: Shop) -> None:
    program = shop.program()
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        (key,) = accounts.keys_of(shop.merchant_id, livemode=False)
        accounts.revoke_key(key.id, by=Actor("merchant_user", shop.owner.id))
    assert all_told(GUARDED, program).keys() == {(401, "credentials_wrong")}


def test_a_key_of_a_suspended_merchant_opens_nothing(shop: Shop) -> None:
    program = shop.program()
    with db.scoped(db.ADMIN):
        accounts.suspend_merchant(shop.merchant_id, because="fraud", by=Actor("admin", "usr_x"))
    assert all_told(GUARDED, program).keys() == {(401, "credentials_wrong")}


def test_a_key_without_the_scope_is_refused_and_told_which_it_would_need(shop: Shop) -> None:
    resources = {one.needs.scope.split(":")[0] for one in SCOPED if one.needs.scope}
    for resource in resources:
        others = [scope for scope in accounts.SCOPES if not scope.startswith(f"{resource}:")]
        mine = [one for one in SCOPED if (one.needs.scope or "").startswith(f"{resource}:")]
        program = shop.program(scopes=others)
        assert all_told(mine, program).keys() == {(403, "scope_missing")}, resource
        assert f"{resource}:" in call(program, mine[0]).get_json()["error"]["message"]


def test_a_key_that_may_read_may_not_write(shop: Shop) -> None:
    reads = [scope for scope in accounts.SCOPES if scope.endswith(":read")]
    program = shop.program(scopes=reads)
    assert all_told(WRITES, program).keys() <= {(403, "scope_missing")}


def test_a_publishable_key_opens_what_pages_may_use_and_nothing_else(shop: Shop) -> None:
    closed = [one for one in SCOPED if one.needs.scope not in accounts.PUBLISHABLE_SCOPES]
    program = shop.program(kind="publishable")
    assert all_told(closed, program).keys() == {(403, "scope_missing")}


def test_keys_open_nothing_that_is_for_people(shop: Shop) -> None:
    for_people = [one for one in GUARDED if not one.needs.scope]
    assert all_told(for_people, shop.program()).keys() <= {(403, "forbidden")}


@pytest.mark.requirement("S2-76", "S2-78")
def test_a_shopper_is_refused_what_is_for_merchants_or_admins(app: Flask) -> None:
    closed = [one for one in GUARDED if not one.needs.person]
    assert all_told(closed, a_user(app, a_person())).keys() == {(403, "role_missing")}


@pytest.mark.requirement("S2-78")
def test_a_member_is_refused_what_the_role_does_not_allow(app: Flask, shop: Shop) -> None:
    viewer = a_user(app, member(shop, "viewer"), **{MERCHANT_HEADER: shop.merchant_id})
    assert all_told(WRITES, viewer).keys() == {(403, "role_missing")}
    unnamed = [one for one in WRITES if one.needs.act is None]
    support = a_user(app, member(shop, "support"), **{MERCHANT_HEADER: shop.merchant_id})
    assert all_told(unnamed, support).keys() <= {(403, "role_missing")}


def test_every_act_that_an_operation_names_is_one_of_the_policy() -> None:
    acts = {one.needs.act for one in GUARDED if one.needs.act}
    assert acts <= policy.ROLES_FOR.keys()


@pytest.mark.requirement("S2-78")
def test_an_owner_or_admin_of_a_shop_is_no_admin_here(app: Flask, shop: Shop) -> None:
    owner = a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id})
    assert all_told(FOR_ADMINS, owner).keys() <= {(403, "role_missing")}
    for operation in FOR_ADMINS:
        assert call(a_user(app, an_admin()), operation).status_code not in {401, 403}


def test_a_member_who_names_no_merchant_is_asked_for_one(app: Flask, shop: Shop) -> None:
    only = [one for one in SCOPED if not one.needs.person]
    program = a_user(app, shop.owner)
    assert all_told(only, program).keys() == {(400, "merchant_not_named")}


def test_nobody_acts_for_a_merchant_of_others(app: Flask, shop: Shop) -> None:
    stranger = a_person()
    a_merchant(stranger, name="Another shop")
    program = a_user(app, stranger, **{MERCHANT_HEADER: shop.merchant_id})
    assert all_told(SCOPED, program).keys() == {(403, "role_missing")}


@pytest.fixture
def its(shop: Shop) -> Fill:
    """Return the id of a thing of the shop's for a gap in an address, each made once."""
    made: dict[str, str] = {}

    def fill(name: str) -> str:
        assert name in MAKERS, f"add a maker for {name} to tests/api/things.py"
        if name not in made:
            made[name] = MAKERS[name](shop)
        return made[name]

    return fill


@pytest.mark.requirement("S2-04")
def test_what_is_anothers_is_told_as_what_is_not_there(app: Flask, its: Fill) -> None:
    other = a_shop(app)
    strangers = [
        (other.program(), [one for one in WITH_IDS if one.needs.scope]),
        (a_user(app, a_person()), [one for one in WITH_IDS if one.needs.person]),
    ]
    for program, operations in strangers:
        for operation, theirs, none in both(program, operations, its):
            assert told(theirs) == told(none), operation.name
            assert told(none)[0] in {404, 400}, operation.name


def test_a_key_of_the_other_mode_finds_nothing_of_this_one(shop: Shop, its: Fill) -> None:
    program = shop.program(livemode=True)
    scoped = [one for one in WITH_IDS if one.needs.scope]
    for operation, theirs, none in both(program, scoped, its):
        assert told(theirs) == told(none), operation.name


def both(
    program: Program, operations: list[Operation], its: Fill
) -> Iterator[tuple[Operation, TestResponse, TestResponse]]:
    """Give each operation with its answers about another's thing, and about what never was."""
    for operation in operations:
        yield operation, call(program, operation, its), call(program, operation)
