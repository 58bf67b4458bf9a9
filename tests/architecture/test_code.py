"""The house rules that an import graph cannot see, each with a breach that it must find."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from tests.architecture import rules
from tests.architecture.source import (
    EVERYTHING,
    PORTAL,
    PRODUCT,
    Breaches,
    Finding,
    Source,
    findings,
    sources,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence, where it holds, what breaks it, and the places that may, each with a reason."""

    says: str
    roots: tuple[str, ...]
    find: Callable[[Source], Breaches]
    breach: str
    fine: str = ""
    breach_in: str = "webapp/orders/service.py"
    may: Mapping[str, str] = field(default_factory=dict)


RULES = [
    Rule(
        "the sentences that people read have the printer’s apostrophe",
        PORTAL,
        rules.straight_apostrophes,
        breach='says = "It is the shopper\'s step."',
        fine='says = "It is the shopper’s step."',
    ),
    Rule(
        "only transaction() commits",
        PORTAL,
        rules.committing,
        breach="session.commit()",
        fine="with transaction(): pass",
        may={"webapp/kernel/db.py": "this is where transaction() and the end of reads live"},
    ),
    Rule(
        "a status changes only through begin and move_to",
        PORTAL,
        rules.setting_status,
        breach="payment.status = 'captured'",
        fine="payment.move_to('captured', because='It was paid.')",
        may={
            "webapp/outbox/service.py:begin": "the first of the two ways",
            "webapp/outbox/service.py:move_to": "the second of the two ways",
            "webapp/payments/apply.py:_await_shopper": "an attempt is a row of its payment's story",
            "webapp/payments/steps.py:end_attempt": "an attempt is a row of its payment's story",
            "webapp/notifications/service.py:_settle": "a mail tells a fact and announces none",
            "demo/rows.py:step": "writes past moves and facts itself, as rows for COPY",
        },
    ),
    Rule(
        "only the kernel reads the clock",
        (*PORTAL, "migrations"),
        rules.reading_clocks,
        breach="moment = datetime.now(UTC)",
        fine="moment = clock.now(); began = time.monotonic()",
        may={
            "webapp/kernel/clock.py": "the one Python clock",
            "migrations/versions/0001_ground.py": "makes clock_now(), the one SQL clock",
        },
    ),
    Rule(
        "only the kernel makes chance",
        (*PORTAL, "migrations"),
        rules.making_chance,
        breach="import random",
        fine="from webapp.kernel import ids",
        may={
            "webapp/kernel/ids.py": "makes ids and secret tokens",
            "webapp/kernel/crypto.py": "makes a nonce for every sealed value",
            "webapp/accounts/passwords.py": "makes the hash of a password that nobody has",
            "demo/chance.py": "seeded chance: the story is the same every time",
        },
    ),
    Rule(
        "SQL is put together from constants only",
        PORTAL,
        rules.building_sql,
        breach="session.execute(text(f'SELECT {name}'))",
        fine="session.execute(text(f'SELECT 1 LIMIT {MOST + 1}'), {'name': name})",
        may={
            "webapp/kernel/db.py:_announce_scope": "a role of its own enum, never a parameter",
        },
    ),
    Rule(
        "what is not escaped is made in named modules",
        (*PORTAL, "sandbox"),
        rules.trusting_markup,
        breach="from markupsafe import Markup",
        fine="from markupsafe import escape",
        may={
            "webapp/web/shared/filters.py": "money and moments, every value put in by format()",
            "webapp/web/shared/icons.py": "an icon of the sprite, its name put in by format()",
            "webapp/web/merchant/charts.py": "drawings that analytics made, with escaped words",
        },
    ),
    Rule(
        "nothing is read by a reader that can run it",
        PRODUCT,
        rules.reading_code,
        breach="import pickle",
        fine="import json",
    ),
    Rule(
        "a function has at most 60 lines",
        EVERYTHING,
        rules.long_functions,
        breach="def long():\n" + "    pass\n" * 60,
        fine="def short():\n" + "    pass\n" * 59,
    ),
    Rule(
        "a file has at most 400 lines",
        EVERYTHING,
        rules.long_file,
        breach="pass\n" * 401,
        fine="pass\n" * 400,
    ),
    Rule(
        "a file is named after what it holds",
        EVERYTHING,
        rules.vague_name,
        breach="",
        breach_in="webapp/orders/utils.py",
    ),
    Rule(
        "a module opens with one sentence",
        EVERYTHING,
        rules.silent_module,
        breach="'''Orders'''",
        fine="'''Orders are what is owed.'''",
    ),
    Rule(
        "another room is entered by its door plate",
        PRODUCT,
        rules.passing_by_the_plate,
        breach="from webapp.payments.models import Payment",
        fine="from webapp import payments\nfrom webapp.payments import Payment\npayments.apply",
        may={
            "demo/refunds.py": "posts with the pure lines of a refund, so that they are the same",
            "demo/sales.py": "posts with the pure lines of a capture, so that they are the same",
        },
    ),
    Rule(
        "nothing is loaded that nobody asked for",
        PORTAL,
        rules.relating,
        breach="attempts = relationship('Attempt')",
        fine="attempts = relationship('Attempt', lazy='raise')",
    ),
    Rule(
        "rooms start no threads",
        tuple(f"webapp/{room}" for room in sorted(rules.ROOMS)),
        rules.starting_threads,
        breach="threading.Thread(target=work).start()",
        fine="threading.Lock()",
    ),
]


