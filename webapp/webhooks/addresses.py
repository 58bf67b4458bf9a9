"""Addresses of endpoints: looked up before a transaction is open, and the demo's own receiver."""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from webapp.kernel import db, net
from webapp.kernel.errors import Forbidden, Invalid, Refusal
from webapp.kernel.net import Resolver
from webapp.webhooks.errors import TooManyLookups

MAX_URL: Final = 2_000
RECEIVER_PATH: Final = "/demo/receiver/"
#: Each look-up holds a thread of the server while it waits for a name server of somebody else's
#: choice: so many wait at once in a process, and so many of them for one merchant.
SEATS: Final = 4
SEATS_EACH: Final = 2


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was looked up, and why it may not be used where that is so."""

    url: str
    refused: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Wiring:
    resolve: Resolver | None = None
    receiver: str | None = None


AT_HOME: Final = (
    "Events are sent to public servers. One on your own machine gets them by the command paydeck"
    " listen."
)
_wiring: list[_Wiring] = [_Wiring()]
_waiting: Counter[str] = Counter()
_lock = threading.Lock()


def use(*, receiver: str | None, resolve: Resolver | None = None) -> None:
    """Set where the demo's built-in receiver is reached (None outside the demo); called at start.

    Tests give names answers of their own with `resolve`.
    """
    _wiring[:] = [_Wiring(resolve, receiver)]


def look_up(url: str, *, whose: str) -> Address:
    """Find out where an address leads, within 3 s; what is wrong with it is told where it is used.

    `whose` names the merchant that waits; TooManyLookups is what is wrong where they wait for
    enough names already, or all do. Never inside a transaction: a name server may take its time.
    """
    db.assert_no_transaction()
    typed = url.strip()
    try:
        if len(typed) > MAX_URL:
            raise Invalid(f"Keep the address to {MAX_URL} characters.", param="url")
        with _seat(whose):
            net.outside_target(typed, resolve=_wiring[0].resolve)
    except TooManyLookups as refused:
        return Address(typed, refused)
    except Invalid as refused:
        return Address(typed, Invalid(AT_HOME, param="url") if _is_at_home(typed) else refused)
    return Address(urlsplit(typed)._replace(fragment="").geturl())


def _is_at_home(url: str) -> bool:
    """Whether an address names, in so many words, the machine on which it is read."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked(address: str | Address, *, whose: str) -> str:
    """Return the URL of an address that leads to a public server.

    One in text is looked up first, for `whose`. Raises Invalid naming `url`, or TooManyLookups.
    """
    found = look_up(address, whose=whose) if isinstance(address, str) else address
    if found.refused is not None:
        raise found.refused
    return found.url


@contextmanager
def _seat(whose: str) -> Iterator[None]:
    """Wait among the few who may; raises TooManyLookups at once where no seat is free."""
    with _lock:
        if _waiting[whose] >= SEATS_EACH or _waiting.total() >= SEATS:
            raise TooManyLookups(param="url")
        _waiting[whose] += 1
    try:
        yield
    finally:
        with _lock:
            _waiting[whose] -= 1
            if not _waiting[whose]:
                del _waiting[whose]


def receiver(endpoint_id: str) -> str:
    """Return where the built-in receiver of an endpoint is; raises Forbidden outside the demo."""
    base = _wiring[0].receiver
    if base is None:
        raise Forbidden("The built-in receiver is part of the demo alone.")
    return f"{base}{RECEIVER_PATH}{endpoint_id}"


def current_url(endpoint_id: str, url: str, *, is_built_in: bool) -> str:
    """Return where an endpoint is now: the demo's own receiver moves with the portal's port."""
    is_here = is_built_in and _wiring[0].receiver is not None
    return receiver(endpoint_id) if is_here else url
