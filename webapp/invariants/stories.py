"""What must be true of every object's story: its moves and facts say where it stands, gaplessly.

So the state of everything can be rebuilt from what was recorded, and nothing else is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from webapp.accounts import MERCHANT_FLOW, USER_FLOW
from webapp.corrections import FLOW as CORRECTION_FLOW
from webapp.kernel.flow import Flow
from webapp.kernel.proof import Check
from webapp.orders import CHECKOUT_FLOW, ORDER_FLOW, PAYMENT_LINK_FLOW
from webapp.payments import ANOMALY_FLOW
from webapp.payments import FLOW as PAYMENT_FLOW
from webapp.refunds import FLOW as REFUND_FLOW
from webapp.wallets import FLOW as WALLET_FLOW
from webapp.wallets import TRANSFER_FLOW as WALLET_TRANSFER_FLOW
from webapp.webhooks import FLOW as ENDPOINT_FLOW


@dataclass(frozen=True, slots=True)
class Noun:
    """What moves: its flow, table, id prefix, and which of its columns its facts tell.

    `tells` maps a key of the snapshot to the column that it must equal.
    """

    flow: Flow
    table: str
    prefix: str
    tells: tuple[tuple[str, str], ...] = ()
    tells_state: bool = False


_PRICE = (("amount", "amount_minor"), ("currency", "currency"))
NOUNS: Final[tuple[Noun, ...]] = (
    Noun(USER_FLOW, "app_user", "usr"),
    Noun(MERCHANT_FLOW, "merchant", "mer"),
    Noun(ORDER_FLOW, "shop_order", "ord", (*_PRICE, ("number", "number"))),
    Noun(CHECKOUT_FLOW, "checkout_session", "chk", (("order", "order_id"),)),
    Noun(PAYMENT_LINK_FLOW, "payment_link", "plink", (*_PRICE, ("max_payments", "max_payments"))),
    Noun(
        PAYMENT_FLOW,
        "payment",
        "pay",
        (
            *_PRICE,
            ("order", "order_id"),
            ("captured", "captured_minor"),
            ("fee", "fee_minor"),
        ),
        tells_state=True,
    ),
    Noun(REFUND_FLOW, "refund", "re", (*_PRICE, ("payment", "payment_id")), tells_state=True),
    Noun(ANOMALY_FLOW, "anomaly", "ano", (*_PRICE, ("payment", "payment_id"), ("kind", "kind"))),
    Noun(CORRECTION_FLOW, "correction", "cor", (("transfer", "transfer_id"),), tells_state=True),
    Noun(WALLET_FLOW, "wallet", "wal", (("currency", "currency"), ("user_id", "user_id"))),
    Noun(ENDPOINT_FLOW, "webhook_endpoint", "we"),
    Noun(
        WALLET_TRANSFER_FLOW,
        "wallet_transfer",
        "wtr",
        (*_PRICE, ("sender", "user_id"), ("recipient", "recipient_id")),
    ),
)


def _things() -> str:
    """Return SQL of every object: noun, id, status and version."""
    return " UNION ALL ".join(
        f"SELECT '{noun.flow.noun}' AS noun, id, status, version FROM {noun.table}"  # noqa: S608
        for noun in NOUNS
    )


def _touched() -> str:
    """Return SQL of the objects that moved or began since the bound: noun and id."""
    begun = " UNION ".join(
        f"SELECT '{noun.flow.noun}', id FROM {noun.table} WHERE id >= :{noun.prefix}"  # noqa: S608
        + (" AND NOT is_platform" if noun.table == "merchant" else "")
        for noun in NOUNS
    )
    return f"SELECT noun, subject_id AS id FROM move WHERE id >= :mov UNION {begun}"  # noqa: S608


def _disagreements(noun: Noun) -> str:
    """Return SQL that finds rows of one noun which their last fact tells otherwise."""
    outside = " ".join(f"WHEN '{name}' THEN '{said}'" for name, said in noun.flow.outside.items())
    pairs = [
        (key, f"fact.snapshot ->> '{key}'", f"thing.{column}::text") for key, column in noun.tells
    ]
    pairs.append(
        ("state", "fact.snapshot ->> 'state'", "thing.status")
        if noun.tells_state
        else ("status", "fact.snapshot ->> 'status'", f"CASE thing.status {outside} END")
    )
    wrong = " OR ".join(f"{told} IS DISTINCT FROM {real}" for _, told, real in pairs)
    named = ", ".join(
        f"CASE WHEN {told} IS DISTINCT FROM {real}"
        f" THEN format('{key} is %s, told was %s', {real}, {told}) END"
        for key, told, real in pairs
    )
    return f"""
        SELECT thing.id, concat_ws('; ', {named})
        FROM {noun.table} AS thing JOIN fact ON fact.subject_kind = '{noun.flow.noun}'
         AND fact.subject_id = thing.id AND fact.version = thing.version
        WHERE thing.id IN (SELECT subject_id FROM move
                          WHERE noun = '{noun.flow.noun}' AND id >= :mov)
          AND ({wrong})"""  # noqa: S608


STORIES: Final[tuple[Check, ...]] = (
    Check(
        "story_has_no_gap",
        holds="Every step of every object has exactly one move and one fact.",
        broken="a step has no story, or more than one",
        sql=f"""
        SELECT touched.id, format('%s at version %s with %s moves and %s facts', touched.noun,
                                  coalesce(thing.version, 0), moves.count, facts.count)
        FROM ({_touched()}) AS touched LEFT JOIN ({_things()}) AS thing USING (noun, id)
        CROSS JOIN LATERAL (SELECT count(*), max(version) AS last FROM move
          WHERE noun = touched.noun AND subject_id = touched.id) AS moves
        CROSS JOIN LATERAL (SELECT count(*), max(version) AS last FROM fact
          WHERE subject_kind = touched.noun AND subject_id = touched.id) AS facts
        WHERE (moves.count, moves.last, facts.count, facts.last) IS DISTINCT FROM
              (thing.version::bigint, thing.version, thing.version::bigint, thing.version)""",  # noqa: S608
    ),
    Check(
        "status_is_what_moves_say",
        holds="Every object’s status is where its moves have brought it.",
        broken="an object is not where its moves have brought it",
        sql=f"""
        SELECT touched.id, format('is %s, its last move went to %s', thing.status, move.target)
        FROM ({_touched()}) AS touched JOIN ({_things()}) AS thing USING (noun, id)
        JOIN move ON move.noun = touched.noun AND move.subject_id = touched.id
         AND move.version = thing.version
        WHERE move.target <> thing.status""",  # noqa: S608
    ),
    Check(
        "moves_follow_the_graph",
        holds="Every move begins where the one before it ended, and follows the graph of states.",
        broken="a move does not follow from the one before it",
        sql="""
        SELECT move.subject_id, format('step %s from %s to %s, the one before ended at %s',
                                       move.version, move.source, move.target, before.target)
        FROM move LEFT JOIN move before ON before.noun = move.noun
         AND before.subject_id = move.subject_id AND before.version = move.version - 1
        WHERE move.id >= :mov AND (move.source <> coalesce(before.target, '')
          OR NOT EXISTS (SELECT 1 FROM flow_edge WHERE flow_edge.noun = move.noun
               AND flow_edge.source = move.source AND flow_edge.target = move.target))""",
    ),
    Check(
        "row_is_what_was_told",
        holds="Every object is as its last fact told it.",
        broken="an object is not as its last fact told it",
        sql=" UNION ALL ".join(_disagreements(noun) for noun in NOUNS),
    ),
)
