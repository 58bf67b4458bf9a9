"""A provider in this process: it keeps its own books, loses answers and tells everything twice."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from webapp.gateway import (
    CallKey,
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    Decline,
    Event,
    ExpireSession,
    LookUp,
    LookUpRefund,
    Outcome,
    Refund,
    Refused,
    Result,
    UnknownOutcome,
)
from webapp.kernel import clock
from webapp.kernel.money import Money

BAD_METHOD = "pm_declined"


@dataclass
class Intent:
    """One intent: what was held, taken and given back of it, in minor units."""

    id: str
    made_by: CallKey
    amount: Money
    is_manual: bool
    status: Result = Result.CREATED
    taken: int = 0
    returned: int = 0
    charges: int = 0

    def stands(self, key: CallKey) -> Outcome:
        """Return where it stands, as an answer to a call."""
        shown = {Result.AUTHORISED: self.amount.minor, Result.SUCCEEDED: self.taken}
        minor = shown.get(self.status)
        return Outcome(
            self.status,
            intent_id=self.id,
            amount=None if minor is None else Money(minor, self.amount.currency),
            subject_id=key.subject_id,
            operation_id=key.operation_id,
        )


@dataclass
class Bank:
    """The provider; `loses` says whether the next call is lost before or after its effect."""

    name: str = "stripe"
    livemode: bool = False
    loses: str | None = None
    intents: dict[str, Intent] = field(default_factory=dict)
    told: list[bytes] = field(default_factory=list)
    _answers: dict[str, Outcome] = field(default_factory=dict)

    def create_intent(self, key: CallKey, call: CreateIntent) -> Outcome:
        """Make an intent."""

        def make() -> Outcome:
            intent = Intent(f"pi_{key.operation_id}", key, call.amount, call.manual_capture)
            self.intents[intent.id] = intent
            return intent.stands(key)

        return self._once(key, make)

    def confirm(self, key: CallKey, call: Confirm) -> Outcome:
        """Charge or hold, unless the card is a bad one."""

        def charge() -> Outcome:
            intent = self.intents[call.intent_id]
            if intent.status is not Result.CREATED:
                return intent.stands(key)
            if call.method_id.startswith(BAD_METHOD):
                no = Decline("card_declined", "insufficient_funds")
                said = replace(intent.stands(key), result=Result.DECLINED, decline=no)
                return replace(said, method_id=call.method_id)
            self.say_yes(intent)
            return replace(intent.stands(key), method_id=call.method_id)

        return self._once(key, charge)

    def say_yes(self, intent: Intent) -> None:
        """Hold the money, or take it."""
        intent.status = Result.AUTHORISED if intent.is_manual else Result.SUCCEEDED
        intent.taken = 0 if intent.is_manual else intent.amount.minor
        intent.charges += 1

    def capture(self, key: CallKey, call: Capture) -> Outcome:
        """Take held money."""

        def take() -> Outcome:
            intent = self.intents[call.intent_id]
            if intent.status is Result.AUTHORISED:
                intent.status, intent.taken = Result.SUCCEEDED, call.amount_minor or 0
            return intent.stands(key)

        return self._once(key, take)

    def cancel(self, key: CallKey, call: Cancel) -> Outcome:
        """Give an intent up, unless its money was taken."""

        def let_go() -> Outcome:
            intent = self.intents[call.intent_id]
            if intent.status is not Result.SUCCEEDED:
                intent.status = Result.CANCELLED
            return intent.stands(key)

        return self._once(key, let_go)

    def refund(self, key: CallKey, call: Refund) -> Outcome:
        """Give money back, never more than was taken."""

        def give() -> Outcome:
            intent = self.intents[call.intent_id]
            if call.amount_minor > intent.taken - intent.returned:
                raise Refused("charge_already_refunded")
            intent.returned += call.amount_minor
            return self._refunded(key, call.intent_id, call.amount)

        return self._once(key, give)

    def look_up_refund(self, key: CallKey, call: LookUpRefund) -> Outcome:
        """Return the answer that the refund had."""
        for answer in self._answers.values():
            if answer.refund_id == f"re_{call.refund_id}":
                return replace(answer, operation_id=key.operation_id)
        raise Refused("not_found")

    def look_up(self, key: CallKey, call: LookUp) -> Outcome:
        """Return where an intent stands."""
        if call.intent_id is None:
            wanted = call.operation_id or key.operation_id
            found = [one for one in self.intents.values() if one.made_by.operation_id == wanted]
        else:
            found = [self.intents[call.intent_id]] if call.intent_id in self.intents else []
        if not found:
            raise Refused("not_found")
        return found[0].stands(key)

    def create_session(self, key: CallKey, call: CreateSession) -> Outcome:
        """There is no page here."""
        raise Refused("no_pages")

    def expire_session(self, key: CallKey, call: ExpireSession) -> Outcome:
        """There is no page here."""
        raise Refused("no_pages")

    def parse_event(self, body: bytes, signature: str) -> Event:
        """Read a message; it is signed by being here."""
        return self.read_event(json.loads(body))

    def read_event(self, payload: Mapping[str, Any]) -> Event:
        """Read a message that was kept."""
        minor = payload["minor"]
        outcome = Outcome(
            Result(payload["result"]),
            intent_id=payload["intent"],
            method_id=payload["method"],
            amount=None if minor is None else Money(minor, payload["currency"]),
            decline=Decline(*payload["decline"]) if payload["decline"] else None,
            refund_id=payload["refund"],
            subject_id=payload["subject"],
            operation_id=payload["operation"],
        )
        at = dt.datetime.fromisoformat(payload["at"])
        return Event(
            payload["id"],
            "news",
            payload["intent"],
            payload["subject"],
            False,
            at,
            payload,
            outcome,
        )

    def ping(self) -> None:
        """It is always there."""

    def _refunded(self, key: CallKey, intent_id: str, amount: Money) -> Outcome:
        return Outcome(
            Result.REFUND_SUCCEEDED,
            intent_id=intent_id,
            amount=amount,
            refund_id=f"re_{key.subject_id}",
            bank_reference="ARN1",
            subject_id=key.subject_id,
            operation_id=key.operation_id,
        )

    def _once(self, key: CallKey, effect: Callable[[], Outcome]) -> Outcome:
        """Have one effect per key, tell of it, and lose the answer where that was wished."""
        loses, self.loses = self.loses, None
        if loses == "before":
            raise UnknownOutcome("timeout")
        if key.operation_id not in self._answers:
            self._answers[key.operation_id] = effect()
            self._tell(self._answers[key.operation_id])
        if loses == "after":
            raise UnknownOutcome("timeout")
        return self._answers[key.operation_id]

    def _tell(self, news: Outcome) -> None:
        message = {
            "id": f"evt_{len(self.told)}",
            "at": clock.now().isoformat(),
            "result": news.result.value,
            "intent": news.intent_id,
            "method": news.method_id,
            "minor": news.amount.minor if news.amount else None,
            "currency": news.amount.currency if news.amount else None,
            "decline": [news.decline.code, news.decline.decline_code] if news.decline else None,
            "refund": news.refund_id,
            "subject": news.subject_id,
            "operation": news.operation_id,
        }
        self.told.append(json.dumps(message).encode())
