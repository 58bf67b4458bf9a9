"""The books in as few words as possible, in minor units: what the rooms must agree with."""

from __future__ import annotations

from dataclasses import dataclass, field

FEE_BPS = 200


@dataclass
class Sale:
    """What an order's payment came to: what is held, what was taken, what went back."""

    price: int
    is_card: bool
    later: bool = False
    held: int = 0
    taken: int = 0
    returned: int = 0


@dataclass
class Model:
    """One shop, two wallets, and the platform's accounts as far as this story moved them."""

    wallet: int = 0
    friend: int = 0
    payable: int = 0
    fees: int = 0
    clearing: int = 0
    sales: dict[str, Sale] = field(default_factory=dict)

    def top_up(self, amount: int) -> None:
        """Money comes by card into the wallet, without a fee."""
        self.wallet += amount
        self.clearing -= amount

    def send(self, amount: int) -> None:
        """The wallet sends some of it to the friend's, or is sent some where that is below zero."""
        self.wallet -= amount
        self.friend += amount

    def pay(self, payment_id: str, sale: Sale) -> None:
        """A card is charged or held at once; a wallet that has too little pays nothing."""
        self.sales[payment_id] = sale
        if sale.later and sale.is_card:
            sale.held = sale.price
        else:
            self.take(payment_id, sale.price)

    def take(self, payment_id: str, amount: int) -> None:
        """Money is taken: it is the shop's, less the fee on what was taken."""
        sale = self.sales[payment_id]
        sale.taken, sale.held = amount, 0
        fee = (amount * FEE_BPS + 5_000) // 10_000
        self.payable += amount - fee
        self.fees += fee
        if sale.is_card:
            self.clearing -= amount
        else:
            self.wallet -= amount

    def let_go(self, payment_id: str) -> None:
        """Held money goes; nothing was anybody's yet."""
        self.sales[payment_id].held = 0

    def give_back(self, payment_id: str, amount: int, destination: str) -> None:
        """The shop gives back; the fee stays. Credit pays another order of its, without a fee."""
        sale = self.sales[payment_id]
        sale.returned += amount
        if destination == "order_credit":
            return
        self.payable -= amount
        if destination == "original" and sale.is_card:
            self.clearing += amount
        else:
            self.wallet += amount
