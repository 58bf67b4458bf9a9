"""Those in the back office: admins who correct the books and decide what nobody else can answer.

They look at the provider's own pages before they say what came of a call, and somebody gives money
back there without telling us.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial

from tests.simulation.books import Intent
from tests.simulation.books import Refund as Theirs
from tests.simulation.money_back import ADMIN, SECOND, some
from tests.simulation.stage import CURRENCY, Sale, Stage
from tests.simulation.wire import BOARD
from webapp import corrections, dead_letters, ledger
from webapp.dead_letters import LetterKind
from webapp.gateway import Decision, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor

SECOND_ADMIN = Actor("admin", SECOND.id)
#: How long a careful person waits before saying that nothing came of a call.
CAREFUL = dt.timedelta(minutes=15)
ELSEWHERE = "refund_made_elsewhere"
_LEFT_TO_PERSON = """
SELECT id, kind, subject_id, decision IS NOT NULL AND (decision ->> 'needs_second')::bool
       AND decision ->> 'confirmed_by_id' IS NULL
  FROM provider_operation
 WHERE id >= %s AND state = 'manual'
   AND coalesce(first_sent_at, created_at) < %s ORDER BY id"""


def ask_correction(stage: Stage, _sale: Sale) -> None:
    """An admin proposes to give back part of a fee, or to turn round an earlier correction."""
    chance = stage.world.chance
    found = _one(
        stage,
        "SELECT id, kind FROM transfer WHERE id >= %s AND merchant_id = %s AND"
        " kind IN ('payment.captured', 'correction.posted') ORDER BY id",
        (stage.lowest("transfer"), stage.merchant_id),
    )
    if found is None:
        return
    transfer_id, kind = found
    minor, by = chance.randint(1, 900), chance.choice((ADMIN, SECOND_ADMIN))

    def act() -> None:
        db.use_scope(db.ADMIN)
        detail = ledger.transfer(transfer_id)
        if kind == "correction.posted":
            proposal = corrections.reversal(detail)
        else:
            fees = ledger.fees(False, CURRENCY).name
            owed = ledger.payable(stage.merchant_id, False, CURRENCY).name
            line = (fees, owed, Money(minor, CURRENCY))
            proposal = corrections.adjustment(detail, [line])
        corrections.request(proposal, because="The fee was agreed otherwise.", by=by)

    stage.request("ask correction", act)


def decide_correction(stage: Stage, _sale: Sale) -> None:
    """An admin approves, refuses or withdraws a correction; rightly or not."""
    found = some(stage, "correction", "status = 'requested'")
    if found is None:
        return
    verb = stage.world.chance.choice(("approve", "approve", "approve", "refuse", "withdraw"))
    by = stage.world.chance.choice((ADMIN, SECOND_ADMIN))

    def act() -> None:
        db.use_scope(db.ADMIN)
        if verb == "approve":
            corrections.approve(found, by=by)
        elif verb == "refuse":
            corrections.refuse(found, because="It was not.", by=by)
        else:
            corrections.withdraw(found, by=by)

    stage.request(f"{verb} correction", act)


def refund_elsewhere(stage: Stage, _sale: Sale) -> None:
    """Somebody gives money back in the provider's own pages; we hear of it by its message alone."""
    books, chance = stage.provider.books, stage.world.chance
    taken = [
        one
        for one in books.intents.values()
        if one.status is Result.SUCCEEDED and one.received > books.given_back(one)
    ]
    if not taken:
        return
    intent = chance.choice(taken)
    minor = chance.randint(1, intent.received - books.given_back(intent))
    name = stage.provider.names.new("re")
    stage.world.note(f"{minor} of {intent.id} is given back elsewhere")
    books.give_back(
        Theirs(name, intent.id, None, None, Money(minor, CURRENCY), Result.REFUND_SUCCEEDED)
    )


def decide_call(stage: Stage, _sale: Sale) -> None:
    """An admin says what came of a call that was left to a person, as the provider shows it."""
    act = next(decisions(stage), None)
    if act is not None:
        stage.request("decide call", act)


def decisions(stage: Stage) -> Iterator[Callable[[], None]]:
    """Yield what an admin can do now about each call that was left to a person."""
    rows = BOARD.ask(_LEFT_TO_PERSON, (stage.lowest("operation"), stage.world.now - CAREFUL))
    for operation_id, kind, subject_id, waits in rows:
        if waits:
            yield partial(_sign, operation_id)
        elif (shown := what_is_shown(stage, kind, subject_id, operation_id)) is not None:
            stage.decided[subject_id] += 1
            yield partial(_say, operation_id, shown)


def discard_stray(event_id: str) -> None:
    """An admin closes the message about a refund that was made elsewhere."""
    because = "It was given back in the provider's pages, and agreed with them."
    dead_letters.discard(LetterKind.EVENT, event_id, because=because, by=ADMIN)


def what_is_shown(stage: Stage, kind: str, subject_id: str, operation_id: str) -> Decision | None:
    """Return what an admin finds at the provider about a call; None where it is still open there.

    A page of which we know nothing is closed there first, so that nobody pays on it later.
    """
    books = stage.provider.books
    if kind in {"look_up", "look_up_refund", "expire_session"}:
        return _nothing()
    if kind == "refund":
        return _of_refund([one for one in books.refunds.values() if one.subject == subject_id])
    for page in books.pages.values():
        if page.operation == operation_id:
            books.expire_page(page)
    mine = [one for one in books.intents.values() if one.subject == subject_id]
    if kind in {"create_intent", "create_session"}:
        mine = [one for one in mine if one.operation == operation_id]
    return _of_intent(kind, mine[-1]) if mine else _nothing()


def _of_refund(sent: list[Theirs]) -> Decision:
    for one in sent:
        if one.status is not Result.REFUND_FAILED:
            is_done = one.status is Result.REFUND_SUCCEEDED
            return Decision("refunded" if is_done else "pending", "Seen there.", reference=one.id)
    return _nothing()


def _of_intent(kind: str, intent: Intent) -> Decision | None:
    if kind == "create_intent":
        return Decision("made", "Seen there.", reference=intent.id)
    if kind == "cancel":
        return Decision("cancelled", "Seen there.") if _is_over(intent) else _nothing()
    if intent.status in {Result.PROCESSING, Result.REQUIRES_ACTION}:
        return None
    if intent.status is Result.SUCCEEDED:
        money = Money(intent.received, CURRENCY)
        return Decision("taken", "Seen there.", amount=money, reference=intent.id)
    if intent.status is Result.AUTHORISED and kind == "confirm":
        return Decision("held", "Seen there.", amount=intent.amount, reference=intent.id)
    return _nothing()


def _is_over(intent: Intent) -> bool:
    return intent.status is Result.CANCELLED


def _nothing() -> Decision:
    return Decision("not_done", "The provider shows nothing of it.")


def _say(operation_id: str, shown: Decision) -> None:
    db.use_scope(db.ADMIN)
    dead_letters.discard(
        LetterKind.CALL, operation_id, because=shown.because, by=ADMIN, decision=shown
    )


def _sign(operation_id: str) -> None:
    db.use_scope(db.ADMIN)
    dead_letters.confirm(operation_id, by=SECOND_ADMIN)


def _one(stage: Stage, query: str, params: tuple[object, ...]) -> tuple[str, str] | None:
    rows = [(row[0], row[1]) for row in BOARD.ask(query, params)]
    return stage.world.chance.choice(rows) if rows else None


MENU: dict[Callable[[Stage, Sale], None], int] = {
    ask_correction: 2,
    decide_correction: 3,
    decide_call: 2,
    refund_elsewhere: 1,
}
