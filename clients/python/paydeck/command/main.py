"""What is typed behind `paydeck`, and how it ends: 0 done, 1 refused, 2 mistyped, 130 stopped."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
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
    one.add_argument("event", metavar="EVT")
    one.add_argument("--to", metavar="WE", help="to this endpoint (else: wherever it was sent)")
    one.set_defaults(do=lambda client, asked: resend.run(client, asked.event, to=asked.to))


def _add_tail(one: argparse.ArgumentParser) -> None:
    one.add_argument("--path", help="only addresses that begin so, such as /api/v1/orders")
    one.add_argument("--all", action="store_true", help="also reads of the log itself")
    one.set_defaults(do=_tail)


def _listen(client: Paydeck, asked: argparse.Namespace) -> int:
    whose = (
        f"{asked.base_url or os.environ.get('PAYDECK_BASE_URL')} {os.environ['PAYDECK_API_KEY']}"
    )
    place = listen.Place.at(asked.state or listen.usual_file(f"{whose} {asked.forward_to}"))
    if asked.secret:
        place.secret = asked.secret
    names = frozenset(name.strip() for name in asked.events.split(",") if name.strip())
    with httpx.Client(trust_env=False, timeout=listen.FORWARD_SECONDS) as http:
        listener = listen.Listener(client, listen.Target(asked.forward_to, names, http), place)
        listener.begin(asked.start)
        while True:
            listener.step()


def _tail(client: Paydeck, asked: argparse.Namespace) -> int:
    tail = logs.Tail(client, path=asked.path, with_own=asked.all)
    while True:
        tail.step()
        tail.rest()


def _web_address(typed: str) -> str:
    url = httpx.URL(typed)
    if url.scheme not in ("http", "https") or not url.host:
        raise argparse.ArgumentTypeError("write an address such as http://localhost:4242/hook")
    return typed


if __name__ == "__main__":
    sys.exit(main())
