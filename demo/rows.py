"""Rows on their way into the database by COPY, with the story that every version needs."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from demo.chance import Chance
from webapp.outbox import SYSTEM, Actor, Moving

#: In this order each row finds what it refers to.
TABLES: dict[str, tuple[str, ...]] = {
    "app_user": (
        "id", "status", "version", "email_sealed", "email_index", "name_sealed", "password_hash",
        "is_admin", "timezone", "locale", "created_at", "verified_at", "password_changed_at",
    ),
    "merchant": (
        "id", "status", "version", "user_id", "name", "slug", "country", "timezone",
        "default_currency", "fee_bps", "created_at", "is_platform",
    ),
    "membership": ("id", "merchant_id", "user_id", "role", "created_at"),
    "api_key": (
        "id", "merchant_id", "livemode", "kind", "name", "prefix", "last_four", "token_hash",
        "scopes", "api_version", "created_at", "created_by", "metadata",
    ),
    "webhook_endpoint": (
        "id", "merchant_id", "livemode", "status", "version", "url", "events", "description",
        "api_version", "secret_sealed", "is_built_in", "receiver_answer", "listens_since",
        "created_at", "metadata",
    ),
    "customer": (
        "id", "merchant_id", "livemode", "user_id", "email_sealed", "email_index", "created_at",
        "metadata",
    ),
    "payment_link": (
        "id", "merchant_id", "livemode", "status", "version", "amount_minor", "currency",
        "description", "max_payments", "ends_at", "token_sealed", "token_index", "created_at",
        "created_by", "metadata",
    ),
    "order_counter": ("merchant_id", "livemode", "last"),
    "shop_order": (
        "id", "merchant_id", "livemode", "user_id", "customer_id", "kind", "number", "status",
        "version", "amount_minor", "currency", "description", "metadata", "created_at",
        "completed_at", "created_by", "capture_later",
    ),
    "checkout_session": (
        "id", "merchant_id", "livemode", "user_id", "order_id", "token_hash", "status", "version",
        "opened_at", "expires_at", "closed_at",
    ),
    "wallet": (
        "id", "user_id", "merchant_id", "livemode", "currency", "status", "version", "created_at",
        "metadata",
    ),
    "payment": (
        "id", "merchant_id", "livemode", "user_id", "order_id", "customer_id",
        "checkout_session_id", "status", "version", "amount_minor", "currency",
        "authorised_minor", "captured_minor", "fee_bps", "fee_minor", "method_kind",
        "method_label", "provider_intent_id", "pii_sealed", "email_index", "amount_sealed",
        "integrity_hash", "created_at", "captured_at", "finished_at", "last_decline_code",
        "attempt_count", "metadata", "capture_before", "check_at", "deadline_at",
    ),
    "anomaly": (
        "id", "merchant_id", "livemode", "user_id", "payment_id", "status", "version", "kind",
        "amount_minor", "currency", "note", "opened_at",
    ),
    "attempt": (
        "id", "payment_id", "merchant_id", "livemode", "user_id", "number", "method_kind",
        "provider_method_id", "status", "card_brand", "card_last4", "card_sealed", "decline_code",
        "started_at", "finished_at",
    ),
    "refund": (
        "id", "merchant_id", "livemode", "user_id", "payment_id", "status", "version",
        "amount_minor", "currency", "reason", "note", "destination", "needs_approval",
        "requested_by_kind", "requested_by_id", "leaves_at", "sent_at", "finished_at",
        "provider_refund_id", "bank_reference", "failure_code", "expected_by", "check_at",
        "deadline_at", "created_at", "metadata",
    ),
    "move": (
        "id", "noun", "subject_id", "version", "source", "target", "because", "actor_kind",
        "actor_id", "merchant_id", "livemode", "user_id", "at",
    ),
    "fact": (
        "id", "name", "subject_kind", "subject_id", "version", "merchant_id", "livemode",
        "user_id", "snapshot", "because", "actor_kind", "actor_id", "at",
    ),
    "correction": (
        "id", "merchant_id", "livemode", "status", "version", "transfer_id", "kind", "lines",
        "because", "requested_by", "approved_by", "decided_by", "answer", "created_at",
        "decided_at", "deadline_at",
    ),
    "ledger_account": ("id", "merchant_id", "livemode", "kind", "currency", "user_id"),
    "transfer": ("id", "reference", "kind", "merchant_id", "livemode", "at", "because", "reverses"),
    "entry": (
        "transfer_id", "position", "account_id", "merchant_id", "livemode", "currency",
        "amount_minor",
    ),
    "message": (
        "id", "user_id", "merchant_id", "livemode", "kind", "text", "about_kind", "about_id",
        "fact_id", "created_at", "read_at",
    ),
}  # fmt: skip


@dataclass(slots=True)
class Rows:
    """All rows of the demo data, by table."""

    chance: Chance
    by_table: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **values: Any) -> None:
        """Add one row; columns left out are null."""
        columns = TABLES[table]
        if unknown := values.keys() - set(columns):
            raise KeyError(f"{table} has no {sorted(unknown)}")
        self.by_table[table].append(tuple(_plain(values.get(name)) for name in columns))

    def put(self, table: str, subject: Any, **others: Any) -> None:
        """Add a mapped object's row; `others` are columns that it names differently."""
        values = {
            name: getattr(subject, name, None) for name in TABLES[table] if name not in others
        }
        self.add(table, **values, **others)

    def step(
        self,
        subject: Moving,
        target: str,
        at: dt.datetime,
        *,
        because: str,
        by: Actor = SYSTEM,
    ) -> str:
        """Move an object and write its move and fact as of `at`; returns the fact's id."""
        source = getattr(subject, "status", None) or ""
        subject.status = target
        subject.version = (getattr(subject, "version", None) or 0) + 1
        known = {
            "merchant_id": subject.merchant_id,
            "livemode": subject.livemode,
            "user_id": subject.user_id,
            "because": because,
            "actor_kind": by.kind,
            "actor_id": by.id,
            "at": at,
            "version": subject.version,
            "subject_id": subject.id,
        }
        noun = subject.FLOW.noun
        move_id = self.chance.id("move", at)
        self.add("move", id=move_id, noun=noun, source=source, target=target, **known)
        fact_id = self.chance.id("fact", at)
        self.add(
            "fact",
            id=fact_id,
            name=subject.FLOW.event(source, target),
            subject_kind=noun,
            snapshot=subject.snapshot(),
            **known,
        )
        return fact_id


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
