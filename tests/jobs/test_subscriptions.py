"""The wiring is complete: every event of every flow has listeners, and none listens in vain."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import webapp
from jobs import queues
from jobs.subscriptions import CONSUMERS, PURSE, ROUTES, SETTLE, UNHEARD
from webapp.analytics import CONSUMER as ROLLUP
from webapp.kernel.flow import Flow


def announced() -> set[str]:
    """Return every event that any Flow anywhere in the portal can announce."""
    for module in pkgutil.walk_packages(webapp.__path__, "webapp."):
        importlib.import_module(module.name)
    flows = {
        id(value): value
        for name, module in list(importlib.sys.modules.items())  # type: ignore[attr-defined]
        if name.startswith("webapp.")
        for value in vars(module).values()
        if isinstance(value, Flow)
    }
    assert {flow.noun for flow in flows.values()} >= {"user", "merchant", "order", "payment"}
    return set().union(*(flow.events() for flow in flows.values()))


@pytest.mark.requirement("S4-12")
def test_every_event_has_a_subscriber_or_a_stated_reason_for_none() -> None:
    assert announced() == set(ROUTES) | set(UNHEARD)
    assert not set(ROUTES) & set(UNHEARD)
    assert all(len(reason) > 20 for reason in UNHEARD.values())


def test_every_consumer_that_is_named_is_there_and_every_one_there_is_named() -> None:
    named = {name for consumers in ROUTES.values() for name in consumers}
    assert named == set(CONSUMERS)


def test_no_event_names_a_consumer_twice() -> None:
    assert all(len(set(consumers)) == len(consumers) for consumers in ROUTES.values())


@pytest.mark.requirement("S1-08")
def test_a_success_is_told_to_browsers_people_and_figures() -> None:
    assert set(ROUTES["payment.captured"]) == set(CONSUMERS) - {SETTLE, PURSE}


def test_figures_name_their_consumer_as_the_wiring_does() -> None:
    assert ROLLUP in CONSUMERS


def test_every_kind_of_queued_work_has_its_drain_and_its_question() -> None:
    for name, kind in queues.KINDS.items():
        module = importlib.import_module(kind.module)
        assert name == kind.name
        assert callable(module.drain)
        assert callable(module.is_due)
        assert kind.task == f"{kind.module}.drain"
