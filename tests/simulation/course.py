"""One schedule: some minutes or days of faults, then health, then the question whether all is well.

After the faults nobody is killed any more and every answer comes; what the product's own recovery
does not bring to an end by then never will be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from flask import Flask

from jobs import queues
from jobs.telling import tell
from tests.simulation import machines, merchants, money_back, office, people, safety
from tests.simulation.forgetful import Forgetful
from tests.simulation.provider import SIGNED, Message, SimProvider
from tests.simulation.seams import Consumer, stand_ins
from tests.simulation.stage import BACK, Sale, Stage
from tests.simulation.world import Coverage, World
from webapp import gateway, payments, refunds, webhooks
from webapp.kernel import db

STEPS = 70
#: How often all that is due is let loose at once, before all is well again.
STORMS = 9
#: How often a whole day passes between two storms, and with it the provider's memory of keys.
A_DAY_SHARE = 0.025
A_DAY_SHARE_AWAY = 0.3
#: Where merchants have servers: how often a sender is called on, and how often a merchant acts.
SENDER_SHARE = 0.25
MANAGER_SHARE = 0.12
#: The share of schedules whose first sale is paid before the trouble begins.
SMOOTH_SHARE = 0.5
MOST_AT_ONCE = 4
KILL_SHARE = 0.045
#: How often time is let pass to the next due moment before we say that it never ends.
MOST_ROUNDS = 700
#: The rounds in which merchants decide about money that is held.
DECIDING = (1, 4, 9, 16)
#: How long after its beginning a schedule may still have something ahead of it.
LONGEST = dt.timedelta(days=20)
MENU = people.MENU | money_back.MENU | office.MENU
#: What a schedule may be about, by weight: what its people do more often than others do.
THEMES = {"anything": 5, "money back": 2, "the office": 2, "a provider that stays away": 2}
MENUS = {
    "anything": MENU,
    "money back": people.MENU | people.often(money_back.MENU, 4),
    "the office": MENU | people.often(money_back.MENU, 2) | people.often(office.MENU, 6),
    "a provider that stays away": people.MENU | people.often(money_back.MENU, 3),
}
_WHO = ("wake", "deliver", "sweep", "chore", "people")
_HOW_OFTEN = (50, 16, 14, 4, 26)
_PAUSES = (0, 0, 0, 0, 0, 0.2, 1, 1, 2, 5, 12, 40)
_SHORT_PAUSES = (0.2, 1, 4, 11)
#: For so many seconds a sender stands still, longer than its claims hold.
FROZEN = 66
FROZEN_SHARE = 0.03
_LONG_PAUSES = (130, 400, 1000, 2_000)


@dataclass
class Verdict:
    """What came of one schedule."""

    seed: int
    violations: list[str]
    trace_hash: str
    kills: int
    payments: int
    captured: int
    manual: int
    calls: int
    coverage: Coverage
    trace: list[str] = field(default_factory=list)


Script = Callable[[Stage], None]


def play(seed: int, apps: tuple[Flask, Flask], *, script: Script | None = None) -> Verdict:
    """Play the schedule of one seed on this process's database and judge it."""
    world = World(seed)
    provider, valkey = SimProvider(world), Forgetful(world)
    stage = Stage(world, apps, provider, valkey)
    with stand_ins(world, provider, valkey, stage.ear):
        stage.set_up()
        if script is None:
            if merchants.are_there(seed):
                merchants.open_shops(stage)
            _choose(stage)
        (script or trouble)(stage)
        heal(stage)
        safety.judge(stage)
    world.end()
    counts = safety.counts(stage)
    machines.lay_to_rest(stage)
    return Verdict(
        seed,
        world.violations,
        world.trace_hash,
        world.kills,
        counts["payments"],
        counts["captured"],
        counts["manual"],
        provider.calls,
        world.coverage,
        world.told,
    )


def rehearse(apps: tuple[Flask, Flask]) -> None:
    """Play a schedule in which nobody dies, so that everything is loaded and compiled."""
    play(-1, apps, script=partial(trouble, kill_share=0.0))


def _choose(stage: Stage) -> None:
    """Draw what a schedule is about; what is about money that was paid begins with some."""
    chance = stage.world.chance
    stage.theme = chance.choices(list(THEMES), list(THEMES.values()))[0]
    stage.world.note(f"about {stage.theme}")
    stage.provider.goes_after_a_loss = stage.theme == "a provider that stays away"
    if chance.random() < (SMOOTH_SHARE if stage.theme == "anything" else 1):
        smooth(stage)


