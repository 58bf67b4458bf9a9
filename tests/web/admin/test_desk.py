"""The admins' desk: what is under way, what the provider wrote, what gave up, and their buttons."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import a_payment, an_admin, browser_of
from tests.checked_client import CheckedClient, Page
from tests.dead_letters.piles import a_call, a_fact, a_mail, a_message, run
from tests.refunds.builders import asked, paid_out, released, sent, told
from tests.stories import scalar
from tests.web.admin.test_admin import audited
from webapp.kernel import clock
from webapp.payments import Status
from webapp.web.admin import janitor_rows

BOARD, LETTERS, MESSAGES = "/admin/janitor", "/admin/dead-letters", "/admin/provider-events"


@pytest.fixture
def desk(app: Flask) -> CheckedClient:
    """The admin's browser."""
    return browser_of(app, an_admin())


def html(desk: CheckedClient, path: str) -> str:
    """Return a page as it is sent, with the addresses of its links."""
    answer = desk.get(path)
    assert answer.status_code == 200, path
    return answer.text


def waiting(event_id: str) -> str:
    """Have a message that was set aside wait again."""
    run("UPDATE provider_event SET due_at = clock_now() WHERE event_id = :id", id=event_id)
    return event_id


def test_the_board_shows_everything_that_is_not_final_with_its_owner_and_deadline(
    desk: CheckedClient,
) -> None:
    payment_id, call, message = a_payment(Status.PROCESSING), a_call(), a_message()
    done = a_payment(Status.CAPTURED)
    said = html(desk, BOARD)
    assert f"/admin/payments/{payment_id}" in said
    assert f"/admin/dead-letters/call/{call}" in said
    assert f"/admin/provider-events/{message}" in said
    assert done not in html(desk, f"{BOARD}?kind=payment")
    for words in ("The provider", "An admin", "A person looks into it", "Check now", "Decide"):
        assert words in said
    part = desk.get(f"{BOARD}/now", headers={"X-Fragment": "1"})
    assert payment_id in part.text


@pytest.mark.parametrize("kind", list(janitor_rows.KINDS))
def test_each_kind_has_its_part_of_the_board(desk: CheckedClient, kind: str) -> None:
    a_payment(Status.PROCESSING)
    assert desk.page(f"{BOARD}?kind={kind}").title


def test_what_is_late_comes_first_and_is_called_late(desk: CheckedClient) -> None:
    early, late = a_payment(Status.PROCESSING), a_payment(Status.PROCESSING)
    assert "1 late" not in html(desk, BOARD)
    run(
        "UPDATE payment SET check_at = :at WHERE id = :id",
        at=clock.now() - dt.timedelta(minutes=5),
        id=late,
    )
    said = html(desk, f"{BOARD}?kind=payment")
    assert "1 late" in said
    assert said.index(late) < said.index(early)


def test_a_payment_is_asked_about_from_the_board(desk: CheckedClient) -> None:
    payment_id = a_payment(Status.PROCESSING)
    for _ in range(2):
        answer = desk.send(f"{BOARD}?kind=payment", "/check")
        assert answer.status_code == 303
    asked = "SELECT count(*) FROM provider_operation WHERE subject_id = :id AND kind = 'look_up'"
    assert scalar(asked, id=payment_id) == 1
    assert audited("payment.checked", payment_id) == 2


def test_a_refund_under_way_stands_on_the_board_and_is_asked_about(desk: CheckedClient) -> None:
    refund_id = asked(a_payment(Status.CAPTURED))
    released()
    told(refund_id, sent())
    said = html(desk, f"{BOARD}?kind=refund")
    assert f"/admin/refunds/{refund_id}" in said
    assert desk.send(f"{BOARD}?kind=refund", "/check").status_code == 303
    question = "SELECT count(*) FROM provider_operation WHERE subject_id = :id AND kind = :kind"
    assert scalar(question, id=refund_id, kind="look_up_refund") == 1
    assert audited("refund.checked", refund_id) == 1
    told(refund_id, paid_out())
    assert refund_id not in html(desk, f"{BOARD}?kind=refund")


