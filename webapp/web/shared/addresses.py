"""What came in an address or a form, before anything is made of it: may it be kept, and told.

What people write as the reason for a deed goes into records that nothing is ever taken out of, so
a card number is refused there before any door reads it.
"""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, request

from webapp.kernel import crypto, log
from webapp.kernel.errors import Invalid

NUL = "\x00"
#: Parts of addresses that open something for whoever has them; they are put into no log.
SECRET_PARTS = frozenset({"token", "link"})
#: Fields of any form whose words are kept for ever, in moves and on the audit trail.
KEPT_WORDS = frozenset({"because", "reference"})
#: So much of them is looked at; longer ones are refused for their length where they are kept.
LOOKED_AT = 4_000


def install(app: Flask) -> None:
    """Refuse text that the database cannot or must not keep, wherever in a request it stands."""

    @app.before_request
    def refuse_unstorable() -> None:
        if request.url_rule is None:
            return
        for name, text in _texts():
            if NUL in name or NUL in text:
                raise Invalid("That has a character in it that cannot be stored.")
            if name in KEPT_WORDS and crypto.looks_like_card_number(text[:LOOKED_AT]):
                raise Invalid("That looks like a card number. Never write those here.", param=name)


def shown_path() -> str:
    """Return the path of the present request with its secrets hidden, for logs.

    Where no page answers to it, only how it begins is told: it may be a link that was cut off.
    """
    if request.url_rule is None:
        return f"/{request.path.split('/')[1]}/…" if request.path.count("/") > 1 else request.path
    shown = request.path
    for name, value in (request.view_args or {}).items():
        if name in SECRET_PARTS:
            shown = shown.replace(str(value), log.HIDDEN)
    return shown


def _texts() -> Iterator[tuple[str, str]]:
    yield "", request.path
    yield from request.args.items(multi=True)
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        yield from request.form.items(multi=True)