def smooth(stage: Stage) -> None:
    """Let the first sale be paid by card without any trouble, so that more can follow."""
    world, sale = stage.world, stage.sales[0]
    world.is_calm = True
    with stage.at_web():
        ref = people.entered(stage, sale.tokens[0])
        sale.methods.append(stage.provider.names.new("pm_good"))
        payments.start_card(ref, sale.methods[0], return_url=BACK, payer=stage.payer)
    with stage.at_work():
        for _ in range(2):
            queues.KINDS["operations"].drain()
    world.is_calm = False


def trouble(stage: Stage, *, kill_share: float = KILL_SHARE) -> None:
    """Let so many things happen, each by chance; then have all that is due done, in a storm."""
    world = stage.world
    pauses = (*_SHORT_PAUSES, FROZEN) if stage.shops.by_url else _SHORT_PAUSES
    for _ in range(STEPS):
        _pass_time(stage)
        _misfortune(stage)
        if len(world.actors) < MOST_AT_ONCE and world.chance.random() < 0.4:
            _call_on(stage)
        if world.actors:
            world.step(kill_share=kill_share)
    for _ in range(STORMS):
        _misfortune(stage)
        _all_at_once(stage)
        while world.actors:
            world.step(kill_share=kill_share)
            if world.chance.random() < 0.12:
                world.pass_time(world.chance.choice(pauses))
        _pass_to_what_is_next(stage)


def _all_at_once(stage: Stage) -> None:
    """Let two workers, the sweeper, the relay, messages and somebody from outside come together."""
    chance = stage.world.chance
    due = [kind for kind, at in machines.pending(stage) if at <= stage.world.now]
    for kind in due:
        if kind in machines.CHORES:
            stage.job(kind, machines.CHORES[kind])
        elif kind == merchants.SEND:
            for _ in range(chance.choice((1, 1, 2))):
                merchants.sender(stage)
        elif kind.startswith("tell "):
            if chance.random() < 0.25:
                machines.relay(stage, kind.removeprefix("tell "))
        else:
            for _ in range(chance.choice((1, 1, 2))):
                machines.drain(stage, kind)
    for _ in range(chance.choice((0, 1, 2))):
        machines.deliver(stage)
    if chance.random() < 0.6:
        _somebody(stage)


def _pass_to_what_is_next(stage: Stage) -> None:
    world = stage.world
    is_away = world.now < stage.provider.down_until
    if world.chance.random() < (A_DAY_SHARE_AWAY if is_away else A_DAY_SHARE):
        world.pass_time(90_000)
    moments = [at for kind, at in machines.pending(stage) if not kind.startswith("tell ")]
    ahead = stage.provider.next_moment()
    future = [at for at in [*moments, *([ahead] if ahead else [])] if at > world.now]
    soon = world.now + dt.timedelta(seconds=world.chance.choice((0.5, 4, 31)))
    if future and world.chance.random() < 0.8:
        soon = min(*future, world.now + dt.timedelta(hours=6))
    world.pass_until(soon)
    stage.provider.tick()


def heal(stage: Stage) -> None:
    """Let everybody finish, then let the product's own recovery do its work."""
    world = stage.world
    world.is_calm = True
    world.reaper = None
    stage.valkey.is_away = False
    world.finish()
    world.note("heals")
    with stage.at_web(), db.scoped(db.ADMIN):
        refunds.unfreeze(by=money_back.ADMIN)
    merchants.resume_all(stage)
    asked: set[str] = set()
    for number in range(MOST_ROUNDS):
        if number in DECIDING:
            with stage.at_web():
                _decide_what_is_held(stage)
        with stage.at_work():
            _recover(stage)
        _ask_again(stage, asked)
        moments = [at for _kind, at in machines.pending(stage)]
        ahead = stage.provider.next_moment()
        moments += [ahead] if ahead is not None else []
        if machines.waiting_for_person(stage):
            moments.append(world.now + office.CAREFUL)
        if not moments or min(moments) > world.born + LONGEST:
            break
        world.pass_until(min(moments))
        stage.provider.tick()
    with stage.at_work():
        for one in machines.often():
            _do(stage, f"chore {one.name}", one.do)
        for name, consumer in stage.ear.consumers().items():
            _do(stage, f"tell {name}", partial(_tell_all, name, consumer))


def _tell_all(name: str, consumer: Consumer) -> None:
    """Tell all that is due: where facts are told in order, each time the next of each object."""
    while tell(name, consumer):
        pass


def _decide_what_is_held(stage: Stage) -> None:
    """Most merchants decide about held money in the end; the rest is let go in a week."""
    for sale in stage.sales:
        if sale.is_held and stage.world.chance.random() < 0.97:
            takes = stage.world.chance.random() < 0.7
            _do(stage, "decides", partial(_decide, stage, sale, takes=takes))


