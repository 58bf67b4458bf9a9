"""The socket door: a knock without content on the topics that the server chose for a person."""

from webapp.realtime.app import make_socket_app
from webapp.realtime.knocks import Knock, numbers, send, send_softly

__all__ = ["Knock", "make_socket_app", "numbers", "send", "send_softly"]
