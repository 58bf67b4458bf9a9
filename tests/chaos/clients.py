"""The load: shoppers and merchants who keep on trying, and write down what they were told.

Run as `python -m tests.chaos.clients CONFIG`, and ended with SIGTERM.
"""

from __future__ import annotations

import hashlib
import json
import queue
import random
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.browser import Browser, NoAnswer, Page
from tests.chaos.history import FAIL, INFO, INVOKE, OK, Writer

GOOD_CARD = "4242424242424242"
BAD_CARDS = ("4000000000000002", "4000000000009995")
CHECKOUT = re.compile(r"/checkout/([A-Za-z0-9_-]{20,})")
_TRIES = 12
_PATIENCE_SECONDS = 40.0
_PAUSE_SECONDS = (0.1, 0.6)
_POLL_SECONDS = 0.35


@dataclass
class Street:
    """What the clients of one run share."""

    config: dict[str, Any]
    writer: Writer
    stop: threading.Event = field(default_factory=threading.Event)
    #: Checkouts that merchants have opened and nobody has paid yet.
    links: queue.Queue[str] = field(default_factory=lambda: queue.Queue(200))
    #: Payments that were shown as paid, for merchants to refund.
    paid: queue.Queue[str] = field(default_factory=lambda: queue.Queue(500))

    def browser(self) -> Browser:
        """Return a fresh browser."""
        return Browser(self.config["portal"], self.config["sandbox"])


