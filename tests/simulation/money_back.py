"""Those who give money back: merchants who ask, second persons who approve, admins who decide."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.stage import CURRENCY, Sale, Stage
from tests.simulation.wire import BOARD
from webapp import idempotency, payments, refunds
from webapp.idempotency import Answer
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor

#: From here on a second person has to approve.
APPROVAL_MINOR = 400_00
SECOND = Actor("merchant_user", "usr_00000000000000000000SECOND")
ADMIN = Actor("admin", "usr_000000000000000000000ADMIN")
MOST_SALES = 4
_UNDECIDED = "status IN ('requested', 'approved')"
_FULL = ("full", "full", "half", "some", "beyond")


def ask_refund(stage: Stage, sale: Sale) -> None:
    """A merchant sends the refund form of what a sale took; without an answer, often once more.

    Or a colleague sends one of their own meanwhile.
    """
    chance = stage.world.chance
    waiting = [key for key, is_made in stage.refunds_asked.items() if not is_made]
    key = f"refund-{stage.world.seed}-{len(stage.refunds_asked)}"
    if waiting and chance.random() < 0.5:
        key = waiting[0]
    stage.refunds_asked.setdefault(key, False)
    how, goes_to = chance.choice(_FULL), chance.choice(("original",) * 4 + ("wallet",))
    part = chance.randint(1, sale.amount.minor)
    is_careful = chance.random() < 0.3

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        payment = payments.current_payment(sale.order_id)
        if payment is None:
            return
        left = payment.refundable.minor
        minor = {"full": left, "half": (left + 1) // 2, "some": min(part, left)}.get(how, left + 1)
        seen = payment.refundable if is_careful else None

        def work() -> Answer:
            made = refunds.request(
                payment.id,
                amount=Money(max(minor, 1), CURRENCY),
                reason="requested_by_customer",
                note=key,
                destination=goes_to,
                seen_available=seen,
                by=stage.owner,
            )
            return Answer(201, made.id.encode())

        idempotency.once("user", stage.owner_id, False, key, "hash", work)
        stage.refunds_asked[key] = True

    def ended(end: str) -> None:
        if end.startswith("refused"):
            stage.refunds_asked[key] = True
        _never_more_than_was_taken(stage)

    stage.request("ask refund", act, on_end=ended)


def _never_more_than_was_taken(stage: Stage) -> None:
    """What is promised to go back of a payment is never more than was taken, not for a moment."""
    rows = BOARD.ask(
        "SELECT id FROM payment WHERE id >= %s AND refund_reserved_minor > captured_minor",
        (stage.lowest("payment"),),
    )
    if rows:
        stage.world.wrong(f"more is promised to go back than was taken: {rows}")


def decide_refund(stage: Stage, _sale: Sale) -> None:
    """Somebody approves, refuses or undoes a refund that has not left; rightly or not."""
    by = stage.world.chance.choice((SECOND, SECOND, stage.owner))
    verb = stage.world.chance.choice(("approve", "approve", "approve", "undo", "refuse"))
    found = some(stage, "refund", "status <> 'cancelled'" if verb == "undo" else _UNDECIDED)
    if found is None:
        return

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        if verb == "approve":
            refunds.approve(found, by=by)
        elif verb == "undo":
            refunds.undo(found, by=by)
            stage.undone.append(found)
        else:
            refunds.refuse(found, because="Not today.", by=by)
            stage.undone.append(found)

    stage.request(verb, act)


def ask_where(stage: Stage, _sale: Sale) -> None:
    """Somebody presses *check now* on a refund."""
    found = some(stage, "refund", "status IN ('unsent', 'sent')")
    if found is None:
        return

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        refunds.check_now(found)

    stage.request("check refund", act)


def switch(stage: Stage, _sale: Sale) -> None:
    """An admin freezes all refunds, or lets them leave again."""
    freezes = stage.world.chance.random() < 0.4

    def act() -> None:
        db.use_scope(db.ADMIN)
        if freezes:
            refunds.freeze(because="Something is red on the wall.", by=ADMIN)
        else:
            refunds.unfreeze(by=ADMIN)

    stage.request("freeze" if freezes else "unfreeze", act)


def decide_anomaly(stage: Stage, sale: Sale) -> None:
    """An admin decides about money set aside: back, to an order, or accepted as it is."""
    found = some(stage, "anomaly", "status = 'open'")
    if found is None:
        return
    verb = stage.world.chance.choice(("refund", "refund", "apply", "accept"))

    def act() -> None:
        db.use_scope(db.ADMIN)
        if verb == "refund":
            refunds.refund_set_aside(found, by=ADMIN)
        elif verb == "apply":
            payments.apply_to_order(found, sale.order_id, by=ADMIN)
        else:
            payments.accept_anomaly(found, by=ADMIN)

    stage.request(f"{verb} anomaly", act)


def credit_order(stage: Stage, sale: Sale) -> None:
    """A merchant opens an order for what a sale left and pays it with that, as credit."""
    if sale.kind != "sale" or len(stage.sales) > MOST_SALES:
        return
    chance = stage.world.chance
    rows = BOARD.ask(
        "SELECT id, captured_minor - refund_reserved_minor FROM payment WHERE order_id = %s"
        " AND status = 'captured' AND captured_minor > refund_reserved_minor",
        (sale.order_id,),
    )
    if not rows:
        return
    payment_id, left = rows[0]
    amount = Money(left if chance.random() < 0.4 else chance.randint(1, left), CURRENCY)
    opened: list[Sale] = []
    end = stage.outcome_of(
        "open order", lambda: opened.append(stage.new_sale(amount, is_held=False))
    )
    if end != "done":
        return
    other = opened[0]
    stage.sales.append(other)

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        refunds.request(
            payment_id,
            amount=amount,
            reason="other",
            destination="order_credit",
            target_order_id=other.order_id,
            by=stage.owner,
        )

    stage.request("credit order", act)


def some(stage: Stage, kind: str, condition: str) -> str | None:
    """Return the id of one row of a kind, of this schedule's, or None."""
    rows = BOARD.ask(
        f"SELECT id FROM {kind} WHERE id >= %s AND {condition} ORDER BY id", (stage.lowest(kind),)
    )
    return stage.world.chance.choice(rows)[0] if rows else None


MENU: dict[Callable[[Stage, Sale], None], int] = {
    ask_refund: 12,
    credit_order: 3,
    decide_refund: 7,
    ask_where: 1,
    switch: 1,
    decide_anomaly: 3,
}
