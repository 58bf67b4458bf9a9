"""Known bugs, to be planted one at a time: the test of the test. No product code knows of them.

Each changes the product in memory, in a child of the harness that is never used for anything else;
where the database would stop it, its guard is taken away in that child's own database too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from tests.simulation import bugs_of_calls, bugs_of_memory, bugs_of_money, bugs_of_webhooks


@dataclass(frozen=True)
class Bug:
    """One bug: what it is called, what it does wrong, and how it is planted."""

    name: str
    says: str
    plant: Callable[[], None]


def _named(module: object) -> list[Bug]:
    planted = vars(module)["BUGS"]
    return [Bug(one.__name__, (one.__doc__ or "").strip(), one) for one in planted]


def _of_webhooks() -> list[Bug]:
    """Return those that the small stories of deliveries find as well."""
    patch = pytest.MonkeyPatch()
    return [
        Bug(one.__name__, (one.__doc__ or "").strip(), partial(one, patch))
        for one in bugs_of_webhooks.BUGS
    ]


BUGS: dict[str, Bug] = {
    bug.name: bug
    for bug in (
        *_named(bugs_of_calls),
        *_named(bugs_of_memory),
        *_named(bugs_of_money),
        *_of_webhooks(),
    )
}
