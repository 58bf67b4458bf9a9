"""Money: whole minor units of one currency; never a bare number, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from webapp.kernel.currencies import written
from webapp.kernel.errors import Invalid

#: Decimals of each currency we take; ISO 4217, checked against what the provider accepts.
EXPONENTS: dict[str, int] = {
    "AED": 2, "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "DKK": 2, "EUR": 2, "GBP": 2,
    "HKD": 2, "IDR": 2, "INR": 2, "MXN": 2, "MYR": 2, "NOK": 2, "NZD": 2, "PHP": 2,
    "PLN": 2, "SEK": 2, "SGD": 2, "THB": 2, "TRY": 2, "USD": 2, "ZAR": 2,
    "CLP": 0, "JPY": 0, "KRW": 0, "VND": 0,
    "BHD": 3, "JOD": 3, "KWD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip

#: The largest amount of one payment, in minor units (₹99,99,99,999.99).
MAX_MINOR = 99_999_999_999
BASIS = 10_000
#: Digits with or without commas, grouped in thousands or as in India, then a point and more digits;
#: `1,00` is none of these: it might be one or a hundred, so nobody guesses.
_PLAIN = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}|[0-9]*)"
    r"(?:\.(?P<fraction>[0-9]+))?"
)
_LONGEST_WHOLE = 20


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum: a fault in our own code."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """`minor` whole minor units of `currency` (ISO 4217, upper case); may be negative."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            message = f"minor units are whole numbers, not {type(self.minor).__name__}"
            raise TypeError(message)
        if self.currency not in EXPONENTS:
            raise Invalid(
                f"“{self.currency[:8]}” is not a currency we take. Use one such as INR or USD.",
                param="currency",
            )

    @property
    def exponent(self) -> int:
        """How many decimals the currency has: 0, 2 or 3."""
        return EXPONENTS[self.currency]

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def basis_points(self, points: int) -> Money:
        """Return `points` hundredths of a percent of this amount, rounded half away from zero."""
        scaled = abs(self.minor) * points
        rounded = (scaled + BASIS // 2) // BASIS
        return Money(rounded if self.minor >= 0 else -rounded, self.currency)

    def split(self, weights: list[int]) -> list[Money]:
        """Return one part per weight (at least one positive), which sum to this amount exactly.

        Units left over go to the largest remainders, the earliest first.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            message = "weights are not negative and sum to more than zero"
            raise ValueError(message)
        parts = [self.minor * weight // total for weight in weights]
        order = sorted(range(len(weights)), key=lambda i: (-(self.minor * weights[i] % total), i))
        for index in order[: self.minor - sum(parts)]:
            parts[index] += 1
        return [Money(part, self.currency) for part in parts]

    def decimal(self) -> Decimal:
        """Return the amount in major units, exact."""
        return Decimal(self.minor).scaleb(-self.exponent)

    def plain(self) -> str:
        """Return the amount in major units with all its decimals and no symbol, as `1000.00`."""
        return f"{self.decimal():.{self.exponent}f}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            message = f"{self.currency} and {other.currency} cannot be mixed"
            raise CurrencyMismatch(message)
        return other.minor


def parse_money(typed: str, currency: str, *, param: str = "amount") -> Money:
    """Turn what a person typed in major units, such as `1,000.00`, into Money.

    Raises Invalid naming `param` when it is not a number, not positive, finer than the currency's
    minor unit, or more than the limit for one payment.
    """
    exponent = Money(0, currency).exponent
    text = typed.strip().replace("\u00a0", "").replace(" ", "")
    if not text:
        raise Invalid("Enter an amount.", param=param)
    if text.startswith(("-", "\u2212")):
        raise Invalid("Enter an amount above zero.", param=param)
    found = _PLAIN.fullmatch(text)
    if found is None:
        raise Invalid("Enter the amount in digits, such as 1000.00.", param=param)
    whole = found["whole"].replace(",", "").lstrip("0")
    fraction = (found["fraction"] or "").rstrip("0")
    if len(fraction) > exponent:
        raise Invalid(_too_fine(currency, exponent), param=param)
    if len(whole) > _LONGEST_WHOLE:
        raise Invalid(_too_much(currency), param=param)
    minor = int(whole + fraction.ljust(exponent, "0") or "0")
    return payable(Money(minor, currency), param=param)


def payable(money: Money, *, param: str = "amount") -> Money:
    """Return `money` if one payment can be that much; otherwise raise Invalid naming `param`."""
    if money.minor <= 0:
        raise Invalid("Enter an amount above zero.", param=param)
    if money.minor > MAX_MINOR:
        raise Invalid(_too_much(money.currency), param=param)
    if money.exponent == 3 and money.minor % 10:  # noqa: PLR2004 - three decimals
        raise Invalid(
            f"{money.currency} amounts end in a zero in the third decimal, such as 1.250.",
            param=param,
        )
    return money


def _too_much(currency: str) -> str:
    limit = Money(MAX_MINOR, currency)
    return f"One payment can be at most {written(limit.decimal(), currency)}."


def _too_fine(currency: str, exponent: int) -> str:
    if exponent == 0:
        return f"{currency} has no decimals. Enter a whole amount."
    return f"{currency} has {exponent} decimals. Enter at most {exponent} after the point."
