"""When to try again and what a look-up proves, as tables."""

from __future__ import annotations

import pytest

from webapp.gateway import Capture, Confirm, CreateIntent, Kind, Outcome, Result, policy
from webapp.gateway.calls import as_stored, call_of, from_stored, kind_of
from webapp.gateway.port import Decline

CONFIRM = Confirm("pi_1", "pm_1", "http://localhost/back")


@pytest.mark.parametrize(
    ("tries", "plain"), [(1, 1), (2, 2), (3, 4), (9, 256), (10, 512), (11, 600), (10_000, 600)]
)
def test_the_wait_doubles_up_to_ten_minutes_give_or_take_a_fifth(tries: int, plain: int) -> None:
    waits = [policy.wait_seconds(f"op_{number}", tries) for number in range(200)]
    assert all(plain * 0.8 <= wait <= plain * 1.2 for wait in waits)
    assert max(waits) - min(waits) > plain * 0.3, "they are spread"


def test_the_wait_of_an_operation_can_be_told_beforehand() -> None:
    assert policy.wait_seconds("op_1", 4) == policy.wait_seconds("op_1", 4)


@pytest.mark.parametrize("result", list(Result))
def test_a_look_up_proves_a_charge_only_when_the_intent_moved(result: Result) -> None:
    proof = {"succeeded", "authorised", "processing", "requires_action", "cancelled"}
    assert policy.settles(Kind.CONFIRM, CONFIRM, Outcome(result)) is (result in proof)


def test_a_decline_proves_only_the_charge_of_its_own_method() -> None:
    declined = Outcome(Result.DECLINED, method_id="pm_1", decline=Decline("card_declined"))
    assert policy.settles(Kind.CONFIRM, CONFIRM, declined)
    older = Outcome(Result.DECLINED, method_id="pm_0", decline=Decline("card_declined"))
    assert not policy.settles(Kind.CONFIRM, CONFIRM, older)


def test_money_that_is_still_held_does_not_prove_a_capture() -> None:
    assert not policy.settles(Kind.CAPTURE, Capture("pi_1"), Outcome(Result.AUTHORISED))


@pytest.mark.usefixtures("app")
def test_a_request_is_stored_and_read_as_it_was_its_address_sealed() -> None:
    stored = as_stored(CONFIRM, "op_1")
    assert stored["return_url"] != CONFIRM.return_url
    assert from_stored(Kind.CONFIRM, "op_1", stored) == CONFIRM


def test_a_mapping_becomes_the_record_of_its_kind_or_is_refused() -> None:
    plain = {"amount_minor": 500, "currency": "USD", "order_number": "7"}
    assert call_of(Kind.CREATE_INTENT, plain) == CreateIntent(500, "USD", "7")
    with pytest.raises(TypeError):
        call_of(Kind.CREATE_INTENT, {"amount": 500})
    with pytest.raises(TypeError):
        call_of(Kind.CAPTURE, CONFIRM)
    assert kind_of(CONFIRM) is Kind.CONFIRM
