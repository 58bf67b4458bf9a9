"""What may go wrong in one piece of work without ending the process that does it.

Anything else (memory, a signal, an assertion) ends the process, and the supervisor starts it anew.
"""

from __future__ import annotations

import redis
from jinja2 import TemplateError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.kernel import db
from webapp.kernel.crypto import CannotOpen
from webapp.kernel.errors import BrokenTransaction, Refusal

#: Faults of one row or one chore: noted, put off, and tried again.
FAULTS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    BrokenTransaction,
    CannotOpen,
    LookupError,
    OSError,
    Refusal,
    RuntimeError,
    SQLAlchemyError,
    TemplateError,
    TypeError,
    ValueError,
    redis.RedisError,
)


def is_passing(fault: Exception) -> bool:
    """Whether a store is away or busy: then nobody's row is at fault and all are tried again."""
    if isinstance(fault, DBAPIError):
        return db.is_passing(fault)
    return isinstance(fault, PoolTimeout | redis.RedisError)


def describe(fault: Exception) -> str:
    """Return one line about a fault, fit for `last_error`; drivers' messages are cut short."""
    first_line = str(fault).strip().partition("\n")[0]
    return f"{type(fault).__name__}: {first_line}"[:300]
