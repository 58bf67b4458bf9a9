"""Addresses of endpoints: looked up before a transaction is open, and the demo's own receiver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from webapp.kernel import db, net
from webapp.kernel.errors import Forbidden, Invalid
from webapp.kernel.net import Resolver

MAX_URL: Final = 2_000
RECEIVER_PATH: Final = "/demo/receiver/"


@dataclass(frozen=True, slots=True)
class Address:
    """An address that was looked up, and why it may not be used where that is so."""

    url: str
    refused: Invalid | None = None


@dataclass(frozen=True, slots=True)
class _Wiring:
    resolve: Resolver | None = None
    receiver: str | None = None


_wiring: list[_Wiring] = [_Wiring()]


def use(*, receiver: str | None, resolve: Resolver | None = None) -> None:
    """Set where the demo's built-in receiver is reached (None outside the demo); called at start.

    Tests give names answers of their own with `resolve`.
    """
    _wiring[:] = [_Wiring(resolve, receiver)]


def look_up(url: str) -> Address:
    """Find out where an address leads, within 3 s; what is wrong with it is told where it is used.

    Never inside a transaction: a name server may take its time.
    """
    db.assert_no_transaction()
    typed = url.strip()
    try:
        if len(typed) > MAX_URL:
            raise Invalid(f"Keep the address to {MAX_URL} characters.", param="url")
        net.outside_target(typed, resolve=_wiring[0].resolve)
    except Invalid as refused:
        return Address(typed, refused)
    return Address(urlsplit(typed)._replace(fragment="").geturl())


def checked(address: str | Address) -> str:
    """Return the URL of an address that leads to a public server; raises Invalid naming `url`.

    One in text is looked up first.
    """
    found = look_up(address) if isinstance(address, str) else address
    if found.refused is not None:
        raise found.refused
    return found.url


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
