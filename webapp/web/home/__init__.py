"""The shopper's own pages: payments, wallet and inbox."""

from webapp.web.home.routes import blueprint

__all__ = ["blueprint"]