def test_a_call_that_waits_is_made_now_and_one_that_is_over_is_not(desk: CheckedClient) -> None:
    payment_id = a_payment(Status.PROCESSING)
    later = "UPDATE provider_operation SET due_at = clock_now() + interval '5 min'"
    run(f"{later} WHERE subject_id = :id AND kind = 'confirm'", id=payment_id)
    operation_id = scalar(
        "SELECT id FROM provider_operation WHERE subject_id = :id AND kind = 'confirm'",
        id=payment_id,
    )
    form = desk.page(f"{BOARD}?kind=call").form("/check")
    given = {**form.fields, "kind": "call", "id": operation_id}
    assert desk.post(f"{BOARD}/check", data=given).status_code == 303
    due = "SELECT due_at <= clock_now() FROM provider_operation WHERE id = :id"
    assert scalar(due, id=operation_id) is True
    assert audited("operation.hurried", operation_id) == 1
    manual = a_call()
    assert desk.post(f"{BOARD}/check", data={**given, "id": manual}).status_code == 404
    assert audited("operation.hurried", manual) == 0


@pytest.mark.parametrize(
    ("kind", "subject", "status"),
    [
        ("payment", "pay_nothing", 404),
        ("refund", "re_nothing", 404),
        ("call", "op_nothing", 404),
        ("message", "evt_nothing", 404),
        ("money", "ano_1", 400),
        ("", "", 400),
        ("wall", "x" * 3000, 400),
    ],
)
def test_checking_what_is_not_there_does_nothing(
    desk: CheckedClient, kind: str, subject: str, status: int
) -> None:
    token = desk.page("/admin").form("/sign-out").fields["csrf_token"]
    before = scalar("SELECT count(*) FROM audit_entry")
    given = {"csrf_token": token, "kind": kind, "id": subject}
    assert desk.post(f"{BOARD}/check", data=given).status_code == status
    assert scalar("SELECT count(*) FROM audit_entry") == before


def test_messages_are_listed_by_where_they_stand(desk: CheckedClient) -> None:
    aside, waits = a_message(), waiting(a_message())
    applied, closed = a_message(), a_message()
    run(
        "UPDATE provider_event SET processed_at = now(), error = NULL WHERE event_id = :i",
        i=applied,
    )
    run("UPDATE provider_event SET processed_at = now() WHERE event_id = :id", id=closed)
    shown = {"error": aside, "waiting": waits, "processed": applied, "closed": closed}
    everything = html(desk, MESSAGES)
    for status, event_id in shown.items():
        assert event_id in everything
        only = html(desk, f"{MESSAGES}?status={status}")
        assert [one for one in shown.values() if one in only] == [event_id]
    found = html(desk, f"{MESSAGES}?q={waits}")
    assert waits in found
    assert aside not in found


def test_a_message_is_shown_without_what_names_or_opens_and_that_is_written_down(
    desk: CheckedClient,
) -> None:
    event_id = a_message()
    said = desk.page(f"{MESSAGES}/{event_id}").text
    assert "asha@people.example" not in said
    assert "•••" in said
    assert "payment_not_found" in said
    assert audited("provider_event.viewed", event_id) == 1


def test_a_message_is_applied_again_once_and_an_applied_one_is_not(desk: CheckedClient) -> None:
    event_id = a_message()
    assert desk.send(f"{MESSAGES}/{event_id}", "/retry").status_code == 303
    due = "SELECT due_at <= clock_now() AND tries = 0 FROM provider_event WHERE event_id = :id"
    assert scalar(due, id=event_id) is True
    assert audited("provider_event.retried", event_id) == 1
    run("UPDATE provider_event SET processed_at = now(), due_at = NULL")
    token = desk.page("/admin").form("/sign-out").fields["csrf_token"]
    again = desk.post(f"{MESSAGES}/{event_id}/retry", data={"csrf_token": token})
    assert again.status_code == 404
    assert audited("provider_event.retried", event_id) == 1


