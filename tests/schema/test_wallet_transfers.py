"""Money that people send each other: no role writes one that is not booked as it is told."""

from __future__ import annotations

import pytest

from tests.schema.scene import ADMIN, WEB, WORKER, Scene

NO_PRIVILEGE = "42501"
NOT_BOOKED = "PD005"
PLATFORM = "mer_00000000000000000000000000"
#: A row that tells of money that has not moved, with its story.
SENT = (
    "INSERT INTO wallet_transfer (id, merchant_id, livemode, user_id, recipient_id, amount_minor,"
    f" currency, note, status, version, created_at, metadata) SELECT 'wtr_x', '{PLATFORM}', false,"
    " '{sender}', u.user_id, {minor}, 'INR', '', 'completed', 1, now(), '{{{{}}}}'"
    " FROM (SELECT 'usr_other' AS user_id) u"
)


def sent_by(sender: str, minor: int = 5) -> str:
    """Return the statement that writes a sending."""
    return SENT.format(sender=sender, minor=minor)


def test_money_that_has_not_moved_cannot_be_told_as_sent(scene: Scene) -> None:
    refused = scene.attempt(WEB, sent_by(scene.person), merchant="", user=scene.person)
    assert refused in {NOT_BOOKED, "23503", "PD004"}, "no other person, no story, no booking"


def test_nobody_writes_what_another_sends(scene: Scene) -> None:
    assert scene.attempt(WEB, sent_by("usr_y"), merchant="", user=scene.person) == NO_PRIVILEGE


@pytest.mark.parametrize("role", [ADMIN, WORKER])
def test_only_people_send_money(scene: Scene, role: str) -> None:
    assert scene.attempt(role, sent_by(scene.person)) == NO_PRIVILEGE


@pytest.mark.parametrize("role", [WEB, ADMIN, WORKER])
def test_what_was_sent_is_not_rewritten(scene: Scene, role: str) -> None:
    change = "UPDATE wallet_transfer SET amount_minor = 1"
    assert scene.attempt(role, change, merchant="", user=scene.person) == NO_PRIVILEGE
