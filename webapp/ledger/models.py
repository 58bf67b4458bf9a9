"""The ledger's tables as the portal's roles may read them; all writing is done by `ledger_post`."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    CHAR,
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from webapp.kernel.db import Base, Id, Moment

_NAME = (
    "merchant_id || CASE WHEN livemode THEN '/live/' ELSE '/test/' END || kind || '/'"
    " || currency::text || CASE WHEN user_id IS NULL THEN '' ELSE '/' || user_id END"
)


class TransactionNumber(UserDefinedType[str]):
    """Postgres' 64-bit transaction number (xid8), in Python a text of digits."""

    cache_ok = True

    def get_col_spec(self, **_kw: object) -> str:
        """Return the type's name in SQL."""
        return "xid8"


class Account(Base):
    """A place where money is; `name` is derived by the database from the other columns."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("livemode", "currency", "id"),
        Index("ix_ledger_account_merchant_id_livemode", "merchant_id", "livemode"),
        Index("ix_ledger_account_user_id", "user_id", postgresql_where=text("user_id IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Id, Computed(_NAME, persisted=True), unique=True)
    merchant_id: Mapped[str] = mapped_column(Id, ForeignKey("merchant.id"))
    livemode: Mapped[bool]
    kind: Mapped[str]
    currency: Mapped[str] = mapped_column(CHAR(3))
    user_id: Mapped[str | None] = mapped_column(Id, ForeignKey("app_user.id"))


class Transfer(Base):
    """One balanced set of entries; `reference` names the business fact and is unique for ever.

    `reverses` and `corrects` name the transfer that this one undoes, or puts right.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("merchant_id", "livemode", "id", "xid"),
        CheckConstraint("length(reference) BETWEEN 1 AND 200", name="reference"),
        Index("ix_transfer_xid", "xid"),
        CheckConstraint("corrects <> id", name="corrects"),
        Index("ix_transfer_about", text("split_part(reference, ':', 2)")),
        Index("ix_transfer_corrects", "corrects", postgresql_where=text("corrects IS NOT NULL")),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(Id, unique=True)
    kind: Mapped[str]
    merchant_id: Mapped[str] = mapped_column(Id, ForeignKey("merchant.id"))
    livemode: Mapped[bool]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    xid: Mapped[str] = mapped_column(TransactionNumber, server_default=text("pg_current_xact_id()"))
    reverses: Mapped[str | None] = mapped_column(Id, ForeignKey("transfer.id"), unique=True)
    because: Mapped[str]
    corrects: Mapped[str | None] = mapped_column(Id, ForeignKey("transfer.id"))


class Entry(Base):
    """One signed amount on one account; `account_kind` and `user_id` are filled by a trigger."""

    __tablename__ = "entry"
    __table_args__ = (
        ForeignKeyConstraint(
            ["merchant_id", "livemode", "transfer_id", "xid"],
            ["transfer.merchant_id", "transfer.livemode", "transfer.id", "transfer.xid"],
            name="fk_entry_open_transfer",
            onupdate="CASCADE",
        ),
        ForeignKeyConstraint(
            ["livemode", "currency", "account_id"],
            ["ledger_account.livemode", "ledger_account.currency", "ledger_account.id"],
            name="fk_entry_account",
        ),
        CheckConstraint("position >= 1", name="position"),
        CheckConstraint("amount_minor <> 0", name="amount_minor"),
        Index("ix_entry_account_id_xid", "account_id", "xid", postgresql_include=["amount_minor"]),
        Index(
            "ix_entry_user_id_transfer_id",
            "user_id",
            text("transfer_id DESC"),
            postgresql_where=text("user_id IS NOT NULL"),
        ),
    )

    transfer_id: Mapped[str] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    account_id: Mapped[str] = mapped_column(Id)
    merchant_id: Mapped[str] = mapped_column(Id)
    livemode: Mapped[bool]
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    account_kind: Mapped[str]
    user_id: Mapped[str | None] = mapped_column(Id)
    xid: Mapped[str] = mapped_column(TransactionNumber, server_default=text("pg_current_xact_id()"))


class Balance(Base):
    """What an account that gates spending holds; moved by a trigger on its entries."""

    __tablename__ = "balance"
    __table_args__ = (CheckConstraint("amount_minor >= 0", name="amount_minor"),)

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("ledger_account.id"), primary_key=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class Checkpoint(Base):
    """The sum of an account's entries of all transactions below `horizon`."""

    __tablename__ = "balance_checkpoint"

    account_id: Mapped[str] = mapped_column(Id, ForeignKey("ledger_account.id"), primary_key=True)
    horizon: Mapped[str] = mapped_column(TransactionNumber)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[dt.datetime] = mapped_column(Moment)


class Fold(Base):
    """One row: below which transaction everything is in the checkpoints."""

    __tablename__ = "ledger_fold"
    __table_args__ = (CheckConstraint("only_row", name="only_row"),)

    only_row: Mapped[bool] = mapped_column(Boolean, primary_key=True, server_default=text("true"))
    horizon: Mapped[str] = mapped_column(TransactionNumber)
