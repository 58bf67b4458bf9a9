"""What an order, or a link that makes orders, may be called; pure."""

from __future__ import annotations

from collections.abc import Sized

from webapp.kernel import crypto
from webapp.kernel.errors import Invalid

MAX_DESCRIPTION = 200
MAX_METADATA = 50


def check_description(description: str) -> None:
    """Raise Invalid where an order cannot be called so."""
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(f"Keep the description to {MAX_DESCRIPTION} characters.", param="description")
    if "\x00" in description:
        raise Invalid("The description has a character that cannot be stored.", param="description")
    if crypto.looks_like_card_number(description):
        raise Invalid(
            "That looks like a card number. Never write card numbers here.", param="description"
        )


def check_details(details: Sized) -> None:
    """Raise Invalid where there is too much metadata."""
    if len(details) > MAX_METADATA:
        raise Invalid(f"Metadata has at most {MAX_METADATA} keys.", param="metadata")
