"""A real worker or relay in which one piece of work ends the process, as by the kernel.

`python -m tests.jobs.dying_worker worker|relay POISON`: a work-horse that applies the message or
sends the mail POISON, or the relay that tells the fact POISON, is killed at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import MappingProxyType

from jobs import inbox, relay, worker
from tests.jobs.working import note_told
from webapp import notifications
from webapp.gateway import Event, Outcome
from webapp.notifications import Post
from webapp.outbox import Fact


def _die_if(is_poison: bool) -> None:  # noqa: FBT001 - the one question there is
    if is_poison:
        os.kill(os.getpid(), signal.SIGKILL)


def _a_worker(poison: str) -> int:
    apply_well = inbox.apply

    def apply(event: Event, outcome: Outcome) -> None:
        _die_if(event.id == poison)
        apply_well(event, outcome)

    def send(_post: Post, *, mail_id: str, **_letter: str) -> None:
        _die_if(mail_id == poison)

    inbox.apply = apply
    notifications.Post.send = send  # type: ignore[method-assign,assignment]
    return worker.main()


def _a_relay(poison: str) -> int:
    def note(facts: Sequence[Fact]) -> None:
        _die_if(poison in [fact.id for fact in facts])
        note_told(facts)

    relay.CONSUMERS = MappingProxyType({"note": note})  # type: ignore[attr-defined]
    return relay.main()


if __name__ == "__main__":
    sys.exit({"worker": _a_worker, "relay": _a_relay}[sys.argv[1]](sys.argv[2]))
