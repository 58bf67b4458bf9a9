"""Doors for messages: the payment provider's, verified and kept; and the demo's own receiver."""

from webapp.inbound.receiver import blueprint as receiver_blueprint
from webapp.inbound.routes import blueprint

__all__ = ["blueprint", "receiver_blueprint"]
