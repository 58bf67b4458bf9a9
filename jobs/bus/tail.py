"""A reader of one stream of events, to try the bus and to copy from.

`python -m jobs.bus.tail payment-events` prints each event once to its group (KAFKA_GROUP_ID) and
then says that it has been read. What a reader of that name took and did not finish comes first; an
erased stream is read from its new start. An event may come twice: tell it by its id, or by a
sequence of its object that is no higher than the last.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import redis

from jobs.bus.streams import stream
from webapp.kernel.wake import connect

WAIT_MS = 1_000
AT_ONCE = 100
FROM_NOW = "$"
FROM_START = "0"
UNFINISHED = "0"
UNREAD = ">"


def read(client: Any, key: str, group: str, name: str, show: Callable[[str], None]) -> int:
    """Show the events of a stream that a reader is yet to finish or to read; returns how many.

    Makes the group where it is not there, at the stream's start: nothing is missed.
    """
    shown = 0
    for since in (UNFINISHED, UNREAD):
        try:
            found = client.xreadgroup(group, name, {key: since}, count=AT_ONCE, block=WAIT_MS)
        except redis.ResponseError as fault:
            if not str(fault).startswith("NOGROUP"):
                raise
            begin(client, key, group, FROM_START)
            return shown
        for _key, entries in found or ():
            for entry_id, fields in entries:
                if fields:
                    show(fields[b"event"].decode())
                client.xack(key, group, entry_id)
                shown += 1
    return shown


def begin(client: Any, key: str, group: str, start: str) -> None:
    """Make a group that reads a stream from `start` on, unless it is there."""
    try:
        client.xgroup_create(key, group, id=start, mkstream=True)
    except redis.ResponseError as fault:
        if not str(fault).startswith("BUSYGROUP"):
            raise


def main() -> int:
    """Read until it is interrupted; returns the exit status."""
    words = argparse.ArgumentParser(prog="python -m jobs.bus.tail")
    words.add_argument("topic", help="such as payment-events, or what a setting calls it")
    words.add_argument("--url", default=os.environ.get("REDIS_URL", "redis://localhost:6379/0"))
    words.add_argument("--group", default=os.environ.get("KAFKA_GROUP_ID") or "payments-service")
    words.add_argument("--name", default=socket.gethostname(), help="this reader of the group")
    words.add_argument("--from-start", action="store_true", help="what the stream still keeps, too")
    asked = words.parse_args()
    client, key = connect(asked.url), stream(asked.topic)
    try:
        begin(client, key, asked.group, FROM_START if asked.from_start else FROM_NOW)
        while True:
            try:
                read(client, key, asked.group, asked.name, _print)
            except redis.ConnectionError as away:
                sys.stderr.write(f"away: {away}\n")
                time.sleep(1)
    except KeyboardInterrupt:
        return 0


def _print(event: str) -> None:
    sys.stdout.write(f"{event}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
