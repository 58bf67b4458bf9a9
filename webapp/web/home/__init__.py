"""The shopper's own pages: payments, wallet and inbox."""

from webapp.web.home import sending  # noqa: F401 - adds routes
from webapp.web.home.routes import blueprint

__all__ = ["blueprint"]
