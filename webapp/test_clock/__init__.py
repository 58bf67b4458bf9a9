"""A merchant’s test clock: time stays as it is, and what waits in test mode comes nearer."""

from webapp.test_clock.errors import NoLiveClock
from webapp.test_clock.service import MOST_SECONDS, advance, waiting_of

__all__ = ["MOST_SECONDS", "NoLiveClock", "advance", "waiting_of"]
