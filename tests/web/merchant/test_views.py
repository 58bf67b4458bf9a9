"""What the pages say is worked out from the rooms' own tables and adds up."""

from __future__ import annotations

import datetime as dt

import pytest

from webapp.kernel.money import Money
from webapp.ledger import EntryLine
from webapp.outbox import Move
from webapp.payments import FLOW, Payment
from webapp.web.merchant import money_lines, timelines
from webapp.web.merchant.payment_views import duration_text, explained
from webapp.web.shared.pills import PILLS

NOON = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
KOLKATA = "Asia/Kolkata"


def a_move(version: int, source: str, target: str, because: str = "So.", **who: str) -> Move:
    return Move(
        id=f"mov_{version}",
        noun="payment",
        subject_id="pay_1",
        version=version,
        source=source,
        target=target,
        because=because,
        actor_kind=who.get("kind", "system"),
        actor_id=who.get("id"),
        at=NOON + dt.timedelta(minutes=version),
    )


def test_the_timeline_is_newest_first_and_folds_away_only_the_technical() -> None:
    moves = [
        a_move(1, "", "created"),
        a_move(2, "created", "processing", kind="shopper"),
        a_move(3, "processing", "captured", "The money was taken.", kind="provider"),
    ]
    shown = timelines.timeline_of(moves, {}, KOLKATA)
    assert [row.sentence for row in shown.rows] == ["The payment was captured"]
    assert [row.by for row in shown.technical] == ["by the shopper", "by Paydeck"]
    assert shown.rows[0].at == "21 Nov 2026, 17:33 IST"
    assert shown.rows[0].detail == "The money was taken."


def test_how_a_payment_stands_is_never_folded_away() -> None:
    moves = [a_move(1, "", "created"), a_move(2, "created", "processing")]
    shown = timelines.timeline_of(moves, {}, KOLKATA)
    assert [row.sentence for row in shown.rows] == ["The bank was asked"]
    assert [row.sentence for row in shown.technical] == ["The payment was begun"]


def test_a_declined_try_says_that_no_money_moved_and_is_never_folded_away() -> None:
    shown = timelines.timeline_of([a_move(3, "processing", "awaiting_method")], {}, KOLKATA)
    assert [row.sentence for row in shown.rows] == ["The try was declined; no money moved"]
    assert shown.rows[0].tone == "warning"


def test_a_person_of_the_merchant_is_named_only_as_oneself() -> None:
    moves = [a_move(2, "created", "cancelled", kind="merchant_user", id="usr_1")]
    mine = timelines.timeline_of(moves, {"usr_1": "you"}, KOLKATA).rows[0].by
    theirs = timelines.timeline_of(moves, {"usr_2": "you"}, KOLKATA).rows[0].by
    assert (mine, theirs) == ("by you", "by a colleague")


@pytest.mark.parametrize("noun", timelines.TECHNICAL)
def test_every_status_has_a_sentence_and_a_pill(noun: str) -> None:
    assert {state for its_noun, state in timelines.TITLES if its_noun == noun} == set(PILLS[noun])


def test_every_state_of_a_payment_is_explained() -> None:
    for name, state in FLOW.states.items():
        payment = Payment(status=name, check_at=NOON, deadline_at=NOON)
        shown = explained(payment, KOLKATA)
        assert shown.title == state.says
        assert (shown.owner is None) == state.is_final
        assert shown.next_check == "21 Nov 2026, 17:30 IST"


def test_the_reason_of_the_last_decline_is_in_the_explanation() -> None:
    payment = Payment(status="awaiting_method", last_decline_code="insufficient_funds")
    assert explained(payment, KOLKATA).text == "The last try: Not enough money on the card."


def an_entry(position: int, kind: str, minor: int) -> EntryLine:
    return EntryLine(
        transfer_id="tr_1",
        reference="payment.captured:pay_1",
        kind="payment.captured",
        because="",
        at=NOON,
        position=position,
        account_kind=kind,
        merchant_id="mer_1",
        livemode=False,
        user_id=None,
        amount=Money(minor, "INR"),
    )


def test_the_breakdown_shows_the_merchants_side_and_adds_up() -> None:
    entries = [
        an_entry(1, "clearing_card", -100_000),
        an_entry(2, "payable", 100_000),
        an_entry(3, "payable", -2_350),
        an_entry(4, "fees", 2_350),
    ]
    payment = Payment(currency="INR", fee_bps=235)
    shown = money_lines.breakdown(entries, payment, "Visa •••• 4242", "payment.captured:pay_1")
    assert [(line.label, line.amount.minor, line.note) for line in shown.lines] == [
        ("Paid by Visa •••• 4242", 100_000, ""),
        ("Platform fee", -2_350, "2.35 %"),
    ]
    assert shown.net == Money(97_650, "INR")


@pytest.mark.parametrize(
    ("points", "says"), [(200, "2 %"), (235, "2.35 %"), (250, "2.5 %"), (5, "0.05 %"), (0, "0 %")]
)
def test_a_rate_is_written_without_needless_zeros(points: int, says: str) -> None:
    assert money_lines.rate_text(points) == says


@pytest.mark.parametrize(
    ("seconds", "says"), [(0.84, "0.8 s"), (12.9, "12 s"), (125, "2 min 5 s"), (0, "0.0 s")]
)
def test_how_long_it_took_is_said_in_words(seconds: float, says: str) -> None:
    assert duration_text(seconds) == says
