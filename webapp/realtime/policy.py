"""Who may listen where: pure, decided at the handshake and again each minute."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.accounts import Person

MODES = ("test", "live")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a browser showed at its handshake; tokens never appear in its printed form."""

    checkout_token: str | None = None
    merchant_id: str | None = None

    def __repr__(self) -> str:
        return f"Wish(merchant_id={self.merchant_id!r})"


def read_wish(auth: object) -> Wish | None:
    """Read the handshake's `auth`; None when it is not shaped as our page sends it."""
    if not isinstance(auth, dict):
        return None
    texts = {name: auth.get(name) or None for name in ("checkout", "merchant")}
    for text in texts.values():
        if text is not None and (not isinstance(text, str) or len(text) > 200):  # noqa: PLR2004
            return None
    return Wish(checkout_token=texts["checkout"], merchant_id=texts["merchant"])


def topics_for(person: Person | None, checkout_id: str | None, wish: Wish) -> frozenset[str]:
    """Return the topics of a person and of a checkout that its token opened; empty means refused.

    A wish for a merchant of which the person is no member, or for a checkout that does not open,
    refuses everything: such a page is not ours.
    """
    if wish.checkout_token is not None and checkout_id is None:
        return frozenset()
    topics = {f"checkout:{checkout_id}"} if checkout_id is not None else set()
    if person is not None:
        topics.add(f"user:{person.user_id}")
        if person.is_admin:
            topics.add("admin")
    if wish.merchant_id is not None:
        mine = (
            {member.merchant_id for member in person.memberships} if person is not None else set()
        )
        if wish.merchant_id not in mine:
            return frozenset()
        topics.update(f"merchant:{wish.merchant_id}:{mode}" for mode in MODES)
    return frozenset(topics)
