"""A payment link as the API tells it: what events tell of it, its address and how often it paid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp import orders, webhooks
from webapp.api.caller import settings


def payment_link_shown(
    link: orders.PaymentLink, counts: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return a link as the API shows it; `counts` say how often each was paid, where known."""
    paid = counts if counts is not None else orders.times_paid([link.id])
    return {
        **webhooks.payload_of("payment_link", link.snapshot()),
        "payments": paid[link.id],
        "url": f"{settings().public_url}/pay/{link.token}",
    }
