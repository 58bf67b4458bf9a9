"""`make chaos`: real processes, real kills, and a verdict: `python -m tests.chaos`.

KILLS, RESTARTS, ERASURES and CUTS say how much is wanted, SEED which plan, SECONDS how long at the
most, GAP how long between two faults on average, SKEW by how many seconds some clocks are wrong,
RECLAIMS and DOUBTS how many rounds of measuring, FOLDER where all of it is to be kept.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from tests.chaos.measures import doubts, reclaims, share
from tests.chaos.plan import Counts
from tests.chaos.run import Result, play
from tests.chaos.town import Town

_SKEW_SECONDS = 90


def main() -> int:
    """Run once with the settings of the environment; 0 when it met all and kept every promise."""
    counts = Counts(*(_number(name, _USUAL[name]) for name in _USUAL))
    seed = _number("SEED", 1)
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {words}", flush=True)

    say(f"seed {seed}: {counts}")
    folder = Path(os.environ["FOLDER"]).absolute() if os.environ.get("FOLDER") else None
    with Town(seed=seed, skew=_number("SKEW", _SKEW_SECONDS), folder=folder) as town:
        say(f"Paydeck runs at {town.stack.url}, its logs are in {town.stack.data}/logs")
        result = play(
            town,
            counts,
            seed=seed,
            gap=float(os.environ.get("GAP", "0.7")),
            longest_seconds=_number("SECONDS", 3_000),
            say=say,
        )
        tell(result)
        _measure(town, seed)
    return 0 if result.is_proof else 1


def tell(result: Result) -> None:
    """Print what was done and seen; the last line is the closing one."""
    for kind, number in sorted(result.killed.items()):
        print(f"  killed {kind:<12}{number:>6}")
    for kind, number in sorted(result.counts.items()):
        print(f"  {kind:<19}{number:>6}")
    for way, number in sorted(result.cuts.items()):
        print(f"  cut {way:<15}{number:>6}")
    for reason, number in result.unanswered.most_common(8):
        print(f"  no answer: {reason:<40}{number:>6}")
    for violation in result.violations[:50]:
        print(f"  VIOLATION {violation.rule}: {violation.words}")
    for words in result.too_little:
        print(f"  TOO LITTLE: {words}")
    print(f"  gave up and was taken up by an operator: {result.for_a_person}")
    print(closing(result), flush=True)


def closing(result: Result) -> str:
    """Return the closing line."""
    counts, rules = result.counts, [violation.rule for violation in result.violations]
    return (
        f"{sum(result.killed.values())} kills, {counts['restart']} Postgres restarts, "
        f"{counts['flush'] + counts['valkey']} Valkey erasures, "
        f"{sum(result.cuts.values())} cut COMMITs, {result.captured} payments captured, "
        f"{result.acknowledged('pay')} acknowledged, {len(result.books.refunds)} refunds, "
        f"{result.snapshots} snapshots in "
        f"{result.seconds:.0f} s: {rules.count('acknowledged and lost')} acknowledged losses, "
        f"{rules.count('double charge')} double charges, {rules.count('over-refund')} "
        f"over-refunds, ledger off {rules.count('ledger not zero')} times, "
        f"{len(rules)} violations"
    )


def _measure(town: Town, seed: int) -> None:
    again = reclaims(town, rounds=_number("RECLAIMS", 8), seed=seed)
    resolved = doubts(town, rounds=_number("DOUBTS", 6), each=10)
    for name, values in (
        ("dead worker’s call taken up again", again),
        ("unknown charge resolved", resolved),
    ):
        if values:
            print(
                f"{name}: {len(values)} measured, p50 {share(values, 0.5):.1f} s, "
                f"p99 {share(values, 0.99):.1f} s, longest {max(values):.1f} s",
                flush=True,
            )


_USUAL = {"KILLS": 1_000, "RESTARTS": 50, "ERASURES": 50, "CUTS": 200}


def _number(name: str, usual: int) -> int:
    return int(os.environ.get(name) or usual)


if __name__ == "__main__":
    sys.exit(main())
