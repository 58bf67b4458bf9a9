"""Payment links: what one asks for is settled, and no order comes by one that asks otherwise."""

from __future__ import annotations

import pytest

from tests.schema.scene import ADMIN, DONE, OWNER, PORTAL_ROLES, WEB, WORKER, Scene

NO_PRIVILEGE = "42501"
APPEND_ONLY = "PD001"
WRONG_STEP = "PD002"
FROZEN = "PD003"
NO_STORY = "PD004"
NOT_LIKE_THIS = "PD005"
FOREIGN = "23503"
CHECK = "23514"
UNIQUE = "23505"
UNGUARDED = "SET LOCAL session_replication_role = replica"
GUARDED = "SET LOCAL session_replication_role = origin"


def a_link(**changed: str) -> str:
    """Return the statement that makes a link, with some of its values otherwise."""
    usual = {
        "id": "'plink_x'", "merchant_id": "'{shop}'", "livemode": "false", "status": "'active'",
        "version": "1", "amount_minor": "500", "currency": "'INR'", "description": "'x'",
        "max_payments": "NULL", "ends_at": "NULL", "ended_at": "NULL", "token_sealed": "'x'",
        "token_index": "'x'", "created_at": "now()", "metadata": "'{{}}'",
    } | changed  # fmt: skip
    return f"INSERT INTO payment_link ({', '.join(usual)}) VALUES ({', '.join(usual.values())})"


def an_order(amount: int = 500, merchant: str = "{shop}", link: str = "plink_x") -> str:
    """Return the statement that makes an order of the link."""
    return (
        "INSERT INTO shop_order (id, merchant_id, livemode, kind, number, status, version,"
        " amount_minor, currency, description, metadata, created_at, payment_link_id) VALUES"
        f" ('ord_x', '{merchant}', false, 'sale', 'x', 'pending', 1, {amount}, 'INR', '',"
        f" '{{{{}}}}', now(), '{link}')"
    )


def as_web(*statements: str) -> tuple[str, ...]:
    """Return statements that the web role runs once there is a link, made past its guards."""
    return (UNGUARDED, a_link(), GUARDED, f"SET ROLE {WEB}", *statements)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, NO_STORY),
        ({"status": "'ended'", "ended_at": "now()"}, WRONG_STEP),
        ({"version": "2"}, WRONG_STEP),
        ({"amount_minor": "0"}, CHECK),
        ({"currency": "'inr'"}, CHECK),
        ({"description": "''"}, CHECK),
        ({"max_payments": "0"}, CHECK),
        ({"ends_at": "now() - interval '1 hour'"}, CHECK),
        ({"ended_at": "now()"}, CHECK),
        ({"merchant_id": "'{rival}'"}, NO_PRIVILEGE),
        ({"livemode": "true"}, NO_PRIVILEGE),
    ],
)
def test_a_link_is_born_active_and_asks_for_something(
    scene: Scene, changed: dict[str, str], refused: str
) -> None:
    assert scene.attempt(WEB, a_link(**changed)) == refused


@pytest.mark.parametrize(
    "column",
    ["amount_minor = 1", "currency = 'USD'", "description = 'y'", "max_payments = 3",
     "token_index = 'y'", "merchant_id = '{rival}'",
     "livemode = true", "created_at = now() - interval '1 day'"],
)  # fmt: skip
def test_what_a_link_asks_for_never_changes(scene: Scene, column: str) -> None:
    change = f"UPDATE payment_link SET {column}"
    for role in PORTAL_ROLES:
        made = (UNGUARDED, a_link(), GUARDED, f"SET ROLE {role}", change)
        assert scene.attempt("postgres", *made) == NO_PRIVILEGE, role
    assert scene.attempt("postgres", UNGUARDED, a_link(), GUARDED, change) == FROZEN


def test_when_a_link_ends_comes_no_later(scene: Scene) -> None:
    change = "UPDATE payment_link SET ends_at = now() + interval '1 year'"
    for role, refused in ((WEB, FROZEN), (ADMIN, NO_PRIVILEGE), (WORKER, NO_PRIVILEGE)):
        made = (UNGUARDED, a_link(), GUARDED, f"SET ROLE {role}", change)
        assert scene.attempt("postgres", *made) == refused, role
    assert scene.attempt("postgres", UNGUARDED, a_link(), GUARDED, change) == FROZEN


def test_a_link_ends_with_its_story_and_begins_no_more(scene: Scene) -> None:
    end = "UPDATE payment_link SET status = 'ended', version = 2, ended_at = now()"
    assert scene.attempt("postgres", *as_web(end)) == NO_STORY
    ended = a_link(status="'ended'", version="2", ended_at="now()")
    again = "UPDATE payment_link SET status = 'active', version = 3, ended_at = NULL"
    begun = (UNGUARDED, ended, GUARDED, f"SET ROLE {WEB}", again)
    assert scene.attempt("postgres", *begun) == WRONG_STEP


def test_an_order_of_a_link_asks_for_what_the_link_asks_for(scene: Scene) -> None:
    assert scene.attempt("postgres", *as_web(an_order())) == NO_STORY, "all but its story is right"
    assert scene.attempt("postgres", *as_web(an_order(amount=499))) == NOT_LIKE_THIS
    assert scene.attempt("postgres", *as_web(an_order(link="plink_y"))) == NOT_LIKE_THIS
    ended = (UNGUARDED, a_link(status="'ended'", ended_at="now()"), GUARDED)
    assert scene.attempt("postgres", *ended, f"SET ROLE {WEB}", an_order()) == NOT_LIKE_THIS
    theirs = (UNGUARDED, a_link(merchant_id="'{rival}'"), GUARDED, an_order())
    assert scene.attempt("postgres", *theirs) == FOREIGN


def test_by_which_link_an_order_came_never_changes(scene: Scene) -> None:
    change = "UPDATE shop_order SET payment_link_id = 'plink_x' WHERE id = '{free_order}'"
    for role in PORTAL_ROLES:
        assert scene.attempt(role, change) == NO_PRIVILEGE, role
    assert scene.attempt(OWNER, change) == APPEND_ONLY


def test_a_link_is_found_by_its_index_and_seen_by_its_merchant(scene: Scene) -> None:
    seen = "SELECT 1 / count(*) FROM payment_link"
    assert scene.attempt("postgres", *as_web(seen)) == DONE
    rival = scene.attempt("postgres", *as_web(seen), merchant=scene.rival)
    assert rival == "22012", "another merchant sees none"
    found = "SELECT 1 / count(*) FROM payment_link_by_token('x')"
    assert scene.attempt("postgres", *as_web(found), merchant="") == DONE
    for role in (ADMIN, WORKER):
        assert scene.attempt(role, found) == NO_PRIVILEGE, role


def test_no_link_is_deleted_and_no_address_is_given_twice(scene: Scene) -> None:
    made = (UNGUARDED, a_link(), GUARDED)
    assert scene.attempt("postgres", *made, "DELETE FROM payment_link") == APPEND_ONLY
    assert scene.attempt("postgres", *made, "TRUNCATE payment_link CASCADE") == APPEND_ONLY
    assert scene.attempt("postgres", *made, a_link(id="'plink_y'")) == UNIQUE
