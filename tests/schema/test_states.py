"""States move along their graph, one version at a time, each step with its story; nothing else."""

from __future__ import annotations

import pytest

from tests.schema.scene import ADMIN, AN_ANOMALY, DONE, OWNER, PORTAL_ROLES, WEB, WORKER, Scene

NO_PRIVILEGE = "42501"
APPEND_ONLY = "PD001"
WRONG_STEP = "PD002"
FROZEN = "PD003"
NO_STORY = "PD004"
NOT_PROCESSING = "PD005"
UNIQUE = "23505"
FOREIGN = "23503"
CHECK = "23514"

MOVE = (
    "INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,"
    " merchant_id, livemode, at) VALUES ('mov_x', 'payment', '{processing}', 3, 'processing',"
    " 'cancelled', 'x', 'system', '{shop}', false, now())"
)
FACT = (
    "INSERT INTO fact (id, name, subject_kind, subject_id, version, merchant_id, livemode,"
    " snapshot, because, actor_kind, at) VALUES ('fact_x', 'payment.cancelled', 'payment',"
    " '{processing}', 3, '{shop}', false, '{{}}', 'x', 'system', now())"
)
CANCEL = "UPDATE payment SET status = 'cancelled', version = 3 WHERE id = '{processing}'"


@pytest.mark.parametrize("role", [WEB, WORKER])
@pytest.mark.parametrize(
    ("change", "payment", "refused"),
    [
        ("status = 'expired', version = version + 1", "processing", WRONG_STEP),
        ("status = 'created', version = version + 1", "captured", WRONG_STEP),
        ("status = 'processing', version = version + 1", "captured", WRONG_STEP),
        ("status = 'paid', version = version + 1", "processing", WRONG_STEP),
        ("status = 'cancelled'", "processing", WRONG_STEP),
        ("status = 'cancelled', version = version + 2", "processing", WRONG_STEP),
        ("status = 'cancelled', version = version - 1", "processing", WRONG_STEP),
        ("version = version + 1", "processing", WRONG_STEP),
        ("version = version - 1", "processing", WRONG_STEP),
        ("status = 'captured', version = version + 1", "processing", CHECK),
        ("captured_minor = amount_minor", "processing", CHECK),
        ("captured_minor = amount_minor - 1", "captured", FROZEN),
        ("captured_minor = 0", "captured", FROZEN),
        ("authorised_minor = amount_minor - 1", "captured", FROZEN),
        ("fee_minor = captured_minor + 1", "captured", FROZEN),
        ("captured_at = NULL", "captured", FROZEN),
        ("captured_minor = 1", "processing", CHECK),
        ("captured_minor = 1, authorised_minor = 1", "processing", CHECK),
        ("fee_minor = captured_minor + 1", "processing", CHECK),
        ("fee_minor = -1", "processing", CHECK),
        ("captured_at = now()", "processing", CHECK),
        ("authorised_minor = amount_minor + 1", "processing", CHECK),
        ("authorised_minor = -1", "processing", CHECK),
        ("status = 'authorised', version = version + 1", "processing", CHECK),
        (
            "status = 'authorised', version = version + 1, authorised_minor = 1",
            "processing",
            CHECK,
        ),
        ("capturing_minor = 1", "processing", CHECK),
        ("capturing_minor = 0, authorised_minor = 1", "processing", CHECK),
        ("capturing_minor = 1, authorised_minor = 1, void_because = 'x'", "processing", CHECK),
    ],
)
def test_no_role_moves_a_payment_where_it_cannot_go(
    scene: Scene, role: str, change: str, payment: str, refused: str
) -> None:
    statement = f"UPDATE payment SET {change} WHERE id = '{{{payment}}}'"
    assert scene.attempt(role, statement) == refused


@pytest.mark.parametrize("role", [WEB, WORKER, OWNER])
def test_a_step_without_its_move_and_its_fact_is_not_committed(scene: Scene, role: str) -> None:
    assert scene.attempt(role, CANCEL) == NO_STORY
    assert scene.attempt(role, CANCEL, MOVE) == NO_STORY
    assert scene.attempt(role, CANCEL, FACT) == NO_STORY
    assert scene.attempt(role, CANCEL, MOVE, FACT) == DONE, "the guard lets a whole story pass"
    assert scene.attempt(role, CANCEL, MOVE, MOVE.replace("mov_x", "mov_y"), FACT) == UNIQUE


