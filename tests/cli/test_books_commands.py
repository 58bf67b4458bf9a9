"""What operators type about books and audit trail: they say what is wrong and exit with 1."""

from __future__ import annotations

import pytest
from click.testing import Result

from tests.books import worker_of
from tests.builders import a_payment
from tests.portal import Committed
from webapp import audit
from webapp.kernel import db
from webapp.outbox import Actor
from webapp.payments import Status


@pytest.fixture
def portal(committed: Committed) -> Committed:
    """A portal with a payment and a sealed deed."""
    a_payment(Status.CAPTURED)
    with worker_of(committed):
        with db.transaction():
            audit.record("order.cancelled", "order", "ord_1", by=Actor("user", "usr_1"))
        audit.seal_pending()
    return committed


def run(portal: Committed, *arguments: str) -> Result:
    """Run `flask …` and give back what it said."""
    return portal.app.test_cli_runner().invoke(args=list(arguments), catch_exceptions=False)


def damage(portal: Committed, statement: str) -> None:
    """Change the tables with every guard off."""
    with portal.connect("postgres") as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


@pytest.mark.requirement("S1-09")
def test_sound_books_are_shown_by_kind_and_currency(portal: Committed) -> None:
    said = run(portal, "check-books")
    assert said.exit_code == 0
    assert "1 transfers, 4 entries, 0 problems in " in said.output
    assert [line.split()[1::2] for line in said.output.splitlines()[:3]] == [
        ["clearing_card", "accounts", "-1000.00"],
        ["fees", "accounts", "20.00"],
        ["payable", "accounts", "980.00"],
    ]


def test_books_that_were_changed_end_with_1_and_the_row(portal: Committed) -> None:
    damage(portal, "UPDATE entry SET amount_minor = amount_minor + 1 WHERE position = 2")
    said = run(portal, "check-books")
    assert said.exit_code == 1
    assert "WRONG  a transfer does not sum to zero: tr_" in said.output
    assert "in INR: 1" in said.output


def test_a_trail_that_was_changed_ends_with_1_and_the_row(portal: Committed) -> None:
    assert run(portal, "audit-verify").exit_code == 0
    damage(portal, "UPDATE audit_entry SET actor_id = 'usr_2'")
    for command in ("audit-verify", "check-books"):
        said = run(portal, command)
        assert said.exit_code == 1
        assert "seal 1: audit row aud_" in said.output


def test_the_printed_head_is_found_again_or_missed(portal: Committed) -> None:
    head = run(portal, "audit-head").output.strip()
    assert head.startswith("1 ")
    assert run(portal, "audit-verify", "--head", head.replace(" ", ":")).exit_code == 0
    assert run(portal, "audit-verify", "--head", "2:" + "0" * 64).exit_code == 1
    assert run(portal, "audit-verify", "--head", "nonsense").exit_code == 2
