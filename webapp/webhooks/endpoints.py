"""Endpoints: made, changed, paused, switched off and on, removed; their secrets rolled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select, text

from webapp import audit
from webapp.kernel import clock, crypto, db, ids, wake
from webapp.kernel.errors import Invalid
from webapp.outbox import Actor
from webapp.webhooks import addresses, signing
from webapp.webhooks.addresses import Address
from webapp.webhooks.catalogue import EVERYTHING, NAMES
from webapp.webhooks.errors import (
    EndpointNotFound,
    OldSecretSigns,
    TooManyEndpoints,
    UnknownEvent,
)
from webapp.webhooks.models import Endpoint, Health
from webapp.webhooks.payloads import NEWEST, VERSIONS
from webapp.webhooks.states import Answer, Status
from webapp.webhooks.telling import WAKE

AT_MOST: Final = 16
MAX_DESCRIPTION: Final = 300
LONGEST_OVERLAP: Final = dt.timedelta(days=7)
_IN_TURN: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('webhook_endpoints:' || :merchant, 0))"
)


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What a merchant asks for; `secret` None has one made, `version` None takes the newest.

    Inside a transaction `url` is an address that was looked up before. One that `is_built_in` is
    the demo's own receiver and has no address of its own.
    """

    url: str | Address
    events: Sequence[str]
    description: str = ""
    secret: str | None = None
    version: str | None = None
    is_built_in: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed of an endpoint; None leaves a thing as it is.

    Inside a transaction `url` is an address that was looked up before.
    """

    url: str | Address | None = None
    events: Sequence[str] | None = None
    description: str | None = None
    version: str | None = None


def create_endpoint(
    merchant_id: str, new: NewEndpoint, *, livemode: bool, by: Actor
) -> tuple[Endpoint, str]:
    """Begin sending a merchant's events to an address; returns the endpoint and its secret.

    The address must lead to a public server by https. Raises Invalid naming what is wrong, and
    TooManyEndpoints beyond 16 in a mode.
    """
    secret = signing.checked_secret(new.secret)
    now, endpoint_id = clock.now(), ids.new("webhook_endpoint")
    url = (
        addresses.receiver(endpoint_id)
        if new.is_built_in
        else addresses.checked(new.url, whose=merchant_id)
    )
    endpoint = Endpoint(
        id=endpoint_id,
        merchant_id=merchant_id,
        livemode=livemode,
        url=url,
        events=_checked_events(new.events),
        description=_checked_text(new.description),
        api_version=_checked_version(new.version or NEWEST),
        secret_sealed=signing.sealed(endpoint_id, secret),
        is_built_in=new.is_built_in,
        receiver_answer=Answer.OK.value if new.is_built_in else None,
        listens_since=now,
        created_at=now,
        details={},
    )
    with db.transaction():
        # One after the other, so that two at once do not both find room for the last.
        db.session.execute(_IN_TURN, {"merchant": merchant_id})
        if _how_many(merchant_id, livemode=livemode) >= AT_MOST:
            raise TooManyEndpoints
        endpoint.begin(Status.ENABLED, because="A webhook endpoint was added.", by=by)
        _note("webhook_endpoint.created", endpoint, by, url=url, events=endpoint.events)
    return endpoint, secret


def built_in_endpoint(
    endpoint_id: str, merchant_id: str, *, description: str, at: dt.datetime
) -> Endpoint:
    """Return an endpoint in test mode at the demo's own receiver, for the demo to begin.

    It is sent every event. Raises Forbidden outside the demo.
    """
    return Endpoint(
        id=endpoint_id,
        merchant_id=merchant_id,
        livemode=False,
        url=addresses.receiver(endpoint_id),
        events=[EVERYTHING],
        description=_checked_text(description),
        api_version=NEWEST,
        secret_sealed=signing.sealed(endpoint_id, signing.new_secret()),
        is_built_in=True,
        receiver_answer=Answer.OK.value,
        listens_since=at,
        created_at=at,
        details={},
    )


def update_endpoint(endpoint_id: str, change: Change, *, by: Actor) -> Endpoint:
    """Change an endpoint's address, events, description or payload version; repeatable.

    Raises Invalid naming what is wrong, and EndpointNotFound.
    """
    url = addresses.checked(change.url, whose=endpoint_id) if change.url is not None else None
    events = _checked_events(change.events) if change.events is not None else None
    with db.transaction():
        endpoint = locked(endpoint_id)
        if url is not None and url != endpoint.url:
            if endpoint.is_built_in:
                raise Invalid("The built-in receiver’s address is its own.", param="url")
            endpoint.url = url
            _forget_failures(endpoint)
        if events is not None and events != endpoint.events:
            endpoint.events, endpoint.listens_since = events, clock.now()
        if change.description is not None:
            endpoint.description = _checked_text(change.description)
        if change.version is not None:
            endpoint.api_version = _checked_version(change.version)
        _note("webhook_endpoint.changed", endpoint, by, url=endpoint.url, events=endpoint.events)
        return endpoint


def roll_secret(
    endpoint_id: str, *, overlap: dt.timedelta, by: Actor, secret: str | None = None
) -> tuple[Endpoint, str]:
    """Give an endpoint another secret; the one before signs as well until `overlap` has passed.

    While the one before still signs, another overlap is refused with OldSecretSigns: it was
    promised its time. Without any overlap all earlier ones end at once.
    """
    if not dt.timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("Let the two secrets overlap for at most 7 days.", param="overlap")
    fresh = signing.checked_secret(secret)
    with db.transaction():
        endpoint = locked(endpoint_id)
        lasts, ends = overlap > dt.timedelta(0), endpoint.old_secret_until
        if lasts and ends is not None and ends > clock.now():
            raise OldSecretSigns(param="overlap")
        endpoint.old_secret_sealed = endpoint.secret_sealed if lasts else None
        endpoint.old_secret_until = clock.now() + overlap if lasts else None
        endpoint.secret_sealed = signing.sealed(endpoint_id, fresh)
        _note("webhook_endpoint.secret_rolled", endpoint, by, hours=overlap.total_seconds() / 3600)
        return endpoint, fresh


def reveal_secret(endpoint_id: str, *, by: Actor) -> str:
    """Return an endpoint's secret for a person or program that may see it; written to the trail."""
    with db.transaction():
        endpoint = locked(endpoint_id)
        _note("webhook_endpoint.secret_shown", endpoint, by)
        return signing.secret_of(endpoint)


