"""Rows of the board of everything that is not done: whom it waits for, until when, what then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import url_for

from webapp import corrections, gateway, outbox, payments, refunds
from webapp.corrections import Correction
from webapp.gateway import ProviderEvent, ProviderOperation
from webapp.kernel import clock
from webapp.kernel.flow import Owner
from webapp.kernel.money import Money
from webapp.kernel.paging import MAX_LIMIT
from webapp.payments import Anomaly, Unfinished
from webapp.refunds import Refund, RefundRow
from webapp.web.shared.guards import settings
from webapp.web.shared.names import in_words
from webapp.web.shared.pills import Pill, pill
from webapp.web.shared.refund_words import FROZEN

#: A check that is this late is not made any more by itself: something stands still.
OVERDUE = dt.timedelta(seconds=60)
#: What the board asks of each kind at most; the counts say how many there are.
AT_MOST = MAX_LIMIT
PAYMENT, REFUND, CALL, MESSAGE, MONEY = "payment", "refund", "call", "message", "money"
CORRECTION = "correction"
#: What `LATE_SUCCESS` says where money that nobody asked for goes back by itself.
BACK_BY_ITSELF = "REFUND"
OWNERS: dict[Owner, str] = {
    Owner.US: "Paydeck",
    Owner.SHOPPER: "The shopper",
    Owner.MERCHANT: "The merchant",
    Owner.PROVIDER: "The provider",
    Owner.ADMIN: "An admin",
    Owner.NOBODY: "Nobody",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is not done."""

    kind: str
    id: str
    name: str
    href: str
    pill: Pill
    owner: str
    says: str
    begun_at: dt.datetime
    next_check: dt.datetime | None = None
    deadline: dt.datetime | None = None
    then: str = ""
    amount: Money | None = None
    merchant_id: str | None = None
    can_check: bool = False
    needs_person: bool = False

    @property
    def is_late(self) -> bool:
        """Whether its deadline has passed, or its next check should have been made by now."""
        now = clock.now()
        is_overdue = self.next_check is not None and self.next_check < now - OVERDUE
        return is_overdue or (self.deadline is not None and self.deadline < now)

    @property
    def urgency(self) -> tuple[bool, bool, dt.datetime]:
        """Sorts the late first, then what a person must decide, then by what comes next."""
        moments = [moment for moment in (self.next_check, self.deadline) if moment is not None]
        return not self.is_late, not self.needs_person, min(moments, default=self.begun_at)


Found = tuple[list[Row], int]


def payment_rows() -> Found:
    """Return the rows of payments that have not ended."""
    found, count = payments.unfinished(AT_MOST)
    return [_payment_row(one) for one in found], count


def refund_rows() -> Found:
    """Return the rows of refunds that have not arrived, failed or been called off."""
    found, count = refunds.unfinished(AT_MOST)
    is_frozen = refunds.frozen() is not None
    return [_refund_row(one, is_frozen=is_frozen) for one in found], count


def call_rows() -> Found:
    """Return the rows of calls to the provider without a final answer."""
    found, count = gateway.unfinished_operations(AT_MOST)
    return [_call_row(one) for one in found], count


def message_rows() -> Found:
    """Return the rows of the provider's messages that are not applied."""
    found, count = gateway.unfinished_events(AT_MOST)
    return [_message_row(one) for one in found], count


def money_rows() -> Found:
    """Return the rows of money that came and fits no order."""
    found, count = payments.unfinished_anomalies(AT_MOST)
    named = [one.id for one in found]
    since = {move.subject_id: move.at for move in outbox.moves_of("anomaly", *named)}
    going = refunds.returning(named)
    frozen = refunds.frozen() is not None
    rows = [
        _returning_row(one, going[one.id], is_frozen=frozen)
        if one.id in going
        else _money_row(one, since[one.id])
        for one in found
    ]
    return rows, count


def correction_rows() -> Found:
    """Return the rows of corrections that wait for a second admin."""
    found, count = corrections.unfinished(AT_MOST)
    return [_correction_row(one) for one in found], count


#: Every kind that the board shows: its name for people, and where its rows come from.
KINDS: dict[str, tuple[str, Callable[[], Found]]] = {
    PAYMENT: ("Payments", payment_rows),
    REFUND: ("Refunds", refund_rows),
    CALL: ("Calls", call_rows),
    MESSAGE: ("Messages", message_rows),
    MONEY: ("Money set aside", money_rows),
    CORRECTION: ("Corrections", correction_rows),
}


def board(kind: str | None) -> tuple[list[Row], dict[str, int]]:
    """Return the rows of one kind, or of all, the most urgent first; and how many of each."""
    rows: list[Row] = []
    counts: dict[str, int] = {}
    for name, (_label, ask) in KINDS.items():
        found, counts[name] = ask()
        if kind in {None, name}:
            rows += found
    return sorted(rows, key=lambda row: row.urgency)[:AT_MOST], counts


def late_first(rows: Sequence[Row]) -> int:
    """Return how many rows are late; where all are, more may be late that are not shown."""
    return sum(row.is_late for row in rows)


def _payment_row(found: Unfinished) -> Row:
    payment, state = found.payment, payments.FLOW.states[found.payment.status]
    return Row(
        PAYMENT,
        payment.id,
        f"Order #{found.order.number}",
        url_for("admin.payment", payment_id=payment.id),
        pill("payment", payment.status),
        owner=OWNERS[state.owner],
        says=state.says,
        then=state.on_deadline,
        begun_at=payment.created_at,
        next_check=payment.check_at,
        deadline=found.deadline_at,
        amount=payment.amount,
        merchant_id=payment.merchant_id,
        can_check=payment.status in payments.UNDER_WAY,
    )