def _decide(stage: Stage, sale: Sale, *, takes: bool) -> None:
    with db.scoped(stage.merchant_scope):
        payment = payments.current_payment(sale.order_id)
        if payment is None or payment.status != payments.Status.AUTHORISED:
            return
        if takes:
            payments.capture(payment.id, by=stage.owner)
        else:
            payments.void(payment.id, because="Out of stock.", by=stage.owner)


def _recover(stage: Stage) -> None:
    """Do all that is due now, in the order in which a quiet day does it."""
    for message in [one for one in stage.provider.messages if one.due_at <= stage.world.now]:
        with stage.at_web():
            _do(stage, "webhook", partial(_receive, stage, message))
        machines.taken(stage, message)
    due = [kind for kind, at in machines.pending(stage) if at <= stage.world.now]
    tells = [kind for kind in due if kind.startswith("tell ")]
    for kind in due:
        if kind in machines.CHORES:
            _do(stage, kind, machines.CHORES[kind])
        elif kind == merchants.SEND:
            _do(stage, kind, partial(merchants.send_all, stage))
        elif kind not in tells:
            _do(stage, f"drain {kind}", queues.KINDS[kind].drain)
    if len(tells) < len(due):
        return
    consumers = stage.ear.consumers()
    for kind in tells:
        name = kind.removeprefix("tell ")
        _do(stage, kind, partial(_tell_all, name, consumers[name]))


def _do(stage: Stage, name: str, act: Callable[[], object]) -> str:
    end = stage.outcome_of(name, act)
    stage.world.note(f"{name} ends: {end}")
    return end


def _receive(stage: Stage, message: Message) -> None:
    gateway.inbox.receive(message.body, SIGNED)
    stage.accepted.append(message.body)


def _ask_again(stage: Stage, asked: set[str]) -> None:
    """An admin takes up whatever waits for a person, once each; then people decide about it."""
    for kind, one, why in machines.waiting_for_person(stage):
        if kind == "operation":
            safety.judge_letter(stage, one, why)
        if why.startswith(office.ELSEWHERE):
            with stage.at_web(), db.scoped(db.ADMIN):
                _do(stage, "discard", partial(office.discard_stray, one))
        elif one not in asked:
            asked.add(one)
            with stage.at_web(), db.scoped(db.ADMIN):
                end = _do(stage, f"retry {kind}", partial(_retry, kind, one))
            if end != "done":
                asked.discard(one)
    for act in office.decisions(stage):
        with stage.at_web(), db.scoped(db.ADMIN):
            _do(stage, "decide call", act)


def _retry(kind: str, one: str) -> None:
    with db.transaction():
        RETRIES[kind](one)


#: How an admin takes up what was set aside, by kind.
RETRIES: dict[str, Callable[[str], object]] = {
    "operation": gateway.operations.look_again,
    "event": gateway.inbox.retry,
    "delivery": webhooks.retry_dead,
}


def _pass_time(stage: Stage) -> None:
    chance = stage.world.chance
    if stage.shops.by_url and chance.random() < FROZEN_SHARE:
        stage.world.pass_time(FROZEN)
    drawn = chance.random()
    if drawn < 0.004:
        pause = float(chance.choice((3600, 30_000, 90_000)))
    elif drawn < 0.018:
        pause = float(chance.choice(_LONG_PAUSES))
    else:
        pause = float(chance.choice(_PAUSES))
    if pause:
        stage.world.pass_time(pause)
        stage.provider.tick()


def _misfortune(stage: Stage) -> None:
    """Valkey forgets, goes away and comes back; the provider is away for hours."""
    chance, valkey = stage.world.chance, stage.valkey
    drawn = chance.random()
    if drawn < 0.01:
        valkey.forget_all()
    elif drawn < 0.02:
        valkey.is_away = not valkey.is_away
    elif drawn < 0.024:
        stage.provider.fail_for(chance.choice((0.02, 0.2, 5.0, 26.0, 49.0)))


def _call_on(stage: Stage) -> None:
    if stage.shops.by_url and stage.world.chance.random() < SENDER_SHARE:
        merchants.sender(stage)
        return
    who = stage.world.chance.choices(_WHO, _HOW_OFTEN)[0]
    if who == "wake" and machines.take_wake(stage):
        return
    if who == "deliver" and machines.deliver(stage):
        return
    if who == "sweep":
        machines.sweep(stage)
    elif who == "chore":
        machines.chore(stage)
    else:
        _somebody(stage)


def _somebody(stage: Stage) -> None:
    """Let somebody from outside do something."""
    chance = stage.world.chance
    if stage.shops.by_url and chance.random() < MANAGER_SHARE:
        merchants.manage(stage)
        return
    sale = chance.choice(stage.sales)
    menu = MENUS[stage.theme]
    act = chance.choices(list(menu), list(menu.values()))[0]
    people.sensible(act, sale)(stage, sale)
