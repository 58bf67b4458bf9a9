"""Claiming deliveries fairly, with a lease and a fence, and writing down what came of each try.

The database's clock alone is compared. A claim counts nothing: a try is counted with its answer.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert

from webapp.kernel import clock, db, ids, wake
from webapp.kernel.crypto import CannotOpen
from webapp.outbox import announce
from webapp.webhooks import addresses, policy, signing, turns
from webapp.webhooks.models import Attempt, Endpoint
from webapp.webhooks.transport import Answer, Request

_log = structlog.get_logger(__name__)
#: What is announced of a delivery whose last try failed.
GAVE_UP: Final = "delivery.gave_up"
_WHOSE: Final = ("endpoint_id", "merchant_id", "livemode")
ENDED_SENDERS: Final = "ended its sender each time"
UNSIGNED: Final = "not sent: the endpoint's secret cannot be opened"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that is ours until its lease ends: what to post, and what fences others off."""

    delivery_id: str
    endpoint_id: str
    merchant_id: str
    livemode: bool
    token: int
    number: int
    is_slow: bool
    is_healthy: bool
    is_tampered: bool
    request: Request
    made_at: dt.datetime

    @property
    def claim(self) -> tuple[str, int]:
        """What tells this claim from an earlier one of the same delivery."""
        return self.delivery_id, self.token


Result = tuple[Parcel, Answer]

