"""Bugs in what is remembered: facts and their telling, forms, scopes, figures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.simulation.product import room
from webapp.kernel import db
from webapp.outbox import Fact

telling, outbox, facts = room("jobs.telling"), room("outbox"), room("outbox.service")
idempotency, forms = room("idempotency"), room("idempotency.service")

_last: dict[str, str] = {}


def facts_are_queued_after_the_commit() -> None:
    """Who is to be told is written once the change has been committed."""
    record = facts.record

    def queues_later(subject: Any, source: str, target: str, **more: Any) -> None:
        routes = dict(facts._routes)
        facts._routes.clear()
        try:
            record(subject, source, target, **more)
        finally:
            facts._routes.update(routes)
        name, told = subject.FLOW.event(source, target), subject.id
        consumers, version = routes.get(name, ()), subject.version

        def queue() -> None:
            with db.transaction(db.ADMIN) as session:
                session.execute(
                    text(
                        "INSERT INTO outbox_due (fact_id, consumer, due_at) SELECT f.id, c, f.at"
                        " FROM fact f, unnest(CAST(:consumers AS text[])) AS c"
                        " WHERE f.subject_id = :id AND f.version = :version"
                    ),
                    {"consumers": list(consumers), "id": told, "version": version},
                )

        db.after_commit(queue)

    facts.record = queues_later


def the_relay_marks_before_it_tells() -> None:
    """What is still to be told is deleted first."""

    def marks_first(name: str, consumer: Any, at_most: int) -> int:
        with db.transaction(db.WORKER):
            taken = outbox.take_due(name, at_most=at_most)
            outbox.told(name, taken)
        with db.transaction(db.WORKER):
            if taken:
                consumer(taken)
        return len(taken)

    telling._tell_together = marks_first


def the_relay_reads_by_a_cursor() -> None:
    """Facts are told from the last id onwards; what becomes visible late is skipped."""
    take = facts.take_due

    def from_the_last(consumer: str, **more: Any) -> list[Fact]:
        with db.session.no_autoflush:
            newest = take(consumer, **more)
        wanted = [fact for fact in newest if fact.id > _last.get(consumer, "")]
        if wanted:
            _last[consumer] = max(fact.id for fact in wanted)
        return wanted

    facts.take_due = from_the_last
    outbox.take_due = from_the_last


def figures_are_added_outside_the_mark() -> None:
    """Figures are committed before the relay notes that they were."""
    together = telling._tell_together

    def apart(name: str, consumer: Any, at_most: int) -> int:
        if name != "rollup":
            return int(together(name, consumer, at_most))
        with db.transaction(db.WORKER):
            taken = outbox.take_due(name, at_most=at_most)
            if taken:
                consumer(taken)
        with db.transaction(db.WORKER):
            outbox.told(name, taken)
        return len(taken)

    telling._tell_together = apart


def a_failed_teller_gives_up() -> None:
    """A fact whose telling met a busy store is put off for ever."""
    tell_together = telling._tell_together

    def gives_up(name: str, consumer: Any, at_most: int) -> int:
        try:
            return int(tell_together(name, consumer, at_most))
        except DBAPIError:
            with db.transaction(db.WORKER):
                outbox.told(name, outbox.take_due(name, at_most=at_most))
            raise

    telling._tell_together = gives_up


def the_answer_is_kept_after_the_work() -> None:
    """A form's work is committed before its key is."""

    def in_two(*words: Any) -> Any:
        *named, work = words
        request = forms._Request(*named)
        with db.transaction():
            if (earlier := forms._claim(request)) is not None:
                return earlier
        with db.transaction():
            answer = work()
        with db.transaction():
            forms._remember(request, answer)
        return answer

    idempotency.once = in_two


def a_lost_commit_is_done_again_blindly() -> None:
    """When the connection is cut at COMMIT, the work is done once more under another key."""
    once = idempotency.once

    def again(*words: Any) -> Any:
        try:
            return once(*words)
        except DBAPIError as lost:
            if not lost.connection_invalidated:
                raise
            actor_kind, actor_id, livemode, key, *rest = words
            return once(actor_kind, actor_id, livemode, f"{key}-again", *rest)

    idempotency.once = again


def a_scope_outlives_its_transaction() -> None:
    """Who may see what is set for the connection, and nobody clears it."""
    room("kernel.db")._SET_SCOPE = text(
        "SELECT CASE WHEN :merchant <> '' OR :user <> '' THEN"
        " set_config('app.merchant', :merchant, false) || set_config('app.livemode', :livemode,"
        " false) || set_config('app.user', :user, false) END"
    )


BUGS = (
    facts_are_queued_after_the_commit,
    the_relay_marks_before_it_tells,
    the_relay_reads_by_a_cursor,
    figures_are_added_outside_the_mark,
    a_failed_teller_gives_up,
    the_answer_is_kept_after_the_work,
    a_lost_commit_is_done_again_blindly,
    a_scope_outlives_its_transaction,
)
