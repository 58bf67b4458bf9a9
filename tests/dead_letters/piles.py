"""Work that gave up, of every kind, written as the workers leave it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from tests.builders import a_merchant, a_payment, an_order
from tests.stories import behind, scalar
from tests.webhooks import hooks
from webapp.gateway import CallKey, LookUp, LookUpRefund, Outcome, ProviderError
from webapp.kernel import clock, db, ids
from webapp.outbox import NEVER
from webapp.payments import Status


def run(statement: str, **values: object) -> None:
    """Change the database as a worker does."""
    with db.transaction(behind()) as session:
        session.execute(text(statement), values)


@dataclass
class Answering:
    """A provider that gives one answer to every question, and to which nothing can be sent."""

    says: Outcome | ProviderError
    asked: int = 0
    name: str = "stripe"
    livemode: bool = False

    def look_up(self, _key: CallKey, _call: LookUp) -> Outcome:
        """Say it."""
        return self._say()

    def look_up_refund(self, _key: CallKey, _call: LookUpRefund) -> Outcome:
        """Say it."""
        return self._say()

    def _say(self) -> Outcome:
        self.asked += 1
        if isinstance(self.says, ProviderError):
            raise self.says
        return self.says


STILL_IN_DOUBT = "still_in_doubt: the provider's key is too old to send again"


def a_call(error: str = STILL_IN_DOUBT) -> str:
    """Return the operation that charges a new payment, waiting for a person."""
    with db.scoped(db.NOBODY):
        payment_id = a_payment(Status.PROCESSING)
    run(
        "UPDATE provider_operation SET state = 'failed', due_at = NULL, closed_at = clock_now()"
        " WHERE subject_id = :id AND kind = 'create_intent'",
        id=payment_id,
    )
    return in_doubt(payment_id, "confirm", error)


def in_doubt(subject_id: str, kind: str, error: str = STILL_IN_DOUBT) -> str:
    """Have the planned call of a payment or refund wait for a person; returns its id."""
    found = scalar(
        "SELECT id FROM provider_operation WHERE subject_id = :id AND kind = :kind"
        " AND state = 'pending'",
        id=subject_id,
        kind=kind,
    )
    run(
        "UPDATE provider_operation SET state = 'in_flight', lease_until = clock_now(),"
        " lease_token = nextval('fence'), first_sent_at = clock_now() WHERE id = :id",
        id=found,
    )
    run(
        "UPDATE provider_operation SET state = 'manual', lease_until = NULL, due_at = NULL,"
        " last_error = :error WHERE id = :id",
        id=found,
        error=error,
    )
    return str(found)


def a_message(
    error: str = "payment_not_found: There is no such payment.", *, kind: str = "charge.succeeded"
) -> str:
    """Return the id of a message of the provider that was set aside."""
    event_id = f"evt_{ids.new('provider_event')[4:]}"
    run(
        "INSERT INTO provider_event (provider, event_id, kind, object_id, subject_id, livemode,"
        " payload, received_at, tries, due_at, error) VALUES ('stripe', :id, :kind, 'ch_1',"
        " 'pay_gone', false, :payload, :at, 8, NULL, :error)",
        id=event_id,
        kind=kind,
        payload='{"id": "evt_1", "data": {"object": {"email": "asha@people.example"}}}',
        at=clock.now(),
        error=error,
    )
    return event_id


def a_fact(error: str = "KeyError: 'order'", *, consumer: str = "notify") -> str:
    """Return the letter of a fact that a consumer could not take."""
    fact_id = ids.new("fact")
    run(
        "INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot, because,"
        " actor_kind, at) VALUES (:id, 'test.happened', 'test', :id, 1, '{}', 'It did.',"
        " 'system', clock_now())",
        id=fact_id,
    )
    run(
        "INSERT INTO outbox_due (fact_id, consumer, due_at, tries, last_error)"
        " VALUES (:id, :consumer, :never, 8, :error)",
        id=fact_id,
        consumer=consumer,
        never=NEVER,
        error=error,
    )
    return f"{fact_id}_{consumer}"


def a_mail(error: str = "550: no such mailbox") -> str:
    """Return the id of a mail that failed for good."""
    mail_id = ids.new("mail")
    run(
        "INSERT INTO mail (id, template, subject, to_sealed, to_index, text_sealed, html_sealed,"
        " about_id, status, tries, last_error, created_at, due_at) VALUES (:id, 'receipt', 'Hello',"
        " '', '', '', '', 'pay_1', 'failed', 8, :error, clock_now(), clock_now())",
        id=mail_id,
        error=error,
    )
    return mail_id


def a_delivery(error: str = "webhook delivery failed: status 500") -> str:
    """Return the id of a delivery to a merchant's server that gave up."""
    with db.scoped(db.OWNER):
        shop = a_merchant()
        hooks.an_endpoint(shop, "order.created")
        an_order(shop)
        hooks.tell()
    run(
        "UPDATE delivery SET state = 'dead', due_at = NULL, finished_at = clock_now(), tries = 11,"
        " last_error = :error",
        error=error,
    )
    return str(scalar("SELECT max(id) FROM delivery"))
