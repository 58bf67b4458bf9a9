"""A dead letter: something that was to be done and gave up, whichever room it belongs to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class LetterKind(StrEnum):
    """What may give up."""

    CALL = "call"
    EVENT = "event"
    FACT = "fact"
    MAIL = "mail"
    DELIVERY = "delivery"


#: Of each kind: its name for people, one and many.
KINDS: dict[LetterKind, tuple[str, str]] = {
    LetterKind.CALL: ("Call to the provider", "Calls to the provider"),
    LetterKind.EVENT: ("Message from the provider", "Messages from the provider"),
    LetterKind.FACT: ("Fact to be told", "Facts to be told"),
    LetterKind.MAIL: ("Mail", "Mails"),
    LetterKind.DELIVERY: ("Webhook delivery", "Webhook deliveries"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing that gave up.

    `what` says what it was, `reason` the first word of its last `error`; letters of one kind with
    the same two are like each other. `place` is its place in the list.
    """

    kind: LetterKind
    id: str
    what: str
    reason: str
    error: str
    about_id: str
    merchant_id: str | None
    livemode: bool | None
    tries: int
    began_at: dt.datetime
    place: str

    @property
    def has_ended_workers(self) -> bool:
        """Whether it was set aside because whoever worked on it died each time."""
        return self.reason.startswith(("ended its", "claimed several times"))