def test_messages_refused_at_the_door_are_listed_with_an_alert(desk: CheckedClient) -> None:
    assert "refused at the door" not in desk.page(MESSAGES).text
    run(
        "INSERT INTO refused_event (provider, event_id, reason, kind, account, livemode,"
        " received_at) VALUES ('stripe', 'evt_other', 'other_account', 'charge.succeeded',"
        " 'acct_2', false, clock_now())"
    )
    assert "1 refused at the door" in desk.page(MESSAGES).text
    said = desk.page(f"{MESSAGES}?status=refused").text
    assert "acct_2" in said
    assert "It belongs to another account" in said


@pytest.mark.requirement("S1-12")
def test_what_gave_up_is_on_one_page_and_on_the_first_page_too(desk: CheckedClient) -> None:
    assert "dead letters" not in Page(desk.get("/admin").text).text.split("Something waits")[-1]
    made = [a_call(), a_message(), a_fact(), a_mail()]
    said = html(desk, LETTERS)
    assert all(one in said for one in made)
    assert "4 dead letters" in html(desk, "/admin")
    assert "4 dead letters" in html(desk, "/admin/health")
    only = html(desk, f"{LETTERS}?status=mail")
    assert [one for one in made if one in only] == [made[3]]


@pytest.mark.parametrize(
    ("kind", "make"), [("call", a_call), ("event", a_message), ("fact", a_fact), ("mail", a_mail)]
)
def test_a_letter_is_taken_up_again_from_its_page(
    desk: CheckedClient, kind: str, make: object
) -> None:
    letter_id = make()  # type: ignore[operator]
    path = f"{LETTERS}/{kind}/{letter_id}"
    assert desk.send(path, "/retry").status_code == 303
    assert audited("dead_letter.viewed", letter_id) == 1
    assert audited("dead_letter.retried", letter_id) == 1
    assert desk.get(path).status_code == 404


@pytest.mark.requirement("S1-19")
def test_all_like_one_are_taken_up_again_by_one_button(desk: CheckedClient) -> None:
    alike = [a_mail() for _ in range(3)]
    other = a_mail("421: try later")
    path = f"{LETTERS}/mail/{alike[0]}"
    assert "Try all 3 like this again" in html(desk, path)
    assert desk.send(path, "/retry-like").status_code == 303
    said = html(desk, LETTERS)
    assert [one for one in (*alike, other) if one in said] == [other]


@pytest.mark.parametrize("because", ["", "   ", "x" * 301])
def test_discarding_needs_a_reason(desk: CheckedClient, because: str) -> None:
    letter_id = a_mail()
    path = f"{LETTERS}/mail/{letter_id}"
    assert desk.send(path, "/discard", because=because).status_code == 400
    assert letter_id in html(desk, LETTERS)
    assert audited("dead_letter.discarded", letter_id) == 0
    assert desk.send(path, "/discard", because="The address is gone.").status_code == 303
    assert audited("dead_letter.discarded", letter_id) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"choice": ""},
        {"choice": "stolen"},
        {"choice": "taken"},
        {"choice": "taken", "amount": "1000"},
        {"choice": "taken", "amount": "-1", "reference": "ch_1"},
        {"choice": "taken", "amount": "ten", "reference": "ch_1"},
        {"choice": "taken", "amount": "1000.005", "reference": "ch_1"},
        {"choice": "taken", "amount": "1000", "reference": "x" * 101},
    ],
)
def test_a_decision_that_is_not_whole_decides_nothing(
    desk: CheckedClient, given: dict[str, str]
) -> None:
    letter_id = a_call()
    answer = desk.send(f"{LETTERS}/call/{letter_id}", "/discard", because="Seen there.", **given)
    assert answer.status_code == 400
    assert scalar("SELECT state FROM provider_operation WHERE id = :id", id=letter_id) == "manual"
    assert audited("dead_letter.discarded", letter_id) == 0


