"""Many small stories of deliveries: merchants' servers lose, double, refuse and hang, senders die.

Each story is drawn from a seed and played against the product's own verbs. Then all is well again,
everything is brought to an end, and what the servers have seen is held against what was recorded.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from standardwebhooks import Webhook, WebhookVerificationError

from jobs.subscriptions import WEBHOOKS
from tests.builders import a_merchant, an_order
from tests.webhooks.hooks import BY, FINE, PUBLIC, an_endpoint, broken, later, query, quick
from webapp import orders, outbox, webhooks
from webapp.kernel import db
from webapp.kernel.errors import Refusal
from webapp.kernel.proof import look
from webapp.webhooks import Came, Parcel, Request

STEPS = 60
MOST_ROUNDS = 400
#: What a server of a merchant does with a post, and how often.
MOODS = {"fine": 10, "error": 3, "lost": 2, "unheard": 2, "busy": 1, "slow": 1, "gone": 0.15}


class Died(Exception):
    """A teller ended before its commit."""


@dataclass
class Server:
    """One merchant's server: what it has said yes to, and every body that it was posted."""

    said_yes: list[str] = field(default_factory=list)
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))

    def take(self, request: Request, mood: str) -> Came:
        """Answer by mood; `lost` means that it said yes and we never heard."""
        event_id = request.headers["webhook-id"]
        if mood == "unheard":
            return broken(None, seconds=10.0)
        self.bodies[event_id].add(request.body)
        if mood in {"fine", "slow", "lost"}:
            self.said_yes.append(event_id)
        if mood == "slow":
            return Came(200, 3.0, address=PUBLIC)
        answers = {"error": broken(500), "busy": broken(503, retry_after="90")}
        answers |= {"gone": broken(410), "lost": broken(None), "fine": FINE}
        return answers[mood]