def pause(endpoint_id: str, *, by: Actor, because: str = "Paused.") -> Endpoint:
    """Keep events for later; a second pause changes nothing."""
    return _move(endpoint_id, Status.PAUSED, because, by)


def resume(endpoint_id: str, *, by: Actor, because: str = "Switched on.") -> Endpoint:
    """Send again, what waited first; also after it was switched off. Repeatable."""
    return _move(endpoint_id, Status.ENABLED, because, by, then=_begin_afresh)


def disable(endpoint_id: str, *, because: str, by: Actor, url: str) -> None:
    """Switch an endpoint off for a reason that is shown, unless it has left `url`; repeatable."""

    def say(endpoint: Endpoint) -> None:
        endpoint.disabled_reason = because

    with db.transaction():
        endpoint = locked(endpoint_id)
        if endpoint.is_built_in or endpoint.url == url:
            _move(endpoint_id, Status.DISABLED, because, by, then=say)


def delete_endpoint(endpoint_id: str, *, by: Actor) -> Endpoint:
    """Remove an endpoint for good; nothing more is sent there. Repeatable.

    What was still to be sent is let be soon after, by a chore: it may be much.
    """
    return _move(endpoint_id, Status.DELETED, "Removed.", by)


def set_answer(endpoint_id: str, answer: Answer, *, by: Actor) -> Endpoint:
    """Tell the built-in receiver what to answer from now on; raises Invalid for any other."""
    with db.transaction():
        endpoint = locked(endpoint_id)
        if not endpoint.is_built_in:
            raise Invalid("Only the built-in receiver can be told what to answer.", param="answer")
        endpoint.receiver_answer = answer.value
        _note("webhook_endpoint.answer_set", endpoint, by, answer=answer.value)
        return endpoint


def locked(endpoint_id: str) -> Endpoint:
    """Return an endpoint that this scope sees, locked (a step); raises EndpointNotFound.

    Deliveries to it may be written meanwhile: no verb changes what they refer to.
    """
    db.assert_transaction()
    wanted = select(Endpoint).where(Endpoint.id == endpoint_id, Endpoint.status != Status.DELETED)
    alone = wanted.with_for_update(key_share=True)
    found = db.session.scalar(alone.execution_options(populate_existing=True))
    if found is None:
        raise EndpointNotFound
    return found


def _move(
    endpoint_id: str,
    status: Status,
    because: str,
    by: Actor,
    *,
    then: Callable[[Endpoint], None] | None = None,
) -> Endpoint:
    with db.transaction():
        endpoint = locked(endpoint_id)
        if endpoint.status == status:
            return endpoint
        if then is not None:
            then(endpoint)
        endpoint.move_to(status, because=because, by=by)
        _note(f"webhook_endpoint.{status.value}", endpoint, by, because=because)
        wake.soon(WAKE)
        return endpoint


def _begin_afresh(endpoint: Endpoint) -> None:
    """Forget why it was switched off and how it failed: it is given a fresh five days."""
    if endpoint.status == Status.DISABLED:
        endpoint.listens_since = clock.now()
    endpoint.disabled_reason = None
    _forget_failures(endpoint)


def _forget_failures(endpoint: Endpoint) -> None:
    """Let an endpoint begin anew; whether it is quick it shows again."""
    health = db.session.get(Health, endpoint.id, populate_existing=True)
    if health is not None:
        health.failures, health.failing_since, health.failed_at = 0, None, None
        health.open_until, health.quick = None, 0


def _how_many(merchant_id: str, *, livemode: bool) -> int:
    wanted = select(func.count()).where(
        Endpoint.merchant_id == merchant_id,
        Endpoint.livemode == livemode,
        Endpoint.status != Status.DELETED,
    )
    return int(db.session.scalar(wanted) or 0)


def _checked_events(events: Sequence[str]) -> list[str]:
    chosen = sorted(set(events))
    if not chosen:
        raise Invalid("Choose at least one event.", param="events")
    if EVERYTHING in chosen:
        return [EVERYTHING]
    for name in chosen:
        if name not in NAMES:
            raise UnknownEvent(param="events")
    return chosen


def _checked_text(typed: str) -> str:
    said = typed.strip()
    if len(said) > MAX_DESCRIPTION:
        message = f"Keep the description to {MAX_DESCRIPTION} characters."
        raise Invalid(message, param="description")
    if crypto.looks_like_card_number(said):
        raise Invalid("Leave card numbers out of the description.", param="description")
    return said


def _checked_version(version: str) -> str:
    if version not in VERSIONS:
        raise Invalid("There is no such version of the payloads.", param="version")
    return version


def _note(action: str, endpoint: Endpoint, by: Actor, **told: object) -> None:
    audit.record(
        action,
        "webhook_endpoint",
        endpoint.id,
        by=by,
        data=dict(told),
        merchant_id=endpoint.merchant_id,
        livemode=endpoint.livemode,
    )
