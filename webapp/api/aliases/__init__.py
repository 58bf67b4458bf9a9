"""Addresses and shapes that were promised before this API: thin, over the same verbs."""

from webapp.api.aliases import charge, initiate, methods, paise

__all__ = ["charge", "initiate", "methods", "paise"]
