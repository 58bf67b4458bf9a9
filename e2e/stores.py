"""The stores behind a running copy, for tests that look into them or empty them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis

from supervisor import keys, roles
from supervisor import valkey as valkey_process
from supervisor.places import settle
from supervisor.stack import Stack

SUPERUSER = "postgres"


@contextmanager
def valkey(stack: Stack) -> Iterator[redis.Redis]:
    """A connection to the copy's Valkey."""
    with valkey_process.client(valkey_process.url(settle(stack.data))) as store:
        yield store


@contextmanager
def postgres(stack: Stack) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection to the copy's database that sees every row of every table."""
    password = keys.load(stack.data)[f"password_{SUPERUSER}"]
    address = roles.socket_url(
        SUPERUSER, password, str(settle(stack.data).sockets), roles.DATABASE
    ).replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(address) as connection:
        yield connection
