"""`flask dead-letters`: what an operator sees, takes up again and decides without a browser."""

from __future__ import annotations

import pytest
from click.testing import Result
from flask import Flask

from tests.dead_letters.piles import a_call, a_fact, a_mail, a_message
from tests.stories import scalar
from webapp.kernel import db


def run(app: Flask, *arguments: str) -> Result:
    """Run `flask dead-letters …` and give back what it said."""
    db.use_scope(db.NOBODY)
    invoked = app.test_cli_runner().invoke(
        args=["dead-letters", *arguments], catch_exceptions=False
    )
    db.use_scope(db.NOBODY)
    return invoked


@pytest.mark.requirement("S1-12")
def test_what_gave_up_is_listed_and_counted(app: Flask) -> None:
    made = [a_call(), a_message(), a_fact(), a_mail()]
    said = run(app, "list")
    assert said.exit_code == 0
    assert all(one in said.output for one in made)
    assert "1 call, 1 event, 1 fact, 1 mail" in said.output
    only = run(app, "list", "--kind", "mail").output
    assert [one for one in made if one in only] == [made[3]]


def test_one_letter_is_shown_with_its_last_error(app: Flask) -> None:
    letter_id = a_mail()
    said = run(app, "show", "mail", letter_id)
    assert "550: no such mailbox" in said.output
    assert run(app, "show", "event", letter_id).exit_code == 1
    assert run(app, "show", "wall", letter_id).exit_code == 2


@pytest.mark.requirement("S1-19")
def test_letters_are_taken_up_again_one_by_one_and_all_alike(app: Flask) -> None:
    first, *others = [a_mail() for _ in range(4)]
    assert run(app, "retry", "mail", first).output == "1 taken up again\n"
    assert run(app, "retry", "mail", first).exit_code == 1
    assert run(app, "retry-like", "mail", others[0]).output == "3 taken up again\n"
    assert scalar("SELECT count(*) FROM mail WHERE status = 'waiting'") == 4
    kept = "SELECT count(*) FROM audit_entry WHERE actor_kind = 'operator'"
    assert scalar(kept) == 4


def test_a_letter_is_discarded_with_its_reason(app: Flask) -> None:
    letter_id = a_message()
    assert run(app, "discard", "event", letter_id).exit_code == 2, "it asks for the reason"
    assert run(app, "discard", "event", letter_id, "--because", " ").exit_code == 1
    said = run(app, "discard", "event", letter_id, "--because", "Not ours.")
    assert said.output == "1 discarded\n"
    assert scalar("SELECT error FROM provider_event") == "discarded: Not ours."


def test_a_call_is_decided_with_its_amount_and_reference(app: Flask) -> None:
    letter_id = a_call()
    decide = ("discard", "call", letter_id, "--because", "Seen there.")
    for given, word in (
        ((), "saying what came of it"),
        (("--outcome", "stolen"), "Choose what came of the call"),
        (("--outcome", "taken"), "amount that the provider shows"),
        (("--outcome", "taken", "--amount", "1000"), "currency"),
        (("--outcome", "taken", "--amount", "1000", "--currency", "inr"), "reference"),
    ):
        said = run(app, *decide, *given)
        assert said.exit_code == 1
        assert word in said.output
    whole = ("--outcome", "taken", "--amount", "1000", "--currency", "inr", "--reference", "ch_1")
    assert run(app, *decide, *whole).output == "1 waits for an admin to confirm it\n"
    state = "SELECT state || ' ' || (decision ->> 'by_kind') FROM provider_operation WHERE id = :id"
    assert scalar(state, id=letter_id) == "manual operator"
    assert run(app, *decide, "--outcome", "not_done").output == "1 decided\n"
    assert scalar(state, id=letter_id) == "unknown operator"
