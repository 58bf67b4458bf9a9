"""Whether a run has met what it is for: every hook reached and died at, every answer seen."""

from __future__ import annotations

from tests.simulation.provider import FAULTS
from tests.simulation.world import Coverage

ANSWERED = ("create_intent", "confirm", "create_session", "cancel", "capture", "refund")
ASKED = (*ANSWERED, "look_up")
#: Every place where the end may come; a run that never stood there has proven nothing about it.
HOOKS = (
    "commit.before",
    "commit.after",
    "lock.taken",
    "lock.busy",
    "operation.claimed",
    "operation.before_send",
    "operation.after_send",
    "operation.before_apply",
    "operation.applied",
    "operation.completed",
    "inbox.claimed",
    "inbox.applied",
    "inbox.completed",
    "webhook.before_post",
    "webhook.after_post",
    *(f"provider.{kind}.{side}" for kind in ASKED for side in ("before", "after")),
)
#: The least number of schedules from which on a run must have met everything.
MEANINGFUL = 300
#: An answer that should have come so often by its weight, and never did, is missing.
EXPECTED = 8


def unmet(coverage: Coverage, schedules: int) -> list[str]:
    """Return in words what a run of so many schedules should have met and did not."""
    if schedules < MEANINGFUL:
        return []
    often = schedules // 100
    idle = [
        f"{hook} was reached {coverage.hits[hook]} times"
        for hook in HOOKS
        if coverage.hits[hook] < often
    ]
    idle += [f"nobody was killed at {hook}" for hook in HOOKS if not coverage.deaths[hook]]
    for kind in ANSWERED:
        faults = {fault: coverage.answers[f"{kind} {fault}"] for fault in FAULTS if fault != "ok"}
        share = sum(faults.values()) / (sum(FAULTS.values()) - FAULTS["ok"])
        idle += [
            f"{kind} was never answered with {fault}"
            for fault, number in faults.items()
            if not number and share * FAULTS[fault] >= EXPECTED
        ]
    return idle


def summary(coverage: Coverage) -> str:
    """Return how often the rarest hook was reached and died at, and how many answers were seen."""
    hits = {hook: coverage.hits[hook] for hook in HOOKS}
    deaths = {hook: coverage.deaths[hook] for hook in HOOKS}
    rarest, least = min(hits, key=lambda h: hits[h]), min(deaths, key=lambda h: deaths[h])
    return (
        f"{len(hits)} hooks, the rarest ({rarest}) reached {hits[rarest]} times,"
        f" the safest ({least}) died at {deaths[least]} times;"
        f" {len(coverage.answers)} kinds of answer"
    )
