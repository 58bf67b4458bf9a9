"""Dated versions of the API: which one a request is answered in."""

from __future__ import annotations

from typing import Final

from webapp import webhooks
from webapp.api.errors import VersionUnknown

HEADER: Final = "Paydeck-Version"
#: The same dates as those of events: an object looks alike in both.
VERSIONS: Final = webhooks.VERSIONS
NEWEST: Final = webhooks.NEWEST


def chosen(sent: str | None, usual: str | None) -> str:
    """Return the version that was sent, or the key's own, or the newest; raises VersionUnknown."""
    version = sent if sent is not None else usual or NEWEST
    if version not in VERSIONS:
        raise VersionUnknown(param=HEADER)
    return version