def _refund_row(found: RefundRow, *, is_frozen: bool) -> Row:
    refund, state = found.refund, refunds.FLOW.states[found.refund.status]
    waits = is_frozen and refund.status == "approved"
    return Row(
        REFUND,
        refund.id,
        f"Refund of order #{found.order.number}",
        url_for("admin.refund", refund_id=refund.id),
        pill("refund", refund.status),
        owner=OWNERS[Owner.ADMIN if waits else state.owner],
        says=FROZEN if waits else state.says,
        then=state.on_deadline,
        begun_at=refund.created_at,
        next_check=None if waits else refund.check_at or refund.leaves_at,
        deadline=refund.deadline_at,
        amount=refund.amount,
        merchant_id=refund.merchant_id,
        can_check=refund.status in refunds.UNDER_WAY,
    )


def _call_row(operation: ProviderOperation) -> Row:
    state = gateway.State(operation.state)
    waits, is_manual = gateway.WAITS[state], state is gateway.State.MANUAL
    letter = url_for("admin.dead_letter", name="call", letter_id=operation.id)
    return Row(
        CALL,
        operation.id,
        in_words(operation.kind, "call"),
        letter if is_manual else _subject_page(operation.subject_id),
        pill("operation", operation.state),
        owner=OWNERS[waits.owner],
        says=waits.says,
        then=waits.at_last,
        begun_at=operation.created_at,
        next_check=operation.due_at,
        deadline=gateway.deadline_of(operation),
        merchant_id=operation.merchant_id,
        can_check=state in {gateway.State.PENDING, gateway.State.UNKNOWN},
        needs_person=is_manual,
    )


def _message_row(event: ProviderEvent) -> Row:
    is_aside = event.due_at is None
    return Row(
        MESSAGE,
        event.event_id,
        in_words(event.kind, "message"),
        url_for("admin.provider_event", event_id=event.event_id),
        pill("provider_event", event.stands.value),
        owner=OWNERS[Owner.ADMIN if is_aside else Owner.US],
        says=event.error or "It was kept and is applied in a moment.",
        then="" if is_aside else "After eight tries an admin decides.",
        begun_at=event.received_at,
        next_check=event.due_at,
        can_check=True,
        needs_person=is_aside,
    )


def _money_row(anomaly: Anomaly, since: dt.datetime) -> Row:
    """Return money that a person decides about, or that a worker has a step to do with."""
    state, is_open = payments.ANOMALY_FLOW.states[anomaly.status], anomaly.status == "open"
    deadline = since + state.deadline if state.deadline else None
    is_admins = is_open and deadline is not None and deadline < clock.now()
    return Row(
        MONEY,
        anomaly.id,
        "Money that fits no order",
        url_for("admin.anomaly", anomaly_id=anomaly.id),
        pill("anomaly", anomaly.status),
        owner=OWNERS[Owner.ADMIN if is_admins else state.owner],
        says=state.says,
        then=state.on_deadline,
        begun_at=anomaly.opened_at,
        next_check=since if _is_ours(anomaly) else None,
        deadline=deadline,
        amount=anomaly.amount,
        merchant_id=anomaly.merchant_id,
        needs_person=is_open,
    )


def _is_ours(anomaly: Anomaly) -> bool:
    """Whether a worker does the next step at once: books it, or sends back what nobody wants."""
    if anomaly.status != "open":
        return True
    is_new = anomaly.version == 1 and anomaly.kind in payments.UNWANTED
    return is_new and settings().late_success == BACK_BY_ITSELF


def _returning_row(anomaly: Anomaly, refund: Refund, *, is_frozen: bool) -> Row:
    """Return money that goes back: whom it waits for and until when is its refund's."""
    state, waits = refunds.FLOW.states[refund.status], is_frozen and refund.status == "approved"
    return Row(
        MONEY,
        anomaly.id,
        "Money that fits no order",
        url_for("admin.anomaly", anomaly_id=anomaly.id),
        pill("anomaly", anomaly.status),
        owner=OWNERS[Owner.ADMIN if waits else state.owner],
        says=FROZEN if waits else f"It goes back to the shopper. {state.says}",
        then=state.on_deadline,
        begun_at=anomaly.opened_at,
        next_check=None if waits else refund.check_at or refund.leaves_at,
        deadline=refund.deadline_at,
        amount=anomaly.amount,
        merchant_id=anomaly.merchant_id,
    )


def _correction_row(correction: Correction) -> Row:
    state = corrections.FLOW.states[correction.status]
    return Row(
        CORRECTION,
        correction.id,
        "Correction of the books",
        url_for("admin.correction", correction_id=correction.id),
        pill("correction", correction.status),
        owner=OWNERS[state.owner],
        says=state.says,
        then=state.on_deadline,
        begun_at=correction.created_at,
        deadline=correction.deadline_at,
        merchant_id=correction.merchant_id,
        needs_person=True,
    )


def _subject_page(subject_id: str) -> str:
    if subject_id.startswith("pay_"):
        return url_for("admin.payment", payment_id=subject_id)
    if subject_id.startswith("re_"):
        return url_for("admin.refund", refund_id=subject_id)
    return url_for("admin.janitor", kind=CALL)
