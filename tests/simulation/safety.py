"""What must hold after every schedule: our books and stories, and the provider's books beside."""

from __future__ import annotations

import json
from typing import Any

from tests.simulation import merchants
from tests.simulation.money_back import APPROVAL_MINOR
from tests.simulation.stage import Stage
from tests.simulation.wire import BOARD
from tests.simulation.wrongs import ENDLESS, NEVER
from webapp import invariants
from webapp.gateway import Result, policy
from webapp.gateway.claims import QUARANTINED
from webapp.gateway.operations import NEVER_SENT
from webapp.kernel import db

#: Why a call may be left to a person: nobody knows any more, it ends workers, it was never sent,
#: or the provider does not answer, or contradicts, what a person said of it.
CAUSES = (
    "still_in_doubt",
    QUARANTINED,
    NEVER_SENT,
    "not_answered",
    "provider_shows_otherwise",
)


def judge(stage: Stage) -> None:
    """Note in the world all that is wrong at the end of a schedule."""
    params = _params(stage)
    for name, query in (NEVER | ENDLESS).items():
        rows = BOARD.ask(query, params)  # type: ignore[arg-type]
        if rows:
            stage.world.wrong(f"{name}: {rows[:3]}")
    _against_the_provider(stage)
    _refunds_against_the_provider(stage)
    _told(stage)
    _applied(stage)
    _kept(stage)
    _asked_once(stage)
    _said_no(stage)
    merchants.judge(stage)
    _on_the_wall(stage)


def judge_letter(stage: Stage, operation_id: str, why: str) -> None:
    """A call is left to a person for few reasons; for ending its workers only where it did."""
    if not why.startswith(CAUSES):
        stage.world.wrong(f"{operation_id} waits for a person without a cause: {why}")
    if why != QUARANTINED:
        return
    ended = stage.world.unfinished[operation_id]
    if ended < policy.QUARANTINE_AFTER_CLAIMS:
        stage.world.wrong(f"{operation_id} is set aside, though only {ended} workers did not end")


def counts(stage: Stage) -> dict[str, int]:
    """Return how many payments there were, how many were captured and how many wait."""
    rows = BOARD.ask(
        "SELECT count(*), count(*) FILTER (WHERE status = 'captured'), (SELECT count(*)"
        " FROM provider_operation WHERE id >= %(op)s AND state = 'manual')"
        " FROM payment WHERE id >= %(pay)s",
        _params(stage),  # type: ignore[arg-type]
    )
    return dict(zip(("payments", "captured", "manual"), rows[0], strict=True))


def _params(stage: Stage) -> dict[str, Any]:
    kinds = {
        "tr": "transfer",
        "acc": "account",
        "pay": "payment",
        "ord": "order",
        "chk": "checkout_session",
        "op": "operation",
        "fact": "fact",
        "re": "refund",
        "ano": "anomaly",
        "cor": "correction",
    }
    lows: dict[str, Any] = {short: stage.lowest(kind) for short, kind in kinds.items()}
    lows["limit"] = APPROVAL_MINOR
    return {**lows, "born": stage.since, "merchant": stage.merchant_id}


def _against_the_provider(stage: Stage) -> None:
    """Compare what the provider took and gave back with what our books say of each."""
    books = stage.provider.books
    payments_ = dict(
        BOARD.ask("SELECT id, status FROM payment WHERE id >= %s", (stage.lowest("payment"),))
    )
    cleared = _cleared(stage)
    in_doubt = _in_doubt(stage)
    for intent in books.intents.values():
        if intent.subject not in payments_:
            stage.world.wrong(f"the provider has an intent of an unknown payment {intent.subject}")
    for payment_id, status in payments_.items():
        taken = books.charged(payment_id)
        if len(taken) > 1:
            stage.world.wrong(f"{payment_id} was charged {len(taken)} times")
        theirs, ours = sum(one.received for one in taken), -cleared.get(payment_id, 0)
        if theirs != ours and payment_id not in in_doubt:
            what = f"{payment_id} ({status}): the provider took {theirs}, our books say {ours}"
            stage.world.wrong(what)
    for payment_id, method, end in BOARD.ask(
        "SELECT payment_id, provider_method_id, status FROM attempt WHERE payment_id >= %s",
        (stage.lowest("payment"),),
    ):
        if end == "declined" and method in {one.method for one in books.charged(payment_id)}:
            stage.world.wrong(f"a try of {payment_id} counts as declined, and the money was taken")


def _refunds_against_the_provider(stage: Stage) -> None:
    """Compare each refund with what the provider gave back for it."""
    books, cleared, in_doubt = stage.provider.books, _cleared(stage), _in_doubt(stage)
    rows = BOARD.ask("SELECT id, status FROM refund WHERE id >= %s", (stage.lowest("refund"),))
    ours = dict(rows)
    for refund_id, status in ours.items():
        sent = [one for one in books.refunds.values() if one.subject == refund_id]
        good = [one for one in sent if one.status is not Result.REFUND_FAILED]
        if len(sent) > 1:
            stage.world.wrong(f"{refund_id} was given back {len(sent)} times")
        if sent and refund_id in stage.undone:
            stage.world.wrong(f"{refund_id} was undone and yet given back")
        theirs = sum(one.amount.minor for one in good)
        if theirs != cleared.get(refund_id, 0) and refund_id not in in_doubt:
            what = f"the provider gave back {theirs}, our books say {cleared.get(refund_id, 0)}"
            stage.world.wrong(f"{refund_id} ({status}): {what}")
    asked = {one.subject for one in books.refunds.values() if one.subject is not None}
    if unknown := asked - ours.keys():
        stage.world.wrong(f"the provider gave back what nobody asked for: {sorted(unknown)}")


