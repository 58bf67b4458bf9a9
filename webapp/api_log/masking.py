"""Bodies and queries as they may be kept: no secret, no card number, no personal data; pure."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from webapp.kernel import log

HIDDEN = log.HIDDEN
LONGEST = 8_192
#: Bodies come cut to so many bytes, and are then no JSON any more.
TOO_LONG = 65_536
DEEPEST = 40
_CUT = " … cut"
#: Fields whose values are hidden whatever they are: what opens something, and who somebody is.
_HIDDEN_NAMES = re.compile(
    r"pass(word)?|secret|token|authori[sz]ation|cookie|api_?key$|cvc|cvv|security_?code|signature"
    r"|^checkout$|^vpa$|card_?number|^number$|^pan$|expir|e_?mail|phone|^name$|holder|address|^line[12]$|^(checkout_)?url$|link",
    re.IGNORECASE,
)
#: Fields of ours that look like those and tell nothing.
_SHOWN_NAMES = frozenset({"doc_url", "expires_at", "token_kind"})


def masked_body(raw: bytes) -> str:
    """Return a JSON body without what nobody may read again, at most 8 KB; others as their size."""
    if not raw:
        return ""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return (
            f"({len(raw)} bytes that are not JSON)"
            if len(raw) < TOO_LONG
            else "(longer than 64 KB)"
        )
    text = json.dumps(_masked(found, DEEPEST), ensure_ascii=False, separators=(",", ":"))
    return _short(text.replace("\\u0000", "").replace("\x00", ""))


def masked_query(query: str) -> str:
    """Return a query without what nobody may read again, at most 8 KB."""
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, HIDDEN if _is_hidden(name) else log.clean_text(told)) for name, told in pairs]
    return _short(urlencode(kept, safe="[]", errors="replace").replace("%00", ""))


def _masked(value: Any, depth: int) -> Any:
    if depth == 0:
        return HIDDEN
    if isinstance(value, dict):
        return {
            log.clean_text(name): HIDDEN
            if _is_hidden(name) and told not in (None, "")
            else _masked(told, depth - 1)
            for name, told in value.items()
        }
    if isinstance(value, list):
        return [_masked(one, depth - 1) for one in value]
    if isinstance(value, str):
        return log.clean_text(value)
    if isinstance(value, int | float) and len(str(value)) > 12:  # noqa: PLR2004 - a card's digits
        cleaned = log.clean_text(str(value))
        return value if cleaned == str(value) else HIDDEN
    return value


def _is_hidden(name: str) -> bool:
    return name not in _SHOWN_NAMES and bool(_HIDDEN_NAMES.search(name))


def _short(text: str) -> str:
    raw = text.encode(errors="replace")
    if len(raw) <= LONGEST:
        return raw.decode()
    return raw[: LONGEST - len(_CUT.encode())].decode(errors="ignore") + _CUT
