"""The guard for addresses that other people give us: where we may connect to, and where never.

Python's own `is_global` says yes to several ranges that lead back inside (NAT64, 6to4, multicast),
so the refused ranges are listed here, and it is the resolved address that is judged.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from webapp.kernel import names
from webapp.kernel.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48",
        "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32",
        "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7",
        "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip

#: Spaces, control characters and backslashes are read differently by different programs.
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f\\]")
#: A name, perhaps of another script, or an address, and a port; no zone, no format of the future.
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d*)?")
#: Letters that the two standards for names of other scripts send to different names.
_AMBIGUOUS = frozenset("\u00df\u03c2\u200c\u200d")


@dataclass(frozen=True, slots=True)
class Target:
    """An outside address that passed: dial `addresses` in turn, speak TLS for `host`.

    A name of another script is given in letters that every program reads (xn--…).
    """

    host: str
    port: int
    addresses: tuple[str, ...]
    path: str


def outside_target(url: str, *, resolve: Resolver | None = None, param: str = "url") -> Target:
    """Return where to connect for an https URL given by somebody else.

    The name is resolved once, within 3 s, and every answer must be public; the caller connects to
    one of the returned addresses and follows no redirect. Raises Invalid naming `param` otherwise.
    """
    try:
        parts = urlsplit(url)
        port = 443 if parts.port is None else parts.port
    except ValueError as wrong:
        raise Invalid("That is not a complete address.", param=param) from wrong
    if parts.scheme != "https" or not parts.hostname:
        raise Invalid("Use an address that begins with https://.", param=param)
    if _NOT_IN_ADDRESS.search(url) or not _HOST.fullmatch(parts.netloc.rpartition("@")[2]):
        raise Invalid("That address has a character in it that none has.", param=param)
    if parts.username is not None or parts.password is not None:
        raise Invalid("Leave the name and password out of the address.", param=param)
    if port != 443:  # noqa: PLR2004 - the https port
        raise Invalid("Use port 443, the usual one for https.", param=param)
    host = _in_plain_letters(parts.hostname, param)
    try:
        answers = (resolve or names.look_up)(host, port)
    except names.NotLookedUp as late:
        raise Invalid("That name could not be looked up in time. Try again.", param=param) from late
    if not answers or not all(is_public(answer) for answer in answers):
        raise Invalid("That address does not lead to a public server.", param=param)
    query = f"?{parts.query}" if parts.query else ""
    return Target(host, port, tuple(answers), (parts.path or "/") + query)


def is_public(address: str) -> bool:
    """Whether an IP address in text is one of the public Internet that we may connect to."""
    try:
        parsed: Address = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not any(
        parsed in network for network in _REFUSED if network.version == parsed.version
    )


def _in_plain_letters(host: str, param: str) -> str:
    if host.isascii():
        return host
    try:
        if not _AMBIGUOUS.isdisjoint(host):
            raise UnicodeError
        return host.encode("idna").decode("ascii")
    except UnicodeError as wrong:
        message = "Write the name of that server in its plain form, which begins with xn--."
        raise Invalid(message, param=param) from wrong
