"""Merchants with servers: they open, manage and lose them, senders post, and all is held together.

Some schedules have them. In the end each server must know all that there was to tell it.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
import threading
from collections.abc import Callable

from jobs.sender import Desk
from tests.simulation.shops import Shop
from tests.simulation.stage import Stage
from tests.simulation.wire import BOARD
from webapp import webhooks
from webapp.kernel import db
from webapp.webhooks import NewEndpoint

#: The share of schedules in which merchants have servers that listen.
SHARE = 0.2
SEND = "send webhooks"
CHOSEN: tuple[tuple[str, ...], ...] = (("*",), ("payment.success", "payment.failed"))
IN_FLIGHT = 4
QUICK_AFTER = 10
#: Clocks of those who claim differ by three seconds at most.
BLINK = dt.timedelta(seconds=6)
MOST_SENDINGS = 200
_OVERLAP = dt.timedelta(hours=24)


def are_there(seed: int) -> bool:
    """Whether merchants have servers in the schedule of a seed; drawn apart from all else."""
    return random.Random(f"shops {seed}").random() < SHARE


def open_shops(stage: Stage) -> None:
    """Have the merchant's servers listen, to everything or to how payments end."""
    seed = stage.world.seed
    with stage.at_web(), db.scoped(stage.merchant_scope):
        for number in range(stage.world.chance.choice((1, 2))):
            url, secret = f"https://{seed}-{number}.example/in", _secret(stage)
            new = NewEndpoint(url, CHOSEN[number], secret=secret)
            endpoint, _ = webhooks.create_endpoint(
                stage.merchant_id, new, livemode=False, by=stage.owner
            )
            stage.shops.by_url[url] = Shop(endpoint.id, CHOSEN[number], [secret])


def send(stage: Stage, *, at_most: int) -> int:
    """Post what is due as the sender does: claim, post each, write down; returns how many."""
    desk, sent = Desk(stage.shops, threading.Event()), 0
    while sent < at_most and desk.work_once() and desk.in_hand:
        _watch_in_flight(stage)
        for _ in range(desk.in_hand):
            desk.post_one()
            sent += 1
    desk.work_once(may_take=False)
    return sent


def _watch_in_flight(stage: Stage) -> None:
    """See that no more is in flight than may: one until an endpoint has shown that it is quick."""
    quick = BOARD.ask("SELECT endpoint_id FROM webhook_health WHERE quick >= %s", (QUICK_AFTER,))
    stage.shops.once_quick |= {endpoint_id for (endpoint_id,) in quick}
    held = BOARD.ask(
        "SELECT endpoint_id, count(*) FROM delivery WHERE lease_until > %s GROUP BY 1",
        (stage.world.now + BLINK,),
    )
    for endpoint_id, count in held:
        if count > (may := IN_FLIGHT if endpoint_id in stage.shops.once_quick else 1):
            stage.world.wrong(f"more than {may} are in flight for {endpoint_id}")


def sender(stage: Stage) -> None:
    """A sender makes some tries."""
    at_most = stage.world.chance.choice((1, 6, 40))
    stage.job(SEND, lambda: send(stage, at_most=at_most))


def manage(stage: Stage) -> None:
    """A merchant pauses an endpoint, resumes it, rolls its secret or has something sent again."""
    chance = stage.world.chance
    shop = chance.choice(list(stage.shops.by_url.values()))
    verb = chance.choices(list(VERBS), (2, 4, 1, 3))[0]

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        VERBS[verb](stage, shop)

    stage.request(f"{verb} endpoint", act)


def _pause(stage: Stage, shop: Shop) -> None:
    webhooks.pause(shop.endpoint_id, by=stage.owner)


def _resume(stage: Stage, shop: Shop) -> None:
    webhooks.resume(shop.endpoint_id, by=stage.owner)


def _roll(stage: Stage, shop: Shop) -> None:
    """Roll to a secret that the server has learnt first, as a careful merchant does."""
    secret = _secret(stage)
    shop.secrets.append(secret)
    webhooks.roll_secret(shop.endpoint_id, overlap=_OVERLAP, by=stage.owner, secret=secret)


