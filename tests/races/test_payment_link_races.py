"""Payment links opened, paid and ended at the same moment: each paid order is counted, once."""

from __future__ import annotations

from functools import partial

import pytest

from tests.builders import a_payment_link, answered, card_tried, inr, opened_by, succeeded
from tests.races.racing import Race, by_web, by_worker
from tests.stories import scalar, story_is_whole
from webapp import orders
from webapp.kernel import db
from webapp.outbox import Actor

pytestmark = pytest.mark.races
OWNER = Actor("merchant_user", "usr_owner")
COUNT = "SELECT count(*) FROM shop_order WHERE payment_link_id = :i"
PAID = f"{COUNT} AND status = 'completed'"
STATUS = "SELECT status FROM payment_link WHERE id = :i"
VERSION = "SELECT version FROM payment_link WHERE id = :i"


def test_the_last_payments_at_one_moment_end_the_link_once(race: Race) -> None:
    for _round in range(5):
        link = a_payment_link(race.shop, max_payments=4)
        tried = [card_tried(opened_by(link)) for _ in range(6)]
        race.run(*(by_worker(partial(answered, one, succeeded(inr(500_00)))) for one in tried))
        assert (scalar(PAID, i=link.id), scalar(STATUS, i=link.id)) == (6, "ended")
        assert scalar(VERSION, i=link.id) == 2
        story_is_whole("payment_link", "payment_link", link.id)


def test_payments_below_the_limit_at_one_moment_leave_it_active(race: Race) -> None:
    link = a_payment_link(race.shop, max_payments=7)
    tried = [card_tried(opened_by(link)) for _ in range(6)]
    race.run(*(by_worker(partial(answered, one, succeeded(inr(500_00)))) for one in tried))
    assert (scalar(PAID, i=link.id), scalar(STATUS, i=link.id)) == (6, "active")


def test_no_order_is_made_after_the_end(race: Race) -> None:
    def end(link: orders.PaymentLink) -> int:
        with db.scoped(db.Scope(merchant_id=race.shop, livemode=False)):
            orders.end_payment_link(race.shop, link.id, by=OWNER)
            return int(scalar(COUNT, i=link.id))

    for _round in range(5):
        link = a_payment_link(race.shop)
        *opened, seen = race.run(
            *[by_web(partial(opened_by, link))] * 5, by_web(partial(end, link))
        )
        made = [one for one in opened if one != "payment_link_ended"]
        assert scalar(COUNT, i=link.id) == len(made) == seen
