"""Two admins: one asks for corrections, the other decides on them."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import an_admin
from webapp.outbox import Actor


@pytest.fixture
def asks(app: Flask) -> Actor:
    """The admin who asks."""
    return Actor("admin", an_admin().id)


@pytest.fixture
def decides(app: Flask) -> Actor:
    """The admin who decides."""
    return Actor("admin", an_admin().id)
