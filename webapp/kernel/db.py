"""The database: one base for tables, scopes by role, and `transaction()`, which alone commits.

A scope says as which database role and for whom statements run; it is written to the connection
in the first statement of every transaction, where the row-level policies read it. A scope that
was never set sees no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

import psycopg
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, DateTime, Engine, MetaData, Text, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import (
    DeclarativeBase,
    Session,
    SessionTransaction,
    configure_mappers,
    registry,
    scoped_session,
)

from webapp.kernel.errors import BrokenTransaction

CONNECT_OPTIONS = (
    "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000"
    " -c timezone=UTC"
)
#: SQLSTATE classes and codes after which trying again is right (locks, deadlock, full, going down).
PASSING_STATES = ("40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03")
PASSING_CLASSES = ("08", "53")
#: Whatever the database or the way to it may raise, for those who type no SQL themselves.
DatabaseFault = SQLAlchemyError


#: Part of this door plate: what a caller catches.
DatabaseError = DBAPIError
#: All of a role's connections are in use and none came back in time.
NoConnectionFree = PoolTimeout
#: The types that columns of ids and of moments have.
Id = Text(collation="C")
Moment = DateTime(timezone=True)


class Base(DeclarativeBase):
    """Every table's base; constraint names follow one convention."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    registry = registry(metadata=metadata, type_annotation_map={str: Text()})


class Role(StrEnum):
    """The database roles that the product's processes use."""

    WEB = "paydeck_web"
    ADMIN = "paydeck_admin"
    WORKER = "paydeck_worker"
    OWNER = "paydeck_owner"


@dataclass(frozen=True, slots=True)
class Scope:
    """As which role, and for which merchant, mode and user, statements run."""

    role: Role = Role.WEB
    merchant_id: str | None = None
    livemode: bool | None = None
    user_id: str | None = None


NOBODY = Scope()
WORKER = Scope(role=Role.WORKER)
ADMIN = Scope(role=Role.ADMIN)
OWNER = Scope(role=Role.OWNER)

_scope: ContextVar[Scope] = ContextVar("paydeck_scope", default=NOBODY)
#: Where the tests put the one connection whose outer transaction they roll back.
_held_connection: ContextVar[Connection | None] = ContextVar("paydeck_held", default=None)


class ScopedSession(FlaskSession):
    """Chooses the pool of the scope's role."""

    def get_bind(self, *_args: object, **_named: object) -> Engine | Connection:
        """Return the engine of the current scope's role, or the connection that a test holds."""
        held = _held_connection.get()
        if held is not None:
            return held
        engines = self._db.engines
        role = current_scope().role
        if role in {Role.ADMIN, Role.OWNER}:
            return engines[role.value]
        return engines[None]


db = SQLAlchemy(
    model_class=Base,
    session_options={
        "class_": ScopedSession,
        "expire_on_commit": False,
        "join_transaction_mode": "create_savepoint",
    },
    engine_options={
        # A fault's text goes to the log; the values of its statement do not.
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_timeout": 3,
        "connect_args": {
            "connect_timeout": 3,
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "options": CONNECT_OPTIONS,
        },
    },
)
session: scoped_session[FlaskSession] = db.session


def current_scope() -> Scope:
    """Return the scope in force."""
    return _scope.get()


def use_scope(scope: Scope) -> None:
    """Put `scope` in force for the rest of this request or job; reads under another end."""
    assert_no_transaction()
    _scope.set(scope)


@contextmanager
def scoped(scope: Scope) -> Iterator[None]:
    """Put `scope` in force inside the block only."""
    assert_no_transaction()
    before = _scope.set(scope)
    try:
        yield
    finally:
        end_reads()
        _scope.reset(before)


@contextmanager
def transaction(scope: Scope | None = None) -> Iterator[Session]:
    """Commit at the end of the outermost block and roll back on any exception; inner blocks join.

    Raises BrokenTransaction where an inner block failed and the failure was swallowed. `scope` may
    be given at the outermost block only; it is in force until the block ends.
    """
    story = _story()
    if story.depth:
        if scope is not None and scope != current_scope():
            message = "an inner transaction cannot change the scope"
            raise RuntimeError(message)
        with _joined(story) as joined:
            yield joined
        return
    end_reads()
    before = _scope.set(scope) if scope is not None else None
    story.begin()
    try:
        yield session()
        _finish(story)
    except BaseException:
        session.rollback()
        story.callbacks.clear()
        raise
    finally:
        story.depth = 0
        if before is not None:
            _scope.reset(before)
    story.run_callbacks()


