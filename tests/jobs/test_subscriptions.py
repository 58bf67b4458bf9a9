"""The wiring is complete: every event of every flow has listeners, and none listens in vain."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import webapp
from jobs import queues
from jobs.bus import sinks, topics
from jobs.subscriptions import BUS, CONSUMERS, IN_ORDER, PURSE, ROUTES, SETTLE, UNHEARD
from webapp import audit, notifications, webhooks
from webapp.analytics import CONSUMER as ROLLUP
from webapp.kernel.flow import Flow


def flows() -> list[Flow]:
    """Return every Flow anywhere in the portal."""
    for module in pkgutil.walk_packages(webapp.__path__, "webapp."):
        importlib.import_module(module.name)
    found = {
        id(value): value
        for name, module in list(importlib.sys.modules.items())  # type: ignore[attr-defined]
        if name.startswith("webapp.")
        for value in vars(module).values()
        if isinstance(value, Flow)
    }
    assert {flow.noun for flow in found.values()} >= {"user", "merchant", "order", "payment"}
    return list(found.values())


def announced() -> set[str]:
    """Return every event that any Flow can announce, and those of what has no states."""
    stateless = {*audit.EVENTS, *notifications.EVENTS, webhooks.GAVE_UP}
    return stateless.union(*(flow.events() for flow in flows()))


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


@pytest.mark.requirement("S4-12")
def test_every_event_is_published_and_brokers_are_told_what_streams_are() -> None:
    assert all(BUS in told for told in ROUTES.values())
    assert {BUS, sinks.KAFKA, sinks.AWS} == IN_ORDER


@pytest.mark.requirement("S2-56", "S2-57", "S2-58", "S2-59", "S2-60", "S4-93d")
def test_every_event_has_a_topic_and_every_topic_an_event() -> None:
    told = {(event, flow.noun) for flow in flows() for event in flow.events()}
    told |= {(event, "audit_entry") for event in audit.EVENTS}
    told |= {
        (event, event.partition(".")[0]) for event in (*notifications.EVENTS, webhooks.GAVE_UP)
    }
    by_topic: dict[str, set[str]] = {topic: set() for topic in topics.TOPICS}
    for event, noun in told:
        for topic in topics.topics_of(event, noun):
            by_topic[topic].add(event)
    assert by_topic[topics.USERS] >= {"user.registered", "user.verified", "user.signed_in"}
    assert by_topic[topics.TRANSACTIONS] >= {"order.completed", "refund.succeeded"}
    assert by_topic[topics.PAYMENTS] >= {"payment.created", "payment.captured", "payment.failed"}
    assert by_topic[topics.NOTIFICATIONS] == set(notifications.EVENTS)
    assert by_topic[topics.AUDIT] == set(audit.EVENTS)
    assert by_topic[topics.WEBHOOKS] >= {"endpoint.created", "delivery.gave_up"}
    assert all(by_topic.values())
    assert set(topics.OF_EVENT) <= {event for event, _noun in told}
    assert set(topics.ALIASES) <= {event for event, _noun in told}


def test_figures_name_their_consumer_as_the_wiring_does() -> None:
    assert ROLLUP in CONSUMERS


def test_every_kind_of_queued_work_has_its_drain_and_its_question() -> None:
    for name, kind in queues.KINDS.items():
        module = importlib.import_module(kind.module)
        assert name == kind.name
        assert callable(module.drain)
        assert callable(module.is_due)
        assert kind.task == f"{kind.module}.drain"
