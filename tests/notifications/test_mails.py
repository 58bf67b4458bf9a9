"""Mails: written sealed, claimed by one sender at a time, tried again, never silently dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from threading import Thread

import pytest
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.notifications.smtp_server import MailServer
from tests.portal import Committed, cloned, dispose
from webapp import notifications
from webapp.app import create_app
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.notifications import Mail, Post

FACTS = {
    "amount": Money(1_000_00, "INR"),
    "order_number": "1042",
    "description": "Tea",
    "merchant_name": "Lotus Tea House",
    "method": "Visa •••• 4242",
    "paid_at": "21 Nov 2026, 14:05 IST",
    "payment_id": "pay_1",
    "link": "http://localhost:8000/receipt/signed",
    "mode": "test",
}
SNEAKED_IN = (
    "INSERT INTO mail SELECT 'mail_2', template, subject, to_sealed, to_index, text_sealed,"
    " html_sealed, about_id, fact_id, 'simulated', 0, NULL, created_at, due_at, NULL FROM mail"
)
MADE_UP = (
    "INSERT INTO message (id, user_id, livemode, kind, text, about_kind, about_id, fact_id,"
    " created_at) VALUES ('m', 'u', false, 'k', 't', 'a', 'b', 'f', now())"
)
ASHA = "asha@shop.example"


@pytest.fixture
def worker(stores: Stores) -> Iterator[Committed]:
    """A worker's portal with real commits."""
    with cloned(stores) as database:
        portal = Committed(None, stores, database)  # type: ignore[arg-type]
        app = create_app(portal.as_worker(), ROUTES)
        with app.app_context():
            db.use_scope(db.WORKER)
            yield Committed(app, stores, database)
            db.session.remove()
        dispose(app)


def write(to: str = ASHA) -> str:
    return notifications.send_mail(to, "receipt", about_id="pay_1", **FACTS)


def drain(post: Post | None, *, is_demo: bool = False) -> int:
    return notifications.drain_mail(post, is_demo=is_demo)


def row(mail_id: str) -> Mail:
    db.session.expire_all()
    mail = db.session.scalars(select(Mail).where(Mail.id == mail_id)).one()
    db.end_reads()
    return mail


@pytest.mark.requirement("S4-14")
def test_a_mail_is_handed_to_the_server_with_text_and_html(worker: Committed) -> None:
    mail_id = write()
    with MailServer() as server:
        assert drain(Post(server.url, "Paydeck <no-reply@pay.example.com>")) == 1
        assert drain(Post(server.url, "Paydeck <no-reply@pay.example.com>")) == 0
    (letter,) = server.letters
    assert letter["To"] == ASHA
    assert letter["From"] == "Paydeck <no-reply@pay.example.com>"
    assert letter["Subject"] == "[Test] Receipt: ₹1,000.00 to Lotus Tea House for Order #1042"
    assert letter["Message-ID"] == f"<{mail_id}@pay.example.com>"
    assert "₹1,000.00" in letter.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "₹1,000.00" in letter.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert row(mail_id).status == "sent"
    assert row(mail_id).sent_at is not None


def test_an_address_that_is_refused_for_good_is_not_tried_again(worker: Committed) -> None:
    mail_id = write()
    with MailServer(refuse="550 nobody here") as server:
        assert drain(Post(server.url, "a@pay.example.com")) == 1
    assert row(mail_id).status == "failed"
    assert row(mail_id).last_error == "the address was refused"


@pytest.mark.parametrize("refuse", ["450 try later", None])
def test_a_server_that_is_busy_or_away_is_tried_again_later(
    worker: Committed, refuse: str | None
) -> None:
    mail_id = write()
    with MailServer(refuse=refuse or "") as server:
        post = Post(server.url, "a@pay.example.com")
        if refuse:
            assert drain(post) == 1
    if not refuse:
        assert drain(post) == 1
    assert row(mail_id).status == "waiting"
    assert row(mail_id).due_at > clock.now()
    assert not notifications.are_mails_due()
    with MailServer() as server, clock.standing_at(clock.now() + dt.timedelta(minutes=2)):
        db.end_reads()
        assert drain(Post(server.url, "a@pay.example.com")) == 1
    assert len(server.letters) == 1
    assert row(mail_id).status == "sent"


