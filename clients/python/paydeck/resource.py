"""What all resources share: to read one, to list, to do something once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast
from urllib.parse import quote

from paydeck import fields
from paydeck.pages import Page
from paydeck.wire import Request, Wire

T = TypeVar("T")


class Resource:
    """What the resources share: reading one, listing, doing once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def _get(self, _gives: type[T], *path: str, **query: Any) -> T:
        return cast("T", self._wire.ask(Request("GET", address(*path), query=query)))

    def _list(self, _gives: type[T], *path: str, query: Mapping[str, Any]) -> Page[T]:
        return Page(self._wire, address(*path), query)

    def _do(self, _gives: type[T], *path: str, sent: Mapping[str, Any]) -> T:
        return cast("T", self._send("POST", path, sent))

    def _change(self, _gives: type[T], *path: str, sent: Mapping[str, Any]) -> T:
        return cast("T", self._send("PATCH", path, sent))

    def _bare(self, _gives: type[T], *path: str, key: fields.Keyed, method: str = "POST") -> T:
        """Do what takes no body."""
        asked = Request(method, address(*path), key=key.get("idempotency_key"))
        return cast("T", self._wire.ask(asked))

    def _send(self, method: str, path: tuple[str, ...], sent: Mapping[str, Any]) -> object:
        body = dict(sent)
        key = body.pop("idempotency_key", None)
        return self._wire.ask(Request(method, address(*path), body=body, key=key))


def address(*path: str) -> str:
    """Return the path below /api/v1, each part quoted; raises ValueError for what is no id."""
    if not all(part.strip(".") for part in path):
        raise ValueError("An id is empty.")
    return "/" + "/".join(quote(part, safe="") for part in path)
