"""Posting transfers, undoing them, and folding what is old into checkpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, text

from webapp.kernel import clock, db, ids
from webapp.kernel.errors import NotFound
from webapp.ledger.entries import Line, payload, turned
from webapp.ledger.errors import InsufficientBalance, ReferenceReused
from webapp.ledger.models import Transfer
from webapp.ledger.queries import entries_of, lines_of

_POST = text(
    "SELECT ledger_post(:id, :reference, :kind, :merchant_id, :livemode, :at, :because, :reverses,"
    " CAST(:lines AS jsonb))"
)
_FOLD = text("SELECT ledger_fold()")
POSTED = "posted"
ALREADY = "already"
INSUFFICIENT = "insufficient"


@dataclass(frozen=True, slots=True)
class _Whose:
    kind: str
    merchant_id: str
    livemode: bool
    because: str


def post(
    reference: str,
    lines: Sequence[Line],
    *,
    kind: str,
    merchant_id: str,
    livemode: bool,
    because: str,
) -> str | None:
    """Post one transfer in one round trip and return its id; None when it was posted before.

    `reference` names the business fact and is unique for ever; `because` is what people read in
    the history. Locks the balance rows of accounts that gate spending, in the order of their ids,
    until the transaction ends.

    Raises InsufficientBalance, and ReferenceReused when the reference was posted with other lines;
    after both the transaction is sound. The database refuses a web role that takes from an account
    which is not its user's wallet or its merchant's payable.
    """
    whose = _Whose(kind, merchant_id, livemode, because)
    return _post(_call(reference, lines, whose))


def reverse(transfer_id: str, *, reference: str, because: str) -> str | None:
    """Undo a transfer by posting it turned round; None when that was done before.

    Each transfer can be undone once. Raises NotFound, and InsufficientBalance when the money has
    been spent since.
    """
    db.assert_transaction()
    undone = db.session.scalar(select(Transfer).where(Transfer.id == transfer_id))
    if undone is None:
        raise NotFound
    kind = f"{undone.kind}.reversed"
    whose = _Whose(kind, undone.merchant_id, undone.livemode, because)
    lines = turned(lines_of(entries_of(undone.id)))
    return _post({**_call(reference, lines, whose), "reverses": undone.id})


def fold_checkpoints() -> int:
    """Fold finished entries into the checkpoints and return how many accounts moved.

    Everything below the oldest running transaction is final, so nothing is skipped; a second
    folder at the same time does nothing.
    """
    with db.transaction() as session:
        return int(session.scalar(_FOLD) or 0)


def _call(reference: str, lines: Sequence[Line], whose: _Whose) -> dict[str, Any]:
    if {line.source.livemode for line in lines} != {whose.livemode}:
        message = "a transfer has lines, all in its own mode"
        raise ValueError(message)
    new_id = iter(lambda: ids.new("account"), "")
    return {
        "id": ids.new("transfer"),
        "reference": reference,
        **asdict(whose),
        "at": clock.now(),
        "reverses": None,
        "lines": json.dumps(payload(lines, new_id)),
    }


def _post(call: dict[str, Any]) -> str | None:
    db.assert_transaction()
    outcome = db.session.scalar(_POST, call)
    if outcome == POSTED:
        return str(call["id"])
    if outcome == ALREADY:
        return None
    if outcome == INSUFFICIENT:
        raise InsufficientBalance
    raise ReferenceReused
