"""Balances for display, kept in Valkey for five minutes; no decision about money reads them.

A generation number is part of the key: whoever read the tables before a change puts what he read
under the old number, where nobody looks any more.
"""

from __future__ import annotations

import json

from webapp.kernel import cache, ids
from webapp.kernel.money import Money

SECONDS = 300
GENERATION_SECONDS = 3_600


def key_for(user_id: str, *, livemode: bool) -> str:
    """Return under which key balances that are read from now on may be kept."""
    name = _generation(user_id, livemode=livemode)
    generation = cache.get(name)
    if generation is None:
        generation = ids.new("request")
        cache.put(name, generation, seconds=GENERATION_SECONDS)
    return f"wallet:{user_id}:{int(livemode)}:{generation}"


def kept(key: str) -> list[Money] | None:
    """Return the balances under `key`, or None."""
    text = cache.get(key)
    return None if text is None else [Money(minor, code) for minor, code in json.loads(text)]


def keep(key: str, balances: list[Money]) -> None:
    """Keep balances under `key` for five minutes."""
    cache.put(key, json.dumps([(held.minor, held.currency) for held in balances]), seconds=SECONDS)


def forget(user_id: str, *, livemode: bool) -> None:
    """Once the transaction has committed, nobody is shown what was kept before it."""
    cache.forget_after_commit(_generation(user_id, livemode=livemode))


def _generation(user_id: str, *, livemode: bool) -> str:
    return f"wallet-generation:{user_id}:{int(livemode)}"
