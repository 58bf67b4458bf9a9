"""Corrections and their states."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp import ledger
from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import Edge, Flow, Owner, State
from webapp.kernel.money import Money
from webapp.ledger import Line
from webapp.outbox import Moving

#: How long a correction may wait for its second person.
PATIENCE = dt.timedelta(days=7)


class Status(StrEnum):
    """Where a correction stands."""

    REQUESTED = "requested"
    POSTED = "posted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Kind(StrEnum):
    """What a correction does: undo a transfer, or book lines of its own beside it."""

    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"


FLOW = Flow(
    "correction",
    states=[
        State(
            "requested",
            "It waits for a second admin. Nothing is booked yet.",
            owner=Owner.ADMIN,
            deadline=PATIENCE,
            on_deadline="It is withdrawn; nothing is booked.",
        ),
        State("posted", "A second admin approved it and it stands in the books."),
        State("refused", "A second admin said no. Nothing was booked."),
        State("withdrawn", "It was taken back before anybody approved it. Nothing was booked."),
    ],
    edges=[
        Edge("", "requested", "correction.requested"),
        Edge("requested", "posted", "correction.posted"),
        Edge("requested", "refused", "correction.refused"),
        Edge("requested", "withdrawn", "correction.withdrawn"),
    ],
    outside={
        "requested": "PENDING",
        "posted": "SUCCESS",
        "refused": "FAILED",
        "withdrawn": "CANCELLED",
    },
)


class Correction(Moving, Base):
    """What one admin asks to book beside `transfer_id`, and who decided on it.

    `plan` is what will be booked, line by line: names of accounts and an amount above zero.
    """

    __tablename__ = "correction"
    FLOW: ClassVar[Flow] = FLOW

    transfer_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str]
    plan: Mapped[list[dict[str, Any]]] = mapped_column("lines", JSONB)
    because: Mapped[str]
    requested_by: Mapped[str] = mapped_column(Id)
    approved_by: Mapped[str | None] = mapped_column(Id)
    decided_by: Mapped[str | None] = mapped_column(Id)
    answer: Mapped[str] = mapped_column(default="")
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    decided_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    deadline_at: Mapped[dt.datetime | None] = mapped_column(Moment)

    @property
    def reference(self) -> str:
        """The reference under which it is booked, once."""
        return f"correction:{self.id}"

    @property
    def lines(self) -> list[Line]:
        """What is booked when it is approved."""
        return [line_of(one) for one in self.plan]

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of it now."""
        return {
            "id": self.id,
            "status": self.FLOW.outside[self.status],
            "state": self.status,
            "transfer": self.transfer_id,
            "kind": self.kind,
            "created": self.created_at.isoformat(),
            "at": (self.decided_at or self.created_at).isoformat(),
        }


def written(line: Line) -> dict[str, Any]:
    """Return a line as it is kept: the names of its accounts, its amount and currency."""
    return {
        "source": line.source.name,
        "target": line.target.name,
        "amount": line.amount.minor,
        "currency": line.amount.currency,
    }


def line_of(kept: dict[str, Any]) -> Line:
    """Return the line that was kept."""
    return Line(
        source=ledger.account_named(kept["source"]),
        target=ledger.account_named(kept["target"]),
        amount=Money(kept["amount"], kept["currency"]),
    )
