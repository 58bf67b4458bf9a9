"""What a merchant's people are told when a webhook endpoint is switched off: which, and why."""

from __future__ import annotations

from collections.abc import Sequence

from webapp import accounts
from webapp.accounts import MemberRole
from webapp.kernel import db, wake
from webapp.notifications import letters, writing
from webapp.notifications.writing import Told
from webapp.outbox import Fact

DISABLED = "endpoint.disabled"
LETTER = "endpoint_disabled"
#: Who can do something about it.
TOLD = (MemberRole.OWNER, MemberRole.DEVELOPER)


def tell(facts: Sequence[Fact], *, portal: str) -> list[Told]:
    """Write to a merchant's owners and developers, inbox and mail (a step); the new messages.

    Told twice, it writes once.
    """
    told: list[Told] = []
    for fact in facts:
        told += _tell_one(fact, portal)
    return told


def _tell_one(fact: Fact, portal: str) -> list[Told]:
    people = [row for row in accounts.members_of(fact.merchant_id or "") if row.role in TOLD]
    card = accounts.merchant_card(fact.merchant_id or "")
    url, why = fact.snapshot["url"], fact.snapshot.get("disabled_reason") or fact.because
    said = f"The webhook endpoint {url} was switched off. {why}"
    told: list[Told] = []
    for row in people:
        fresh = writing.to_inbox(fact, row.user.id, said)
        told += fresh
        if fresh:
            letter = letters.render(
                LETTER,
                url=url,
                why=why,
                merchant_name=card.name if card else "",
                mode="live" if fact.livemode else "test",
                link=f"{portal}/merchant/webhooks/{fact.subject_id}" if portal else "",
            )
            db.session.add(writing.draft(row.user.email, letter, LETTER, about_id=fact.subject_id))
            wake.soon(writing.WAKE)
    return told
