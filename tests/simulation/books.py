"""The provider's own books: intents, pages and charges, moved as the published rules say.

They live outside the crash: no actor of ours can lose, change or roll back what stands here.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.simulation.chance import Names
from webapp.gateway import Card, Decline, Outcome, Refused, Result
from webapp.kernel.money import Money

VISA = Card(brand="visa", last4="4242", exp_month=12, exp_year=2090, funding="credit")
#: How long the bank holds money that nobody takes, and how long a page stays open.
HOLDS = dt.timedelta(days=7)
PAGE_LASTS = dt.timedelta(hours=24)


@dataclass
class Intent:
    """One PaymentIntent; `status` is one of Result's words, `received` what was charged."""

    id: str
    subject: str
    operation: str
    amount: Money
    manual: bool
    session: str | None = None
    status: Result = Result.CREATED
    method: str | None = None
    received: int = 0
    held_at: dt.datetime | None = None
    charges: list[str] = field(default_factory=list)
    resolves_at: dt.datetime | None = None


@dataclass
class Refund:
    """One refund of an intent; `subject` is our refund's id, as it was given with it.

    One that somebody made in the provider's own pages has neither subject nor operation.
    """

    id: str
    intent: str
    subject: str | None
    operation: str | None
    amount: Money
    status: Result
    turns_into: Result | None = None
    turns_at: dt.datetime | None = None


@dataclass
class Page:
    """One hosted page."""

    id: str
    subject: str
    operation: str
    amount: Money
    opened_at: dt.datetime
    manual: bool = False
    status: str = "open"
    intent: str | None = None


