"""The seeded plan: which faults, how many of each, in which order, with which pauses; pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from tests.chaos.proxy import WAYS

KILL, FREEZE, BACKEND, RESTART = "kill", "freeze", "backend", "restart"
FLUSH, VALKEY, CUT, PROVIDER, CLOCK = "flush", "valkey", "cut", "provider", "clock"
#: Whom a kill meets, and how often among a hundred.
TARGETS: Mapping[str, int] = {
    "work-horse": 27,
    "worker": 21,
    "relay": 15,
    "sweeper": 15,
    "web worker": 8,
    "web": 5,
    "socket": 6,
    "sandbox": 3,
}
#: What the provider does wrong, and at which of its calls.
WEATHER = ("drop_after", "drop_before", "500_after", "500_before", "409", "slow")
CALLS = ("payment_intents.create", "payment_intents.confirm", "refunds.create", "*")
CUT_ROLES = ("paydeck_web", "paydeck_worker")
#: Longer than a lease, so that some come back to find their work done by others.
_FREEZE_SECONDS = (0.5, 13.0)
_OUTAGE_SECONDS = (1.0, 6.0)
_CLOCK_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each fault are wanted."""

    kills: int
    restarts: int
    erasures: int
    cuts: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, whom it meets, in which way, for how long, and the pause after it."""

    kind: str
    target: str = ""
    way: str = ""
    seconds: float = 0.0
    pause: float = 0.0


def make(counts: Counts, *, seed: int, gap: float) -> list[Fault]:
    """Return a plan with `gap` seconds between two faults on average; one seed, one plan."""
    chance = random.Random(f"plan:{seed}")
    targets = chance.choices(list(TARGETS), weights=list(TARGETS.values()), k=counts.kills)
    plan = [Fault(KILL, target) for target in targets]
    plan += [Fault(RESTART) for _ in range(counts.restarts)]
    plan += [Fault(BACKEND) for _ in range(counts.restarts // 5)]
    plan += [Fault(FLUSH if n % 2 else VALKEY) for n in range(counts.erasures)]
    plan += [
        Fault(CUT, CUT_ROLES[n % 2], way=WAYS[(n // 2) % len(WAYS)]) for n in range(counts.cuts)
    ]
    some = max(1, counts.kills // 25)
    plan += [
        Fault(FREEZE, chance.choice(list(TARGETS)), seconds=chance.uniform(*_FREEZE_SECONDS))
        for _ in range(some)
    ]
    plan += [
        Fault(
            PROVIDER,
            chance.choice(CALLS),
            way=chance.choice(WEATHER),
            seconds=chance.uniform(*_OUTAGE_SECONDS),
        )
        for _ in range(some)
    ]
    plan += [
        Fault(CLOCK, seconds=chance.uniform(-_CLOCK_SECONDS, _CLOCK_SECONDS))
        for _ in range(max(1, counts.kills // 100))
    ]
    chance.shuffle(plan)
    return [_paused(fault, chance.uniform(0.3, 1.7) * gap) for fault in plan]


def _paused(fault: Fault, pause: float) -> Fault:
    return Fault(fault.kind, fault.target, fault.way, fault.seconds, pause)
