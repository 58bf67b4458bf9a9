"""One thing of a shop's own for each id that stands in an address, for tests over all of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.api.desk import Shop
from tests.builders import an_order

#: Makes a thing of the shop (or of its owner) and returns its id, by the name of the parameter.
MAKERS: dict[str, Callable[[Shop], str]] = {
    "order_id": lambda shop: an_order(shop.merchant_id).id,
}
