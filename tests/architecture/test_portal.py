"""What holds of the whole portal: guards, addresses, refusals, pills, wake-ups, ids and icons."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum

import pytest
from flask import Flask
from werkzeug.routing import Rule

import webapp
from jobs import queues, relay, schedule
from tests.architecture.source import ROOT, Source, sources
from webapp import audit, gateway, payments, webhooks
from webapp.accounts import MERCHANT_FLOW, USER_FLOW
from webapp.kernel import errors, ids
from webapp.kernel.flow import Flow
from webapp.realtime import hall
from webapp.web.shared import guards, pills, shell
from webapp.web.shared.errors import SENTENCES, STATUS

KINDS = set(STATUS)
PIECE = re.compile(r"_?[a-z0-9]+(-[a-z0-9]+)*(\.(json|csv))?")
PARAMETER = re.compile(r"([a-z]+_)?id|token|link|name")
CODE = re.compile(r"[a-z]+(_[a-z]+)*")
#: Doors for programs: what comes in is believed by its signature, or its key or token, alone.
GUARDED_BY_SIGNATURE = ("inbound", "receiver")
MACHINE_DOORS = (*GUARDED_BY_SIGNATURE, "api", "api_root")
#: Wake-ups that pass through no queue: who works on them.
HEARD_ELSEWHERE = {
    relay.FACTS: "the relay rings every consumer's bell",
    hall.SESSIONS: "the socket process looks at its people's sessions again",
    audit.WAKE: "the relay's own chore seals the trail each second, woken or not",
    webhooks.WAKE: "the sender claims what is due, woken or twice a second",
}


def every_module() -> None:
    for module in pkgutil.walk_packages(webapp.__path__, "webapp."):
        importlib.import_module(module.name)


def below(kind: type[errors.Refusal]) -> Iterator[type[errors.Refusal]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def refusals() -> list[type[errors.Refusal]]:
    every_module()
    ours = {kind for kind in below(errors.Refusal) if kind.__module__.startswith("webapp.")}
    return sorted(ours, key=lambda kind: f"{kind.__module__}.{kind.__name__}")


def calls(name: str) -> Iterator[tuple[Source, ast.Call]]:
    for source in sources("webapp", "jobs"):
        for node in source.nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield source, node


def flows() -> dict[str, Flow]:
    every_module()
    found = {}
    for source in sources("webapp"):
        module = source.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for value in vars(importlib.import_module(module)).values():
            if isinstance(value, Flow):
                found[value.noun] = value
    return found


def pages(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


@pytest.mark.requirement("S2-78", "S3-13")
def test_every_blueprint_has_exactly_one_guard(portal: Flask) -> None:
    known = {guards.anyone, guards.signed_in, guards.merchant_door, guards.admin_door}
    counts = {
        name: len([check for check in portal.before_request_funcs.get(name, []) if check in known])
        for name in portal.blueprints
    }
    assert {name for name, count in counts.items() if count != 1} == set(MACHINE_DOORS)
    named = {name.split(".")[-1] for name in portal.blueprints}
    assert set(guards.GUARDS) == named - set(MACHINE_DOORS)


def test_a_door_for_programs_is_the_only_one_without_a_form_token(
    portal: Flask,
) -> None:
    exempt = portal.extensions["csrf"]._exempt_blueprints  # noqa: SLF001 - it has no public list
    assert {door.name for door in exempt} == set(MACHINE_DOORS)
    views = [rule.rule for rule in pages(portal) if rule.endpoint.startswith("inbound.")]
    assert views == ["/inbound/stripe"]


@pytest.mark.requirement("S2-01", "S2-04")
def test_the_guards_are_the_ones_their_doors_say(portal: Flask) -> None:
    expected = {"merchant": "merchant_door", "admin": "admin_door", "home": "signed_in"}
    expected |= {"own": "signed_in", "checkout": "anyone", "account": "anyone"}
    assert {name: guards.GUARDS[name] for name in expected} == expected
    assert expected.keys() <= {name.split(".")[-1] for name in portal.blueprints}


def test_every_address_belongs_to_a_blueprint(portal: Flask) -> None:
    assert [rule.rule for rule in pages(portal) if "." not in rule.endpoint] == []


def test_addresses_are_kebab_case_and_their_parameters_have_names(portal: Flask) -> None:
    wrong = []
    for rule in pages(portal):
        fixed = re.sub(r"<[^>]+>", "", rule.rule)
        pieces = [piece for piece in fixed.split("/") if piece.strip(".") and piece[0] != "."]
        if any(not PIECE.fullmatch(piece) for piece in pieces):
            wrong.append(rule.rule)
        if any(not PARAMETER.fullmatch(name) for name in rule.arguments):
            wrong.append(rule.rule)
    assert wrong == []
    assert all(not rule.rule.endswith("/") for rule in pages(portal) if rule.rule != "/")


def test_no_address_changes_something_when_it_is_only_read(portal: Flask) -> None:
    both = [rule.rule for rule in pages(portal) if rule.methods and {"GET", "POST"} <= rule.methods]
    assert both == []


def test_every_refusal_has_a_status_through_its_kind() -> None:
    assert [
        kind.__name__ for kind in refusals() if kind not in KINDS and not KINDS & set(kind.__mro__)
    ] == []
    assert set(STATUS.values()) <= set(SENTENCES)


def test_every_refusal_has_a_code_and_a_sentence_of_its_own() -> None:
    found = refusals()
    assert len(found) > 20
    assert [kind.__name__ for kind in found if "code" not in vars(kind)] == []
    codes = Counter(kind.code for kind in found)
    assert {code for code, times in codes.items() if times > 1} == set()
    assert [code for code in codes if not CODE.fullmatch(code)] == []
    assert [kind.__name__ for kind in found if not kind.says.endswith((".", "?"))] == []


def test_every_state_of_every_flow_has_a_pill() -> None:
    found = flows()
    assert set(found) >= {"user", "merchant", "order", "checkout_session", "payment", "wallet"}
    shown = {noun: set(pills.PILLS[noun]) for noun in found}
    assert shown == {noun: set(flow.states) for noun, flow in found.items()}


def test_operations_and_attempts_have_pills_too() -> None:
    assert set(pills.PILLS["operation"]) == set(gateway.State)
    migration = (ROOT / "migrations/versions/0008_payments.py").read_text()
    told = re.search(r"ck_attempt_status CHECK \(status IN \(([^)]+)\)", migration)
    assert told is not None
    assert set(pills.PILLS["attempt"]) == set(re.findall(r"'(\w+)'", told[1]))


@pytest.mark.parametrize(
    ("words", "flow"),
    [
        (payments.Status, payments.FLOW),
        (importlib.import_module("webapp.accounts.models").UserStatus, USER_FLOW),
        (importlib.import_module("webapp.accounts.models").MerchantStatus, MERCHANT_FLOW),
        (importlib.import_module("webapp.wallets.models").Status, None),
    ],
)
def test_the_words_for_a_status_are_the_states_of_its_flow(
    words: type[StrEnum], flow: Flow | None
) -> None:
    flow = flow or flows()["wallet"]
    assert {str(word) for word in words} == set(flow.states)


def test_every_wake_up_is_heard() -> None:
    said = {
        ast.literal_eval(node.value)
        for source in sources("webapp", "jobs")
        for node in source.nodes
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "WAKE"
    }
    assert said == set(queues.KINDS) | set(HEARD_ELSEWHERE)
    for name in ("wake.soon", "wake.ping"):
        for source, call in calls(name):
            assert ast.unparse(call.args[0]).endswith("WAKE"), f"{source.name}:{call.lineno}"


def test_what_the_trail_waits_for_is_a_chore_of_the_relay() -> None:
    assert audit.seal_pending in {chore.do for chore in schedule.RELAY}


def test_every_id_is_of_a_kind_that_the_table_of_prefixes_knows() -> None:
    asked = [
        (source.name, call.lineno, ast.literal_eval(call.args[0]))
        for source, call in calls("ids.new")
        if isinstance(call.args[0], ast.Constant)
    ]
    assert asked
    assert [row for row in asked if row[2] not in ids.PREFIXES] == []
    assert len(set(ids.PREFIXES.values())) == len(ids.PREFIXES)


def test_every_icon_that_code_names_is_in_the_sprite() -> None:
    listed = set((ROOT / "scripts" / "icons.txt").read_text().split())
    entries = [*shell.SHOPPER, *shell.MERCHANT, *shell.ADMIN]
    named = {entry.icon for entry in entries}
    for source in sources("webapp"):
        for node in source.nodes:
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                named |= {
                    str(value.value)
                    for key, value in pairs
                    if isinstance(key, ast.Constant)
                    and key.value == "icon"
                    and isinstance(value, ast.Constant)
                }
            if isinstance(node, ast.keyword) and node.arg in {"icon", "icon_name"}:
                named |= {str(node.value.value)} if isinstance(node.value, ast.Constant) else set()
    assert named - listed == set()
