"""Money set aside: whose it is, what people may decide, and what only the worker says is done."""

from __future__ import annotations

import pytest

from tests.schema.scene import ADMIN, AN_ANOMALY, OWNER, WEB, WORKER, Scene

NO_PRIVILEGE = "42501"
WRONG_STEP = "PD002"
FROZEN = "PD003"
NO_STORY = "PD004"
NOT_THEIRS_TO_SAY = "PD005"
FOREIGN = "23503"
CHECK = "23514"


def test_money_set_aside_is_noted_for_the_payments_own_merchant(scene: Scene) -> None:
    assert scene.attempt(WORKER, AN_ANOMALY.replace("{shop}", "{rival}")) == FOREIGN
    assert scene.attempt(WORKER, AN_ANOMALY) == NO_STORY
    assert scene.attempt(WORKER, AN_ANOMALY.replace("'open'", "'refunded'")) == WRONG_STEP
    assert scene.attempt(WEB, AN_ANOMALY) == NO_PRIVILEGE


@pytest.mark.parametrize(
    ("role", "change", "refused"),
    [
        (WEB, "status = 'refunded', version = 2, closed_at = now()", NOT_THEIRS_TO_SAY),
        (ADMIN, "status = 'refunded', version = 2, closed_at = now()", NOT_THEIRS_TO_SAY),
        (WORKER, "status = 'refunded', version = 2, closed_at = now()", NOT_THEIRS_TO_SAY),
        (WORKER, "status = 'refunding', version = 2, closed_at = now()", CHECK),
        (WORKER, "status = 'applying', version = 2", CHECK),
        (WEB, "status = 'applying', version = 2, target_order_id = '{rivals_order}'", FOREIGN),
        (WEB, "status = 'applying', version = 2, target_order_id = '{free_order}'", NO_STORY),
        (WEB, "amount_minor = 2", NO_PRIVILEGE),
        (OWNER, "amount_minor = 2", FROZEN),
        (OWNER, "payment_id = '{declined}'", FROZEN),
    ],
)
def test_what_becomes_of_money_set_aside_is_decided_by_people_and_done_by_workers(
    scene: Scene, role: str, change: str, refused: str
) -> None:
    moved = (
        "INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,"
        " merchant_id, livemode, at) VALUES ('mov_y', 'anomaly', 'ano_x', 1, '', 'open', 'x',"
        " 'system', '{shop}', false, now())"
    )
    told = (
        "INSERT INTO fact (id, name, subject_kind, subject_id, version, merchant_id, livemode,"
        " snapshot, because, actor_kind, at) VALUES ('fact_y', 'anomaly.opened', 'anomaly',"
        " 'ano_x', 1, '{shop}', false, '{{}}', 'x', 'system', now())"
    )
    become = f"SET ROLE {role}"
    change = f"UPDATE anomaly SET {change} WHERE id = 'ano_x'"
    assert scene.attempt("postgres", AN_ANOMALY, moved, told, become, change) == refused
