"""Doing several things at the same moment: some as the web does them, some as a worker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TypeAlias

from flask import Flask

from webapp.kernel import db
from webapp.kernel.errors import Refusal

#: What one thread does, and whether it is a worker's process that does it.
Work: TypeAlias = tuple[bool, Callable[[], object]]


@dataclass(frozen=True)
class Race:
    """The web's portal and a worker's on one database, and a merchant in it."""

    web: Flask
    worker: Flask
    shop: str

    def run(self, *works: Work) -> list[object]:
        """Do all of it at the same moment, each in a thread; a refusal is returned as its code."""
        gate = Barrier(len(works))

        def one(work: Work) -> object:
            is_workers, act = work
            app = self.worker if is_workers else self.web
            with app.app_context(), db.scoped(db.WORKER if is_workers else db.NOBODY):
                try:
                    gate.wait(20)
                    return act()
                except Refusal as refused:
                    return refused.code
                finally:
                    db.session.remove()

        with ThreadPoolExecutor(len(works)) as pool:
            return list(pool.map(one, works))


def by_web(act: Callable[[], object]) -> Work:
    """Return what a shopper does."""
    return False, act


def by_worker(act: Callable[[], object]) -> Work:
    """Return what a worker does."""
    return True, act