def in_transaction() -> bool:
    """Whether a `transaction()` block is open in this context."""
    return _story().depth > 0


def assert_transaction() -> None:
    """Raise unless inside `transaction()`: steps expect one, verbs open one."""
    if not in_transaction():
        message = "this step belongs inside a transaction"
        raise RuntimeError(message)


def assert_no_transaction() -> None:
    """Let go of reads, and raise inside `transaction()`: never hold the database while waiting."""
    if in_transaction():
        message = "this must not run inside a transaction"
        raise RuntimeError(message)
    end_reads()


def end_reads() -> None:
    """Give back the connection that reads outside `transaction()` have taken."""
    if session.registry.has() and session().in_transaction():
        if session.new or session.dirty or session.deleted:
            session.rollback()
            message = "something was changed outside transaction()"
            raise RuntimeError(message)
        session.commit()


def let_go(_error: BaseException | None = None) -> None:
    """Give back all that the session holds at the end of a request or a job; never raises.

    What was to be committed has been by now. A connection that was lost since is dropped.
    """
    if not session.registry.has():
        return
    try:
        session.remove()
    except DBAPIError:
        session().invalidate()
        session.registry.clear()


def after_commit(callback: Callable[[], None]) -> None:
    """Run `callback` once the outermost transaction has committed; it must not raise."""
    assert_transaction()
    _story().callbacks.append(callback)


def is_passing(error: DBAPIError) -> bool:
    """Whether a database error is of the kind after which trying again later is right.

    A server that is away, starting or ending its connections says so without a state.
    """
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError)
    return state in PASSING_STATES or state[:2] in PASSING_CLASSES


def preload() -> None:
    """Load, ahead of a fork, what a first connection and a first query would load."""
    configure_mappers()
    # A first password has the driver load its algorithms, 5 MB of them; nothing is connected.
    unconnected = psycopg.pq.PGconn.connect_start(b"host=/nowhere")
    unconnected.encrypt_password(b"-", b"-", b"scram-sha-256")
    unconnected.finish()


def ping() -> None:
    """Return when the database answers; raises DBAPIError when it does not."""
    session.execute(text("SELECT 1"))


@contextmanager
def held_connection(connection: Connection) -> Iterator[None]:
    """Run everything on one connection inside its open transaction (savepoint tests only)."""
    before = _held_connection.set(connection)
    try:
        yield
    finally:
        _held_connection.reset(before)


class _Story:
    """What one session knows of its open transaction."""

    def __init__(self) -> None:
        self.depth = 0
        self.is_broken = False
        self.callbacks: list[Callable[[], None]] = []

    def begin(self) -> None:
        self.depth = 1
        self.is_broken = False
        self.callbacks = []

    def run_callbacks(self) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback()


def _story() -> _Story:
    info: dict[str, _Story] = session().info
    return info.setdefault("story", _Story())


@contextmanager
def _joined(story: _Story) -> Iterator[Session]:
    story.depth += 1
    try:
        yield session()
    except BaseException:
        story.is_broken = True
        raise
    finally:
        story.depth -= 1


def _finish(story: _Story) -> None:
    if story.is_broken:
        message = "a failure inside the transaction was swallowed; nothing was committed"
        raise BrokenTransaction(message)
    session.flush()
    if _held_connection.get() is not None:
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    session.commit()


_SET_SCOPE = text(
    "SELECT set_config('app.merchant', :merchant, true),"
    " set_config('app.livemode', :livemode, true), set_config('app.user', :user, true)"
)


@event.listens_for(ScopedSession, "after_begin")
def _announce_scope(_session: Session, began: SessionTransaction, connection: Connection) -> None:
    if began.nested:
        return
    scope = current_scope()
    if _held_connection.get() is not None:
        connection.execute(text(f"SET LOCAL ROLE {scope.role.value}"))
    mode = "" if scope.livemode is None else str(scope.livemode).lower()
    connection.execute(
        _SET_SCOPE,
        {"merchant": scope.merchant_id or "", "livemode": mode, "user": scope.user_id or ""},
    )