@pytest.mark.parametrize("table", ["flow_edge", "move", "fact", "payment"])
@pytest.mark.parametrize("role", [WEB, WORKER])
def test_no_role_puts_a_table_of_its_own_in_a_guards_way(
    scene: Scene, role: str, table: str
) -> None:
    """A temporary table is found first unless a guard's search path says otherwise."""
    shadows = [
        f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table} WITH NO DATA",
        f"GRANT ALL ON {table} TO PUBLIC",
    ]
    if table == "flow_edge":
        shadows.append("INSERT INTO flow_edge VALUES ('payment', 'processing', 'expired')")
        step = "status = 'expired'"
    else:
        step = "status = 'cancelled'"
    forged = [MOVE] if table == "move" else [FACT] if table == "fact" else []
    update = f"UPDATE public.payment SET {step}, version = version + 1 WHERE id = '{{processing}}'"
    assert scene.attempt(role, *shadows, update, *forged) in {WRONG_STEP, NO_STORY, NO_PRIVILEGE}


@pytest.mark.parametrize(
    "column",
    ["id = 'pay_x'", "merchant_id = '{rival}'", "livemode = true", "order_id = '{free_order}'",
     "amount_minor = 1", "currency = 'USD'", "fee_bps = 0", "amount_sealed = 'x'",
     "created_at = now()"],
)  # fmt: skip
@pytest.mark.parametrize("role", [WEB, WORKER, OWNER])
def test_what_a_payment_is_never_changes(scene: Scene, role: str, column: str) -> None:
    statement = f"UPDATE payment SET {column} WHERE id = '{{processing}}'"
    assert scene.attempt(role, statement) in {FROZEN, NO_PRIVILEGE}
    assert scene.attempt(OWNER, statement) == FROZEN


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("shop_order", "merchant_id = '{rival}'"),
        ("shop_order", "amount_minor = 1"),
        ("shop_order", "currency = 'USD'"),
        ("shop_order", "number = '1'"),
        ("shop_order", "kind = 'top_up'"),
        ("checkout_session", "order_id = '{free_order}'"),
        ("checkout_session", "token_hash = 'x'"),
        ("checkout_session", "expires_at = now() + interval '1 year'"),
        ("attempt", "payment_id = '{captured}'"),
        ("attempt", "number = 9"),
        ("attempt", "method_kind = 'wallet'"),
        ("wallet", "user_id = 'usr_x'"),
        ("wallet", "currency = 'USD'"),
    ],
)
def test_what_things_are_never_changes(scene: Scene, table: str, column: str) -> None:
    statement = f"UPDATE {table} SET {column}"
    for role in PORTAL_ROLES:
        assert scene.attempt(role, statement) in {FROZEN, NO_PRIVILEGE}, role
    assert scene.attempt(OWNER, statement) == FROZEN


def test_a_try_that_ended_stays_ended(scene: Scene) -> None:
    for status in ("processing", "awaiting_shopper", "succeeded", "abandoned"):
        ended = (
            f"UPDATE attempt SET status = '{status}', finished_at = NULL"
            " WHERE payment_id = '{declined}'"
        )
        assert scene.attempt(WORKER, ended) == WRONG_STEP


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE attempt SET status = 'won' WHERE payment_id = '{payment}'",
        "UPDATE attempt SET status = 'succeeded' WHERE payment_id = '{payment}'",
        "UPDATE attempt SET finished_at = now() WHERE payment_id = '{payment}'",
        "UPDATE attempt SET card_last4 = '4242424242424242' WHERE payment_id = '{payment}'",
    ],
)
def test_a_try_is_what_the_table_allows(scene: Scene, statement: str) -> None:
    assert scene.attempt(WORKER, statement) == CHECK


NEW_PAYMENT = (
    "INSERT INTO payment (id, merchant_id, livemode, order_id, status, version, amount_minor,"
    " currency, authorised_minor, captured_minor, fee_bps, fee_minor, pii_sealed, amount_sealed,"
    " integrity_hash, created_at, captured_at, attempt_count, metadata) VALUES ('pay_x',"
    " '{merchant}', {mode}, '{order}', '{status}', {version}, {amount}, '{currency}', {captured},"
    " {captured}, {bps}, 0, 'x', 'x', 'x', now(), {captured_at}, 0, '{{{{}}}}')"
)


def a_new_payment(**changed: object) -> str:
    """Return the statement that writes a payment, right but for what is changed."""
    usual: dict[str, object] = {
        "merchant": "{shop}", "mode": "false", "order": "{free_order}", "status": "created",
        "version": 1, "amount": 1_000_00, "currency": "INR", "captured": 0, "bps": 200,
        "captured_at": "NULL",
    }  # fmt: skip
    return NEW_PAYMENT.format(**(usual | changed))


