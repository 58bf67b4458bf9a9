"""From a fact to knocks on the doors of whoever may see it: who, pure; and the sending."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select, union_all

from webapp import orders, payments
from webapp.kernel import clock, db
from webapp.outbox import Fact

if TYPE_CHECKING:
    from webapp.realtime import Knock

ADMIN_TOPIC = "admin"
#: A checkout page this old has been closed, or is fetched anew by its own polling.
PAGE_LASTS = dt.timedelta(days=1)


def topics_of(fact: Fact, checkouts: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the topics on which a fact is heard; `checkouts` gives an order's session ids."""
    topics = [ADMIN_TOPIC]
    if fact.merchant_id is not None:
        topics.append(merchant_topic(fact.merchant_id, livemode=bool(fact.livemode)))
    if fact.user_id is not None:
        topics.append(f"user:{fact.user_id}")
    if fact.subject_kind == "checkout_session":
        topics.append(f"checkout:{fact.subject_id}")
    order_id = order_of(fact)
    if order_id is not None:
        topics.extend(f"checkout:{session_id}" for session_id in checkouts.get(order_id, ()))
    return topics


def merchant_topic(merchant_id: str, *, livemode: bool) -> str:
    """Return the topic of one merchant's one mode."""
    return f"merchant:{merchant_id}:{'live' if livemode else 'test'}"


def order_of(fact: Fact) -> str | None:
    """Return the order whose checkout should hear of a fact, or a payment of it, or None."""
    if fact.subject_kind == "order":
        return fact.subject_id
    named = {"payment": "order", "anomaly": "payment"}.get(fact.subject_kind, "")
    found = fact.snapshot.get(named)
    return found if isinstance(found, str) else None


def newest(knocks: Iterable[Knock]) -> list[Knock]:
    """Keep one knock per topic and object, that of the highest version, in first-seen order."""
    kept: dict[tuple[str, str, str], Knock] = {}
    for knock in knocks:
        key = (knock.topic, knock.kind, knock.id)
        if key not in kept or kept[key].version < knock.version:
            kept[key] = knock
    return list(kept.values())


def checkouts_of(named: Sequence[str]) -> dict[str, list[str]]:
    """Return the ids of the checkout sessions whose pages may still be open.

    By what they are asked for: an order, or a payment of it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    if named:
        session, payment = orders.CheckoutSession, payments.Payment
        is_fresh = session.opened_at > clock.now() - PAGE_LASTS
        of_orders = select(session.order_id, session.id).where(session.order_id.in_(named))
        of_payments = select(payment.id, session.id).where(
            payment.id.in_(named), payment.order_id == session.order_id
        )
        both = union_all(of_orders.where(is_fresh), of_payments.where(is_fresh))
        for name, session_id in db.session.execute(both):
            found[name].append(session_id)
    return found


def knock(facts: Sequence[Fact]) -> None:
    """Consumer: tell browsers that these objects changed; raises RedisError while Valkey is away.

    A knock has no content: the browser fetches what it may see. So the newest is enough, and one
    that is sent twice does no harm.
    """
    from webapp import realtime  # noqa: PLC0415 - keeps Socket.IO out of the web processes

    wanted = {order_id for fact in facts if (order_id := order_of(fact)) is not None}
    checkouts = checkouts_of(sorted(wanted))
    realtime.send(
        newest(
            realtime.Knock(topic, fact.subject_kind, fact.subject_id, fact.version)
            for fact in facts
            for topic in topics_of(fact, checkouts)
        )
    )
