"""One whole run: load, faults by the plan, healing, and the verdict on all that was seen."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psycopg
import requests

from tests.chaos import evidence, history, plan
from tests.chaos.checker import Violation, check
from tests.chaos.evidence import Books
from tests.chaos.faults import Hand
from tests.chaos.history import INFO, OK, Entry, Writer
from tests.chaos.plan import Counts, Fault
from tests.chaos.reader import Reader
from tests.chaos.town import Town

PEOPLE = {"guest": 5, "saver": 1, "shopkeeper": 1, "giver": 2}
_SETTLE_SECONDS = 150.0


@dataclass
class Result:
    """What happened and what it proves; `violations` is empty when every promise was kept.

    `too_little` says in words what a run should have met and did not: then it proves nothing.
    """

    counts: Counter[str]
    killed: Counter[str]
    cuts: Counter[str]
    entries: Sequence[Entry]
    books: Books
    snapshots: int
    seconds: float
    for_a_person: int
    violations: list[Violation] = field(default_factory=list)
    too_little: list[str] = field(default_factory=list)

    @property
    def is_proof(self) -> bool:
        """Whether all was met that was wanted, and every promise was kept."""
        return not self.violations and not self.too_little

    def acknowledged(self, act: str) -> int:
        """Return how often an act was acknowledged."""
        return sum(one.act == act and one.type == OK for one in self.entries)

    @property
    def captured(self) -> int:
        """How many payments took money during the run."""
        return sum(row["captured_minor"] > 0 for row in self.books.payments)

    @property
    def unanswered(self) -> Counter[str]:
        """What clients got in place of an answer, and how often."""
        return Counter(
            str(one.told.get("reason", one.told.get("status")))
            for one in self.entries
            if one.type == INFO and one.act != "snapshot"
        )


def play(
    town: Town,
    counts: Counts,
    *,
    seed: int,
    gap: float,
    longest_seconds: float,
    say: Callable[[str], None],
) -> Result:
    """Run the plan under load for at most `longest_seconds`, heal, and check."""
    began = time.monotonic()
    with town.direct() as connection:
        since = connection.execute("SELECT clock_now()").fetchone()
    snapshots = town.folder / "snapshots.jsonl"
    writer = Writer(snapshots)
    reader = Reader(town, writer)
    reader.start()
    town.start_clients(PEOPLE)
    hand = Hand(town, seed=seed)
    _carry_out(town, hand, counts, seed=seed, gap=gap, ends=began + longest_seconds, say=say)
    hand.heal()
    say("healed; the clients have a last moment")
    time.sleep(5)
    town.stop_clients()
    for_a_person = _settle(town)
    reader.stop()
    writer.close()
    entries = _entries(town.history, snapshots)
    with town.direct() as connection:
        books = evidence.collect(connection, _provider_books(town), since=since and since[0])
    result = Result(
        counts=hand.done,
        killed=hand.killed,
        cuts=Counter(f"{cut.way}{' done' if cut.was_done else ''}" for cut in town.proxy.cuts),
        entries=entries,
        books=books,
        snapshots=reader.snapshots,
        seconds=time.monotonic() - began,
        for_a_person=for_a_person,
    )
    result.violations = [*check(entries, books), *_check_books(town)]
    missing = _missing(counts, hand, len(town.proxy.cuts))
    result.too_little = too_little(missing, result.captured, result.acknowledged("pay"))
    return result


def too_little(missing: Counts, captured: int, acknowledged: int) -> list[str]:
    """Return in words what a run should have met and did not; empty when it met all."""
    short = [f"{number} {what} fewer than wanted" for what, number in asdict(missing).items()]
    found = [words for words in short if not words.startswith("0 ")]
    if not captured:
        found.append("no payment was captured")
    if not acknowledged:
        found.append("no payment was acknowledged")
    return found


def _carry_out(  # noqa: PLR0913 - one run's whole frame, by name
    town: Town,
    hand: Hand,
    counts: Counts,
    *,
    seed: int,
    gap: float,
    ends: float,
    say: Callable[[str], None],
) -> None:
    """Do the plan, then again what could not be done, until the counts are full or time is up."""
    todo = plan.make(counts, seed=seed, gap=gap)
    for again in range(1, 6):
        _do(todo, hand, ends=ends, say=say)
        missing = _missing(counts, hand, len(town.proxy.cuts))
        if missing == Counts(0, 0, 0, 0) or time.monotonic() > ends:
            return
        todo = [
            fault
            for fault in plan.make(missing, seed=seed * 1000 + again, gap=gap)
            if fault.kind in {plan.KILL, plan.RESTART, plan.FLUSH, plan.VALKEY, plan.CUT}
        ]


def _do(todo: list[Fault], hand: Hand, *, ends: float, say: Callable[[str], None]) -> None:
    for number, fault in enumerate(todo, start=1):
        if time.monotonic() > ends:
            return
        hand.carry_out(fault)
        if number % 100 == 0:
            say(f"{number} of {len(todo)} faults; {sum(hand.killed.values())} kills")
        time.sleep(fault.pause)


def _missing(counts: Counts, hand: Hand, cuts: int) -> Counts:
    erased = hand.done[plan.FLUSH] + hand.done[plan.VALKEY]
    return Counts(
        kills=max(0, counts.kills - sum(hand.killed.values())),
        restarts=max(0, counts.restarts - hand.done[plan.RESTART]),
        erasures=max(0, counts.erasures - erased),
        cuts=max(0, counts.cuts - cuts),
    )


def _settle(town: Town) -> int:
    """Wait until nothing is under way; what gave up is taken up again, and counted."""
    taken_up = 0
    until = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < until:
        try:
            with town.direct() as connection:
                left = evidence.unfinished(connection)
        except psycopg.Error:
            left = {"an answer from Postgres": 1}
        if not left:
            break
        taken_up += _take_up(town)
        time.sleep(1.0)
    return taken_up


def _take_up(town: Town) -> int:
    """Do as an operator who has what gave up tried again, all that is alike at once."""
    listed = town.flask("dead-letters", "list")
    letter = re.search(r"^(call|event|fact|mail) +(\S+)", listed, re.MULTILINE)
    if letter is None:
        return 0
    said = town.flask("dead-letters", "retry-like", letter.group(1), letter.group(2))
    taken = re.search(r"^(\d+) taken up again", said, re.MULTILINE)
    return int(taken.group(1)) if taken else 0


def _provider_books(town: Town) -> list[dict[str, object]]:
    until = time.monotonic() + 30
    while True:
        try:
            return town.provider_books()
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _entries(*paths: Path) -> list[Entry]:
    found = [entry for path in paths for entry in history.read(path)]
    return sorted(found, key=lambda entry: entry.at)


def _check_books(town: Town) -> list[Violation]:
    """Have the portal's own command look at everything once more."""
    said = town.flask("check-books").strip().splitlines()
    if any(", 0 problems in " in line for line in said):
        return []
    return [Violation("flask check-books", " / ".join(said[-5:]))]
