"""A merchant and its program, for the tests of the client and its command."""

from __future__ import annotations

import pytest
from flask import Flask

from paydeck import Paydeck
from tests.api.desk import Shop, a_shop
from tests.clients.desk import KEY, a_client


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


@pytest.fixture
def client(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Paydeck:
    """Its program, with the Python client, in test mode."""
    monkeypatch.setenv("PAYDECK_API_KEY", KEY)
    return a_client(shop)
