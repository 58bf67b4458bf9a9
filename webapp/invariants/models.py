"""What the checks found: one row per check and reach, replaced at every look."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.kernel.db import Base, Moment


class Reach(StrEnum):
    """Over what a check looks: what moved in the last hour, or everything."""

    HOUR = "hour"
    ALL = "all"


class Result(Base):
    """When a check looked last, how long it took, and what it found wrong."""

    __tablename__ = "invariant_result"

    name: Mapped[str] = mapped_column(primary_key=True)
    reach: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[dt.datetime] = mapped_column(Moment)
    ran_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    milliseconds: Mapped[int | None]
    found: Mapped[int | None]
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    red_since: Mapped[dt.datetime | None] = mapped_column(Moment)
