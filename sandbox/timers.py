"""What happens by itself when its time has come on the sandbox's clock."""

from collections.abc import Callable

from sandbox import charging, refunds, sessions
from sandbox.config import Settings
from sandbox.store import Store
from sandbox.wire import Call, Params


def _settle_intent(call: Call, object_id: str) -> None:
    intent = call.tx.find("payment_intent", object_id)
    if intent is None or intent.body["status"] != "processing":
        return
    method = call.tx.find("payment_method", intent.body["payment_method"])
    if method is None:
        raise LookupError(object_id)
    authenticated = bool(intent.hidden.get("authenticated"))
    charging.settle(call, intent, method, authenticated=authenticated)
    sessions.follow(call, intent)


def _release_authorisation(call: Call, object_id: str) -> None:
    intent = call.tx.find("payment_intent", object_id)
    if intent and intent.body["status"] == "requires_capture":
        charging.cancel(call, intent, "automatic")


def _expire_session(call: Call, object_id: str) -> None:
    session = call.tx.find("checkout.session", object_id)
    if session and session.body["status"] == "open":
        sessions.close(call, session)


def _settle_refund(call: Call, object_id: str) -> None:
    refund = call.tx.find("refund", object_id)
    if refund:
        refunds.settle(call, refund)


_VERBS: dict[str, Callable[[Call, str], None]] = {
    "settle_intent": _settle_intent,
    "release_authorisation": _release_authorisation,
    "expire_session": _expire_session,
    "settle_refund": _settle_refund,
}


def run_due(store: Store, settings: Settings) -> int:
    """Does everything that is due, each in a transaction of its own; returns how many."""
    done = 0
    while _run_one(store, settings):
        done += 1
    return done


def _run_one(store: Store, settings: Settings) -> bool:
    with store.read() as tx:
        if not tx.db.execute("SELECT 1 FROM timers WHERE due_at <= ?", (tx.moment,)).fetchone():
            return False
    with store.write() as tx:
        row = tx.db.execute(
            "SELECT id, verb, object_id FROM timers WHERE due_at <= ? ORDER BY due_at, id LIMIT 1",
            (tx.moment,),
        ).fetchone()
        if row is None:
            return False
        tx.db.execute("DELETE FROM timers WHERE id = ?", (row[0],))
        _VERBS[row[1]](Call(tx, Params({}), settings), row[2])
        return True
