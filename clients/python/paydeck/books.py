"""Transactions, the ledger’s balance, figures, and people’s wallets."""

from __future__ import annotations

from typing import Any, Unpack

from paydeck import fields
from paydeck import objects as told
from paydeck.pages import Page
from paydeck.resource import Resource

Figures = dict[str, Any]


class Transactions(Resource):
    """Lines of history."""

    def list(self, **only: Unpack[fields.Listed]) -> Page[told.Transaction]:
        """Return a page of what moved money."""
        return self._list(told.Transaction, "transactions", query=only)


class Ledger(Resource):
    """What the books say."""

    def balance(self) -> told.Balance:
        """Return what the merchant is owed now, by currency."""
        return self._get(told.Balance, "ledger", "balance")


class Analytics(Resource):
    """Figures of one currency at a time; the merchant’s own, if none is given."""

    def currencies(self) -> Figures:
        """Return in which currencies there are figures."""
        return self._get(Figures, "analytics", "currencies")

    def today(self, *, currency: str | None = None) -> Figures:
        """Return today so far beside yesterday up to the same time."""
        return self._get(Figures, "analytics", "today", currency=currency)

    def daily(self, *, currency: str | None = None) -> Figures:
        """Return the last 30 days and the 30 before them."""
        return self._get(Figures, "analytics", "daily", currency=currency)

    def hours(self, *, currency: str | None = None) -> Figures:
        """Return payments of four weeks by weekday and hour."""
        return self._get(Figures, "analytics", "hours", currency=currency)


class Wallets(Resource):
    """Wallets of the person whose access token is used; API keys have none."""

    def create(self, **new: Unpack[fields.NewWallet]) -> told.Wallet:
        """Open the wallet of a currency, or return the one that there is."""
        return self._do(told.Wallet, "wallets", sent=new)

    def get(self, wallet_id: str) -> told.Wallet:
        """Return a wallet with what is in it."""
        return self._get(told.Wallet, "wallets", wallet_id)

    def list(self) -> Page[told.Wallet]:
        """Return all of one’s wallets."""
        return self._list(told.Wallet, "wallets", query={})

    def balance(self, wallet_id: str) -> told.WalletBalance:
        """Return what is in a wallet, straight from the books."""
        return self._get(told.WalletBalance, "wallets", wallet_id, "balance")

    def deposit(self, wallet_id: str, **much: Unpack[fields.NewDeposit]) -> told.WalletDeposit:
        """Begin to fill a wallet; it is paid by card at `url`."""
        return self._do(told.WalletDeposit, "wallets", wallet_id, "deposits", sent=much)

    def send(self, wallet_id: str, **new: Unpack[fields.NewTransfer]) -> told.WalletTransfer:
        """Send somebody money, at once and for good."""
        return self._do(told.WalletTransfer, "wallets", wallet_id, "transfers", sent=new)

    def statement(self, wallet_id: str, **only: Unpack[fields.Listed]) -> Page[dict[str, Any]]:
        """Return a page of a wallet’s movements."""
        return self._list(dict[str, Any], "wallets", wallet_id, "statement", query=only)

    def transfers(self, **only: Unpack[fields.Listed]) -> Page[told.WalletTransfer]:
        """Return a page of what one sent and was sent."""
        return self._list(told.WalletTransfer, "wallet-transfers", query=only)
