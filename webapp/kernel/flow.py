"""States as a table: whose step is next, when we look again, until when, and what then."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

BEGINNING = ""


class Owner(StrEnum):
    """Whom a state waits for."""

    US = "us"
    SHOPPER = "shopper"
    MERCHANT = "merchant"
    PROVIDER = "provider"
    ADMIN = "admin"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class State:
    """One state: its next step's owner, and in plain words what it is and what comes next."""

    name: str
    says: str
    owner: Owner = Owner.NOBODY
    check_after: dt.timedelta | None = None
    deadline: dt.timedelta | None = None
    on_deadline: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nobody has a next step."""
        return self.owner is Owner.NOBODY


@dataclass(frozen=True, slots=True)
class Edge:
    """One allowed move and the name of the event that it announces."""

    source: str
    target: str
    event: str


class Flow:
    """The graph of one noun; `outside` maps each state to the name outsiders see."""

    def __init__(
        self, noun: str, *, states: list[State], edges: list[Edge], outside: dict[str, str]
    ) -> None:
        self.noun = noun
        self.states = {state.name: state for state in states}
        self.edges = {(edge.source, edge.target): edge for edge in edges}
        self.outside = outside
        self._check()

    def event(self, source: str, target: str) -> str:
        """Return the event's name for an allowed move; raises KeyError for any other."""
        return self.edges[source, target].event

    def allows(self, source: str, target: str) -> bool:
        """Whether the graph has that move."""
        return (source, target) in self.edges

    def events(self) -> set[str]:
        """Return every event's name that this noun can announce."""
        return {edge.event for edge in self.edges.values()}

    def initial(self) -> set[str]:
        """Return the states in which an object may be born."""
        return {target for source, target in self.edges if source == BEGINNING}

    def _check(self) -> None:
        for source, target in self.edges:
            if target not in self.states or (source and source not in self.states):
                message = (
                    f"{self.noun}: an edge names a state that is not there: {source}, {target}"
                )
                raise ValueError(message)
        if missing := self.states.keys() - self.outside.keys():
            message = f"{self.noun}: no outside name for {sorted(missing)}"
            raise ValueError(message)
        for state in self.states.values():
            if not state.is_final and state.deadline is not None and not state.on_deadline:
                message = f"{self.noun}.{state.name}: a deadline needs what happens then"
                raise ValueError(message)
