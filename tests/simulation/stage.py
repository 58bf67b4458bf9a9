"""The stage of one schedule: its merchant, shopper and orders, and how anybody acts upon it."""

from __future__ import annotations

import datetime as dt
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask
from sqlalchemy.exc import DBAPIError

from jobs.telling import Away
from tests.simulation.forgetful import Forgetful
from tests.simulation.provider import SimProvider
from tests.simulation.seams import Ear
from tests.simulation.shops import Shops
from tests.simulation.world import World
from webapp import accounts, orders, wallets
from webapp.kernel import db, ids
from webapp.kernel.errors import Refusal
from webapp.kernel.money import Money
from webapp.orders import NewOrder
from webapp.outbox import Actor
from webapp.payments import Payer

BACK = "http://localhost:8000/checkout/token/return"
CURRENCY = "INR"
_HASH = "$2b$12$abcdefghijklmnopqrstuuI8s8sOqTfzCkBgXqE5C5YfJt0W8b2mK"


@dataclass
class Sale:
    """One order, the links that its shopper has been given, and the cards that were tried."""

    order_id: str
    amount: Money
    kind: str
    is_held: bool = False
    tokens: list[str] = field(default_factory=list)
    #: What its shopper was told the last time: that the link is over, or that it is paid.
    told: str = ""
    methods: list[str] = field(default_factory=list)


class Stage:
    """Who and what there is in one schedule, and the two processes that serve them."""

    def __init__(
        self,
        world: World,
        apps: tuple[Flask, Flask],
        provider: SimProvider,
        valkey: Forgetful,
    ) -> None:
        self.world = world
        self.web, self.worker = apps
        self.provider = provider
        self.valkey = valkey
        self.ear = Ear()
        self.shops = Shops(world)
        #: What this schedule is about.
        self.theme = "anything"
        self.sales: list[Sale] = []
        #: Orders that somebody asked for, by form key, and whether they were told of its making.
        self.asked: dict[str, bool] = {}
        self.refunds_asked: dict[str, bool] = {}
        #: Messages of the provider that our door has answered with 200.
        self.accepted: list[bytes] = []
        #: Refunds whose calling off was confirmed: nothing of them may ever leave.
        self.undone: list[str] = []
        #: How often an admin said of each payment or refund what came of a call about it.
        self.decided: Counter[str] = Counter()
        self.shopper_id = self.owner_id = ""
        self.merchant_id = ""

    # setting it -------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Let a merchant open, a shopper sign up, and some orders wait to be paid."""
        chance = self.world.chance
        with self.at_web():
            name = f"s{self.world.seed}"
            person = accounts.import_user(f"{name}@sim.example", "Shopper and owner", _HASH)
            self.shopper_id = self.owner_id = person
            self.merchant_id = accounts.create_merchant("Simulated", person)
            for _ in range(chance.choice((1, 1, 2))):
                self.sales.append(self.new_sale(Money(chance.randint(100, 999_99), CURRENCY)))
            if chance.random() < 0.6:
                self.sales.append(self._top_up(Money(chance.choice((500_00, 2_000_00)), CURRENCY)))

    def new_sale(self, amount: Money, *, is_held: bool | None = None) -> Sale:
        """Create an order and give its shopper a link; chance says whether money is held first."""
        held = self.world.chance.random() < 0.35 if is_held is None else is_held
        with self.at_web(), db.scoped(self.merchant_scope):
            asked = NewOrder(
                self.merchant_id,
                livemode=False,
                amount=amount,
                capture_later=held,
                customer_email=self.payer.email,
            )
            order = orders.create(asked)
            return Sale(order.id, amount, "sale", held, [orders.open_checkout(order.id).token])

    def _top_up(self, amount: Money) -> Sale:
        with db.scoped(db.Scope(user_id=self.shopper_id, livemode=False)):
            wallets.open(self.shopper_id, CURRENCY, livemode=False)
        platform = accounts.PLATFORM_ID
        scope = db.Scope(merchant_id=platform, livemode=False, user_id=self.shopper_id)
        with db.scoped(scope):
            order = orders.create(
                NewOrder(
                    platform, livemode=False, amount=amount, kind="top_up", user_id=self.shopper_id
                )
            )
            return Sale(order.id, amount, "top_up", False, [orders.open_checkout(order.id).token])

    # scopes -----------------------------------------------------------------------------------

    @property
    def merchant_scope(self) -> db.Scope:
        """What the merchant's door puts in force."""
        return db.Scope(merchant_id=self.merchant_id, livemode=False, user_id=self.owner_id)

    @property
    def owner(self) -> Actor:
        """The merchant's owner as the one who does something."""
        return Actor("merchant_user", self.owner_id)

    @property
    def payer(self) -> Payer:
        """The shopper as the one who pays."""
        return Payer(self.shopper_id, f"s{self.world.seed}@sim.example")

    @contextmanager
    def at_web(self) -> Iterator[None]:
        """Act in a web process, with a session of one's own."""
        with self.web.app_context():
            yield
            db.session.remove()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Act in a worker process."""
        with self.worker.app_context():
            db.use_scope(db.WORKER)
            yield
            db.session.remove()

    # acting -----------------------------------------------------------------------------------

    def request(
        self, name: str, act: Callable[[], object], *, on_end: Callable[[str], None] | None = None
    ) -> None:
        """Have a request served by a web process."""
        self._spawn(name, act, self.web, on_end)

    def job(self, name: str, act: Callable[[], object]) -> None:
        """Have a worker process do something."""
        self._spawn(name, act, self.worker, None)

    def _spawn(
        self,
        name: str,
        act: Callable[[], object],
        app: Flask,
        on_end: Callable[[str], None] | None,
    ) -> None:
        def body() -> None:
            with app.app_context():
                if app is self.worker:
                    db.use_scope(db.WORKER)
                end = self.outcome_of(name, act)
                db.session.remove()
            self.world.note(f"{name} ends: {end}")
            self.world.coverage.ends[f"{name}: {end}"] += 1
            if on_end:
                on_end(end)

        self.world.spawn(name, body, on_end=on_end)

    def outcome_of(self, name: str, act: Callable[[], object]) -> str:
        """Say in a word what came of an act; what may never come of one is noted as wrong."""
        try:
            act()
        except Refusal as refusal:
            return f"refused {refusal.code}"
        except Away:
            return "away"
        except DBAPIError as fault:
            if db.is_passing(fault):
                return "busy"
            first = str(fault.orig).partition("\n")[0]
            self.world.wrong(f"{name} ran into a guard: {type(fault.orig).__name__} {first}")
            return "guarded"
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is a finding
            where = traceback.extract_tb(fault.__traceback__)[-1]
            place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
            self.world.wrong(f"{name} broke: {type(fault).__name__} {fault} at {place}")
            return "broken"
        return "done"

    def lowest(self, kind: str) -> str:
        """Return the id below every id of that kind which this schedule can make."""
        return ids.seeded(kind, int(self.since.timestamp() * 1000), 0)

    @property
    def since(self) -> dt.datetime:
        """When the schedule began, by the clock of whoever's is the slowest."""
        return self.world.born - dt.timedelta(minutes=1)