#: Of those awake: what is within everybody's limits, then merchants in turn, and theirs in turn.
_CLAIM = text(
    """
    WITH busy AS (
      SELECT d.endpoint_id, d.merchant_id, count(*) AS count,
        (SELECT is_slow FROM webhook_health AS h WHERE h.endpoint_id = d.endpoint_id) AS is_slow
      FROM delivery AS d WHERE d.lease_until > (SELECT clock_now()) GROUP BY 1, 2
    ), held AS (
      SELECT merchant_id, sum(count) AS count, sum(count) FILTER (WHERE is_slow) AS slow
      FROM busy GROUP BY 1
    ), roomy AS (
      SELECT e.id AS endpoint_id, e.merchant_id, t.number,
        (SELECT max(number) FROM webhook_turn WHERE merchant_id = t.merchant_id) AS newest,
        coalesce(held.count, 0) AS held, coalesce(held.slow, 0) AS held_slow,
        coalesce(h.is_slow, false) AS is_slow,
        coalesce(h.failures = 0 AND NOT h.is_slow AND h.quick >= :quick, false) AS is_healthy,
        CASE WHEN h.open_until IS NULL AND h.quick >= :quick THEN :each ELSE 1 END
          - coalesce(busy.count, 0) AS room
      FROM webhook_turn AS t JOIN webhook_endpoint AS e ON e.id = t.endpoint_id
      LEFT JOIN webhook_health AS h ON h.endpoint_id = e.id
      LEFT JOIN busy ON busy.endpoint_id = e.id
      LEFT JOIN held ON held.merchant_id = e.merchant_id
      WHERE t.endpoint_id = ANY(:awake) AND e.status = 'enabled'
        AND (h.open_until IS NULL OR h.open_until <= (SELECT clock_now()))
    ), next AS (
      SELECT roomy.*, d.id, d.due_at,
        row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.due_at, d.id) AS nth
      FROM roomy CROSS JOIN LATERAL (
        SELECT id, endpoint_id, due_at FROM delivery
        WHERE state = 'due' AND endpoint_id = roomy.endpoint_id AND due_at <= (SELECT clock_now())
          AND (lease_until IS NULL OR lease_until <= (SELECT clock_now()))
        ORDER BY due_at, id LIMIT greatest(roomy.room, 0)) AS d
    ), shared AS (
      SELECT *, row_number() OVER (
          PARTITION BY merchant_id, is_slow ORDER BY nth, number, due_at, id)
        + CASE WHEN is_slow THEN held_slow ELSE held - least(held_slow, :slow_share) END AS share
      FROM next
    ), placed AS (
      SELECT *, row_number() OVER (PARTITION BY is_slow ORDER BY share, number, due_at, id) AS place
      FROM shared WHERE share <= CASE WHEN is_slow THEN :slow_share ELSE :share END
    ), turns AS (
      SELECT *, row_number() OVER (
          PARTITION BY merchant_id ORDER BY nth, number, due_at, id) AS turn
      FROM placed WHERE NOT is_slow OR place <= :slow
    ), chosen AS (
      SELECT id, is_slow, is_healthy FROM turns
      ORDER BY turn, newest, due_at, id LIMIT :most
    ), taken AS (
      SELECT d.id, chosen.is_slow, chosen.is_healthy
      FROM chosen JOIN delivery AS d ON d.id = chosen.id
      WHERE d.state = 'due' AND (d.lease_until IS NULL OR d.lease_until <= (SELECT clock_now()))
      FOR UPDATE OF d SKIP LOCKED
    )
    UPDATE delivery AS d SET
      state = CASE WHEN d.claims >= :claims THEN 'dead' ELSE 'due' END,
      claims = CASE WHEN d.claims >= :claims THEN 0 ELSE d.claims + 1 END,
      lease_token = nextval('fence'),
      lease_until = CASE WHEN d.claims < :claims
        THEN clock_now() + make_interval(secs => :lease) END,
      due_at = CASE WHEN d.claims < :claims THEN d.due_at END,
      finished_at = CASE WHEN d.claims >= :claims THEN clock_now() END,
      last_error = CASE WHEN d.claims >= :claims THEN :ended ELSE d.last_error END
    FROM taken WHERE d.id = taken.id
    RETURNING d.id, d.state, d.lease_token, d.tries, d.endpoint_id, d.event_id, d.api_version,
      d.merchant_id, d.livemode, d.is_tampered, taken.is_slow, taken.is_healthy
    """
)
_WHAT = text(
    """
    SELECT d.id, b.body, e.name FROM delivery AS d
    JOIN webhook_body AS b ON b.event_id = d.event_id AND b.api_version = d.api_version
    JOIN webhook_event AS e ON e.id = d.event_id WHERE d.id = ANY(:ids)
    """
)
_HOLDS = text(
    """
    SELECT d.id, d.lease_token FROM delivery AS d
    JOIN unnest(CAST(:ids AS text[]), CAST(:tokens AS bigint[])) AS mine (id, token)
      ON d.id = mine.id AND d.lease_token = mine.token
    WHERE d.state = 'due' ORDER BY d.id FOR UPDATE OF d
    """
)
_CLOSE = text(
    """
    UPDATE delivery AS d SET
      state = told.state, tries = tries + 1, claims = 0, lease_token = NULL, lease_until = NULL,
      last_error = told.error,
      due_at = CASE WHEN told.state = 'due'
        THEN clock_now() + make_interval(secs => told.wait) END,
      finished_at = CASE WHEN told.state <> 'due' THEN clock_now() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
      AS told (id text, state text, error text, wait float)
    WHERE d.id = told.id
    """
)
#: An endpoint whose address has changed since is told nothing of the old one's ways.
_HEALTH = text(
    """
    INSERT INTO webhook_health AS h (endpoint_id, merchant_id, livemode, failures, failing_since,
                                     failed_at, open_until, is_slow, quick, changed_at)
    SELECT id, merchant_id, livemode, CASE WHEN :failed THEN 1 ELSE 0 END,
           CASE WHEN :failed THEN clock_now() END, CASE WHEN :failed THEN clock_now() END, NULL,
           :slow, CASE WHEN :slow OR :failed THEN 0 ELSE 1 END, clock_now()
    FROM webhook_endpoint WHERE id = :endpoint AND (is_built_in OR url = :url)
    ON CONFLICT (endpoint_id) DO UPDATE SET
      failures = CASE WHEN :failed THEN h.failures + 1 ELSE 0 END,
      failing_since = CASE WHEN NOT :failed THEN NULL
        WHEN h.failed_at > clock_now() - make_interval(secs => :silence)
          THEN coalesce(h.failing_since, clock_now())
        ELSE clock_now() END,
      failed_at = CASE WHEN :failed THEN clock_now() ELSE h.failed_at END,
      quick = CASE WHEN :slow THEN 0 WHEN :failed THEN h.quick
        ELSE least(h.quick + 1, :quick) END,
      is_slow = :slow OR (h.is_slow AND (:failed OR h.quick + 1 < :quick)),
      open_until = NULL, changed_at = clock_now()
    WHERE :failed OR :slow OR h.failures > 0 OR h.open_until IS NOT NULL OR h.quick < :quick
    RETURNING failures
    """
)
_OPEN = text(
    "UPDATE webhook_health SET open_until = clock_now() + make_interval(secs => :rest)"
    " WHERE endpoint_id = :endpoint"
)


