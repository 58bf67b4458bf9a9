"""The account door: signing up, in and out, getting back in, and one's own profile."""

from webapp.web.account import entry, own, recovery
from webapp.web.account.door import blueprint

__all__ = ["blueprint", "entry", "own", "recovery"]
