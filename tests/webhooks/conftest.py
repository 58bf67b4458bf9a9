"""What tests of webhooks begin with."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import a_merchant
from tests.webhooks.hooks import tell
from webapp.kernel import db


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant whose earlier facts are told."""
    db.use_scope(db.OWNER)
    merchant_id = a_merchant()
    tell()
    return merchant_id
