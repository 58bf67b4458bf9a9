"""Those outside: shoppers, merchants and strangers, each request of theirs as a door makes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from sqlalchemy import text

from tests.simulation import money_back
from tests.simulation.stage import BACK, CURRENCY, Sale, Stage
from webapp import accounts, idempotency, orders, payments
from webapp.gateway import Result
from webapp.idempotency import Answer
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.orders import NewOrder

Act: TypeAlias = Callable[[Stage, Sale], None]
_ANYTHING = (
    "SELECT EXISTS (SELECT 1 FROM payment) OR EXISTS (SELECT 1 FROM shop_order)"
    " OR EXISTS (SELECT 1 FROM fact)"
)
CARDS = (
    *["good"] * 8,
    *["declined"] * 3,
    *["challenge"] * 3,
    "slow",
    "slow_fails",
    *["over"] * 2,
    *["under"] * 2,
    "uncapturable",
)


def pay_by_card(stage: Stage, sale: Sale, *, card: str | None = None) -> None:
    """A shopper sends the pay form with a card, perhaps the same one twice."""
    chance = stage.world.chance
    if sale.methods and card is None and chance.random() < 0.2:
        method = chance.choice(sale.methods)
    else:
        method = stage.provider.names.new(f"pm_{card or chance.choice(CARDS)}")
        sale.methods.append(method)
    token = newest(stage, sale)

    def act() -> None:
        ref = entered(stage, token)
        payments.start_card(ref, method, return_url=BACK, payer=stage.payer)

    stage.request("pay card", act, on_end=partial(noted, sale))


def pay_on_page(stage: Stage, sale: Sale) -> None:
    """A shopper without JavaScript sends the pay form."""
    token = newest(stage, sale)

    def act() -> None:
        ref = entered(stage, token)
        payments.start_hosted(ref, success_url=BACK, cancel_url=BACK, payer=stage.payer)

    stage.request("pay hosted", act, on_end=partial(noted, sale))


def pay_from_wallet(stage: Stage, sale: Sale) -> None:
    """A shopper pays from their wallet."""
    token = newest(stage, sale)

    def act() -> None:
        payments.pay_from_wallet(entered(stage, token), payer=stage.payer)

    stage.request("pay wallet", act, on_end=partial(noted, sale))


def at_the_provider(stage: Stage, _sale: Sale) -> None:
    """A shopper answers the bank's question or pays on the provider's page; we are not asked."""
    books, chance, now = stage.provider.books, stage.world.chance, stage.world.now
    for intent in list(books.intents.values()):
        if intent.status is Result.REQUIRES_ACTION and chance.random() < 0.7:
            books.finish_challenge(intent, now, passes=chance.random() < 0.8)
    for page in list(books.pages.values()):
        if page.status == "open" and chance.random() < 0.7:
            books.pay_on_page(page, now)


def come_back(stage: Stage, sale: Sale) -> None:
    """A shopper comes back from the bank, or presses *check now*."""
    token = newest(stage, sale)

    def act() -> None:
        ref = entered(stage, token)
        payment = payments.current_payment(ref.order_id)
        if payment is not None:
            payments.check_now(payment.id)

    stage.request("check now", act)


def give_up(stage: Stage, sale: Sale) -> None:
    """A shopper gives a payment up."""
    token = newest(stage, sale)

    def act() -> None:
        ref = entered(stage, token)
        payment = payments.current_payment(ref.order_id)
        if payment is not None:
            payments.give_up(payment.id, by=stage.payer.actor)

    stage.request("give up", act)


def fresh_link(stage: Stage, sale: Sale) -> None:
    """A shopper asks for a fresh link."""
    token = newest(stage, sale)

    def act() -> None:
        ref = entered(stage, token)
        opened = payments.fresh_link(ref.order_id, by=stage.payer.actor)
        sale.tokens.append(opened.token)

    stage.request("fresh link", act)


def take_or_let_go(stage: Stage, sale: Sale) -> None:
    """A merchant takes held money, or part of it, or lets it go."""
    if not sale.is_held:
        return
    chance = stage.world.chance
    does = chance.choice(("all", "all", "part", "void"))
    part = Money(chance.randint(1, sale.amount.minor), CURRENCY) if does == "part" else None

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        payment = payments.current_payment(sale.order_id)
        if payment is not None and does == "void":
            payments.void(payment.id, because="Out of stock.", by=stage.owner)
        elif payment is not None:
            payments.capture(payment.id, amount=part, by=stage.owner)

    stage.request("void" if does == "void" else "capture", act)


def cancel_order(stage: Stage, sale: Sale) -> None:
    """A merchant cancels an order."""
    if sale.kind != "sale":
        return

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        payments.cancel_order(sale.order_id, by=stage.owner)

    stage.request("cancel order", act)


def order_by_form(stage: Stage, _sale: Sale) -> None:
    """A merchant creates an order; without an answer the same form is sent again."""
    waiting = [key for key, is_made in stage.asked.items() if not is_made]
    if not waiting and len(stage.asked) > 1:
        return
    key = waiting[0] if waiting else f"form-{stage.world.seed}-{len(stage.asked)}"
    stage.asked.setdefault(key, False)

    def act() -> None:
        db.use_scope(stage.merchant_scope)
        asked = NewOrder(
            stage.merchant_id, livemode=False, amount=Money(500_00, CURRENCY), description=key
        )

        def work() -> Answer:
            return Answer(201, orders.create(asked).id.encode())

        idempotency.once("user", stage.owner_id, False, key, "hash", work)
        stage.asked[key] = True

    stage.request("order by form", act)


def look_as_nobody(stage: Stage, _sale: Sale) -> None:
    """A stranger without a scope looks for rows; there must be none for them."""

    def act() -> None:
        with db.transaction(db.NOBODY) as session:
            seen = session.execute(text(_ANYTHING)).scalar_one()
        if seen:
            stage.world.wrong("a stranger sees rows")

    stage.request("stranger", act)


def look_as_rival(stage: Stage, _sale: Sale) -> None:
    """Another merchant looks for this one's payments on a connection that served them before."""

    def act() -> None:
        rival = db.Scope(merchant_id=accounts.PLATFORM_ID, livemode=False)
        with db.transaction(rival) as session:
            seen = session.execute(
                text("SELECT count(*) FROM payment WHERE merchant_id = :id"),
                {"id": stage.merchant_id},
            ).scalar_one()
        if seen:
            stage.world.wrong(f"another merchant sees {seen} payments of this one")

    stage.request("rival", act)