def by_sentence(rule: Rule) -> str:
    return rule.says


def found_by(rule: Rule) -> list[Finding]:
    return [one for source in sources(*rule.roots) for one in findings(source, rule.find)]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(
            rule,
            marks=[pytest.mark.requirement("S2-82")] if rule.find is rules.building_sql else [],
        )
        for rule in RULES
    ],
    ids=by_sentence,
)
def test_the_house_rule_holds(rule: Rule) -> None:
    broken = [str(one) for one in found_by(rule) if not one.places & rule.may.keys()]
    assert broken == []


@pytest.mark.parametrize("rule", RULES, ids=by_sentence)
def test_the_house_rule_finds_a_breach_and_lets_good_code_pass(rule: Rule) -> None:
    assert findings(Source(rule.breach_in, rule.breach), rule.find)
    if rule.fine:
        assert findings(Source("webapp/orders/service.py", rule.fine), rule.find) == []


@pytest.mark.parametrize("rule", RULES, ids=by_sentence)
def test_every_exception_is_still_needed(rule: Rule) -> None:
    used = {place for one in found_by(rule) for place in one.places}
    assert set(rule.may) - used == set()


@pytest.mark.parametrize(
    ("rule", "breach"),
    [
        (rules.committing, "session.execute(text('COMMIT'))"),
        (rules.setting_status, "setattr(order, 'status', 'completed')"),
        (rules.setting_status, "update(Order).values(status='completed')"),
        (rules.setting_status, "text('UPDATE payment SET status = :s')"),
        (rules.reading_clocks, "text('SELECT now()')"),
        (rules.reading_clocks, "column(server_default='CURRENT_TIMESTAMP')"),
        (rules.reading_clocks, "from time import time"),
        (rules.making_chance, "key = os.urandom(16)"),
        (rules.making_chance, "column(server_default='gen_random_uuid()')"),
        (rules.building_sql, "session.scalars(text('SELECT {}'.format(name)))"),
        (rules.building_sql, "session.execute('SELECT ' + f'{name}')"),
        (rules.reading_code, "eval(words)"),
        (rules.passing_by_the_plate, "from webapp import payments\npayments.steps.hold()"),
        (rules.passing_by_the_plate, "from webapp.payments import steps"),
        (rules.passing_by_the_plate, "import webapp.payments"),
    ],
)
def test_a_breach_in_other_words_is_found_too(
    rule: Callable[[Source], Breaches], breach: str
) -> None:
    assert findings(Source("webapp/orders/service.py", breach), rule)


def test_every_room_has_a_door_plate() -> None:
    assert {room for room in rules.ROOMS if not rules.plate(room)} == set()