class Books:
    """What the provider knows; `announce(kind, outcome, object_id)` is called for all news."""

    def __init__(self, names: Names, announce: Callable[[str, Outcome, str], None]) -> None:
        self.intents: dict[str, Intent] = {}
        self.pages: dict[str, Page] = {}
        self.refunds: dict[str, Refund] = {}
        #: How often a bank said no to a try of each subject.
        self.declines: Counter[str] = Counter()
        self._names = names
        self._announce = announce

    # what calls do ------------------------------------------------------------------------------

    def open_intent(
        self, subject: str, operation: str, amount: Money, *, manual: bool, page: str | None = None
    ) -> Intent:
        """Make an intent."""
        made = Intent(self._names.new("pi"), subject, operation, amount, manual, session=page)
        self.intents[made.id] = made
        return made

    def charge(self, intent: Intent, method: str, now: dt.datetime) -> Outcome:
        """Charge a method; what comes of it follows from the method's name."""
        if intent.status not in {Result.CREATED, Result.DECLINED}:
            return self.stands(intent)
        intent.method = method
        if "declined" in method:
            return self._decline(intent)
        if "challenge" in method:
            intent.status = Result.REQUIRES_ACTION
            return self._news("payment_intent.requires_action", intent)
        if "slow" in method:
            intent.status = Result.PROCESSING
            intent.resolves_at = now + dt.timedelta(seconds=90)
            return self._news("payment_intent.processing", intent)
        return self._take(intent, now)

    def capture(self, intent: Intent, minor: int | None) -> Outcome:
        """Take held money, once; the rest is let go. Some banks do not give what they held."""
        if intent.status is Result.AUTHORISED and "uncapturable" in (intent.method or ""):
            raise Refused("card_declined", intent.id)
        if intent.status is Result.AUTHORISED:
            intent.received = intent.amount.minor if minor is None else minor
            intent.status = Result.SUCCEEDED
            return self._news("payment_intent.succeeded", intent)
        return self.stands(intent)

    def cancel(self, intent: Intent) -> Outcome:
        """Give an intent up, unless it is paid or the bank is just deciding about it."""
        if intent.status not in {Result.SUCCEEDED, Result.CANCELLED, Result.PROCESSING}:
            intent.status = Result.CANCELLED
            return self._news("payment_intent.canceled", intent)
        return self.stands(intent)

    def open_page(self, page: Page) -> Outcome:
        """Open a hosted page."""
        self.pages[page.id] = page
        return self.page_stands(page)

    def give_back(self, refund: Refund) -> Outcome:
        """Begin a refund; raises Refused where there is not so much left of its intent."""
        intent = self.intents[refund.intent]
        if intent.status is not Result.SUCCEEDED:
            raise Refused("charge_not_captured", intent.id)
        if self.given_back(intent) + refund.amount.minor > intent.received:
            raise Refused("charge_already_refunded", intent.id)
        self.refunds[refund.id] = refund
        return self._refund_news("refund.created", refund)

    def given_back(self, intent: Intent) -> int:
        """Return how much of an intent goes back or went back already."""
        return sum(
            one.amount.minor
            for one in self.refunds.values()
            if one.intent == intent.id and one.status is not Result.REFUND_FAILED
        )

    def expire_page(self, page: Page) -> Outcome:
        """Close a page, unless it is paid."""
        if page.status == "open":
            page.status = "expired"
            self._announce("checkout.session.expired", self.page_stands(page), page.id)
        return self.page_stands(page)

    # what shoppers and time do ------------------------------------------------------------------

    def finish_challenge(self, intent: Intent, now: dt.datetime, *, passes: bool) -> None:
        """The shopper has answered the bank's question."""
        if intent.status is not Result.REQUIRES_ACTION:
            return
        if passes:
            self._take(intent, now)
        else:
            self._decline(intent)

    def pay_on_page(self, page: Page, now: dt.datetime) -> None:
        """The shopper pays on the provider's page."""
        if page.status != "open":
            return
        intent = self.open_intent(
            page.subject, page.operation, page.amount, manual=page.manual, page=page.id
        )
        page.status, page.intent, intent.method = "complete", intent.id, self._names.new("pm_page")
        self._take(intent, now)
        self._announce("checkout.session.completed", self.page_stands(page), page.id)

    def tick(self, now: dt.datetime) -> None:
        """Let the time come for what waits for it."""
        for intent in self.intents.values():
            if intent.resolves_at is not None and intent.resolves_at <= now:
                intent.resolves_at = None
                if intent.status is not Result.PROCESSING:
                    continue
                if "fails" in (intent.method or ""):
                    self._decline(intent)
                else:
                    self._take(intent, now)
            held = intent.status is Result.AUTHORISED and intent.held_at is not None
            if held and intent.held_at is not None and intent.held_at + HOLDS <= now:
                self.cancel(intent)
        for page in self.pages.values():
            if page.status == "open" and page.opened_at + PAGE_LASTS <= now:
                self.expire_page(page)
        for refund in self.refunds.values():
            if refund.turns_into and refund.turns_at is not None and refund.turns_at <= now:
                refund.status, refund.turns_into = refund.turns_into, None
                self._refund_news("refund.updated", refund)

    def next_moment(self) -> dt.datetime | None:
        """Return when time alone changes something next."""
        moments = [one.resolves_at for one in self.intents.values() if one.resolves_at]
        moments += [
            one.held_at + HOLDS
            for one in self.intents.values()
            if one.held_at and one.status is Result.AUTHORISED
        ]
        moments += [
            one.opened_at + PAGE_LASTS for one in self.pages.values() if one.status == "open"
        ]
        moments += [
            one.turns_at for one in self.refunds.values() if one.turns_into and one.turns_at
        ]
        return min(moments, default=None)

    # what is so ---------------------------------------------------------------------------------

    def stands(self, intent: Intent) -> Outcome:
        """Return where an intent stands."""
        paid = intent.status in {Result.SUCCEEDED, Result.AUTHORISED}
        minor = intent.received if intent.status is Result.SUCCEEDED else intent.amount.minor
        declined = intent.status is Result.DECLINED
        return Outcome(
            result=intent.status,
            intent_id=intent.id,
            session_id=intent.session,
            method_id=intent.method,
            amount=Money(minor, intent.amount.currency) if paid else None,
            next_url="http://127.0.0.1:8002/challenge"
            if intent.status is Result.REQUIRES_ACTION
            else None,
            decline=Decline("card_declined", "insufficient_funds") if declined else None,
            card=VISA if paid else None,
            charge_id=intent.charges[-1] if paid and intent.charges else None,
            subject_id=intent.subject,
            operation_id=intent.operation,
        )

    def page_stands(self, page: Page) -> Outcome:
        """Return where a page stands; its intent decides once it is complete."""
        if page.intent is not None:
            return self.stands(self.intents[page.intent])
        is_open = page.status == "open"
        return Outcome(
            result=Result.SESSION_OPEN if is_open else Result.SESSION_EXPIRED,
            session_id=page.id,
            next_url="http://127.0.0.1:8002/page" if is_open else None,
            subject_id=page.subject,
            operation_id=page.operation,
        )

    def charged(self, subject: str) -> list[Intent]:
        """Return the intents of a payment by which money was taken."""
        return [
            one
            for one in self.intents.values()
            if one.subject == subject and one.status is Result.SUCCEEDED
        ]

    def refund_stands(self, refund: Refund) -> Outcome:
        """Return where a refund stands."""
        failed = refund.status is Result.REFUND_FAILED
        return Outcome(
            result=refund.status,
            intent_id=refund.intent,
            refund_id=refund.id,
            amount=refund.amount,
            bank_reference=f"arn{refund.id}"
            if refund.status is not Result.REFUND_PENDING
            else None,
            failure_code="expired_or_canceled_card" if failed else None,
            subject_id=refund.subject,
            operation_id=refund.operation,
        )

    def _decline(self, intent: Intent) -> Outcome:
        intent.status = Result.DECLINED
        self.declines[intent.subject] += 1
        return self._news("payment_intent.payment_failed", intent)

    def _take(self, intent: Intent, now: dt.datetime) -> Outcome:
        intent.charges.append(self._names.new("ch"))
        if intent.manual:
            intent.status, intent.held_at = Result.AUTHORISED, now
            return self._news("payment_intent.amount_capturable_updated", intent)
        surplus = {"over": 100, "under": -1}.get((intent.method or "").split("_")[1], 0)
        intent.received = intent.amount.minor + surplus
        intent.status = Result.SUCCEEDED
        return self._news("payment_intent.succeeded", intent)

    def _refund_news(self, kind: str, refund: Refund) -> Outcome:
        outcome = self.refund_stands(refund)
        self._announce(kind, outcome, refund.id)
        return outcome

    def _news(self, kind: str, intent: Intent) -> Outcome:
        outcome = self.stands(intent)
        self._announce(kind, replace(outcome), intent.id)
        return outcome
