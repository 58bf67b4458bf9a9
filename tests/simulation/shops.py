"""Merchants' servers: they lose, double, refuse and hang, and know what they were told, no more."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass, field

from standardwebhooks import Webhook

from tests.simulation.world import World
from tests.webhooks.hooks import PUBLIC, broken
from webapp.webhooks import Came, Request

#: What a server does with a post while all is not well, and how often.
MOODS = {"fine": 12, "error": 3, "lost": 2, "unheard": 2, "busy": 1, "slow": 1, "gone": 0.1}
SAYS_YES = ("fine", "slow", "lost")


@dataclass
class Shop:
    """One merchant's server behind one endpoint, and all that it knows."""

    endpoint_id: str
    events: tuple[str, ...]
    secrets: list[str]
    said_yes: set[str] = field(default_factory=set)
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    #: The newest version that it has heard of each object.
    knows: dict[tuple[str, str], int] = field(default_factory=dict)

    def knows_signature(self, request: Request) -> bool:
        """Whether one of its secrets has signed what was posted."""
        named, body = request.headers, request.body.decode()
        at = dt.datetime.fromtimestamp(int(named["webhook-timestamp"]), tz=dt.UTC)
        good = {Webhook(one).sign(named["webhook-id"], at, body) for one in self.secrets}
        return not good.isdisjoint(named["webhook-signature"].split(" "))

    def hear(self, body: bytes) -> None:
        """Take an event in: what is older than what it knows changes nothing."""
        event = json.loads(body)
        self.said_yes.add(event["id"])
        shown = event["data"]["object"]
        about = (shown["object"], shown["id"])
        self.knows[about] = max(self.knows.get(about, 0), event["sequence"])


class Shops:
    """The way out to all merchants' servers of one schedule, in place of the network."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_url: dict[str, Shop] = {}
        #: Endpoints that have answered ten times quickly with success at some time.
        self.once_quick: set[str] = set()

    def post(self, request: Request) -> Came:
        """Post once; who posts may be killed before, and after the server has heard it."""
        self._world.hook("webhook.before_post")
        came = self._answer(request)
        self._world.hook("webhook.after_post")
        return came

    def _answer(self, request: Request) -> Came:
        world, shop = self._world, self.by_url[request.url]
        mood = "fine"
        if not world.is_calm:
            mood = world.chance.choices(list(MOODS), list(MOODS.values()))[0]
        world.coverage.answers[f"post {mood}"] += 1
        world.note(f"{request.url} {request.headers['X-Webhook-Event']} {mood}")
        if mood == "unheard":
            return broken(None, seconds=10.0)
        if not shop.knows_signature(request):
            world.wrong(f"what was posted to {shop.endpoint_id} has no signature of its secret")
        shop.bodies[request.headers["webhook-id"]].add(request.body)
        if mood in SAYS_YES:
            shop.hear(request.body)
        if mood == "slow":
            return Came(200, 3.0, address=PUBLIC)
        answers = {"error": broken(500), "busy": broken(503, retry_after="90")}
        answers |= {"gone": broken(410), "lost": broken(None)}
        return answers.get(mood) or Came(200, 0.05, address=PUBLIC)
