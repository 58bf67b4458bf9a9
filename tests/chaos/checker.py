"""Holding what clients were told against what is true in the end; pure.

What was acknowledged must be there, what is there must have been asked for, and what nobody was
told may be either.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.evidence import Books, Row
from tests.chaos.history import FAIL, INVOKE, OK, Entry
from webapp.kernel.ids import token_hash

_GONE = ("failed", "cancelled")
_ENDED = ("expired", "closed")


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that was broken: which, and what shows it."""

    rule: str
    words: str


def check(entries: Sequence[Entry], books: Books) -> list[Violation]:
    """Return every violation that the histories and the books show together."""
    case = _Case(entries, books)
    return [
        *_lost_orders(case),
        *_lost_payments(case),
        *_invented(case),
        *_refused_but_done(case),
        *_double_charges(case),
        *_provider_differs(case),
        *_refunds(case),
        *_asked_refunds(case),
        *_shown_as_ended(case),
        *_readers(entries),
        *_snapshots(entries),
        *(Violation("left open", f"{n} {what}") for what, n in books.unfinished.items()),
        *(
            Violation("broken", f"{rule}: {', '.join(words[:5])}")
            for rule, words in books.broken.items()
        ),
    ]


class _Case:
    """The same facts, by what they are looked up by."""

    def __init__(self, entries: Sequence[Entry], books: Books) -> None:
        self.entries, self.books = entries, books
        self.orders = {row["id"]: row for row in books.orders}
        self.order_of_hash = {row["token_hash"]: row["order_id"] for row in books.sessions}
        self.payments: dict[str, list[Row]] = defaultdict(list)
        for row in books.payments:
            self.payments[row["order_id"]].append(row)
        self.set_aside: Counter[str] = Counter()
        for row in books.anomalies:
            self.set_aside[row["payment_id"]] += row["amount_minor"]

    def order(self, entry: Entry) -> Row | None:
        """Return the order behind the checkout that an entry is about."""
        order_id = self.order_of_hash.get(token_hash(entry.told["token"]))
        return self.orders.get(order_id) if order_id else None

    def captured(self, order_id: str) -> list[Row]:
        """Return an order's payments that took money."""
        return [row for row in self.payments[order_id] if row["captured_minor"] > 0]

    def told(self, act: str, *types: str) -> Iterator[Entry]:
        """Give the entries of one act."""
        return (one for one in self.entries if one.act == act and one.type in types)


def _lost_orders(case: _Case) -> Iterator[Violation]:
    found = Counter(row["description"] for row in case.books.orders)
    for entry in case.told("order", OK):
        if found[entry.told["words"]] == 0:
            yield Violation("acknowledged and lost", f"order “{entry.told['words']}”")
    for entry in case.told("open", OK):
        if case.order(entry) is None:
            yield Violation("acknowledged and lost", f"checkout {entry.told['token'][:8]}…")
    for words, number in found.items():
        if words.startswith("chaos ") and number > 1:
            yield Violation("done twice", f"order “{words}”: {number}")


def _lost_payments(case: _Case) -> Iterator[Violation]:
    for entry in case.told("pay", OK):
        order = case.order(entry)
        if order is None or not case.payments[order["id"]]:
            yield Violation("acknowledged and lost", f"a payment for {_name(entry)}")
        elif entry.told["method"] == "wallet" and order["status"] != "completed":
            yield Violation("acknowledged and lost", f"a wallet payment of {order['id']}")
    for entry in case.told("read", OK):
        if entry.told["stage"] != "paid":
            continue
        order = case.order(entry)
        if order is None or order["status"] != "completed" or not case.captured(order["id"]):
            yield Violation("acknowledged and lost", f"{_name(entry)} was shown as paid")


def _invented(case: _Case) -> Iterator[Violation]:
    asked = {order["id"] for one in case.told("pay", INVOKE) if (order := case.order(one))}
    words = {one.told["words"] for one in case.told("order", INVOKE)}
    for row in case.books.payments:
        if row["captured_minor"] > 0 and row["order_id"] not in asked:
            yield Violation("never asked for", f"payment {row['id']}")
    for row in case.books.orders:
        if row["description"].startswith("chaos ") and row["description"] not in words:
            yield Violation("never asked for", f"order {row['id']}")


def _refused_but_done(case: _Case) -> Iterator[Violation]:
    """A wallet payment that was refused with every answer must not have moved any money."""
    answers: dict[str, set[str]] = defaultdict(set)
    about: dict[str, Entry] = {}
    for entry in case.told("pay", OK, FAIL):
        if entry.told["method"] == "wallet":
            answers[entry.told["token"]].add(entry.type)
            about[entry.told["token"]] = entry
    for token, types in answers.items():
        order = case.order(about[token])
        if types == {FAIL} and order is not None and case.captured(order["id"]):
            yield Violation("refused but done", f"payment of {order['id']}")


