"""A stand-in payment provider in a process of its own: no real money ever moves here."""
