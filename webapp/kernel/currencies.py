"""How an amount of a currency is written; the one place that knows signs and grouping."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency, get_currency_symbol

INDIAN = "en_IN"
WESTERN = "en_US"


def written(amount: Decimal, currency: str) -> str:
    """Return an amount in major units as its country writes it: `₹1,000.00`, `KWD 1.250`."""
    text: str = format_currency(
        amount, currency, locale=_locale(currency), decimal_quantization=True
    )
    symbol = symbol_of(currency)
    if symbol.isalpha() and symbol + " " not in text.replace("\u00a0", " "):
        text = text.replace(symbol, symbol + " ")
    return text.replace("\u00a0", " ").replace("-", "−")


def symbol_of(currency: str) -> str:
    """Return the currency's sign, or its code where it has none."""
    symbol: str = get_currency_symbol(currency, locale=_locale(currency))
    return symbol


def _locale(currency: str) -> str:
    return INDIAN if currency == "INR" else WESTERN
