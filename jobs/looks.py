"""From a hint that something without a story of its own changed to a knock where it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.knocks import merchant_topic
from webapp.kernel import wake

if TYPE_CHECKING:
    from webapp.realtime import Knock


def knock_of(kind: str) -> Knock | None:
    """Return the knock that a wake-up of `wake.look` asks for, or None for any other wake-up."""
    from webapp import realtime  # noqa: PLC0415 - keeps Socket.IO out of the web processes

    look = wake.read_look(kind)
    if look is None:
        return None
    topic = merchant_topic(look.merchant_id, livemode=look.livemode)
    return realtime.Knock(topic, look.noun, look.merchant_id, 0)


def send_look(kind: str) -> bool:
    """Send the knock that a wake-up asks for; never fails.

    One that is lost with Valkey is made up for by the pages themselves, which then ask.
    """
    from webapp import realtime  # noqa: PLC0415 - keeps Socket.IO out of the web processes

    if (knock := knock_of(kind)) is not None:
        realtime.send_softly([knock])
    return True