CAPTURED = {"status": "captured", "captured": 1_000_00, "captured_at": "now()"}


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, NO_STORY),
        ({"status": "captured"}, WRONG_STEP),
        ({"status": "processing"}, WRONG_STEP),
        ({"version": 2}, WRONG_STEP),
        ({"version": 0}, WRONG_STEP),
        ({"amount": 0}, CHECK),
        ({"amount": -1}, CHECK),
        ({"amount": 99_999_999_999 + 1}, CHECK),
        ({"currency": "inr"}, CHECK),
        ({"currency": "RS"}, CHECK),
        ({"bps": 2_001}, CHECK),
        ({"bps": -1}, CHECK),
        ({"captured": 1}, CHECK),
        ({"order": "{order}"}, UNIQUE),
        ({"order": "{rivals_order}"}, FOREIGN),
        ({"order": "ord_nothing"}, FOREIGN),
        ({"mode": "true"}, NO_PRIVILEGE),
        ({"merchant": "{rival}"}, NO_PRIVILEGE),
    ],
)
def test_the_web_writes_no_payment_that_could_not_be(
    scene: Scene, changed: dict[str, object], refused: str
) -> None:
    assert scene.attempt(WEB, a_new_payment(**changed)) == refused


def test_payments_are_not_begun_by_admins_nor_by_workers_without_a_story(scene: Scene) -> None:
    assert scene.attempt(ADMIN, a_new_payment()) == NO_PRIVILEGE
    assert scene.attempt(WORKER, a_new_payment()) == NO_STORY


def test_an_order_has_one_live_and_one_captured_payment_even_to_the_owner(scene: Scene) -> None:
    for changed in ({}, {"status": "processing"}, {"status": "requires_action"}):
        assert scene.attempt(OWNER, a_new_payment(order="{order}", **changed)) == UNIQUE
    its_order = "(SELECT order_id FROM payment WHERE id = '{captured}')"
    statement = a_new_payment(**CAPTURED).replace("'{free_order}'", its_order)
    assert scene.attempt(OWNER, statement) == UNIQUE
    assert scene.attempt(OWNER, a_new_payment(mode="true")) == FOREIGN, "a row of another mode"


ATTEMPT = (
    "INSERT INTO attempt (id, payment_id, merchant_id, livemode, number, method_kind, status,"
    " started_at, finished_at) VALUES ('att_x', '{payment}', '{merchant}', {mode}, {number},"
    " 'card', '{status}', now(), {ended})"
)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"payment": "{payment}"}, UNIQUE),
        ({"payment": "{processing}"}, UNIQUE),
        ({"number": 1, "status": "declined", "ended": "now()"}, UNIQUE),
        ({"merchant": "{rival}"}, FOREIGN),
        ({"mode": "true"}, FOREIGN),
        ({"payment": "pay_nothing"}, FOREIGN),
        ({"status": "declined"}, CHECK),
    ],
)
def test_a_payment_has_one_open_try_of_its_own_merchant(
    scene: Scene, changed: dict[str, object], refused: str
) -> None:
    usual: dict[str, object] = {
        "payment": "{declined}", "merchant": "{shop}", "mode": "false", "number": 7,
        "status": "processing", "ended": "NULL",
    }  # fmt: skip
    statement = ATTEMPT.format(**(usual | changed))
    assert scene.attempt(OWNER, statement) == refused
    assert scene.attempt(WEB, statement) in {refused, NO_PRIVILEGE}


OPERATION = (
    "INSERT INTO provider_operation (id, kind, provider, subject_kind, subject_id, purpose,"
    " merchant_id, livemode, request, state, tries, claims, due_at, created_at) VALUES"
    " ('op_{id}', '{kind}', 'stripe', 'payment', '{subject}', 'x', '{merchant}', false, '{{{{}}}}',"
    " 'pending', 0, 0, now(), now())"
)


@pytest.mark.parametrize("role", [WEB, WORKER])
@pytest.mark.parametrize("kind", ["confirm", "create_session"])
@pytest.mark.parametrize("subject", ["payment", "declined", "captured"])
def test_nothing_is_charged_for_a_payment_that_is_not_processing(
    scene: Scene, role: str, kind: str, subject: str
) -> None:
    statement = OPERATION.format(id="x", kind=kind, subject=f"{{{subject}}}", merchant="{shop}")
    assert scene.attempt(role, statement) == NOT_PROCESSING


