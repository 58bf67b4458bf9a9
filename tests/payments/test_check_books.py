"""What an operator types finds what somebody changed behind the portal's back."""

from __future__ import annotations

import pytest

from tests.builders import a_payment, inr, now_at
from tests.portal import Committed
from webapp.kernel import db
from webapp.payments import Status, queries


def checked(committed: Committed) -> tuple[int, str]:
    """Run `flask check-books`; returns its exit code and what it printed."""
    done = committed.app.test_cli_runner().invoke(args=["check-books"])
    return done.exit_code, done.output


def test_every_record_is_looked_at_however_many_came_after(
    committed: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "STREAMED_AT_ONCE", 1)
    first, *_newer = [a_payment(Status.CAPTURED) for _ in range(3)]
    with committed.connect("postgres") as root:
        root.execute("SET session_replication_role = replica")
        root.execute("UPDATE payment SET integrity_hash = 'x' WHERE id = %s", (first,))
    with db.scoped(db.OWNER):
        assert queries.altered_records() == [first]


@pytest.mark.requirement("S4-42", "S1-09")
def test_check_books_finds_an_altered_payment_and_a_false_balance(committed: Committed) -> None:
    payment_id = a_payment(Status.CAPTURED)
    code, said = checked(committed)
    assert (code, payment_id in said) == (0, False)
    with committed.connect("postgres") as root:
        root.execute("SET session_replication_role = replica")
        less = "UPDATE payment SET amount_minor = 1, captured_minor = 1, authorised_minor = 1"
        root.execute(f"{less}, fee_minor = 0 WHERE id = %s", (payment_id,))
    assert now_at(payment_id).amount == inr(1)
    code, said = checked(committed)
    assert code == 1
    assert f"{payment_id} was altered" in said
    assert f"an object is not as its last fact told it: {payment_id}" in said
    with committed.connect("postgres") as root:
        root.execute("SET session_replication_role = replica")
        root.execute("UPDATE entry SET amount_minor = amount_minor + 1 WHERE amount_minor > 0")
    code, said = checked(committed)
    assert code == 1
    assert "a transfer does not sum to zero" in said
