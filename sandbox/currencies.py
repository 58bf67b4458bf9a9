"""The currencies the sandbox takes, with the limits the provider sets for an amount."""

from sandbox.wire import Params, invalid

_TWO = (
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad "
    "cdf chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl "
    "htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt "
    "mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub "
    "sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs "
    "wst xcd yer zar zmw"
)
_NONE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE = "bhd jod kwd omr tnd"
CURRENCIES = frozenset(f"{_TWO} {_NONE} {_THREE}".split())
_THREE_DECIMALS = frozenset(_THREE.split())
_NO_DECIMALS = frozenset(_NONE.split())
_SIGNS = {"inr": "₹", "usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
_SMALLEST = {"usd": 50, "eur": 50, "gbp": 30, "inr": 50, "jpy": 50}
_LARGEST = {"inr": 9_999_999_999, "jpy": 9_999_999_999, "idr": 999_999_999_999}


def decimals(currency: str) -> int:
    """How many digits of an amount stand after the decimal point."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def read_currency(params: Params) -> str:
    """The currency of a call in small letters; refuses one the provider does not take."""
    currency = params.need_text("currency").lower()
    if currency not in CURRENCIES:
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    return currency


def check_amount(amount: int, currency: str, param: str = "amount") -> int:
    """The amount in minor units; refuses one outside the provider's limits."""
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            param=param,
            code="parameter_invalid_integer",
        )
    if amount < _SMALLEST.get(currency, 1):
        raise invalid(
            f"Amount must be at least {spoken(_SMALLEST[currency], currency)}",
            param=param,
            code="amount_too_small",
        )
    if amount > _LARGEST.get(currency, 99_999_999):
        raise invalid(
            f"Amount must be no more than {spoken(_LARGEST.get(currency, 99_999_999), currency)}",
            param=param,
            code="amount_too_large",
        )
    if currency in _THREE_DECIMALS and amount % 10:
        raise invalid(
            "Amounts in three-decimal currencies must end in 0.",
            param=param,
            code="parameter_invalid_integer",
        )
    return amount


def spoken(amount: int, currency: str) -> str:
    """An amount as people write it, such as `₹1,00,000.00` or `KWD 1.250`."""
    places = decimals(currency)
    whole, part = divmod(amount, 10**places)
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    digits = _indian(whole) if currency == "inr" else f"{whole:,}"
    return f"{sign}{digits}" + (f".{part:0{places}}" if places else "")


def _indian(whole: int) -> str:
    """Thousands, then lakhs and crores: groups of two beyond the last three digits."""
    head, tail = divmod(whole, 1000)
    if not head:
        return str(tail)
    pairs = str(head)
    first = len(pairs) % 2
    groups = [pairs[:first]] if first else []
    groups += [pairs[place : place + 2] for place in range(first, len(pairs), 2)]
    return ",".join([*groups, f"{tail:03}"])