def noted(sale: Sale, end: str) -> None:
    """Remember what a shopper was told."""
    sale.told = end


def sensible(act: Act, sale: Sale) -> Act:
    """Return what people do instead when they were just told that this makes no sense."""
    if act in PAYING and sale.told.endswith("checkout_expired"):
        sale.told = ""
        return fresh_link
    if act in PAYING and sale.told.endswith("already_paid"):
        return money_back.ask_refund
    return act


def newest(stage: Stage, sale: Sale) -> str:
    """Return the link that a shopper has before them: mostly the newest, at times an old one."""
    chance = stage.world.chance
    return sale.tokens[-1] if chance.random() < 0.85 else chance.choice(sale.tokens)


def entered(stage: Stage, token: str) -> orders.CheckoutRef:
    """Find what a token proves and put just that in force, as the checkout's door does."""
    db.use_scope(db.NOBODY)
    ref = orders.checkout_for(token)
    scope = db.Scope(merchant_id=ref.merchant_id, livemode=ref.livemode, user_id=stage.shopper_id)
    db.use_scope(scope)
    return ref


PAYING = (pay_by_card, pay_on_page, pay_from_wallet)
#: What may come from outside at any step, by weight.
MENU: dict[Act, int] = {
    pay_by_card: 24,
    pay_on_page: 5,
    pay_from_wallet: 8,
    at_the_provider: 16,
    come_back: 6,
    give_up: 4,
    fresh_link: 5,
    take_or_let_go: 7,
    cancel_order: 2,
    order_by_form: 3,
    look_as_nobody: 1,
    look_as_rival: 1,
}


def often(menu: dict[Act, int], factor: int) -> dict[Act, int]:
    """Return a menu whose acts are each so many times as likely."""
    return {act: weight * factor for act, weight in menu.items()}
