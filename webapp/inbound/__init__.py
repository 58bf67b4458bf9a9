"""The door for the payment provider's messages: verify, keep, answer; nothing is decided here."""

from webapp.inbound.routes import blueprint

__all__ = ["blueprint"]
