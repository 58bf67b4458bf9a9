"""What the database refuses about payments and the calls about them, whatever the code believes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from supervisor.stores import Stores
from tests.books import committed_portal
from tests.builders import a_merchant, a_payment, a_person, now_at
from tests.portal import Committed
from webapp.kernel import db
from webapp.payments import Status

WEB, WORKER = "paydeck_web", "paydeck_worker"
DONE, FROZEN, REFUSED = "it was done", "PD003", "PD005"
CALL = (
    "INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose,"
    " merchant_id, livemode, request, state, tries, claims, due_at, created_at) VALUES"
    " ('op_new', '{kind}', 'stripe', '{about}', '{held}', 'x', '{shop}', false,"
    " jsonb_build_object('{field}', '{value}', 'amount_minor', 100000), 'pending', 0, 0, now(),"
    " now())"
)


@dataclass(frozen=True)
class Scene:
    """Payments of two merchants, on one database with real roles."""

    portal: Committed
    shop: str
    taken: str
    held: str
    own: str
    foreign: str
    person: str

    def attempt(self, role: str, *statements: str, **more: str) -> str:
        """Run statements as a role within the shop and undo them; returns the SQLSTATE or DONE."""
        names = {name: value for name, value in vars(self).items() if isinstance(value, str)}
        with self.portal.connect(role) as connection:
            try:
                connection.execute(
                    "SELECT set_config('app.merchant', %s, true),"
                    " set_config('app.livemode', 'false', true)",
                    (self.shop,),
                )
                for statement in statements:
                    assert connection.execute(statement.format(**names, **more)).rowcount == 1
            except psycopg.Error as refused:
                return refused.sqlstate or ""
            finally:
                connection.rollback()
        return DONE


@pytest.fixture(scope="module")
def scene(stores: Stores) -> Iterator[Scene]:
    """One payment that was taken and one that is held, and a rival's that is held."""
    with committed_portal(stores) as portal, portal.app.app_context(), db.scoped(db.NOBODY):
        shop = a_merchant()
        held, rivals = a_payment(Status.AUTHORISED, shop), a_payment(Status.AUTHORISED)
        yield Scene(
            portal=portal,
            shop=shop,
            taken=a_payment(Status.CAPTURED, shop),
            held=held,
            own=now_at(held).provider_intent_id or "",
            foreign=now_at(rivals).provider_intent_id or "",
            person=a_person().id,
        )


@pytest.mark.parametrize("role", [WEB, WORKER])
@pytest.mark.parametrize(
    "change",
    [
        "user_id = '{person}'",
        "method_kind = 'credit'",
        "provider_intent_id = 'pi_x'",
        "provider_intent_id = NULL",
        "captured_minor = 1",
    ],
)
def test_whose_money_was_taken_and_by_what_stays_on_record(
    scene: Scene, role: str, change: str
) -> None:
    refused = scene.attempt(role, f"UPDATE payment SET {change} WHERE id = '{{taken}}'")
    assert refused in {FROZEN, REFUSED}


def test_only_the_provider_says_what_a_payment_is_there(scene: Scene) -> None:
    change = "UPDATE payment SET provider_session_id = 'cs_x' WHERE id = '{held}'"
    assert scene.attempt(WEB, change) == REFUSED
    assert scene.attempt(WORKER, change) == DONE


@pytest.mark.parametrize("kind", ["capture", "cancel", "confirm", "look_up"])
def test_a_call_is_about_the_providers_object_of_its_own_payment(scene: Scene, kind: str) -> None:
    asked = "UPDATE payment SET capturing_minor = 100000 WHERE id = '{held}'"
    about = {"kind": kind, "about": "payment", "field": "intent_id"}
    for role in (WEB, WORKER):
        assert scene.attempt(role, asked, CALL, **about, value=scene.foreign) == REFUSED
    if kind != "confirm":  # held money is not charged again, by another guard
        assert scene.attempt(WEB, asked, CALL, **about, value=scene.own) == DONE


@pytest.mark.parametrize("about", ["sale", "refund"])
def test_a_call_about_a_payment_cannot_pass_as_one_about_something_else(
    scene: Scene, about: str
) -> None:
    for value in (scene.foreign, scene.own):
        names = {"kind": "cancel", "about": about, "field": "intent_id", "value": value}
        assert scene.attempt(WEB, CALL, **names) == REFUSED


def test_a_hosted_page_that_is_not_the_payments_own_is_not_closed(scene: Scene) -> None:
    names = {"kind": "expire_session", "about": "payment", "field": "session_id", "value": "cs_x"}
    assert scene.attempt(WEB, CALL, **names) == REFUSED
