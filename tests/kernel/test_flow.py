"""A graph of states is refused at start when it names what is not there or forgets a deadline."""

from __future__ import annotations

import datetime as dt

import pytest

from webapp.kernel.flow import Edge, Flow, Owner, State

STATES = [State("open", "It waits.", owner=Owner.SHOPPER), State("done", "It is done.")]
EDGES = [Edge("", "open", "thing.opened"), Edge("open", "done", "thing.done")]
OUTSIDE = {"open": "OPEN", "done": "DONE"}


def test_a_right_graph_answers() -> None:
    flow = Flow("thing", states=STATES, edges=EDGES, outside=OUTSIDE)
    assert flow.initial() == {"open"}
    assert flow.allows("open", "done")
    assert not flow.allows("done", "open")
    assert flow.event("open", "done") == "thing.done"
    assert flow.events() == {"thing.opened", "thing.done"}
    assert flow.states["done"].is_final
    assert not flow.states["open"].is_final
    with pytest.raises(KeyError):
        flow.event("done", "open")


@pytest.mark.parametrize(
    ("states", "edges", "outside", "says"),
    [
        (STATES, [*EDGES, Edge("open", "lost", "thing.lost")], OUTSIDE, "not there"),
        (STATES, [*EDGES, Edge("lost", "done", "thing.found")], OUTSIDE, "not there"),
        (STATES, EDGES, {"open": "OPEN"}, "no outside name"),
        (
            [State("open", "x", owner=Owner.US, deadline=dt.timedelta(1)), STATES[1]],
            EDGES,
            OUTSIDE,
            "what happens then",
        ),
    ],
)
def test_a_wrong_graph_is_refused_with_its_fault(
    states: list[State], edges: list[Edge], outside: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        Flow("thing", states=states, edges=edges, outside=outside)
    assert "thing" in str(refused.value)


def test_nobody_owns_the_next_step_of_an_end() -> None:
    assert State("done", "x").is_final
    assert all(not State("x", "x", owner=owner).is_final for owner in Owner if owner != "nobody")
