"""A provider in this process, behind gateway's own port, that fails in every way there is.

It remembers keys for 24 hours as Stripe publishes it: the same key and request bring the same
answer, an error included; another request under the key is refused. Its messages are lost,
doubled, shuffled and late.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.simulation.books import Books, Intent, Page, Refund
from tests.simulation.chance import Names
from tests.simulation.spoken import as_json, as_outcome
from tests.simulation.world import World
from webapp import gateway
from webapp.gateway import (
    BadSignature,
    CallKey,
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    Event,
    ExpireSession,
    LookUp,
    NeedsPerson,
    Outcome,
    ProviderError,
    Refused,
    Result,
    UnknownOutcome,
    Unreachable,
)

KEYS_LAST = dt.timedelta(hours=24)
SIGNED = "signed by the simulated provider"
#: What may come of one call, by weight, while the provider is unwell.
FAULTS = {
    "ok": 50,
    "lost_before": 9,
    "lost_after": 14,
    "late": 6,
    "500_before": 5,
    "500_kept": 0.2,
    "500_after": 7,
    "409": 4,
    "429": 2,
    "refused_connection": 3,
}
OUTAGE = ("refused_connection", "lost_before", "500_before")
#: What ends a call before it is worked on, and whether we can know that.
NOT_DONE: dict[str, type[ProviderError]] = {
    "refused_connection": Unreachable,
    "429": Unreachable,
    "lost_before": UnknownOutcome,
    "409": UnknownOutcome,
    "500_before": UnknownOutcome,
}
Effect = Callable[[], Outcome]


@dataclass
class Remembered:
    """What a key brought, and for which request."""

    request: str
    at: dt.datetime
    answer: Outcome | ProviderError | None


@dataclass
class Message:
    """A webhook under way: it is tried again until it was taken, and sometimes even then."""

    body: bytes
    due_at: dt.datetime
    left: int = 1


class SimProvider:
    """The port, by way of a table in memory."""

    name = "stripe"
    livemode = False

    def __init__(self, world: World) -> None:
        self._world = world
        self.names = Names(world.seed)
        self.books = Books(self.names, self._announce)
        self.messages: list[Message] = []
        self.calls = 0
        #: Faults to be given to the next calls of a kind, before chance decides.
        self.forced: dict[str, list[str]] = {}
        self.down_until = world.born
        #: Whether it is away for more than a day from the next answer on that it loses.
        self.goes_after_a_loss = False
        #: How often a request about each subject was refused as such.
        self.refusals: Counter[str] = Counter()
        self._keys: dict[str, Remembered] = {}
        #: Calls that were answered for good, and how many stumbled over each until then.
        self._answered: dict[str, int] = {}
        self._late: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        self._cause: str | None = None

    # the port -----------------------------------------------------------------------------------

    def create_intent(self, key: CallKey, call: CreateIntent) -> Outcome:
        """Make the intent."""

        def effect() -> Outcome:
            made = self.books.open_intent(
                key.subject_id, key.operation_id, call.amount, manual=call.manual_capture
            )
            return self.books.stands(made)

        return self._answer("create_intent", key, call, effect)

    def confirm(self, key: CallKey, call: Confirm) -> Outcome:
        """Charge a method."""
        return self._answer(
            "confirm",
            key,
            call,
            lambda: self.books.charge(self._intent(call.intent_id), call.method_id, self._now),
        )

    def capture(self, key: CallKey, call: Capture) -> Outcome:
        """Take held money."""
        return self._answer(
            "capture",
            key,
            call,
            lambda: self.books.capture(self._intent(call.intent_id), call.amount_minor),
        )

    def cancel(self, key: CallKey, call: Cancel) -> Outcome:
        """Give an intent up."""
        return self._answer(
            "cancel", key, call, lambda: self.books.cancel(self._intent(call.intent_id))
        )

    def create_session(self, key: CallKey, call: CreateSession) -> Outcome:
        """Open a page."""
        return self._answer(
            "create_session",
            key,
            call,
            lambda: self.books.open_page(
                Page(
                    self.names.new("cs"),
                    key.subject_id,
                    key.operation_id,
                    call.amount,
                    self._now,
                    manual=call.manual_capture,
                )
            ),
        )

    def expire_session(self, key: CallKey, call: ExpireSession) -> Outcome:
        """Close a page."""
        return self._answer(
            "expire_session",
            key,
            call,
            lambda: self.books.expire_page(self.books.pages[call.session_id]),
        )

    def refund(self, key: CallKey, call: gateway.calls.Refund) -> Outcome:
        """Give money back; it is under way for a while, and banks may send it back days later."""

        def effect() -> Outcome:
            chance = self._world.chance
            drawn = chance.random()
            made = Refund(
                self.names.new("re"),
                self._intent(call.intent_id).id,
                call.refund_id,
                key.operation_id,
                call.amount,
                Result.REFUND_PENDING,
            )
            if drawn < 0.3:
                made.status = Result.REFUND_SUCCEEDED
            elif drawn < 0.85:
                failed = drawn < 0.5
                made.turns_into = Result.REFUND_FAILED if failed else Result.REFUND_SUCCEEDED
                made.turns_at = self._now + dt.timedelta(seconds=chance.choice((5, 60, 600)))
            else:
                made.status, made.turns_into = Result.REFUND_SUCCEEDED, Result.REFUND_FAILED
                made.turns_at = self._now + dt.timedelta(hours=2)
            return self.books.give_back(made)

        return self._answer("refund", key, call, effect)

    def look_up(self, key: CallKey, call: LookUp) -> Outcome:
        """Say where things stand; reads are not remembered."""
        self._question("look_up")
        return self._named(key, self._found(key, call))

    def look_up_refund(self, key: CallKey, call: gateway.calls.LookUpRefund) -> Outcome:
        """Say where a refund stands."""
        self._question("look_up_refund")
        for refund in self.books.refunds.values():
            named = {refund.id, refund.subject, refund.operation} - {None}
            if {call.provider_refund_id, call.operation_id, call.refund_id} & named:
                return self._named(key, self.books.refund_stands(refund))
        raise Refused("not_found", call.refund_id)

    def parse_event(self, body: bytes, signature: str) -> Event:
        """Read a signed message."""
        if signature != SIGNED:
            raise BadSignature
        return self.read_event(json.loads(body))

    def read_event(self, payload: Mapping[str, Any]) -> Event:
        """Read a message that was kept."""
        said = payload["outcome"]
        return Event(
            id=payload["id"],
            kind=payload["type"],
            object_id=payload["object"],
            subject_id=said["subject_id"],
            livemode=False,
            occurred_at=self._now,
            payload=payload,
            outcome=as_outcome(said),
        )

    def ping(self) -> None:
        """Answer."""

    # the world's side ---------------------------------------------------------------------------

    def tick(self) -> None:
        """Let late calls take effect and time do its work."""
        due = [one for one in self._late if one[0] <= self._now]
        self._late = [one for one in self._late if one[0] > self._now]
        for _at, _number, effect in sorted(due, key=lambda one: one[:2]):
            effect()
        self.books.tick(self._now)

    def next_moment(self) -> dt.datetime | None:
        """Return when something happens here by itself."""
        moments = [one[0] for one in self._late] + [one.due_at for one in self.messages]
        mine = self.books.next_moment()
        return min([*moments, *([mine] if mine else [])], default=None)

    def fail_for(self, hours: float) -> None:
        """Be away for some hours."""
        self.down_until = self._now + dt.timedelta(hours=hours)
        self._world.note(f"outage of {hours} h")

    @property
    def _now(self) -> dt.datetime:
        return self._world.now

    @property
    def _is_in_time(self) -> bool:
        """Whether whoever calls may still believe that the call is theirs to make."""
        return self._world.current is None or not self._world.current.is_late

    def _intent(self, intent_id: str) -> Intent:
        if intent_id not in self.books.intents:
            raise Refused("not_found", intent_id)
        return self.books.intents[intent_id]

    def _question(self, kind: str) -> None:
        self._world.hook(f"provider.{kind}.before")
        fault = self._fault(kind)
        self._world.hook(f"provider.{kind}.after")
        if fault in {"refused_connection", "429"}:
            raise Unreachable(fault)
        if fault not in {"ok", "late"}:
            raise UnknownOutcome(fault)

    def _named(self, key: CallKey, answer: Outcome) -> Outcome:
        return replace(answer, subject_id=key.subject_id, operation_id=key.operation_id)

    def _found(self, key: CallKey, call: LookUp) -> Outcome:
        if call.intent_id:
            return self.books.stands(self._intent(call.intent_id))
        if call.session_id:
            return self.books.page_stands(self.books.pages[call.session_id])
        wanted = call.operation_id or key.operation_id
        for intent in self.books.intents.values():
            if intent.operation == wanted:
                return self.books.stands(intent)
        raise Refused("not_found", wanted)

    def _answer(self, kind: str, key: CallKey, call: Any, effect: Effect) -> Outcome:
        """Answer one call, with the faults of the moment around its one effect."""
        self.calls += 1
        self._world.hook(f"provider.{kind}.before")
        stumbles = self._world.stumbles(key.operation_id)
        if self._is_in_time and self._answered.get(key.operation_id) == stumbles:
            self._world.wrong(f"{kind} was asked again of a provider that had answered")
        fault = self._fault(kind)
        answer = self._worked(fault, key, f"{kind} {call!r}", effect)
        self._world.hook(f"provider.{kind}.after")
        if self._is_in_time and isinstance(answer, Outcome | Refused):
            self._answered[key.operation_id] = self._world.stumbles(key.operation_id)
        if isinstance(answer, ProviderError):
            raise answer
        return self._named(key, answer)

    def _worked(
        self, fault: str, key: CallKey, request: str, effect: Effect
    ) -> Outcome | ProviderError:
        if fault in NOT_DONE:
            return NOT_DONE[fault](fault)
        known = self._keys.get(key.operation_id)
        if known is not None and self._now - known.at < KEYS_LAST:
            return self._replayed(known, request, fault)
        entry = self._keys[key.operation_id] = Remembered(request, self._now, None)
        if fault == "late":
            at = self._now + dt.timedelta(seconds=self._world.chance.choice((2, 20, 70)))
            number = len(self._keys)
            self._late.append((at, number, lambda: self._do(entry, key, effect)))
            return UnknownOutcome("late")
        if fault != "500_kept":
            self._do(entry, key, effect)
        if fault in {"500_after", "500_kept"}:
            # A kept error under a page's key leaves nothing to be found for a whole day: rare.
            if "create_session" in request and self._world.chance.random() < 0.95:
                return UnknownOutcome("provider_error")
            entry.answer = UnknownOutcome("provider_error")
        if fault == "lost_after" or entry.answer is None:
            if self.goes_after_a_loss and request.startswith(("confirm", "refund")):
                self.goes_after_a_loss = False
                self.fail_for(26.0)
            return UnknownOutcome("lost_after")
        return entry.answer

    def _replayed(self, known: Remembered, request: str, fault: str) -> Outcome | ProviderError:
        if known.request != request:
            return NeedsPerson("idempotency_error", "the key was used for another request")
        if known.answer is None:
            return UnknownOutcome("key_in_use")
        if fault in {"lost_after", "late"}:
            return UnknownOutcome(fault)
        return known.answer

    def _do(self, entry: Remembered, key: CallKey, effect: Effect) -> None:
        self._cause = key.operation_id
        try:
            entry.answer = effect()
        except Refused as refused:
            entry.answer = refused
            self.refusals[key.subject_id] += 1
        self._cause = None

    def _fault(self, kind: str) -> str:
        forced = self.forced.get(kind)
        if forced:
            fault = forced.pop(0)
        elif self._world.is_calm:
            fault = "ok"
        elif self._now < self.down_until:
            fault = self._world.chance.choice(OUTAGE)
        else:
            fault = self._world.chance.choices(list(FAULTS), list(FAULTS.values()))[0]
        self._world.coverage.answers[f"{kind} {fault}"] += 1
        self._world.note(f"provider {kind} {fault}")
        return fault

    def _announce(self, kind: str, outcome: Outcome, object_id: str) -> None:
        """Send a message, or lose it; what becomes of a refund later on is told until it is taken.

        Of that nobody asks us to look: a bank may send back what had succeeded long ago.
        """
        said = as_json(outcome)
        if self._cause:
            said["operation_id"] = self._cause
        body = {"id": self.names.new("evt"), "type": kind, "object": object_id, "outcome": said}
        chance = self._world.chance
        count = 1 if self._world.is_calm else chance.choices((0, 1, 2, 3), (12, 60, 20, 8))[0]
        if kind == "refund.updated":
            count = max(count, 1)
        if count:
            delay = 0 if self._world.is_calm else chance.choice((0, 0, 0, 1, 1, 30, 4000))
            due = self._now + dt.timedelta(seconds=delay)
            self.messages.append(Message(json.dumps(body).encode(), due, count))
