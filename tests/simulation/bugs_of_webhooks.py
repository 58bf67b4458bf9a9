"""Known bugs of the room of webhooks, to be planted one at a time in its small stories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from webapp.webhooks import claims, policy, signing, telling

Patch = pytest.MonkeyPatch


def a_server_error_counts_as_arrived(patch: Patch) -> None:
    """An answer of 500 is taken for a success."""
    patch.setattr(policy, "is_success", lambda status: status is not None)


def a_refused_delivery_is_dropped(patch: Patch) -> None:
    """The first failure of a delivery is its last."""
    patch.setattr(policy, "wait_seconds", lambda *_args, **_named: None)


def the_last_fact_of_a_batch_is_forgotten(patch: Patch) -> None:
    """A batch of facts becomes one event too few."""
    written = telling._written
    patch.setattr(telling, "_written", lambda events: written(events[:-1] or events))


def an_endpoint_of_two_is_forgotten(patch: Patch) -> None:
    """Only the first endpoint that chose an event is sent it."""
    wanted = telling._wanted
    patch.setattr(
        telling, "_wanted", lambda events: [(one, chosen[:1]) for one, chosen in wanted(events)]
    )


def bytes_are_made_anew_at_each_try(patch: Patch) -> None:
    """A body is written afresh for each try, with the try's number in it."""
    made = claims._parcel

    def anew(row: Any, what: Any, *rest: Any) -> claims.Parcel:
        body = f'{{"try":{row["tries"]},{what["body"][1:]}'
        return made(row, {**what, "body": body}, *rest)  # type: ignore[arg-type]

    patch.setattr(claims, "_parcel", anew)


def stale_answers_count(patch: Patch) -> None:
    """Who lost its lease writes down its answer all the same."""
    patch.setattr(
        claims,
        "_HOLDS",
        text(
            "SELECT d.id, mine.token FROM delivery AS d"
            " JOIN unnest(CAST(:ids AS text[]), CAST(:tokens AS bigint[])) AS mine (id, token)"
            " ON d.id = mine.id WHERE d.state = 'due'"
        ),
    )


def another_secret_signs(patch: Patch) -> None:
    """What is sent is signed with the secret of before, never with the present one."""
    patch.setattr(signing, "secrets_of", lambda _endpoint: ("whsec_" + "A" * 43 + "=",))


def a_probe_never_comes(patch: Patch) -> None:
    """An endpoint that was left alone once is left alone for ever."""
    patch.setattr(policy, "rest_seconds", lambda _failures, **_took: 10.0**9)


def a_lease_is_not_counted(patch: Patch) -> None:
    """What is in flight does not count, so that an endpoint is sent ever more at once."""
    sql = str(claims._CLAIM).replace("WHERE d.lease_until > (SELECT clock_now())", "WHERE false")
    assert sql != str(claims._CLAIM), "the bug is not planted"
    patch.setattr(claims, "_CLAIM", text(sql))


BUGS: Sequence[Callable[[Patch], None]] = (
    a_server_error_counts_as_arrived,
    a_refused_delivery_is_dropped,
    the_last_fact_of_a_batch_is_forgotten,
    an_endpoint_of_two_is_forgotten,
    bytes_are_made_anew_at_each_try,
    stale_answers_count,
    another_secret_signs,
    a_probe_never_comes,
    a_lease_is_not_counted,
)