def test_after_eight_tries_a_mail_has_failed_and_says_why(worker: Committed) -> None:
    mail_id = write()
    post = Post("smtp://127.0.0.1:1", "a@pay.example.com")
    moment = clock.now()
    for _ in range(8):
        moment += dt.timedelta(hours=2)
        with clock.standing_at(moment):
            db.end_reads()
            assert drain(post) == 1
    assert row(mail_id).status == "failed"
    assert row(mail_id).last_error == "ConnectionRefusedError"


def test_a_sender_that_died_is_followed_by_another_after_a_minute(worker: Committed) -> None:
    mail_id = write()

    class Dies(Post):
        def send(self, **_letter: str) -> None:
            raise SystemExit

    with pytest.raises(SystemExit):
        drain(Dies("smtp://127.0.0.1:1", "a@pay.example.com"))
    assert drain(None, is_demo=True) == 0, "the mail is still the dead sender's"
    with clock.standing_at(clock.now() + dt.timedelta(seconds=61)):
        db.end_reads()
        assert drain(None, is_demo=True) == 1
    assert row(mail_id).status == "simulated"


@pytest.mark.races
def test_two_senders_send_no_mail_twice(worker: Committed) -> None:
    for place in range(12):
        write(f"p{place}@shop.example")

    with MailServer() as server:

        def send() -> None:
            with worker.app.app_context():
                db.use_scope(db.WORKER)
                drain(Post(server.url, "a@pay.example.com"))
                db.session.remove()

        threads = [Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sorted(letter["To"] for letter in server.letters) == sorted(
        f"p{place}@shop.example" for place in range(12)
    )


def test_without_a_server_the_demo_shows_mails_and_others_keep_them(worker: Committed) -> None:
    mail_id = write()
    assert drain(None, is_demo=False) == 1
    assert row(mail_id).status == "waiting"
    assert row(mail_id).last_error == "SMTP_URL is not set"
    with clock.standing_at(clock.now() + dt.timedelta(hours=2)):
        db.end_reads()
        assert drain(None, is_demo=True) == 1
    shown = notifications.mailbox(page=PageRequest()).rows
    assert [(mail.id, mail.to) for mail in shown] == [(mail_id, ASHA)]
    assert "pay_1" in notifications.mail_of(mail_id).text


def test_addresses_and_letters_are_sealed_in_the_table(worker: Committed) -> None:
    write()
    with worker.connect("postgres") as connection:
        stored = str(connection.execute("SELECT mail::text FROM mail").fetchall())
    assert "receipt" in stored
    for secret in ("asha@", "shop.example", "Visa ••••", "Darjeeling", "21 Nov 2026"):
        assert secret not in stored


def test_the_portal_reads_no_mail_that_was_sent_or_will_be(worker: Committed) -> None:
    mail_id = write()
    with worker.connect("paydeck_web") as connection:
        assert connection.execute("SELECT * FROM mail").fetchall() == []
    drain(None, is_demo=True)
    with worker.connect("paydeck_web") as connection:
        assert connection.execute("SELECT id FROM mail").fetchall() == [(mail_id,)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE mail SET status = 'sent'",
        "DELETE FROM mail",
        "TRUNCATE mail",
        SNEAKED_IN,
        "UPDATE message SET text = 'other'",
        "DELETE FROM message",
        MADE_UP,
    ],
)
def test_the_portal_may_not(worker: Committed, statement: str) -> None:
    write()
    drain(None, is_demo=True)
    with (
        worker.connect("paydeck_web") as connection,
        pytest.raises(Exception, match=r"denied|policy"),
    ):
        connection.execute(statement)


def test_the_worker_may_change_how_a_mail_stands_and_not_what_it_says(worker: Committed) -> None:
    write()
    for column in ("to_sealed", "subject", "text_sealed", "about_id"):
        with pytest.raises(ProgrammingError, match="denied"), db.transaction(db.WORKER) as session:
            session.connection().exec_driver_sql(f"UPDATE mail SET {column} = 'x'")