def take(at_most: int, *, slow_at_most: int) -> list[Parcel]:
    """Claim up to so many deliveries that are due (a step), each endpoint in its turn.

    At most 4 are in flight for an endpoint, 1 until it has answered ten times quickly with success
    and for a slow or a failing one, and 8 for a merchant besides 4 to slow ones, whoever claimed
    them and also where endpoints have become slow or quick since.
    Whoever has waited longest for a turn is next, merchant by merchant and then endpoint by
    endpoint, however much of theirs waits or however old it is.
    One that was claimed three times without an answer has given up: its content may be what ends
    its senders. What cannot be signed is not returned: its try has failed.
    """
    db.assert_transaction()
    if at_most <= 0:
        return []
    awake = turns.begin()
    if not awake:
        return []
    params = {
        "awake": awake,
        "most": at_most,
        "slow": max(0, slow_at_most),
        "each": policy.IN_FLIGHT,
        "quick": policy.QUICK_AFTER,
        "share": policy.OF_A_MERCHANT,
        "slow_share": policy.SLOW_OF_A_MERCHANT,
        "claims": policy.CLAIMS,
        "lease": policy.LEASE.total_seconds(),
        "ended": ENDED_SENDERS,
    }
    rows = db.session.execute(_CLAIM, params).mappings().all()
    turns.end(awake, rows)
    for row in rows:
        if row["state"] == "dead":
            _log.error("delivery_quarantined", delivery_id=row["id"])
            _announce(dict(row), tries=row["tries"], error=ENDED_SENDERS)
    parcels = _parcels([row for row in rows if row["state"] == "due"])
    if unsigned := [parcel for parcel in parcels if not parcel.request.headers]:
        close([(parcel, Answer(None, 0.0, error=UNSIGNED)) for parcel in unsigned])
    return [parcel for parcel in parcels if parcel.request.headers]


def close(results: Sequence[Result]) -> list[Result]:
    """Write down some tries and what comes next (a step); returns those that did not arrive.

    A tampered test has had its answer, whatever it is, and says nothing of how an endpoint fares.
    Where a lease has ended and somebody else has taken over, the try is kept as late and changes
    nothing.
    """
    db.assert_transaction()
    fence = {
        "ids": [parcel.delivery_id for parcel, _ in results],
        "tokens": [parcel.token for parcel, _ in results],
    }
    for merchant_id, livemode in {(one.merchant_id, one.livemode) for one, _ in results}:
        wake.look("delivery", merchant_id, livemode=livemode)
    held = {tuple(row) for row in db.session.execute(_HOLDS, fence)}
    rows = [_attempt(*result, is_late=result[0].claim not in held) for result in results]
    db.session.execute(insert(Attempt), rows)
    ours = [result for result in results if result[0].claim in held]
    if ours:
        outcomes = [_outcome(*result) for result in ours]
        db.session.execute(_CLOSE, {"rows": json.dumps(outcomes)})
        for (parcel, _), outcome in zip(ours, outcomes, strict=True):
            if outcome["state"] == "dead":
                whose = outcome | {name: getattr(parcel, name) for name in _WHOSE}
                _announce(whose, tries=parcel.number, error=outcome["error"])
    plain = [result for result in ours if not result[0].is_tampered]
    for result in sorted(plain, key=lambda one: one[0].endpoint_id):
        _keep_health(*result)
    return [result for result in plain if not policy.is_success(result[1].status)]


def _announce(delivery: Mapping[str, Any], *, tries: int, error: str | None) -> None:
    said = {name: delivery[name] for name in ("id", *_WHOSE)} | {"tries": tries, "error": error}
    announce(GAVE_UP, "delivery", delivery["id"], said, because="It was tried for the last time.")


def _outcome(parcel: Parcel, answer: Answer) -> dict[str, Any]:
    arrived = policy.is_success(answer.status)
    header = None if arrived else _header(answer, "retry-after")
    asked = policy.retry_after(header, clock.now())
    wait = policy.wait_seconds(parcel.delivery_id, parcel.number, asked=asked)
    missed = "discarded" if parcel.is_tampered else "dead" if wait is None else "due"
    return {
        "id": parcel.delivery_id,
        "state": "delivered" if arrived else missed,
        "error": answer.error,
        "wait": wait or 0.0,
    }


