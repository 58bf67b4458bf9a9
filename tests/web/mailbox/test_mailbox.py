"""The demo mailbox shows what was not sent, says so, and shows nothing else."""

from __future__ import annotations

from flask import Flask

from tests.checked_client import CheckedClient
from webapp import notifications
from webapp.kernel import db
from webapp.kernel.money import Money

FACTS = {
    "amount": Money(1_000_00, "INR"),
    "order_number": "1042",
    "description": "<script>alert(1)</script>",
    "merchant_name": "Lotus Tea House",
    "method": "",
    "paid_at": "21 Nov 2026, 14:05 IST",
    "payment_id": "pay_1",
    "link": "http://localhost:8000/receipt/signed",
    "mode": "test",
}


def write(*, simulate: bool = True) -> str:
    mail_id = notifications.send_mail("asha@shop.example", "receipt", about_id="pay_1", **FACTS)
    if simulate:
        with db.scoped(db.WORKER):
            notifications.drain_mail(None, is_demo=True)
    return mail_id


def test_an_empty_mailbox_says_what_to_do(client: CheckedClient) -> None:
    page = client.get("/_mailbox").get_data(as_text=True)
    assert "No mails yet" in page
    assert "Nothing was sent" in page


def test_a_mail_is_listed_and_opened_and_nothing_in_it_runs(client: CheckedClient) -> None:
    mail_id = write()
    listed = client.get("/_mailbox").get_data(as_text=True)
    assert "asha@shop.example" in listed
    assert f"/_mailbox/{mail_id}" in listed
    opened = client.get(f"/_mailbox/{mail_id}").get_data(as_text=True)
    assert "was not sent" in opened
    assert "₹1,000.00" in opened
    assert "<script>alert" not in opened


def test_a_mail_that_still_waits_to_be_sent_is_not_shown(client: CheckedClient) -> None:
    mail_id = write(simulate=False)
    assert "asha@shop.example" not in client.get("/_mailbox").get_data(as_text=True)
    assert client.get(f"/_mailbox/{mail_id}").status_code == 404


def test_a_made_up_mail_or_page_is_refused(client: CheckedClient) -> None:
    assert client.get("/_mailbox/mail_00000000000000000000000000").status_code == 404
    assert client.get("/_mailbox?older=%00%ff").status_code in {400, 422}


def test_outside_the_demo_there_is_no_mailbox(app: Flask) -> None:
    """The application registers the door in demo mode only."""
    from dataclasses import replace  # noqa: PLC0415 - as above

    from jobs.subscriptions import ROUTES  # noqa: PLC0415 - as above
    from webapp.app import create_app  # noqa: PLC0415 - made once more, on purpose

    settings = replace(app.extensions["paydeck_settings"], demo=False)
    rules = {rule.rule for rule in create_app(settings, ROUTES).url_map.iter_rules()}
    assert not [rule for rule in rules if rule.startswith("/_")]
