"""The refund's verbs' numbers of statements are pinned: a change may lower them, never raise."""

from __future__ import annotations

from tests.builders import a_merchant
from tests.counting import statements
from tests.portal import Committed
from tests.refunds.builders import (
    CLERK,
    PRICE,
    a_paid_payment,
    paid_out,
    released,
    sent,
    told,
)
from webapp import refunds
from webapp.kernel import db

PINNED = {"request": 7, "release": 15, "apply sent": 6, "apply succeeded": 8, "apply again": 4}


def test_no_verb_of_refunds_sends_more_statements_than_it_did(committed: Committed) -> None:
    shop = a_merchant()
    payment_id = a_paid_payment(shop)
    counted: dict[str, list[str]] = {}
    counter = db.Scope(merchant_id=shop, livemode=False)
    with db.scoped(counter), statements() as counted["request"]:
        made = refunds.request(payment_id, amount=PRICE, reason="other", by=CLERK)
    refund_id = made.id
    with statements() as counted["release"]:
        assert released() == 1
    with statements() as counted["apply sent"]:
        told(refund_id, sent())
    with statements() as counted["apply succeeded"]:
        told(refund_id, paid_out())
    with statements() as counted["apply again"]:
        told(refund_id, paid_out())
    found = {verb: len(sent_now) for verb, sent_now in counted.items()}
    assert found == PINNED, "\n".join(f"{v}: {s}" for v, all_ in counted.items() for s in all_)