def _double_charges(case: _Case) -> Iterator[Violation]:
    for order_id, rows in case.payments.items():
        taken = [row for row in rows if row["captured_minor"] > 0]
        if len(taken) > 1:
            yield Violation("double charge", f"order {order_id}: {len(taken)} captured payments")
        for row in taken:
            if row["captured_minor"] > row["amount_minor"]:
                yield Violation("wrong amount", f"payment {row['id']}")
    of_intent = {row["provider_intent_id"]: row["id"] for row in case.books.payments}
    charges: Counter[str] = Counter()
    for row in case.books.provider:
        if row["successful_charges"] > 1:
            yield Violation("double charge", f"{row['id']}: {row['successful_charges']} charges")
        if row["captured"]:
            payment_id = str(
                row.get("metadata", {}).get("subject") or of_intent.get(row["id"], row["id"])
            )
            charges[payment_id] += 1
    for payment_id, number in charges.items():
        if number > 1:
            yield Violation("double charge", f"payment {payment_id}: {number} charged intents")


def _provider_differs(case: _Case) -> Iterator[Violation]:
    """Each charge at the provider is one captured payment or money set aside, and the reverse."""
    charged = {row["id"]: row for row in case.books.provider}
    ours = {row["provider_intent_id"]: row for row in case.books.payments}
    for row in case.books.payments:
        if row["method_kind"] == "wallet":
            continue
        there = charged.get(row["provider_intent_id"] or "", {"captured": 0})["captured"]
        here = row["captured_minor"] + case.set_aside[row["id"]]
        if there != here:
            yield Violation(
                "books differ", f"payment {row['id']}: {here} here, {there} at the provider"
            )
    for intent_id, row in charged.items():
        if row["captured"] and intent_id not in ours:
            yield Violation("books differ", f"nobody here knows the charge of {intent_id}")


def _refunds(case: _Case) -> Iterator[Violation]:
    given: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for row in case.books.refunds:
        if row["status"] not in _GONE:
            given[row["payment_id"]] += row["amount_minor"]
        if row["status"] == "succeeded" and row["destination"] == "original":
            back[row["payment_id"]] += row["amount_minor"]
    for row in case.books.payments:
        if given[row["id"]] > row["captured_minor"] + case.set_aside[row["id"]]:
            yield Violation("over-refund", f"payment {row['id']}")
    ours = {row["provider_intent_id"]: row for row in case.books.payments}
    for row in case.books.provider:
        if row["refunded"] > row["captured"]:
            yield Violation("over-refund", f"{row['id']} at the provider")
        payment = ours.get(row["id"])
        if payment is not None and row["refunded"] != back[payment["id"]]:
            yield Violation(
                "books differ",
                f"refunds of {payment['id']}: {back[payment['id']]} here, "
                f"{row['refunded']} at the provider",
            )


def _asked_refunds(case: _Case) -> Iterator[Violation]:
    """Each refund that was asked for is there once at most, and none that was not."""
    found = Counter(row["note"] for row in case.books.refunds)
    for entry in case.told("refund", OK):
        if not found[entry.told["words"]]:
            yield Violation("acknowledged and lost", f"refund “{entry.told['words']}”")
    words = {one.told["words"] for one in case.told("refund", INVOKE)}
    for note, number in found.items():
        if note.startswith("chaos ") and note not in words:
            yield Violation("never asked for", f"refund “{note}”")
        if note.startswith("chaos ") and number > 1:
            yield Violation("done twice", f"refund “{note}”: {number}")


def _shown_as_ended(case: _Case) -> Iterator[Violation]:
    """Nobody may be told that a link has ended whose order is paid in the end."""
    opened = {entry.told["token"] for entry in case.told("open", OK)}
    for entry in case.told("read", OK):
        if entry.told["stage"] not in _ENDED or entry.told["token"] not in opened:
            continue
        order = case.order(entry)
        if order is not None and order["status"] == "completed":
            yield Violation("shown as ended", f"{_name(entry)}: {entry.told['stage']}")


def _readers(entries: Iterable[Entry]) -> Iterator[Violation]:
    """No reader may see a version that is older than one it has seen of the same thing."""
    seen: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        if entry.act != "read" or entry.type != OK:
            continue
        name = (entry.client, entry.told["token"], str(entry.told["of"]))
        if entry.told["version"] < seen.get(name, 0):
            yield Violation("moved back", f"{_name(entry)} for {entry.client}")
        seen[name] = max(seen.get(name, 0), entry.told["version"])


def _snapshots(entries: Iterable[Entry]) -> Iterator[Violation]:
    for entry in entries:
        if entry.act == "snapshot" and entry.type == OK:
            if entry.told["totals"]:
                yield Violation("ledger not zero", str(entry.told["totals"]))
            for words in entry.told["moved_back"]:
                yield Violation("moved back", words)


def _name(entry: Entry) -> str:
    return f"checkout {entry.told['token'][:8]}…"