@pytest.mark.parametrize("role", [WEB, WORKER])
def test_a_payment_has_one_charge_under_way(scene: Scene, role: str) -> None:
    settled = (
        "UPDATE provider_operation SET state = 'in_flight', lease_until = now()"
        " WHERE subject_id = '{processing}' AND state = 'pending'"
    )
    if role == WORKER:
        assert scene.attempt(role, settled) == DONE
    for kind in ("confirm", "create_session"):
        one = OPERATION.format(id="1", kind=kind, subject="{processing}", merchant="{shop}")
        assert scene.attempt(role, one) == UNIQUE


def test_a_charge_names_its_payments_own_merchant(scene: Scene) -> None:
    statement = OPERATION.format(id="x", kind="confirm", subject="{processing}", merchant="{rival}")
    assert scene.attempt(WORKER, statement) == NOT_PROCESSING
    assert scene.attempt(WEB, statement) in {NO_PRIVILEGE, NOT_PROCESSING}


ORDER = (
    "INSERT INTO shop_order (id, merchant_id, livemode, kind, number, status, version,"
    " amount_minor, currency, description, metadata, created_at, completed_at, customer_id)"
    " VALUES ('ord_x', '{{shop}}', false, 'sale', {number}, '{status}', {version}, 1, 'INR', '',"
    " '{{{{}}}}', now(), {completed}, {customer})"
)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, NO_STORY),
        ({"status": "completed", "completed": "now()"}, WRONG_STEP),
        ({"version": 3}, WRONG_STEP),
        ({"completed": "now()"}, CHECK),
        ({"number": "(SELECT max(number) FROM shop_order)"}, UNIQUE),
        ({"customer": "'cus_of_another'"}, FOREIGN),
    ],
)
def test_an_order_is_born_waiting(scene: Scene, changed: dict[str, str], refused: str) -> None:
    usual = {
        "number": "'x'", "status": "pending", "version": 1, "completed": "NULL", "customer": "NULL",
    }  # fmt: skip
    assert scene.attempt(WEB, ORDER.format(**(usual | changed))) == refused


def test_an_order_has_one_open_link(scene: Scene) -> None:
    statement = (
        "INSERT INTO checkout_session (id, merchant_id, livemode, order_id, token_hash, status,"
        " version, opened_at, expires_at) VALUES ('chk_x', '{shop}', false, '{free_order}', 'x',"
        " 'open', 1, now(), now() + interval '1 hour')"
    )
    assert scene.attempt(WEB, statement) == UNIQUE
    foreign = statement.replace("{free_order}", "ord_nothing")
    assert scene.attempt(WEB, foreign) == FOREIGN
    ended = "UPDATE checkout_session SET status = 'expired' WHERE order_id = '{rivals_order}'"
    theirs = statement.replace("{free_order}", "{rivals_order}")
    assert scene.attempt(WEB, ended, theirs) in {FOREIGN, UNIQUE}


@pytest.mark.parametrize(
    "table",
    ["payment", "attempt", "anomaly", "shop_order", "checkout_session", "move", "fact", "transfer",
     "entry", "wallet", "app_user", "merchant", "audit_entry", "audit_seal", "provider_operation"],
)  # fmt: skip
def test_not_even_the_owner_deletes_or_empties_a_record(scene: Scene, table: str) -> None:
    assert scene.attempt(OWNER, f"TRUNCATE {table} CASCADE") == APPEND_ONLY
    if table == "anomaly":
        assert scene.attempt(OWNER, AN_ANOMALY, "DELETE FROM anomaly") == APPEND_ONLY
    elif not table.startswith("audit"):
        assert scene.attempt(OWNER, f"DELETE FROM {table}") == APPEND_ONLY


@pytest.mark.parametrize("table", ["move", "fact"])
def test_what_was_told_is_never_changed(scene: Scene, table: str) -> None:
    statement = f"UPDATE {table} SET because = 'x'"
    for role in PORTAL_ROLES:
        assert scene.attempt(role, statement) == NO_PRIVILEGE
    assert scene.attempt(OWNER, statement) == APPEND_ONLY


def test_nobody_tells_a_story_of_another_merchant_through_the_web(scene: Scene) -> None:
    for statement in (MOVE, FACT):
        assert scene.attempt(WEB, statement, merchant=scene.rival) == NO_PRIVILEGE
        assert scene.attempt(WEB, statement, merchant="") == NO_PRIVILEGE
