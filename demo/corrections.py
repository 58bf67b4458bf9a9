"""Two corrections of the demo's books: one that is booked, one that waits for a second admin."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from demo.books import Books
from demo.cast import Cast, somebody
from demo.rows import TABLES, Rows
from demo.story import DEMO_PASSWORD, SomePerson
from webapp import accounts, ledger
from webapp.accounts import User
from webapp.corrections import Correction, Kind, Status
from webapp.kernel.money import Money
from webapp.ledger import Line
from webapp.outbox import Actor

#: The admin who keeps the books, so that there are two to sign.
CONTROLLER = SomePerson(
    "tomas", "Tomás Eriksen", "controller@paydeck.example", "Europe/London", is_admin=True
)
SHOP = "lotus"
BOOKED_AGO = dt.timedelta(days=4)
WAITS_SINCE = dt.timedelta(hours=3)
PATIENCE = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A transfer that took too much of a fee, as it stands in the rows."""

    transfer_id: str
    fee: Money


def correct(rows: Rows, cast: Cast, books: Books, until: dt.datetime) -> None:
    """Write the controller and what was asked for, the older one approved by the other admin."""
    hashed = accounts.hash_password(DEMO_PASSWORD)
    controller = somebody(rows, CONTROLLER, hashed, until - dt.timedelta(days=60))
    first, second = (_wrong(rows, cast, until - ago) for ago in (BOOKED_AGO, WAITS_SINCE))
    at = until - BOOKED_AGO + dt.timedelta(minutes=20)
    booked = _asked(
        rows, cast, controller, first, at, "The fee of a tasting that never took place."
    )
    _approved(rows, cast, books, booked, at + dt.timedelta(hours=1))
    at = until - WAITS_SINCE + dt.timedelta(minutes=20)
    waiting = _asked(rows, cast, controller, second, at, "A fee was promised to be waived.")
    _put(rows, waiting)


def _wrong(rows: Rows, cast: Cast, before: dt.datetime) -> Wrong:
    """Return the newest capture of the shop's before a moment, with half of its fee."""
    columns = TABLES["transfer"]
    shop = cast.merchants[SHOP]
    for row in reversed(rows.by_table["transfer"]):
        found = dict(zip(columns, row, strict=True))
        is_its = found["merchant_id"] == shop.id and found["because"].startswith("₹")
        if is_its and found["kind"] == "payment.captured" and found["at"] < before:
            return Wrong(found["id"], Money(5_00, "INR"))
    message = "the shop has sold nothing"
    raise LookupError(message)


def _asked(
    rows: Rows, cast: Cast, by: User, wrong: Wrong, at: dt.datetime, because: str
) -> Correction:
    shop = cast.merchants[SHOP]
    line = Line(
        source=ledger.fees(False, wrong.fee.currency),  # noqa: FBT003 - mode
        target=ledger.payable(shop.id, False, wrong.fee.currency),  # noqa: FBT003 - mode
        amount=wrong.fee,
    )
    correction = Correction(
        id=rows.chance.id("correction", at),
        merchant_id=shop.id,
        livemode=False,
        transfer_id=wrong.transfer_id,
        kind=Kind.ADJUSTMENT.value,
        plan=[
            {
                "source": line.source.name,
                "target": line.target.name,
                "amount": line.amount.minor,
                "currency": line.amount.currency,
            }
        ],
        because=because,
        requested_by=by.id,
        answer="",
        created_at=at,
        deadline_at=at + PATIENCE,
    )
    rows.step(correction, Status.REQUESTED, at, because=because, by=Actor("admin", by.id))
    return correction


def _approved(
    rows: Rows, cast: Cast, books: Books, correction: Correction, at: dt.datetime
) -> None:
    other = cast.users["ada"]
    correction.approved_by = correction.decided_by = other.id
    correction.decided_at, correction.deadline_at = at, None
    because = "A second admin approved it."
    rows.step(correction, Status.POSTED, at, because=because, by=Actor("admin", other.id))
    _put(rows, correction)
    books.post(
        correction.reference,
        correction.lines,
        at,
        kind="correction.posted",
        merchant_id=correction.merchant_id or "",
        because=correction.because,
    )


def _put(rows: Rows, correction: Correction) -> None:
    rows.put("correction", correction, lines=json.dumps(correction.plan))
