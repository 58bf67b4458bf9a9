"""What is typed behind `paydeck`, and how it ends: 0 done, 1 refused, 2 mistyped, 130 stopped."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import httpx

from paydeck.client import DEFAULT_URL, Paydeck
from paydeck.command import listen, logs, resend, trigger
from paydeck.errors import PaydeckError

STOPPED = 130


def main(typed: Sequence[str] | None = None) -> int:
    """Do what is typed and return the exit code."""
    asked = parser().parse_args(typed)
    try:
        with Paydeck(base_url=asked.base_url) as client:
            done: int = asked.do(client, asked)
            return done
    except KeyboardInterrupt:
        return STOPPED
    except (PaydeckError, ValueError) as failed:
        print(f"paydeck: {failed}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the reader of the command line; each command brings its `do`."""
    whole = argparse.ArgumentParser(
        prog="paydeck",
        description="Talks to a Paydeck with the API key in PAYDECK_API_KEY.",
    )
    whole.add_argument(
        "--base-url",
        default=None,
        help=f"where Paydeck runs (PAYDECK_BASE_URL, else {DEFAULT_URL}); https, or this machine",
    )
    commands = whole.add_subparsers(required=True, metavar="command")
    _add_listen(commands.add_parser("listen", help="forward events to a server of yours"))
    _add_trigger(commands.add_parser("trigger", help="make an event happen, in test mode"))
    events = commands.add_parser("events", help="send events again")
    _add_resend(events.add_subparsers(required=True, metavar="command").add_parser("resend"))
    log = commands.add_parser("logs", help="watch what is asked of the API")
    _add_tail(log.add_subparsers(required=True, metavar="command").add_parser("tail"))
    return whole


def _add_listen(one: argparse.ArgumentParser) -> None:
    one.add_argument("--forward-to", required=True, metavar="URL", type=_web_address)
    one.add_argument("--events", default="", metavar="A,B", help="only these (all, if left out)")
    one.add_argument(
        "--from", dest="start", metavar="EVT", help="after this event; or beginning, or now"
    )
    one.add_argument("--secret", help="what to sign with (made and kept, if left out)")
    one.add_argument("--state", type=Path, metavar="FILE", help="where the place is kept")
    one.set_defaults(do=_listen)


def _add_trigger(one: argparse.ArgumentParser) -> None:
    one.add_argument("event", help="its name, such as payment.success")
    one.add_argument("--to", metavar="WE", help="for a test event: the endpoint that is sent it")
    one.set_defaults(do=lambda client, asked: trigger.run(client, asked.event, to=asked.to))


def _add_resend(one: argparse.ArgumentParser) -> None:
    one.description = (
        "Sends an event, or all of a stretch of time, again: to wherever it was sent, to an "
        "endpoint (--to), or from here to a server of yours (--forward-to), signed as paydeck "
        "listen signs for that address. Ends with 1 where an answer was not 2xx."
    )
    one.add_argument("event", metavar="EVT", nargs="?", help="the event's id")
    one.add_argument("--since", type=_moment, metavar="TIME", help="instead of one event: all from")
    one.add_argument(
        "--until", type=_moment, metavar="TIME", help="up to, not included (else: now)"
    )
    where = one.add_mutually_exclusive_group()
    where.add_argument("--to", metavar="WE", help="to this endpoint (else: wherever it was sent)")
    where.add_argument(
        "--forward-to",
        metavar="URL",
        type=_web_address,
        help="to this address, such as http://localhost:4242/hook",
    )
    one.add_argument("--secret", help="with --forward-to: what to sign with (else: as listen)")
    one.add_argument("--state", type=Path, metavar="FILE", help="where listen keeps its secret")
    one.set_defaults(do=_resend)


def _add_tail(one: argparse.ArgumentParser) -> None:
    one.add_argument("--path", help="only addresses that begin so, such as /api/v1/orders")
    one.add_argument("--all", action="store_true", help="also reads of the log itself")
    one.set_defaults(do=_tail)


def _listen(client: Paydeck, asked: argparse.Namespace) -> int:
    place = _place(asked)
    names = frozenset(name.strip() for name in asked.events.split(",") if name.strip())
    with httpx.Client(trust_env=False, timeout=listen.FORWARD_SECONDS) as http:
        listener = listen.Listener(client, listen.Target(asked.forward_to, names, http), place)
        listener.begin(asked.start)
        while True:
            listener.step()


def _place(asked: argparse.Namespace) -> listen.Place:
    """Return what is kept for the target, with the secret that was typed, if one was."""
    whose = (
        f"{asked.base_url or os.environ.get('PAYDECK_BASE_URL')} {os.environ['PAYDECK_API_KEY']}"
    )
    place = listen.Place.at(asked.state or listen.usual_file(f"{whose} {asked.forward_to}"))
    if asked.secret:
        place.secret = asked.secret
    return place


def _resend(client: Paydeck, asked: argparse.Namespace) -> int:
    span = resend.Span.typed(asked.since, asked.until)
    what = span or asked.event
    if what is None or (span and asked.event):
        raise PaydeckError("Say which event, or --since when.")
    if asked.forward_to:
        place = _place(asked)
        if not (asked.secret or place.file.exists()):
            place.save()
        print(f"Verify with the secret {place.secret}")
        with httpx.Client(trust_env=False, timeout=listen.FORWARD_SECONDS) as http:
            target = listen.Target(asked.forward_to, frozenset(), http)
            return resend.forward(client, what, target=target, secret=place.secret)
    if span is None:
        return resend.run(client, asked.event, to=asked.to)
    if not asked.to:
        raise PaydeckError("Say --to which endpoint, or --forward-to which address.")
    return resend.run_span(client, span, to=asked.to)


def _tail(client: Paydeck, asked: argparse.Namespace) -> int:
    tail = logs.Tail(client, path=asked.path, with_own=asked.all)
    while True:
        tail.step()
        tail.rest()


def _moment(typed: str) -> int:
    """Return Unix seconds; a time without a zone is this machine's."""
    try:
        return int(typed) if typed.isdecimal() else int(datetime.fromisoformat(typed).timestamp())
    except (ValueError, OverflowError) as wrong:
        message = "write a time such as 2026-11-22T09:30, or Unix seconds"
        raise argparse.ArgumentTypeError(message) from wrong


def _web_address(typed: str) -> str:
    url = httpx.URL(typed)
    if url.scheme not in ("http", "https") or not url.host:
        raise argparse.ArgumentTypeError("write an address such as http://localhost:4242/hook")
    return typed


if __name__ == "__main__":
    sys.exit(main())
