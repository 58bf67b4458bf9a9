"""Pages of a list, and a walk over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar, cast

from paydeck.wire import Request, Wire

T = TypeVar("T")


class Page(Generic[T]):
    """One page, newest first: `data`, and whether there is more in the direction that was asked."""

    def __init__(self, wire: Wire, path: str, query: Mapping[str, Any]) -> None:
        self._wire, self._path, self._query = wire, path, dict(query)
        told = wire.ask(Request("GET", path, query=self._query))
        self.data: list[T] = told["data"]
        self.has_more: bool = told["has_more"]

    def __iter__(self) -> Iterator[T]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def next_page(self) -> Page[T] | None:
        """Return the page that follows, or None behind the last one."""
        if not self.has_more or not self.data:
            return None
        query = {**self._query}
        if "ending_before" in query:
            query["ending_before"] = _id(self.data[0])
        else:
            query["starting_after"] = _id(self.data[-1])
        return Page(self._wire, self._path, query)

    def all(self) -> Iterator[T]:
        """Walk over this page and all that follow, fetched as they are needed.

        With `ending_before` the walk goes from older to newer.
        """
        backwards = "ending_before" in self._query
        page: Page[T] | None = self
        while page is not None:
            yield from reversed(page.data) if backwards else page.data
            page = page.next_page()


def _id(one: object) -> str:
    return cast("dict[str, str]", one)["id"]
