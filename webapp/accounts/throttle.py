"""Tries at a secret, counted in Postgres: five an account, twenty a network, in a quarter hour.

A try is counted before it is checked, so that many at once cannot slip through; a success takes the
account's tries back. A network from which the account was used before has a count of its own, so
that a stranger's guesses do not lock the owner out.
"""

from __future__ import annotations

import ipaddress

from sqlalchemy import text

from webapp.accounts.errors import TooManyTries
from webapp.kernel import clock, db, ids

IPV4_BITS, IPV6_BITS = 24, 56
UNKNOWN = "unknown"
SIGN_IN = "sign_in"
CONFIRM = "confirm_password"
REGISTER = "register"
RESET = "reset"
VERIFY = "verify"
CHECK_PAYMENT = "check_payment"
SEND_MONEY = "send_money"
OPEN_LINK = "open_link"
#: Tries an account and a network in a quarter hour. Guesses at a password are fewest; many people
#: behind one network may sign up or ask for a mail. Of questions to the provider the “account” is
#: the payment that is asked about, of money sent from a wallet the person who sends, of a payment
#: link that is opened that link and the one address that opens it; a shop's guests share theirs.
LIMITS: dict[str, tuple[int, int]] = {
    SIGN_IN: (5, 20),
    CONFIRM: (5, 20),
    REGISTER: (5, 100),
    RESET: (5, 100),
    VERIFY: (5, 100),
    CHECK_PAYMENT: (10, 100),
    SEND_MONEY: (30, 300),
    OPEN_LINK: (120, 600),
}


def address_prefix(address: str) -> str:
    """Return the network (/24 or /56) of an IP address; UNKNOWN for anything else."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = IPV4_BITS if parsed.version == 4 else IPV6_BITS  # noqa: PLR2004 - the IP version
    return str(ipaddress.ip_network(f"{parsed}/{bits}", strict=False))


def note_try(purpose: str, account_index: str, address: str) -> None:
    """Count one try and commit it; raises TooManyTries, uncounted, when there were enough.

    People whose network is not known share no count of networks, only each account's own.
    """
    per_account, per_network = LIMITS[purpose]
    with db.transaction() as session:
        wait = session.scalar(
            text(
                "SELECT note_try(:id, :purpose, :account, :prefix, :at, :per_account, :per_network)"
            ),
            {
                "id": ids.new("token"),
                "purpose": purpose,
                "account": account_index,
                "prefix": address_prefix(address),
                "at": clock.now(),
                "per_account": per_account,
                "per_network": per_network,
            },
        )
    if wait:
        raise TooManyTries(wait)


def forget_tries(purpose: str, account_index: str) -> None:
    """Take the account's tries back after a success; a step of the caller's transaction."""
    db.assert_transaction()
    db.session.execute(
        text("SELECT forget_tries(:purpose, :account)"),
        {"purpose": purpose, "account": account_index},
    )
