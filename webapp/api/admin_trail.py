"""For admins: who did what, whether all is as it should be, and what gave up."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import audit, dead_letters, invariants
from webapp.api.caller import needs
from webapp.api.errors import ParameterInvalid
from webapp.api.lists import asked_page, listing
from webapp.api.models import ListQuery
from webapp.api.routing import get
from webapp.api.users import whole
from webapp.api.webhook_endpoints import epoch
from webapp.audit import Entry
from webapp.dead_letters import Letter, LetterKind
from webapp.invariants import Brick

TAG = "Admin: trail"
AN_ID = "01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
AT = 1_763_717_400
_PLACE = re.compile(r"[0-9]{20}_[A-Za-z0-9_]{1,43}")


class AuditEntry(BaseModel):
    """One deed: who did what to which object."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"aud_{AN_ID}",
        "object": "audit_entry",
        "created": AT,
        "livemode": False,
        "action": "payment.viewed",
        "actor_kind": "admin",
        "actor": f"usr_{AN_ID}",
        "subject_kind": "payment",
        "subject": f"pay_{AN_ID}",
        "merchant": f"mer_{AN_ID}",
        "details": {},
        "request": f"req_{AN_ID}",
    }

    id: str
    object: Literal["audit_entry"]
    created: int
    livemode: bool | None
    action: str
    actor_kind: str
    actor: str | None
    subject_kind: str
    subject: str
    merchant: str | None
    details: dict[str, Any]
    request: str | None


class InvariantObject(BaseModel):
    """A sentence that must be true, and whether it is."""

    model_config = ConfigDict(extra="forbid", title="Invariant")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "invariant",
        "name": "payment_is_booked",
        "group": "Payments",
        "holds": "Every captured payment stands in the books once, with its sum and its fee.",
        "is_red": False,
        "is_late": False,
        "found": 0,
        "red_since": None,
        "looked_at": AT,
    }

    object: Literal["invariant"]
    name: str
    group: str
    holds: str
    is_red: bool
    is_late: bool = Field(description="Whether it was not looked at for too long.")
    found: int
    red_since: int | None
    looked_at: int | None


class DeadLetter(BaseModel):
    """Something that was to be done and gave up."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"20261121093000000000_call_op_{AN_ID}",
        "object": "dead_letter",
        "created": AT,
        "livemode": False,
        "kind": "call",
        "subject": f"op_{AN_ID}",
        "what": "capture",
        "reason": "timeout",
        "error": "timeout after 10 s",
        "about": f"pay_{AN_ID}",
        "merchant": f"mer_{AN_ID}",
        "tries": 5,
    }

    id: str = Field(description="Its place in the list.")
    object: Literal["dead_letter"]
    created: int
    livemode: bool | None
    kind: str
    subject: str
    what: str
    reason: str
    error: str
    about: str | None
    merchant: str | None
    tries: int


class AuditQuery(ListQuery):
    """Filters of the audit trail."""

    action: str | None = Field(None, max_length=80)
    merchant: str | None = Field(None, max_length=64)


class DeadLetterQuery(ListQuery):
    """Filters of dead letters."""

    kind: str | None = Field(None, max_length=20)


@get("/admin/audit", tag=TAG, gives=AuditEntry, is_list=True)
@needs(admin=True)
def list_audit_entries(query: AuditQuery) -> dict[str, Any]:
    """List who did what.

    Newest first, by action and merchant.
    """
    page = asked_page(query, audit.entry_of)
    found = audit.recent(page, action=query.action, merchant_id=query.merchant)
    return listing(found, _shown_entry)


@get("/admin/invariants", tag=TAG, gives=InvariantObject, is_list=True)
@needs(admin=True)
def list_invariants() -> dict[str, Any]:
    """List what must be true.

    Every check with what its last look found. None is left out.
    """
    return whole([_shown_brick(one) for one in invariants.wall()], "/api/v1/admin/invariants")


@get("/admin/dead-letters", tag=TAG, gives=DeadLetter, is_list=True)
@needs(admin=True)
def list_dead_letters(query: DeadLetterQuery) -> dict[str, Any]:
    """List what gave up.

    What began last first, by kind. What becomes of them is decided on their page.
    """
    page = asked_page(query, _PLACE.fullmatch)
    kind = LetterKind(query.kind) if query.kind in set(LetterKind) else None
    if query.kind is not None and kind is None:
        raise ParameterInvalid("There is no such kind.", param="kind")
    return listing(dead_letters.listed(kind, page=page), _shown_letter)


def _shown_entry(one: Entry) -> dict[str, Any]:
    return {
        "id": one.id,
        "object": "audit_entry",
        "created": epoch(one.at),
        "livemode": one.livemode,
        "action": one.action,
        "actor_kind": one.actor_kind,
        "actor": one.actor_id,
        "subject_kind": one.subject_kind,
        "subject": one.subject_id,
        "merchant": one.merchant_id,
        "details": one.data,
        "request": one.request_id,
    }


def _shown_brick(one: Brick) -> dict[str, Any]:
    looked = [look.ran_at for look in one.looks if look.ran_at is not None]
    return {
        "object": "invariant",
        "name": one.invariant.name,
        "group": one.invariant.group,
        "holds": one.invariant.holds,
        "is_red": one.is_red,
        "is_late": one.is_late,
        "found": one.found,
        "red_since": epoch(one.red_since),
        "looked_at": epoch(max(looked)) if looked else None,
    }


def _shown_letter(one: Letter) -> dict[str, Any]:
    return {
        "id": one.place,
        "object": "dead_letter",
        "created": epoch(one.began_at),
        "livemode": one.livemode,
        "kind": one.kind.value,
        "subject": one.id,
        "what": one.what,
        "reason": one.reason,
        "error": one.error,
        "about": one.about_id,
        "merchant": one.merchant_id,
        "tries": one.tries,
    }
