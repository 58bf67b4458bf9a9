"""Which accounts there are, and the name of each; pure."""

from __future__ import annotations

from dataclasses import dataclass

#: The merchant row that stands for whoever runs this portal; it owns every account but payables.
PLATFORM_ID = "mer_00000000000000000000000000"

PAYABLE = "payable"
FEES = "fees"
WALLET = "wallet"
SUSPENSE = "suspense"
REFUNDS_IN_TRANSIT = "refunds_in_transit"
STORE_CREDIT = "store_credit"
CLEARING = "clearing_"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account by what it is for; it is opened when something is first posted to it."""

    merchant_id: str
    livemode: bool
    kind: str
    currency: str
    user_id: str | None = None

    @property
    def name(self) -> str:
        """The account's unique name; the database derives the same one from its columns."""
        mode = "live" if self.livemode else "test"
        parts = [self.merchant_id, mode, self.kind, self.currency]
        return "/".join([*parts, self.user_id] if self.user_id else parts)


def payable(merchant_id: str, livemode: bool, currency: str) -> AccountRef:  # noqa: FBT001 - mode
    """What we owe a merchant."""
    return AccountRef(merchant_id, livemode, PAYABLE, currency)


def fees(livemode: bool, currency: str) -> AccountRef:  # noqa: FBT001 - mode
    """What merchants paid the platform for its work."""
    return AccountRef(PLATFORM_ID, livemode, FEES, currency)


def clearing(livemode: bool, currency: str, provider: str = "card") -> AccountRef:  # noqa: FBT001 - mode
    """What a provider holds for us; negative by as much."""
    return AccountRef(PLATFORM_ID, livemode, CLEARING + provider, currency)


def wallet(user_id: str, livemode: bool, currency: str) -> AccountRef:  # noqa: FBT001 - mode
    """What a person has stored with us; never below zero."""
    return AccountRef(PLATFORM_ID, livemode, WALLET, currency, user_id)


def suspense(livemode: bool, currency: str) -> AccountRef:  # noqa: FBT001 - mode
    """Money that came without a place to go, until somebody decides."""
    return AccountRef(PLATFORM_ID, livemode, SUSPENSE, currency)


def account_named(name: str) -> AccountRef:
    """Return the account that a name is of; raises ValueError where it names none."""
    merchant_id, mode, kind, currency, *owner = name.split("/")
    if mode not in {"live", "test"} or len(owner) > 1:
        message = "that is no account's name"
        raise ValueError(message)
    return AccountRef(merchant_id, mode == "live", kind, currency, owner[0] if owner else None)


def refunds_in_transit(livemode: bool, currency: str) -> AccountRef:  # noqa: FBT001 - mode
    """Money on its way back to shoppers, until the provider says that it has gone."""
    return AccountRef(PLATFORM_ID, livemode, REFUNDS_IN_TRANSIT, currency)


def store_credit(livemode: bool, currency: str) -> AccountRef:  # noqa: FBT001 - mode
    """What merchants gave back as credit, for the moment until it pays another order."""
    return AccountRef(PLATFORM_ID, livemode, STORE_CREDIT, currency)
