"""Where to go after signing in: only to a path of our own."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from webapp.accounts import Person

LONGEST = 1_000


def own_path(target: str | None) -> str | None:
    r"""Return `target` when every browser reads it as a path on this site, and None otherwise.

    Refused are other origins in any spelling: `//host`, `/\\host`, a scheme, control characters,
    and what turns into one of these when it is decoded once more.
    """
    if not target or len(target) > LONGEST:
        return None
    for text in (target, unquote(target)):
        if not text.startswith("/") or text[1:2] in {"/", "\\"}:
            return None
        if "\\" in text or not text.isprintable():
            return None
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return None
    return target


def landing(person: Person) -> str:
    """Return the first page of a person: admin, merchant or shopper home."""
    if person.is_admin:
        return "/admin"
    return "/merchant" if person.memberships else "/home"