def test_money_is_decided_by_one_admin_and_confirmed_by_another_as_it_was_shown(
    app: Flask, desk: CheckedClient
) -> None:
    other = browser_of(app, an_admin())
    letter_id = a_call()
    path = f"{LETTERS}/call/{letter_id}"
    given = {"choice": "taken", "amount": "1,000.00", "reference": "ch_seen"}
    assert desk.send(path, "/discard", because="Seen there.", **given).status_code == 303
    kept = "SELECT decision ->> 'amount_minor' FROM provider_operation WHERE id = :id"
    assert scalar(kept, id=letter_id) == "100000"
    trail = "SELECT data ->> 'choice' FROM audit_entry WHERE action = 'dead_letter.proposed'"
    assert scalar(trail) == "taken"
    mine = html(desk, path)
    assert "Another admin has to confirm it" in mine
    assert "/confirm" not in mine
    shown = Page(html(other, path)).form("/confirm")
    assert "ch_seen" in html(other, path)
    token = desk.page("/admin").form("/sign-out").fields["csrf_token"]
    signed = {**shown.fields, "csrf_token": token}
    assert desk.post(shown.action, data=signed).status_code == 409
    assert other.post(shown.action, data={**shown.fields, "version": "old"}).status_code == 409
    assert other.post(shown.action, data=shown.fields).status_code == 303
    state = "SELECT state FROM provider_operation WHERE id = :id"
    assert scalar(state, id=letter_id) == "unknown", "a worker takes it up"
    assert audited("dead_letter.confirmed", letter_id) == 1
    assert other.post(shown.action, data=shown.fields).status_code == 404


def test_that_nothing_was_done_is_decided_by_one(desk: CheckedClient) -> None:
    letter_id = a_call()
    path = f"{LETTERS}/call/{letter_id}"
    answer = desk.send(path, "/discard", because="Nothing there.", choice="not_done")
    assert answer.status_code == 303
    assert audited("dead_letter.discarded", letter_id) == 1
    assert letter_id not in html(desk, LETTERS).partition("<main")[2]


@pytest.mark.parametrize("path", [f"{LETTERS}/call", f"{LETTERS}/wall", MESSAGES])
@pytest.mark.parametrize("subject", ["nothing", "op_' OR 1=1 --", "x" * 3000, "%00"])
def test_what_is_not_there_is_not_found(desk: CheckedClient, path: str, subject: str) -> None:
    before = scalar("SELECT count(*) FROM audit_entry")
    assert desk.get(f"{path}/{subject}").status_code in {400, 404}
    assert scalar("SELECT count(*) FROM audit_entry") == before


@pytest.mark.parametrize(
    "path",
    [
        f"{LETTERS}?status=wall",
        f"{LETTERS}?older=%00",
        f"{MESSAGES}?status=wall",
        f"{MESSAGES}?older=eHh4",
        f"{MESSAGES}?older=OTk5OTk5OTk5OTk5OTk5OTk5X2V2dA",
        f"{BOARD}?kind=wall",
    ],
)
def test_a_filter_that_is_not_ours_is_refused(desk: CheckedClient, path: str) -> None:
    assert desk.get(path).status_code in {400, 404}


def test_pages_of_messages_meet_without_gap_or_double(desk: CheckedClient) -> None:
    made = [a_message() for _ in range(30)]
    first = html(desk, MESSAGES)
    older = first.partition("?older=")[2].partition('"')[0].partition("&")[0]
    second = html(desk, f"{MESSAGES}?older={older}")
    seen = [one for one in made if one in first], [one for one in made if one in second]
    assert len(seen[0]) == 25
    assert sorted([*seen[0], *seen[1]]) == sorted(made)
