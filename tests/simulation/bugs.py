"""Known bugs, to be planted one at a time: the test of the test. No product code knows of them.

Each changes the product in memory, in a child of the harness that is never used for anything else;
where the database would stop it, its guard is taken away in that child's own database too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation import bugs_of_calls, bugs_of_memory, bugs_of_money


@dataclass(frozen=True)
class Bug:
    """One bug: what it is called, what it does wrong, and how it is planted."""

    name: str
    says: str
    plant: Callable[[], None]


def _named(module: object) -> list[Bug]:
    planted = vars(module)["BUGS"]
    return [Bug(one.__name__, (one.__doc__ or "").strip(), one) for one in planted]


BUGS: dict[str, Bug] = {
    bug.name: bug
    for module in (bugs_of_calls, bugs_of_memory, bugs_of_money)
    for bug in _named(module)
}