@dataclass
class Town:
    """Two merchants with their endpoints, what is in the senders' hands, and what went wrong."""

    chance: random.Random
    shops: list[str]
    servers: dict[str, Server]
    hands: list[tuple[Parcel, Came]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def endpoint_id(self) -> str:
        """Return some endpoint."""
        return self.chance.choice(sorted(self.servers))


def play(seed: int) -> Town:
    """Play the story of one seed in the open database and judge it; `wrong` says what is wrong."""
    chance = random.Random(seed)
    db.use_scope(db.OWNER)
    shops = [a_merchant(name=f"Shop {seed} {number}") for number in range(2)]
    tell(None)
    town = Town(chance, shops, {})
    for shop in shops:
        for number in range(2):
            events = ("*",) if number else ("order.created",)
            endpoint = an_endpoint(shop, *events, url=f"https://{seed}-{number}.example/in")
            quick(endpoint)
            town.servers[endpoint.id] = Server()
    for _ in range(STEPS):
        act = chance.choices(list(ACTS), list(ACTS.values()))[0]
        town.counts[act.__name__] += 1
        act(town)
    heal(town)
    judge(town)
    return town


def tell(death: random.Random | None) -> int:
    """Tell what is due; a teller may die after its work and before its commit."""
    try:
        with db.transaction(db.WORKER):
            facts = outbox.take_due(WEBHOOKS, at_most=7)
            webhooks.fan_out(facts)
            outbox.told(WEBHOOKS, facts)
            if death is not None and death.random() < 0.3:
                raise Died
    except Died:
        return 1
    return len(facts)


def order(town: Town) -> None:
    """Somebody orders, and perhaps thinks better of it."""
    made = an_order(town.chance.choice(town.shops))
    town.made.append(made.id)
    if town.chance.random() < 0.4:
        orders.cancel(made.id, by=BY)


def relay(town: Town) -> None:
    """The relay tells the room."""
    tell(town.chance)


def take(town: Town) -> None:
    """A sender claims some deliveries and posts them; no more than four at a time to a server."""
    for parcel in webhooks.take(town.chance.choice((1, 3, 8)), slow_at_most=2):
        mood = town.chance.choices(list(MOODS), list(MOODS.values()))[0]
        came = town.servers[parcel.endpoint_id].take(parcel.request, mood)
        town.hands.append((parcel, came))
    held = query(
        "SELECT endpoint_id FROM delivery WHERE lease_until > clock_now()"
        " GROUP BY endpoint_id HAVING count(*) > 4"
    )
    town.wrong += [f"more than four are in flight for {row[0]}" for row in held]


def settle(town: Town) -> None:
    """Senders write down what came back, in any order."""
    town.chance.shuffle(town.hands)
    some = town.chance.randint(0, len(town.hands))
    done, town.hands = town.hands[:some], town.hands[some:]
    if done:
        for failed in webhooks.settle(done):
            webhooks.switch_off(failed)


def die(town: Town) -> None:
    """A sender dies with what it had in its hands."""
    town.hands = town.hands[town.chance.randint(0, len(town.hands)) :]


def wait(town: Town) -> None:
    """Time passes: a moment, a lease, hours."""
    later(town.chance.choice((1, 6, 70, 70, 600, 20_000)))


def manage(town: Town) -> None:
    """A merchant pauses, resumes, rolls a secret, or has something sent again."""
    endpoint_id, drawn = town.endpoint_id(), town.chance.random()
    try:
        if drawn < 0.3:
            webhooks.pause(endpoint_id, by=BY)
        elif drawn < 0.6:
            webhooks.resume(endpoint_id, by=BY)
        elif drawn < 0.7:
            webhooks.roll_secret(endpoint_id, overlap=dt.timedelta(hours=24), by=BY)
        else:
            ids = [row[0] for row in query("SELECT id FROM delivery ORDER BY id")]
            if ids:
                webhooks.resend(str(town.chance.choice(ids)), by=BY)
    except Refusal as refused:
        town.counts[f"refused {refused.code}"] += 1


ACTS = {order: 10, relay: 8, take: 14, settle: 12, die: 1.5, wait: 8, manage: 4}


def heal(town: Town) -> None:
    """Let every server be well and every endpoint on, and bring everything to an end."""
    town.hands = []
    for endpoint_id in town.servers:
        webhooks.resume(endpoint_id, by=BY)
    while tell(None):
        pass
    for _ in range(MOST_ROUNDS):
        parcels = webhooks.take(16, slow_at_most=8)
        for parcel in parcels:
            _is_signed(town, parcel)
            came = town.servers[parcel.endpoint_id].take(parcel.request, "fine")
            for failed in webhooks.settle([(parcel, came)]):
                webhooks.switch_off(failed)
        if not parcels:
            if not query("SELECT 1 FROM delivery WHERE state = 'due' LIMIT 1"):
                return
            later(3_600)
    town.wrong.append("deliveries are on their way for ever")


def _is_signed(town: Town, parcel: Parcel) -> None:
    secret = webhooks.reveal_secret(parcel.endpoint_id, by=BY)
    try:
        Webhook(secret).verify(parcel.request.body, dict(parcel.request.headers))
    except WebhookVerificationError as refused:
        town.wrong.append(f"{parcel.delivery_id} is not signed: {refused}")


def judge(town: Town) -> None:
    """Hold what the servers saw against what was recorded, and ask every check of the room."""
    for check in webhooks.CHECKS:
        found = look(check)
        town.wrong += [f"{check.broken}: {one.line}" for one in found.findings]
    yes = {one: Counter(server.said_yes) for one, server in town.servers.items()}
    for endpoint_id, event_id, state in query("SELECT endpoint_id, event_id, state FROM delivery"):
        if state == "delivered" and not yes.get(str(endpoint_id), Counter())[str(event_id)]:
            town.wrong.append(f"{event_id} counts as delivered and never arrived at {endpoint_id}")
    for endpoint_id, server in town.servers.items():
        for event_id, bodies in server.bodies.items():
            if len(bodies) > 1:
                town.wrong.append(f"{event_id} has {len(bodies)} bodies at {endpoint_id}")
            if {json.loads(body)["id"] for body in bodies} != {event_id}:
                town.wrong.append(f"{event_id} is not the event in its body")
    town.wrong += _unsent(town)


def _unsent(town: Town) -> list[str]:
    """Name the orders of which a merchant's listening server never said that it has heard."""
    missing = []
    for order_id in town.made:
        ((shop,),) = query("SELECT merchant_id FROM shop_order WHERE id = :id", id=order_id)
        rows = query(
            "SELECT we.id, 'evt_' || substr(f.id, 6) FROM fact f JOIN webhook_endpoint we"
            " ON we.merchant_id = f.merchant_id WHERE f.subject_id = :id AND f.version = 1"
            " AND we.listens_since <= f.at AND we.merchant_id = :shop",
            id=order_id,
            shop=shop,
        )
        for endpoint_id, event_id in rows:
            if str(event_id) not in town.servers[str(endpoint_id)].said_yes and not query(
                "SELECT 1 FROM delivery WHERE event_id = :id AND state IN ('dead', 'resent')",
                id=event_id,
            ):
                missing.append(f"{endpoint_id} never heard of {order_id}")
    return missing
