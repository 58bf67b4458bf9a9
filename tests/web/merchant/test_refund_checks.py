"""Asking the provider about a refund: by whom, how often, and on record."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.refunds.builders import released
from tests.stories import scalar
from tests.web.merchant.test_refunds import REFUNDS, asked
from tests.web.merchant.world import Shop, a_colleague, a_shop, paid


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.mark.parametrize(("role", "answer"), [("viewer", 403), ("analyst", 403), ("support", 303)])
def test_only_who_refunds_asks_the_provider_about_a_refund(
    shop: Shop, role: str, answer: int
) -> None:
    refund_id = asked(shop, paid(shop))
    released()
    theirs = a_colleague(shop, role)
    token = theirs.page("/merchant").form("/sign-out").fields["csrf_token"]
    sent_to = f"{REFUNDS}/{refund_id}/check"
    assert theirs.post(sent_to, data={"csrf_token": token}).status_code == answer
    deeds = "SELECT count(*) FROM audit_entry WHERE action = 'refund.checked' AND subject_id = :id"
    assert scalar(deeds, id=refund_id) == int(answer == 303)


def test_the_provider_is_asked_about_a_refund_ten_times_a_quarter_hour(shop: Shop) -> None:
    refund_id = asked(shop, paid(shop))
    released()
    for _try in range(12):
        assert shop.client.send(f"{REFUNDS}/{refund_id}", "/check").status_code == 303
    deeds = "SELECT count(*) FROM audit_entry WHERE action = 'refund.checked' AND subject_id = :id"
    assert scalar(deeds, id=refund_id) == 10
    assert "often enough" in shop.client.page(f"{REFUNDS}/{refund_id}").text
