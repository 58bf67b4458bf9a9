"""One row for each request that a program made."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import CheckConstraint, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Id, Moment


class ApiRequest(Base):
    """A request and its answer; bodies are masked JSON of at most 8 KB each."""

    __tablename__ = "api_request"
    __table_args__ = (
        CheckConstraint("status BETWEEN 100 AND 599", name="status"),
        CheckConstraint("octet_length(request_body) <= 8192", name="request_body"),
        CheckConstraint("octet_length(response_body) <= 8192", name="response_body"),
        CheckConstraint("merchant_id IS NOT NULL OR user_id IS NOT NULL", name="whose"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    merchant_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool]
    key_id: Mapped[str | None] = mapped_column(Id)
    user_id: Mapped[str | None] = mapped_column(Id)
    method: Mapped[str]
    path: Mapped[str]
    query: Mapped[str]
    status: Mapped[int]
    duration_ms: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(Moment)
    request_body: Mapped[str]
    response_body: Mapped[str]
    error_code: Mapped[str | None]
    object_id: Mapped[str | None] = mapped_column(Id)
    version: Mapped[str]
    idempotency_key: Mapped[str | None]
    is_replay: Mapped[bool]
    #: Made by a person in the explorer, not by a program.
    is_by_hand: Mapped[bool] = mapped_column(server_default=false())


Index(
    "ix_api_request_merchant_id_livemode_id",
    ApiRequest.merchant_id,
    ApiRequest.livemode,
    ApiRequest.id.desc(),
)
#: People look for what was asked about an object, or with a key, however long ago that was.
for _column in (ApiRequest.object_id, ApiRequest.idempotency_key):
    Index(
        f"ix_api_request_{_column.key}",
        ApiRequest.merchant_id,
        ApiRequest.livemode,
        _column,
        ApiRequest.id.desc(),
        postgresql_where=_column.is_not(None),
    )