def _cleared(stage: Stage) -> dict[str, int]:
    """Return by payment or refund what our books say went over the provider's account."""
    rows = BOARD.ask(
        "SELECT split_part(t.reference, ':', 2), sum(e.amount_minor) FROM transfer t"
        " JOIN entry e ON e.transfer_id = t.id"
        " WHERE t.id >= %s AND e.account_kind LIKE 'clearing%%' GROUP BY 1",
        (stage.lowest("transfer"),),
    )
    return {subject: int(minor) for subject, minor in rows}


def _in_doubt(stage: Stage) -> set[str]:
    """Return the payments and refunds whose outcome a person must find out."""
    rows = BOARD.ask(
        "SELECT subject_id FROM provider_operation WHERE id >= %s AND state = 'manual'",
        (stage.lowest("operation"),),
    )
    return {row[0] for row in rows}


def _told(stage: Stage) -> None:
    """Every fact reached every consumer that it is routed to."""
    from jobs.subscriptions import ROUTES  # noqa: PLC0415 - read late, as the portal does

    tellings = {one for told in stage.ear.heard.values() for some in told.values() for one in some}
    committed = _committed(tellings)
    rows = BOARD.ask("SELECT id, name FROM fact WHERE id >= %s", (stage.lowest("fact"),))
    for fact_id, name in rows:
        for consumer in ROUTES.get(name, ()):
            if committed.isdisjoint(stage.ear.heard[consumer].get(fact_id, ())):
                stage.world.wrong(f"{consumer} was never told {name}")


def _applied(stage: Stage) -> None:
    """Whatever counts as answered or applied was applied, in a transaction that was committed."""
    applied = stage.ear.applied
    committed = _committed({one for some in applied.values() for one in some})
    rows = BOARD.ask(
        "SELECT id, 'call' FROM provider_operation WHERE id >= %s"
        " AND state IN ('succeeded', 'failed') AND last_error IS DISTINCT FROM 'withdrawn'"
        " UNION ALL SELECT event_id, 'message' FROM provider_event WHERE received_at >= %s"
        " AND processed_at IS NOT NULL AND error IS NULL",
        (stage.lowest("operation"), stage.since),
    )
    for one, what in rows:
        if committed.isdisjoint(applied.get(one, ())):
            stage.world.wrong(f"a {what} counts as applied and was not: {one}")


def _committed(transactions: set[str]) -> set[str]:
    """Return those of some transactions that were committed."""
    kept = BOARD.ask(
        "SELECT x FROM unnest(%s::text[]) x WHERE pg_xact_status(x::xid8) = 'committed'",
        (sorted(transactions),),
    )
    return {row[0] for row in kept}


def _kept(stage: Stage) -> None:
    """Every message that our door took is kept."""
    rows = BOARD.ask("SELECT event_id FROM provider_event WHERE received_at >= %s", (stage.since,))
    kept = {row[0] for row in rows}
    for body in stage.accepted:
        if json.loads(body)["id"] not in kept:
            stage.world.wrong("a message was answered with 200 and not kept")


def _asked_once(stage: Stage) -> None:
    """Each form had one effect when its sender was told so, and never two."""
    for asked, query, kind in (
        (stage.asked, "SELECT description, count(*) FROM shop_order WHERE id >= %s", "order"),
        (stage.refunds_asked, "SELECT note, count(*) FROM refund WHERE id >= %s", "refund"),
    ):
        made = dict(BOARD.ask(f"{query} GROUP BY 1", (stage.lowest(kind),)))
        for key in asked:
            if made.get(key, 0) > 1 or (kind == "order" and asked[key] and key not in made):
                stage.world.wrong(f"one form made {made.get(key, 0)} of {kind}")


def _said_no(stage: Stage) -> None:
    """A shopper is told that the bank declined only when it did, or when a request was refused."""
    rows = BOARD.ask(
        "SELECT subject_id, count(*) FROM move WHERE noun = 'payment' AND subject_id >= %s"
        " AND because = 'The bank declined.' GROUP BY 1",
        (stage.lowest("payment"),),
    )
    provider = stage.provider
    for payment_id, told in rows:
        noes = provider.books.declines[payment_id] + provider.refusals[payment_id]
        if told > noes + stage.decided[payment_id]:
            stage.world.wrong(f"{payment_id} was told of {told} declines, of which {noes} were so")


def _on_the_wall(stage: Stage) -> None:
    """Nothing of this schedule is red on the wall that admins see."""
    with stage.at_work():
        for invariant in invariants.INVARIANTS:
            if invariant.is_quick:
                found = invariant.find(stage.since)
                for one in found.findings[:2]:
                    stage.world.wrong(f"on the wall, {invariant.broken}: {one.line}")
        db.end_reads()
