"""What must be true of every payment, however it got where it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from webapp import ledger
from webapp.kernel import db


def behind() -> db.Scope:
    """Return the scope that sees every row: a worker's, or where there is none the owner's.

    Under a held connection each scope is its role. On real connections the portal's own pool is
    the web's, unless the application is a worker's.
    """
    worker, held = db.Role.WORKER.value, db.session().get_bind()
    if isinstance(held, Connection) or held.url.username == worker:
        return db.WORKER
    return db.OWNER


def scalar(statement: str, **values: object) -> Any:
    """Ask the database for one value, as somebody who sees every row."""
    with db.transaction(behind()) as session:
        return session.execute(text(statement), values).scalar()


def postings(payment_id: str, kind: str = "captured") -> int:
    """Return how often the books hold this payment's money."""
    found = scalar(
        "SELECT count(*) FROM transfer WHERE reference = :reference",
        reference=f"payment.{kind}:{payment_id}",
    )
    return int(found)


def attempts(payment_id: str) -> list[str]:
    """Return how a payment's tries stand, the first first."""
    with db.transaction(behind()) as session:
        rows = session.execute(
            text("SELECT status FROM attempt WHERE payment_id = :id ORDER BY number"),
            {"id": payment_id},
        )
        return [row[0] for row in rows]


def operations(payment_id: str) -> list[str]:
    """Return which calls to the provider were planned for a payment, in order."""
    with db.transaction(behind()) as session:
        rows = session.execute(
            text("SELECT kind FROM provider_operation WHERE subject_id = :id ORDER BY id"),
            {"id": payment_id},
        )
        return [row[0] for row in rows]


def story_is_whole(noun: str, table: str, subject_id: str) -> None:
    """Assert that each version of an object has one move and one fact, and that they connect."""
    version = scalar(f"SELECT version FROM {table} WHERE id = :id", id=subject_id)
    status = scalar(f"SELECT status FROM {table} WHERE id = :id", id=subject_id)
    with db.transaction(behind()) as session:
        moves = session.execute(
            text(
                "SELECT version, source, target FROM move"
                " WHERE noun = :noun AND subject_id = :id ORDER BY version"
            ),
            {"noun": noun, "id": subject_id},
        ).all()
        facts = session.execute(
            text(
                "SELECT version FROM fact WHERE subject_kind = :noun AND subject_id = :id"
                " ORDER BY version"
            ),
            {"noun": noun, "id": subject_id},
        ).all()
    expected = list(range(1, version + 1))
    assert [move.version for move in moves] == expected
    assert [fact.version for fact in facts] == expected
    assert [move.source for move in moves] == ["", *(move.target for move in moves[:-1])]
    assert moves[-1].target == status


def payment_is_told(payment_id: str) -> None:
    """Assert the stories of a payment and its order, and that it was posted once at most."""
    order_id = scalar("SELECT order_id FROM payment WHERE id = :id", id=payment_id)
    story_is_whole("payment", "payment", payment_id)
    story_is_whole("order", "shop_order", order_id)
    assert postings(payment_id) in {0, 1}


def payment_is_whole(payment_id: str) -> None:
    """Assert the stories of a payment and its order, and that the books balance."""
    payment_is_told(payment_id)
    with db.scoped(behind()):
        assert ledger.check_books().problems == []


def order_now(order_id: str) -> tuple[str, int]:
    """Return where an order stands and at which version."""
    where = "FROM shop_order WHERE id = :id"
    status = scalar(f"SELECT status {where}", id=order_id)
    return status, scalar(f"SELECT version {where}", id=order_id)