def _send_again(stage: Stage, shop: Shop) -> None:
    rows = BOARD.ask(
        "SELECT id FROM delivery WHERE endpoint_id = %s ORDER BY 1", (shop.endpoint_id,)
    )
    if rows:
        webhooks.resend(stage.world.chance.choice(rows)[0], by=stage.owner)


VERBS: dict[str, Callable[[Stage, Shop], None]] = {
    "pause": _pause,
    "resume": _resume,
    "roll": _roll,
    "send again": _send_again,
}


def resume_all(stage: Stage) -> None:
    """Have every endpoint listen and send, now that all is well."""
    with stage.at_web(), db.scoped(stage.merchant_scope):
        for shop in stage.shops.by_url.values():
            webhooks.resume(shop.endpoint_id, by=stage.owner)


def send_all(stage: Stage) -> None:
    """Post all that is due."""
    for _ in range(MOST_SENDINGS):
        if not send(stage, at_most=1_000):
            return


def judge(stage: Stage) -> None:
    """Hold what the servers know against what there is to know."""
    for shop in stage.shops.by_url.values():
        _what_it_got(stage, shop)
        _what_counts_as_delivered(stage, shop)
        if not _was_off(shop):
            _what_it_knows(stage, shop)


def _what_it_got(stage: Stage, shop: Shop) -> None:
    """Every event had one body, its own, and was this merchant's."""
    rows = BOARD.ask(
        "SELECT id FROM webhook_event WHERE id = ANY(%s) AND merchant_id = %s",
        (sorted(shop.bodies), stage.merchant_id),
    )
    if strange := shop.bodies.keys() - {row[0] for row in rows}:
        stage.world.wrong(f"{shop.endpoint_id} was sent what is not its own: {sorted(strange)}")
    for event_id, bodies in shop.bodies.items():
        if len(bodies) > 1:
            stage.world.wrong(f"{event_id} had {len(bodies)} bodies at {shop.endpoint_id}")
        if {json.loads(body)["id"] for body in bodies} != {event_id}:
            stage.world.wrong(f"{event_id} is not the event in its body")


def _what_counts_as_delivered(stage: Stage, shop: Shop) -> None:
    rows = BOARD.ask(
        "SELECT event_id, state FROM delivery WHERE endpoint_id = %s", (shop.endpoint_id,)
    )
    for event_id, state in rows:
        if state == "due":
            stage.world.wrong(f"{event_id} is on its way to {shop.endpoint_id} for ever")
        if state == "delivered" and event_id not in shop.said_yes:
            stage.world.wrong(f"{event_id} counts as delivered and never arrived")


def _was_off(shop: Shop) -> bool:
    """Whether it was switched off for a while: what happened meanwhile was not kept for it."""
    found = BOARD.ask(
        "SELECT 1 FROM move WHERE subject_id = %s AND target = 'disabled'", (shop.endpoint_id,)
    )
    return bool(found)


def _what_it_knows(stage: Stage, shop: Shop) -> None:
    """It has heard every fact that it chose, and so knows the newest of every object."""
    facts = BOARD.ask(
        "SELECT id, name, subject_kind, subject_id, version FROM fact WHERE merchant_id = %s",
        (stage.merchant_id,),
    )
    newest: dict[tuple[str, str], int] = {}
    for fact_id, name, kind, subject_id, version in facts:
        told = webhooks.EVENTS.get(name)
        if told is None or not ({"*", told.name} & set(shop.events)):
            continue
        if webhooks.event_id_of(fact_id) not in shop.said_yes:
            stage.world.wrong(f"{shop.endpoint_id} never heard of {name} of {subject_id}")
        newest[kind, subject_id] = max(newest.get((kind, subject_id), 0), version)
    if newest != shop.knows:
        differing = sorted(newest.items() ^ shop.knows.items())[:3]
        stage.world.wrong(f"{shop.endpoint_id} knows something else: {differing}")


def _secret(stage: Stage) -> str:
    drawn = stage.world.chance.getrandbits(256).to_bytes(32, "big")
    return "whsec_" + base64.b64encode(drawn).decode()