def failing_for(endpoint_id: str) -> dt.timedelta:
    """Return for how long nothing has arrived at an endpoint, counted from a first failure."""
    found = db.session.scalar(
        text("SELECT clock_now() - failing_since FROM webhook_health WHERE endpoint_id = :id"),
        {"id": endpoint_id},
    )
    return found or dt.timedelta(0)


def _parcels(rows: Sequence[RowMapping]) -> list[Parcel]:
    if not rows:
        return []
    found = db.session.execute(_WHAT, {"ids": [row["id"] for row in rows]}).mappings()
    what = {row["id"]: row for row in found}
    wanted = {row["endpoint_id"] for row in rows}
    endpoints = {
        one.id: one
        for one in db.session.query(Endpoint).filter(Endpoint.id.in_(wanted)).populate_existing()
    }
    now = clock.now()
    signers = {one.id: _signers(one) for one in endpoints.values()}
    return [
        _parcel(row, what[row["id"]], endpoints[row["endpoint_id"]], signers, now) for row in rows
    ]


def _signers(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the secrets that sign for an endpoint, none where one does not open."""
    try:
        return signing.secrets_of(endpoint)
    except CannotOpen:
        _log.warning("secret_not_opened", endpoint_id=endpoint.id)
        return ()


def _parcel(
    row: RowMapping,
    what: RowMapping,
    endpoint: Endpoint,
    signers: dict[str, tuple[str, ...]],
    now: dt.datetime,
) -> Parcel:
    """Return what to post; without any headers where it cannot be signed."""
    event_id, secrets = row["event_id"], signers[endpoint.id]
    signed = signing.other_body(what["body"]) if row["is_tampered"] else what["body"]
    headers = (
        signing.headers(signed, event_id=event_id, name=what["name"], signers=secrets, at=now)
        if secrets
        else {}
    )
    body = what["body"].encode()
    return Parcel(
        delivery_id=row["id"],
        endpoint_id=endpoint.id,
        merchant_id=row["merchant_id"],
        livemode=row["livemode"],
        token=row["lease_token"],
        number=row["tries"] + 1,
        is_slow=row["is_slow"],
        is_healthy=row["is_healthy"],
        is_tampered=row["is_tampered"],
        request=Request(_url(endpoint), headers, body, is_built_in=endpoint.is_built_in),
        made_at=now,
    )


def _url(endpoint: Endpoint) -> str:
    return addresses.current_url(endpoint.id, endpoint.url, is_built_in=endpoint.is_built_in)


def _attempt(parcel: Parcel, answer: Answer, *, is_late: bool) -> dict[str, Any]:
    return {
        "id": ids.new("delivery_attempt"),
        "delivery_id": parcel.delivery_id,
        "merchant_id": parcel.merchant_id,
        "livemode": parcel.livemode,
        "number": parcel.number,
        "is_late": is_late,
        "started_at": parcel.made_at,
        "duration_ms": max(0, round(answer.seconds * 1000)),
        "url": parcel.request.url,
        "address": answer.address,
        "request_headers": dict(parcel.request.headers),
        "status": answer.status,
        "response_headers": dict(answer.headers),
        "response_body": answer.body,
        "is_cut": answer.is_cut,
        "error": answer.error,
    }


def _keep_health(parcel: Parcel, answer: Answer) -> None:
    """Note how an endpoint fares; a quick arrival at one that was well changes nothing."""
    failed, slow = not policy.is_success(answer.status), answer.seconds > policy.SLOW_SECONDS
    if parcel.is_healthy and not failed and not slow:
        return
    failures = db.session.scalar(
        _HEALTH,
        {
            "endpoint": parcel.endpoint_id,
            "url": parcel.request.url,
            "failed": failed,
            "slow": slow,
            "quick": policy.QUICK_AFTER,
            "silence": policy.SILENCE.total_seconds(),
        },
    )
    rest = policy.rest_seconds(int(failures or 0), took=answer.seconds)
    if rest is not None:
        db.session.execute(_OPEN, {"endpoint": parcel.endpoint_id, "rest": rest})


def _header(answer: Answer, name: str) -> str | None:
    return next((v for key, v in answer.headers.items() if key.lower() == name), None)
