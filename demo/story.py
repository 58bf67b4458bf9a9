"""The story that the demo data tells: who sells what to whom, when, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

DAYS = 90
DEMO_PASSWORD = "Kettle-Harbour-42-Saffron"  # noqa: S105 - printed at every demo start


@dataclass(frozen=True, slots=True)
class SomePerson:
    """Somebody of the story; `sells_at` names merchants with the role there."""

    key: str
    name: str
    email: str
    timezone: str
    is_admin: bool = False
    sells_at: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ware:
    """Something that is sold, at a price in minor units."""

    words: str
    minor: int


@dataclass(frozen=True, slots=True)
class Shop:
    """A merchant: orders a day, and weights of the hours of its own day and of weekdays."""

    key: str
    name: str
    slug: str
    country: str
    timezone: str
    currencies: tuple[tuple[str, int], ...]
    fee_bps: int
    a_day: float
    hours: tuple[int, ...]
    weekdays: tuple[float, ...]
    wares: dict[str, tuple[Ware, ...]]
    growth: float = 0.3


PEOPLE = (
    SomePerson("asha", "Asha Raman", "shopper@paydeck.example", "Asia/Kolkata"),
    SomePerson(
        "ravi",
        "Ravi Menon",
        "merchant@paydeck.example",
        "Asia/Kolkata",
        sells_at=(("lotus", "owner"), ("harbour", "analyst")),
    ),
    SomePerson("ada", "Ada Okafor", "admin@paydeck.example", "Europe/London", is_admin=True),
    SomePerson(
        "june", "June Whitfield", "june@harbourbooks.example", "Europe/London",
        sells_at=(("harbour", "owner"),),
    ),
    SomePerson(
        "noor", "Noor Al-Sabah نور الصباح", "noor@alnoor.example", "Asia/Kuwait",
        sells_at=(("alnoor", "owner"),),
    ),
    SomePerson("kenji", "Kenji Watanabe", "kenji@shoppers.example", "Asia/Tokyo"),
    SomePerson(
        "maria", "María José Fernández de la Vega", "maria@shoppers.example", "Europe/London",
    ),
    SomePerson("li", "Li Wei", "li@shoppers.example", "Asia/Kolkata"),
    SomePerson(
        "meera", "Meera Iyer", "meera@lotustea.example", "Asia/Kolkata",
        sells_at=(("lotus", "support"),),
    ),
)  # fmt: skip

EVENING = (1, 0, 0, 0, 0, 1, 3, 6, 9, 10, 9, 8, 8, 7, 7, 8, 10, 13, 17, 20, 18, 12, 6, 3)
DAYTIME = (1, 1, 0, 0, 0, 1, 2, 4, 8, 12, 14, 15, 16, 15, 13, 12, 12, 10, 9, 8, 7, 6, 4, 2)
NIGHT = (4, 2, 1, 0, 0, 0, 1, 2, 4, 6, 8, 9, 8, 5, 4, 5, 8, 11, 13, 15, 17, 18, 14, 9)
WEEKEND_SHOP = (0.9, 0.85, 0.9, 1.0, 1.15, 1.45, 1.35)
OFFICE_SHOP = (1.15, 1.2, 1.15, 1.1, 1.05, 0.75, 0.6)
GULF_SHOP = (0.95, 0.95, 1.0, 1.2, 1.4, 1.25, 0.9)

SHOPS = (
    Shop(
        "lotus", "Lotus Tea House", "lotus-tea-house", "IN", "Asia/Kolkata",
        (("INR", 92), ("USD", 8)), 200, 72, EVENING, WEEKEND_SHOP,
        {
            "INR": (
                Ware("First flush Darjeeling, 250 g", 1_000_00),
                Ware("Assam breakfast, 500 g", 640_00),
                Ware("Masala chai tin", 349_50),
                Ware("Kahwa gift box", 1_850_00),
                Ware("Hand-thrown kettle", 4_299_00),
                Ware("Tea tasting for two", 2_400_00),
                Ware("Nilgiri frost tea, 100 g", 520_00),
            ),
            "USD": (Ware("Export box, twelve teas", 89_00), Ware("Matcha set", 42_50)),
        },
        growth=0.5,
    ),
    Shop(
        "harbour", "Harbour Books", "harbour-books", "GB", "Europe/London",
        (("USD", 70), ("JPY", 30)), 250, 38, DAYTIME, OFFICE_SHOP,
        {
            "USD": (
                Ware("Paperback", 14_99),
                Ware("Hardback", 32_00),
                Ware("Signed first edition", 240_00),
                Ware("Book club, three months", 75_00),
            ),
            "JPY": (Ware("文庫本", 990), Ware("Illustrated atlas", 8_800), Ware("Calendar", 2_420)),
        },
        growth=0.1,
    ),
    Shop(
        "alnoor", "Al Noor Spices النور", "al-noor-spices", "KW", "Asia/Kuwait",
        (("KWD", 85), ("INR", 15)), 180, 18, NIGHT, GULF_SHOP,
        {
            "KWD": (
                Ware("Saffron, 5 g", 6_750),
                Ware("Cardamom, 250 g", 2_400),
                Ware("زعتر", 1_250),
                Ware("Family hamper", 38_900),
            ),
            "INR": (Ware("Sample box", 1_499_00), Ware("Black lime, 200 g", 275_00)),
        },
        growth=0.2,
    ),
)  # fmt: skip

#: What becomes of an order, in parts of a thousand on an ordinary day.
CAPTURED_FIRST = 830
CAPTURED_LATER = 70
FAILED = 60
NEVER_TRIED = 40

#: A bank in the first shop's country declined most cards for a few hours, this many days ago.
OUTAGE_DAYS_AGO = 11
OUTAGE_HOURS = range(18, 22)
#: The festival sale.
FESTIVAL_DAYS_AGO = range(19, 23)
FESTIVAL_FACTOR = 2.1

DECLINES = (
    ("insufficient_funds", 34),
    ("generic_decline", 27),
    ("payment_intent_authentication_failure", 14),
    ("incorrect_cvc", 10),
    ("expired_card", 7),
    ("processing_error", 5),
    ("card_velocity_exceeded", 3),
)
#: What becomes of a captured payment later; a refund above this waits for a second person.
REFUNDS = (("none", 968), ("succeeded", 16), ("partial", 10), ("cancelled", 3), ("failed", 3))
APPROVAL_ABOVE = 5_000_000
GIFTS = Ware("Corporate gifting, forty hampers", 64_000_00)
#: Made to order: the money is only held until the parcel leaves; how many hours ago.
HELD = Ware("Tea chest, made to order", 7_450_00)
HELD_HOURS_AGO = (4, 19, 52, 131)
#: One payment that came in at half of what was asked, so many hours ago.
SHORT_HOURS_AGO = 7
OUTAGE_DECLINE = "processing_error"
CARDS = (("visa", 46), ("mastercard", 34), ("amex", 8), ("discover", 4), ("jcb", 8))
GUESTS = (
    "Aarav", "Ananya", "Diya", "Ishaan", "Kavya", "Rohan", "Sara", "Vihaan", "Emma", "Oliver",
    "Sophie", "Tom", "Yuki", "Haruto", "Fatima", "Omar", "Layla", "Yusuf", "Chloe", "Arjun",
)  # fmt: skip
