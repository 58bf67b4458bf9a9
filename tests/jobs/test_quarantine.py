"""Work that ends its process three times is set aside by real processes, and the rest goes on."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from jobs import context, queues
from tests.jobs.working import Ground, until
from webapp import dead_letters, notifications
from webapp.dead_letters import LetterKind
from webapp.kernel import db, ids, wake
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor

pytestmark = [pytest.mark.races, pytest.mark.requirement("S1-12")]
DEATHS = 3


@pytest.fixture(autouse=True)
def _wakes(ground: Ground) -> None:
    wake.use(ground.stores.redis_url)
    wake.client().flushall()


def letters(kind: LetterKind) -> list[tuple[str, str]]:
    """Return what gave up of one kind, with the reason."""
    with context.working(), db.scoped(db.ADMIN):
        found = dead_letters.listed(kind, page=PageRequest()).rows
        return [(one.id, one.reason) for one in found]


def a_message(ground: Ground) -> str:
    """Keep a message of the provider that has nothing but itself to apply: it is not ours."""
    event_id = f"evt_{ids.new('provider_event')[4:]}"
    subject, operation = ids.new("payment"), ids.new("operation")
    metadata = {"subject": subject, "operation": operation}
    intent = {"id": "pi_1", "status": "processing", "metadata": metadata}
    payload = {
        "id": event_id,
        "type": "payment_intent.processing",
        "livemode": False,
        "created": 1,
        "data": {"object": intent},
    }
    ground.query(
        "INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose,"
        " merchant_id, livemode, request, state, tries, claims, due_at, created_at)"
        " VALUES (%(id)s, 'look_up', 'stripe', 'sale', %(subject)s, 'test', 'mer_1', false, '{}',"
        " 'pending', 0, 0, clock_now() + interval '1 day', clock_now())",
        id=operation,
        subject=subject,
    )
    ground.query(
        "INSERT INTO provider_event (provider, event_id, kind, object_id, subject_id, livemode,"
        " payload, received_at, tries, due_at) VALUES ('stripe', %(id)s, %(kind)s, 'pi_1',"
        " %(subject)s, false, %(payload)s, clock_now(), 0, clock_now())",
        id=event_id,
        kind=payload["type"],
        subject=subject,
        payload=json.dumps(payload),
    )
    return event_id


def a_mail() -> str:
    """Write a mail that is due."""
    with context.working():
        return notifications.send_mail(
            "asha@people.example",
            "verify_email",
            about_id="usr_1",
            mode="test",
            link="http://localhost:8000/verify/x",
        )


def outlive(ground: Ground, poison: str, table: str, key: str, kind: str) -> None:
    """Wake the workers until the poison has ended three of them, and once more."""
    claims = f"SELECT claims FROM {table} WHERE {key} = %(id)s"

    def has_killed(times: int) -> bool:
        return ground.query(claims, id=poison) == [times]

    for deaths in range(1, DEATHS + 1):
        queues.enqueue(kind)
        until(partial(has_killed, deaths), seconds=30, what=f"death {deaths}")
        ground.query(f"UPDATE {table} SET due_at = clock_now() WHERE {key} = %(id)s", id=poison)
    queues.enqueue(kind)


def test_a_message_that_kills_its_work_horse_is_set_aside(ground: Ground, tmp_path: Path) -> None:
    poison = a_message(ground)
    argv = ("-m", "tests.jobs.dying_worker", "worker", poison)
    with ground.running(*argv, log=tmp_path / "worker.log") as running:
        outlive(ground, poison, "provider_event", "event_id", "inbox")
        aside = partial(letters, LetterKind.EVENT)
        until(lambda: aside() == [(poison, "ended its worker each time")], seconds=30, what="aside")
        others = [a_message(ground) for _ in range(3)]
        queues.enqueue("inbox")
        tried = "SELECT event_id FROM provider_event WHERE tries > 0 AND due_at IS NOT NULL"
        until(lambda: sorted(ground.query(tried)) == sorted(others), seconds=30, what="the others")
        assert running.poll() is None, "the worker outlived its work-horses"


def test_a_mail_that_kills_its_work_horse_has_failed_and_the_next_is_sent(
    ground: Ground, tmp_path: Path
) -> None:
    poison = a_mail()
    argv = ("-m", "tests.jobs.dying_worker", "worker", poison)
    log, env = tmp_path / "worker.log", {"SMTP_URL": "smtp://127.0.0.1:1"}
    with ground.running(*argv, log=log, **env):
        outlive(ground, poison, "mail", "id", "mail")
        aside = partial(letters, LetterKind.MAIL)
        until(lambda: aside() == [(poison, "ended its worker each time")], seconds=30, what="aside")
        other = a_mail()
        queues.enqueue("mail")
        sent = "SELECT id FROM mail WHERE status = 'sent'"
        until(lambda: ground.query(sent) == [other], seconds=30, what="the next mail")


def test_a_fact_that_kills_the_relay_is_set_aside_and_the_others_are_told(
    ground: Ground, tmp_path: Path
) -> None:
    ground.make_told_table()
    written = ground.facts(6, "note")
    poison, healthy = written[2], [*written[:2], *written[3:]]
    argv = ("-m", "tests.jobs.dying_worker", "relay", poison)
    for life in range(DEATHS):
        with ground.running(*argv, log=tmp_path / f"relay{life}.log") as running:
            assert running.wait(30) == -9
    assert ground.query("SELECT claims FROM outbox_due") != []
    with ground.running(*argv, log=tmp_path / "last.log"):
        told = "SELECT fact_id FROM told ORDER BY fact_id"
        until(lambda: ground.query(told) == healthy, seconds=30, what="the others")
        aside = [(f"{poison}_note", "ended its teller each time")]
        until(lambda: letters(LetterKind.FACT) == aside, seconds=30, what="aside")


@pytest.mark.requirement("S1-19")
def test_what_was_set_aside_is_told_once_a_person_says_so(ground: Ground, tmp_path: Path) -> None:
    """A letter taken up again is worked off by the processes that run anyway."""
    ground.make_told_table()
    (fact_id,) = ground.facts(1, "note")
    ground.query("UPDATE outbox_due SET due_at = '9999-01-01 00:00:00+00', last_error = 'x'")
    argv = ("-m", "tests.jobs.dying_worker", "relay", "none")
    with ground.running(*argv, log=tmp_path / "relay.log"):
        with context.working(), db.scoped(db.ADMIN):
            dead_letters.retry(LetterKind.FACT, f"{fact_id}_note", by=Actor("admin", "usr_1"))
        told = "SELECT fact_id FROM told"
        until(lambda: ground.query(told) == [fact_id], seconds=30, what="told")
