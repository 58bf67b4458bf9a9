"""Held money: what was agreed stays agreed, and only what is held is asked of the provider."""

from __future__ import annotations

import pytest

from tests.schema.scene import DONE, OWNER, WEB, WORKER, Scene

NO_PRIVILEGE = "42501"
APPEND_ONLY = "PD001"
NOT_HELD = "PD005"

CAPTURE = (
    "INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose,"
    " merchant_id, livemode, request, state, tries, claims, due_at, created_at) VALUES ('op_x',"
    " 'capture', 'stripe', 'payment', '{processing}', 'capture', '{shop}', false,"
    " '{{\"amount_minor\": AMOUNT}}', 'pending', 0, 0, now(), now())"
)
#: Brings a payment to where the bank holds its money, past the guards that want its story.
HELD = (
    "UPDATE payment SET status = 'authorised', authorised_minor = 500, capture_before = now(),"
    " capturing_minor = 400 WHERE id = '{processing}'"
)
ANSWERED = (
    "UPDATE provider_operation SET state = 'succeeded', due_at = NULL, closed_at = now()"
    " WHERE subject_id = '{processing}'"
)
UNGUARDED = "SET LOCAL session_replication_role = replica"
GUARDED = "SET LOCAL session_replication_role = origin"


@pytest.mark.parametrize(("role", "refused"), [(WEB, NO_PRIVILEGE), (WORKER, NO_PRIVILEGE)])
def test_whether_money_is_taken_later_is_settled_with_the_order(
    scene: Scene, role: str, refused: str
) -> None:
    later = "UPDATE shop_order SET capture_later = true WHERE id = '{free_order}'"
    assert scene.attempt(role, later) == refused
    assert scene.attempt(OWNER, later) == APPEND_ONLY


@pytest.mark.parametrize("role", [WEB, WORKER])
@pytest.mark.parametrize(("amount", "refused"), [(400, DONE), (399, NOT_HELD), (500, NOT_HELD)])
def test_the_provider_is_asked_for_held_money_in_the_amount_that_stands_on_the_payment(
    scene: Scene, role: str, amount: int, refused: str
) -> None:
    ask = CAPTURE.replace("AMOUNT", str(amount))
    before = (UNGUARDED, HELD, ANSWERED, GUARDED)
    assert scene.attempt("postgres", *before, f"SET ROLE {role}", ask) == refused


def test_money_that_is_not_held_is_not_asked_for(scene: Scene) -> None:
    for role in (WEB, WORKER):
        assert scene.attempt(role, CAPTURE.replace("AMOUNT", "400")) == NOT_HELD
