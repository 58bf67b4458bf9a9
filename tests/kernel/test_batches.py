"""Chores go on in batches until nothing is left or their time is over."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.portal import Committed
from webapp.kernel.batches import in_batches

TRANSACTION = text("SELECT pg_current_xact_id()::text")


class Pile:
    """So much to do, and the transactions in which it was done."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.transactions: list[str] = []

    def work(self, session: Session) -> int:
        """Work off two at most."""
        self.transactions.append(session.execute(TRANSACTION).scalar_one())
        done = min(2, self.left)
        self.left -= done
        return done


def test_batches_go_on_until_nothing_is_left_each_in_its_own_transaction(
    committed: Committed,
) -> None:
    pile = Pile(7)
    with committed.app.app_context():
        assert in_batches(pile.work, of=2, seconds=600) == 7
    assert pile.left == 0
    assert len(set(pile.transactions)) == len(pile.transactions) == 4


def test_a_full_last_batch_is_followed_by_an_empty_one(app: Flask) -> None:
    assert app
    pile = Pile(4)
    assert in_batches(pile.work, of=2, seconds=600) == 4
    assert len(pile.transactions) == 3


def test_no_batch_is_begun_once_the_time_is_over(app: Flask) -> None:
    assert app
    pile = Pile(7)
    assert in_batches(pile.work, of=2, seconds=0) == 2
    assert in_batches(pile.work, of=2, seconds=600) == 5
