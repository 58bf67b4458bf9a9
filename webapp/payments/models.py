"""Payments, attempts and anomalies."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, ClassVar

from sqlalchemy import CHAR, BigInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel import crypto, links
from webapp.kernel.db import Base, Id, Moment
from webapp.kernel.flow import Flow
from webapp.kernel.money import Money
from webapp.outbox import Moving
from webapp.payments.states import ANOMALY_FLOW, FLOW

#: What a receipt's signed address is good for.
RECEIPT = "receipt"
OPEN_ATTEMPT = ("processing", "awaiting_shopper")


class Payment(Moving, Base):
    """One intention to pay one order; at most one of an order's is live, at most one captured.

    The amount stands twice: as integers, on which the books work, and sealed, with a keyed hash
    over the whole record, so that a change made behind our back shows.
    """

    __tablename__ = "payment"
    FLOW: ClassVar[Flow] = FLOW

    order_id: Mapped[str] = mapped_column(Id)
    customer_id: Mapped[str | None] = mapped_column(Id)
    checkout_session_id: Mapped[str | None] = mapped_column(Id)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    authorised_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    captured_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    capturing_minor: Mapped[int | None] = mapped_column(BigInteger)
    void_because: Mapped[str | None]
    refund_reserved_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    refunded_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    capture_before: Mapped[dt.datetime | None] = mapped_column(Moment)
    fee_bps: Mapped[int]
    fee_minor: Mapped[int] = mapped_column(BigInteger, default=0)
    method_kind: Mapped[str | None]
    method_label: Mapped[str | None]
    provider_intent_id: Mapped[str | None]
    provider_session_id: Mapped[str | None]
    pii_sealed: Mapped[str]
    email_index: Mapped[str | None]
    amount_sealed: Mapped[str]
    integrity_hash: Mapped[str]
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    captured_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    check_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    deadline_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    last_decline_code: Mapped[str | None]
    attempt_count: Mapped[int] = mapped_column(default=0)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, default=dict)

    @property
    def amount(self) -> Money:
        """What is to be paid."""
        return Money(self.amount_minor, self.currency)

    @property
    def captured(self) -> Money:
        """What was taken: nothing, all of it, or of held money a part."""
        return Money(self.captured_minor, self.currency)

    @property
    def authorised(self) -> Money:
        """What the bank said yes to: it holds that much, or that much was there to be taken."""
        return Money(self.authorised_minor, self.currency)

    @property
    def capturing(self) -> Money | None:
        """What the provider has been asked to take of held money, if it was asked."""
        return Money(self.capturing_minor, self.currency) if self.capturing_minor else None

    @property
    def refunded(self) -> Money:
        """What has gone back to the shopper."""
        return Money(self.refunded_minor, self.currency)

    @property
    def refundable(self) -> Money:
        """What can still be refunded: refunds that are asked for or under way count as gone."""
        return Money(self.captured_minor - self.refund_reserved_minor, self.currency)

    @property
    def fee(self) -> Money:
        """What the platform keeps of what was taken."""
        return Money(self.fee_minor, self.currency)

    @property
    def outside_status(self) -> str:
        """The status's name for outsiders, such as SUCCESS or PARTIALLY_REFUNDED."""
        if self.refunded_minor:
            whole = self.refunded_minor == self.captured_minor
            return "REFUNDED" if whole else "PARTIALLY_REFUNDED"
        return self.FLOW.outside[self.status]

    @property
    def shopper(self) -> dict[str, str]:
        """The shopper's e-mail (and phone) in the clear; unmasking it for people is audited."""
        opened: dict[str, str] = json.loads(
            crypto.unseal(self.pii_sealed, context=f"payment:pii:{self.id}")
        )
        return opened

    def seal(self, shopper: dict[str, str]) -> None:
        """Seal the amount and the shopper's data, and hash the record (S4-42, S4-43)."""
        self.amount_sealed = crypto.seal(
            f"{self.amount_minor} {self.currency}", context=f"payment:amount:{self.id}"
        )
        self.seal_shopper(shopper)

    def seal_shopper(self, shopper: dict[str, str]) -> None:
        """Seal who pays, and hash the record anew; the amount never changes."""
        self.pii_sealed = crypto.seal(json.dumps(shopper), context=f"payment:pii:{self.id}")
        self.email_index = (
            crypto.blind_index(shopper["email"].lower(), purpose="email")
            if "email" in shopper
            else None
        )
        self.integrity_hash = self.computed_hash()

    def computed_hash(self) -> str:
        """Return the hash that the record must carry."""
        return crypto.record_hash(
            self.id,
            self.merchant_id,
            self.livemode,
            self.order_id,
            self.amount_minor,
            self.currency,
            self.pii_sealed,
            self.amount_sealed,
        )

    def is_intact(self) -> bool:
        """Whether the record's hash and its sealed amount agree with its columns."""
        if self.integrity_hash != self.computed_hash():
            return False
        try:
            sealed = crypto.unseal(self.amount_sealed, context=f"payment:amount:{self.id}")
        except crypto.CannotOpen:
            return False
        return sealed == f"{self.amount_minor} {self.currency}"

    def sealed_record(self) -> dict[str, str]:
        """Return the record as EncryptedPaymentData: id, sealed data, sealed amount, hash."""
        return {
            "payment_id": self.id,
            "encrypted_pii": self.pii_sealed,
            "encrypted_amount": self.amount_sealed,
            "hash": self.integrity_hash,
        }

    @property
    def receipt_key(self) -> str:
        """The signed end of the receipt's address, which needs no sign-in."""
        mode = "live" if self.livemode else "test"
        return links.signed(RECEIPT, self.merchant_id or "", mode, self.id)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the payment now."""
        return {
            "id": self.id,
            "order": self.order_id,
            "status": self.outside_status,
            "state": self.status,
            "amount": self.amount_minor,
            "authorised": self.authorised_minor,
            "captured": self.captured_minor,
            "fee": self.fee_minor,
            "currency": self.currency,
            "method": self.method_kind,
            "method_label": self.method_label,
            "decline_code": self.last_decline_code,
            "livemode": self.livemode,
            "customer": self.customer_id,
            "checkout_session": self.checkout_session_id,
            "refunded": self.refunded_minor or 0,
            "refund_reserved": self.refund_reserved_minor or 0,
            "attempts": self.attempt_count or 0,
            "cancel_reason": self.void_because,
            "capture_before": self.capture_before.isoformat() if self.capture_before else None,
            "captured_at": self.captured_at.isoformat() if self.captured_at else None,
            "metadata": self.details or {},
            "created": self.created_at.isoformat(),
            "at": (self.finished_at or self.created_at).isoformat(),
        }


class Attempt(Base):
    """One try to pay with one method; ends for good as succeeded, declined or abandoned."""

    __tablename__ = "attempt"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    payment_id: Mapped[str] = mapped_column(Id)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    user_id: Mapped[str | None] = mapped_column(Id)
    number: Mapped[int]
    method_kind: Mapped[str]
    provider_method_id: Mapped[str | None]
    status: Mapped[str]
    card_brand: Mapped[str | None]
    card_last4: Mapped[str | None]
    card_sealed: Mapped[str | None]
    decline_code: Mapped[str | None]
    return_sealed: Mapped[str | None]
    next_url_sealed: Mapped[str | None]
    three_d_secure: Mapped[str | None]
    charge_id: Mapped[str | None]
    approval_code: Mapped[str | None]
    network_reference: Mapped[str | None]
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)

    @property
    def is_open(self) -> bool:
        """Whether the try has not ended."""
        return self.status in OPEN_ATTEMPT

    @property
    def return_url(self) -> str:
        """Where the shopper comes back to; it holds the checkout's token."""
        return self._opened("return", self.return_sealed)

    @property
    def next_url(self) -> str:
        """Where the shopper must go to prove that it is them, or to pay on the provider's page."""
        return self._opened("next_url", self.next_url_sealed)

    def sealed(self, field: str, value: str) -> str:
        """Return `value` sealed for a field of this attempt."""
        return crypto.seal(value, context=f"attempt:{field}:{self.id}")

    def _opened(self, field: str, value: str | None) -> str:
        return crypto.unseal(value, context=f"attempt:{field}:{self.id}") if value else ""


class Anomaly(Moving, Base):
    """Money that came and does not fit; it waits in the suspense account for a decision.

    `target_order_id` is the order that it is to pay, once that was decided; above the limit
    somebody has proposed it before, and somebody else has approved it.
    """

    __tablename__ = "anomaly"
    FLOW: ClassVar[Flow] = ANOMALY_FLOW

    payment_id: Mapped[str] = mapped_column(Id)
    kind: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    note: Mapped[str]
    proposed_order_id: Mapped[str | None] = mapped_column(Id)
    proposed_by: Mapped[str | None]
    approved_by: Mapped[str | None]
    target_order_id: Mapped[str | None] = mapped_column(Id)
    opened_at: Mapped[dt.datetime] = mapped_column(Moment)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Moment)

    @property
    def amount(self) -> Money:
        """What waits."""
        return Money(self.amount_minor, self.currency)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of it now."""
        return {
            "id": self.id,
            "payment": self.payment_id,
            "kind": self.kind,
            "status": self.FLOW.outside[self.status],
            "amount": self.amount_minor,
            "currency": self.currency,
            "order": self.target_order_id,
            "livemode": self.livemode,
            "closed": self.closed_at.isoformat() if self.closed_at else None,
            "at": self.opened_at.isoformat(),
        }