class Client(threading.Thread):
    """Somebody who does `round` again and again until the run is over."""

    def __init__(self, street: Street, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.street = street
        self.chance = random.Random(f"{street.config['seed']}:{name}")
        self.browser = street.browser()
        self._count = 0

    def run(self) -> None:
        """Live; whatever is not answered is tried again in the next round."""
        while not self.street.stop.is_set():
            try:
                self.round()
            except NoAnswer as lost:
                self.note("round", INFO, reason=lost.reason, status=lost.status)
                self.street.stop.wait(0.5)
            self.street.stop.wait(self.chance.uniform(*_PAUSE_SECONDS))

    def round(self) -> None:
        """Do the one thing that this client does."""
        raise NotImplementedError

    def note(self, act: str, type_: str, **told: Any) -> None:
        """Write an entry of this client."""
        self.street.writer.note(self.name, act, type_, **told)

    def send(self, act: str, path: str, fields: dict[str, str], **told: Any) -> Page | None:
        """Send a form until it is answered, always with its own key; None when it never was."""
        self._count += 1
        body = hashlib.sha256(repr(sorted(fields.items())).encode()).hexdigest()[:16]
        named = {"id": f"{self.name}/{self._count}", "key": fields["form_key"], "body": body}
        for _ in range(_TRIES):
            self.note(act, INVOKE, **named, **told)
            try:
                page = self.browser.post(path, fields)
            except NoAnswer as lost:
                self.note(act, INFO, **named, **told, reason=lost.reason, status=lost.status)
            else:
                if page.status == 303:
                    self.note(act, OK, **named, **told, place=page.place)
                    return page
                if page.status != 409:
                    self.note(act, FAIL, **named, **told, status=page.status)
                    return page
                self.note(act, INFO, **named, **told, status=page.status)
            if self.street.stop.wait(self.chance.uniform(0.1, 1.0)):
                return None
        return None

    def watch(self, token: str, until: set[str]) -> str:
        """Read a checkout's state until it is one of `until`; every change is written down."""
        seen: tuple[str, int] | None = None
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                told = self.browser.json(f"/checkout/{token}/status")
            except NoAnswer:
                told = {}
            now = (told.get("stage", ""), told.get("version", 0))
            if told and now != seen:
                seen = now
                self.note(
                    "read", OK, token=token, stage=now[0], version=now[1], of=told.get("reference")
                )
            if now[0] == "paid" and not self.street.paid.full():
                self.street.paid.put(str(told.get("reference")))
            if now[0] in until or self.street.stop.wait(_POLL_SECONDS):
                return str(now[0])
        return seen[0] if seen else ""


class Guest(Client):
    """Pays a fresh order by card, sometimes with a bad card first, sometimes clicking twice."""

    def round(self) -> None:
        self.browser = self.street.browser()
        self.note("open", INVOKE)
        page = self.browser.get("/demo/checkout")
        found = CHECKOUT.search(page.place)
        if found is None:
            raise NoAnswer("the demo’s checkout did not open", page.status)
        token = found.group(1)
        self.note("open", OK, token=token)
        if self.chance.random() < 0.2:
            self.pay(token, self.chance.choice(BAD_CARDS))
            self.watch(token, {"pay", "paid", "expired", "closed"})
        self.pay(token, GOOD_CARD, twice=self.chance.random() < 0.15)
        self.watch(token, {"paid", "expired", "closed"})

    def pay(self, token: str, number: str, *, twice: bool = False) -> None:
        """Fill in the checkout's form and send it."""
        page = self.browser.get(f"/checkout/{token}")
        fields = {name: page.field(name) for name in ("csrf_token", "form_key")}
        fields |= {"method": "card", "payment_method": self.browser.card(number)}
        told = {"token": token, "method": "card", "good": number == GOOD_CARD}
        act: Callable[[], object] = lambda: self.send(  # noqa: E731 - one click, made once or twice
            "pay", f"/checkout/{token}/pay", fields, **told
        )
        clicks = [threading.Thread(target=act, daemon=True) for _ in range(1 + twice)]
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()


class Saver(Client):
    """A signed-in shopper: pays merchants' links from the wallet, and tops it up by card."""

    def round(self) -> None:
        if not self._count:
            self.browser.sign_in(*self.street.config["shopper"])
        if self.chance.random() < 0.1 or not self._count:
            self.top_up()
            return
        try:
            token = self.street.links.get(timeout=2.0)
        except queue.Empty:
            return
        page = self.browser.get(f"/checkout/{token}")
        fields = {name: page.field(name) for name in ("csrf_token", "form_key")}
        fields["method"] = "wallet"
        told = {"token": token, "method": "wallet", "good": True}
        self.send("pay", f"/checkout/{token}/pay", fields, **told)
        self.watch(token, {"paid", "expired", "closed", "pay"})

    def top_up(self) -> None:
        """Order money for the wallet and pay it by card."""
        page = self.browser.get("/wallet")
        fields = {name: page.field(name) for name in ("csrf_token", "form_key")}
        fields |= {"amount": str(self.chance.randint(50, 500)), "currency": "INR"}
        answer = self.send("top_up", "/wallet/top-up", fields)
        found = CHECKOUT.search(answer.place) if answer is not None else None
        if found is None:
            return
        token = found.group(1)
        page = self.browser.get(f"/checkout/{token}")
        fields = {name: page.field(name) for name in ("csrf_token", "form_key")}
        fields |= {"method": "card", "payment_method": self.browser.card(GOOD_CARD)}
        told = {"token": token, "method": "card", "good": True}
        self.send("pay", f"/checkout/{token}/pay", fields, **told)
        self.watch(token, {"paid", "expired", "closed"})


class Shopkeeper(Client):
    """A merchant who creates orders and hands out their links."""

    def round(self) -> None:
        if not self._count:
            self.browser.sign_in(*self.street.config["merchant"])
        page = self.browser.get("/merchant/orders/new")
        fields = {name: page.field(name) for name in ("csrf_token", "form_key")}
        minor = self.chance.randint(100, 900)
        words = f"chaos {self.name} {self._count + 1}"
        fields |= {
            "amount": f"{minor // 100}.{minor % 100:02d}",
            "currency": "INR",
            "description": words,
        }
        answer = self.send("order", "/merchant/orders", fields, words=words, minor=minor)
        if answer is None or answer.status != 303:
            return
        shown = self.browser.get(answer.place)
        found = CHECKOUT.search(shown.text)
        if found is not None and not self.street.links.full():
            self.street.links.put(found.group(1))
        self.street.stop.wait(self.chance.uniform(0.3, 1.2))


class Giver(Client):
    """A merchant who refunds a part, or all, of what was paid; two of them meet at one payment."""

    def round(self) -> None:
        if not self._count:
            self.browser.sign_in(*self.street.config["merchant"])
        try:
            payment_id = self.street.paid.get(timeout=2.0)
        except queue.Empty:
            return
        page = self.browser.get(f"/merchant/payments/{payment_id}/refund")
        if page.status != 200:
            return  # all of it has been refunded
        names = ("csrf_token", "form_key", "seen_available")
        fields = {name: page.field(name) for name in names}
        left = int(fields["seen_available"])
        minor = left if self.chance.random() < 0.3 else self.chance.randint(1, left)
        words = f"chaos {self.name} {self._count + 1}"
        fields |= {
            "amount": f"{minor // 100}.{minor % 100:02d}",
            "reason": "requested_by_customer",
            "destination": "original",
            "note": words,
        }
        told = {"payment": payment_id, "words": words, "minor": minor}
        if self.chance.random() < 0.5 and not self.street.paid.full():
            self.street.paid.put(payment_id)
        self.send("refund", f"/merchant/payments/{payment_id}/refunds", fields, **told)


KINDS: dict[str, type[Client]] = {
    "giver": Giver,
    "guest": Guest,
    "saver": Saver,
    "shopkeeper": Shopkeeper,
}


def main(config: dict[str, Any]) -> int:
    """Live as all the clients that the config counts, until SIGTERM."""
    street = Street(config, Writer(Path(config["history"])))
    signal.signal(signal.SIGTERM, lambda _number, _frame: street.stop.set())
    people = [
        KINDS[kind](street, f"{kind}-{number}")
        for kind, count in config["people"].items()
        for number in range(1, count + 1)
    ]
    for person in people:
        person.start()
    while not street.stop.wait(0.2):
        pass
    for person in people:
        person.join(20)
    street.writer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text())))
