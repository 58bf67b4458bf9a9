"""Sample figures for the parts page: typical, empty and extreme."""

from __future__ import annotations

from dataclasses import dataclass

LONG_NAME = "The Extraordinarily Long-Named Cooperative of Sundarban Honey"
ARABIC_NAME = "مؤسسة النور للتجارة"


@dataclass(frozen=True, slots=True)
class Parts:
    """An amount cut up for typography, as the money filter gives it."""

    sign: str
    symbol: str
    whole: str
    separator: str
    minor: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One payment of the sample table."""

    id: str
    customer: str
    method: str
    state: dict[str, str]
    at: str
    amount: dict[str, str]


def parts_context() -> dict[str, object]:
    """Return everything that the parts page shows."""
    return {
        "samples": {
            "amounts": AMOUNTS,
            "states": STATES,
            "columns": COLUMNS,
            "rows": ROWS,
            "breakdown": BREAKDOWN,
            "events": EVENTS,
            "technical": TECHNICAL,
            "days": DAYS,
            "previous": PREVIOUS,
            "changes": CHANGES,
            "json": JSON,
            "methods": METHODS,
            "long_name": LONG_NAME,
            "arabic_name": ARABIC_NAME,
            "bars": _bars(),
            "figures": [
                [f"{day} Nov 2026", str(value or "–")] for day, value in enumerate(DAYS, 1)
            ],
        }
    }


def _amount(
    symbol: str, whole: str, minor: str = "", code: str = "INR", sign: str = ""
) -> dict[str, str]:
    separator = "." if minor else ""
    gap = " " if len(symbol) > 2 else ""  # noqa: PLR2004 - a code instead of a sign
    text = f"{sign}{symbol}{gap}{whole}{separator}{minor}"
    return {
        "sign": sign,
        "symbol": symbol,
        "whole": whole,
        "separator": separator,
        "minor": minor,
        "code": code,
        "text": text,
    }


AMOUNTS = {
    "typical": _amount("₹", "1,000", "00"),
    "extreme": _amount("₹", "99,99,99,999", "00"),
    "negative": _amount("₹", "250", "00", sign="−"),
    "zero": _amount("₹", "0", "00"),
    "dollars": _amount("$", "1,249", "50", "USD"),
    "yen": _amount("¥", "148,000", code="JPY"),
    "dinar": _amount("KWD", "12", "500", "KWD"),
    "fee": _amount("₹", "29", "00", sign="−"),
    "tax": _amount("₹", "5", "22", sign="−"),
    "net": _amount("₹", "965", "78"),
    "today": _amount("₹", "4,82,350", "00"),
}
STATES = [
    {"label": "Started", "tone": "neutral", "icon": "clock"},
    {"label": "Processing", "tone": "progress", "icon": "loader-circle"},
    {"label": "Waiting for the bank’s check", "tone": "warning", "icon": "shield-check"},
    {"label": "Paid", "tone": "success", "icon": "check"},
    {"label": "Failed", "tone": "danger", "icon": "x"},
    {"label": "Expired", "tone": "neutral", "icon": "timer-off"},
]
COLUMNS = [
    {"label": "Customer"},
    {"label": "Method", "up": "mid"},
    {"label": "Status"},
    {"label": "Created", "up": "small", "sort_href": "#table", "sorted": "descending"},
    {"label": "Amount", "num": True, "sort_href": "#table"},
]
ROWS = [
    Row(
        "pay_01JD8Q2VZ7",
        "Priya Raman",
        "Visa •••• 4242",
        STATES[3],
        "21 Nov 2026, 14:05 IST",
        AMOUNTS["typical"],
    ),
    Row(
        "pay_01JD8Q1K3M",
        LONG_NAME,
        "Wallet",
        STATES[1],
        "21 Nov 2026, 14:04 IST",
        AMOUNTS["extreme"],
    ),
    Row(
        "pay_01JD8PZX0C",
        "Haruki Sato",
        "Mastercard •••• 4444",
        STATES[4],
        "21 Nov 2026, 13:51 IST",
        AMOUNTS["yen"],
    ),
    Row(
        "pay_01JD8PWQ9E",
        ARABIC_NAME,
        "Visa •••• 3184",
        STATES[2],
        "21 Nov 2026, 13:40 IST",
        AMOUNTS["dinar"],
    ),
    Row(
        "pay_01JD8PT2HS",
        "Dana Okafor",
        "American Express •••• 0005",
        STATES[3],
        "21 Nov 2026, 13:32 IST",
        AMOUNTS["dollars"],
    ),
]
BREAKDOWN = [
    {"label": "Paid by the customer", "amount": AMOUNTS["typical"]},
    {"label": "Platform fee", "amount": AMOUNTS["fee"], "note": "2.9 % of ₹1,000.00"},
    {"label": "Tax on the fee", "amount": AMOUNTS["tax"], "note": "18 % of ₹29.00"},
]
EVENTS = [
    {
        "sentence": "Paid: ₹1,000.00 for Order #1042.",
        "at": "21 Nov 2026, 14:05 IST",
        "tone": "success",
        "icon": "circle-check",
        "by": "the provider",
    },
    {
        "sentence": "The bank asked the shopper to confirm the payment, and they did.",
        "at": "21 Nov 2026, 14:04 IST",
        "icon": "shield-check",
        "detail": "3-D Secure, 41 seconds",
    },
    {
        "sentence": "Visa •••• 0002 was declined by the bank. No money moved.",
        "at": "21 Nov 2026, 14:02 IST",
        "tone": "danger",
        "icon": "circle-x",
        "detail": "generic_decline: the bank gives no reason. Another card usually works.",
    },
    {
        "sentence": "Anna Vermeulen created the order.",
        "at": "21 Nov 2026, 13:58 IST",
        "icon": "receipt-text",
    },
]
TECHNICAL = [
    {"sentence": "Operation op_01JD8Q2VZ7 answered after 412 ms.", "at": "21 Nov 2026, 14:05 IST"},
    {"sentence": "Provider event evt_3Q9 stored, first delivery.", "at": "21 Nov 2026, 14:05 IST"},
]
DAYS = [
    312,
    298,
    340,
    361,
    402,
    180,
    164,
    322,
    331,
    None,
    372,
    410,
    205,
    190,
    355,
    381,
    396,
    420,
    441,
    230,
]
PREVIOUS = [
    280,
    275,
    301,
    330,
    350,
    170,
    150,
    300,
    310,
    322,
    340,
    362,
    190,
    171,
    320,
    344,
    350,
    371,
    390,
    210,
]
CHANGES = [
    {"label": "platform_fee", "before": "2.9 %", "after": "2.4 %"},
    {"label": "return_url", "before": None, "after": "https://shop.example/thanks"},
    {"label": "support_email", "before": "help@old.example", "after": None},
]
JSON = """{
  "id": "pay_01JD8Q2VZ7",
  "status": "captured",
  "amount_minor": 100000,
  "currency": "INR",
  "metadata": {"order": "1042"}
}"""
METHODS = [
    {"value": "card", "title": "Card", "note": "Credit or debit card", "icon": "credit-card"},
    {"value": "wallet", "title": "Wallet", "note": "₹2,400.00 available", "icon": "wallet"},
    {
        "value": "bank",
        "title": "Bank transfer",
        "icon": "landmark",
        "disabled_because": "The banks are not answering right now. A card works.",
    },
]


def _bars() -> list[dict[str, float | bool | int]]:
    """Return the sample chart's bars: where each stands and how high, in the drawing's units."""
    step, floor, scale = 30.0, 200.0, 0.4
    return [
        {
            "x": 48 + place * step,
            "y": floor - (value or 0) * scale,
            "height": (value or 0) * scale,
            "is_gap": value is None,
            "is_weekend": place % 7 in {5, 6},
            "day": place + 1,
            "previous_y": floor - PREVIOUS[place] * scale,
        }
        for place, value in enumerate(DAYS)
    ]
