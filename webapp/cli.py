"""What operators type: `flask seed`, `flask check-books`, `flask create-admin` and their like."""

from __future__ import annotations

import csv
import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from flask import Flask, current_app

from webapp import accounts, audit, dead_letters, gateway, invariants, outbox
from webapp.dead_letters import LetterKind
from webapp.kernel import db
from webapp.kernel.errors import Invalid, Refusal
from webapp.kernel.money import EXPONENTS, parse_money
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor

_KINDS = click.Choice([kind.value for kind in LetterKind])


def register(app: Flask) -> None:
    """Give the application its commands."""
    for command in (
        seed,
        check_books,
        audit_head,
        audit_verify,
        create_admin,
        import_users,
        letters,
        bus_forget,
    ):
        app.cli.add_command(command)


@click.command("seed")
def seed() -> None:
    """Fill an empty database with the demo's story; the last line says who may sign in."""
    from demo.seed import printed  # noqa: PLC0415 - only the demo needs its story

    click.echo(printed())


@click.command("check-books")
def check_books() -> None:
    """Make every check of the money wall over everything; exit 1 naming what is wrong."""
    db.use_scope(db.Scope(role=db.Role.OWNER))
    report = invariants.check_everything()
    for total in report.books.totals:
        mode = "live" if total.livemode else "test"
        click.echo(
            f"{mode}  {total.kind:<18} {total.accounts:>6} accounts"
            f"  {total.amount.currency} {total.amount.plain():>18}"
        )
    problems = report.problems
    for problem in problems:
        click.echo(f"WRONG  {problem}")
    click.echo(
        f"{report.books.transfers} transfers, {report.books.entries} entries,"
        f" {len(problems)} problems in {len(invariants.INVARIANTS)} checks"
    )
    if problems:
        sys.exit(1)


@click.command("audit-head")
def audit_head() -> None:
    """Print the newest seal of the audit trail, to be kept outside the database."""
    db.use_scope(db.Scope(role=db.Role.OWNER))
    head = audit.head()
    click.echo(f"{head.seq} {head.hash}")


@click.command("audit-verify")
@click.option("--head", "kept", help="SEQ:HASH as audit-head once printed it, kept outside.")
def audit_verify(kept: str | None) -> None:
    """Walk the audit trail from its start; exit 1 naming the first row that was changed."""
    db.use_scope(db.Scope(role=db.Role.OWNER))
    found = audit.verify(_head(kept) if kept else None)
    click.echo(found.says)
    if not found.ok:
        sys.exit(1)


def _head(kept: str) -> audit.Head:
    seq, _, hashed = kept.replace(" ", ":").partition(":")
    if not seq.isdecimal():
        raise click.BadParameter("write it as SEQ:HASH", param_hint="--head")
    return audit.Head(seq=int(seq), hash=hashed.strip())


@click.command("bus-forget")
@click.argument("sink", type=click.Choice(["bus_kafka", "bus_aws"]))
def bus_forget(sink: str) -> None:
    """Drop what waits for a broker that is not set up any more; the facts themselves stay."""
    if sink in current_app.extensions["paydeck_settings"].bus.sinks:
        raise click.BadParameter(f"{sink} is set up; take its settings away first")
    db.use_scope(db.ADMIN)
    click.echo(f"{outbox.forget(sink)} facts forgotten")


@click.group("dead-letters")
def letters() -> None:
    """Work that gave up: see it, have it tried again, or say what became of it."""
    db.use_scope(db.ADMIN)


@letters.command("list")
@click.option("--kind", type=_KINDS, help="Only letters of this kind.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100))
def list_letters(kind: str | None, limit: int) -> None:
    """Print what gave up, what began last first, and how many there are of each kind."""
    wanted = LetterKind(kind) if kind else None
    for one in dead_letters.listed(wanted, page=PageRequest(limit=limit)).rows:
        began = one.began_at.isoformat(timespec="seconds")
        click.echo(f"{one.kind:<6}{one.id}  {began}  {one.what}  {one.reason}")
    counted = dead_letters.counts()
    click.echo(", ".join(f"{count} {kind}" for kind, count in counted.items()))


@letters.command("show")
@click.argument("kind", type=_KINDS)
@click.argument("letter_id")
def show_letter(kind: str, letter_id: str) -> None:
    """Print one letter: what it was, what it is about, and its last error."""
    with _said():
        one = dead_letters.letter(LetterKind(kind), letter_id)
        alike = dead_letters.how_many_like(one)
    for label, value in (
        ("kind", one.kind),
        ("id", one.id),
        ("what", one.what),
        ("about", one.about_id),
        ("merchant", one.merchant_id or "-"),
        ("began", one.began_at.isoformat()),
        ("tries", one.tries),
        ("error", one.error or "-"),
        ("like this", alike),
    ):
        click.echo(f"{label:<10}{value}")


@letters.command("retry")
@click.argument("kind", type=_KINDS)
@click.argument("letter_id")
def retry_letter(kind: str, letter_id: str) -> None:
    """Have the workers take one letter up again."""
    with _said():
        dead_letters.retry(LetterKind(kind), letter_id, by=_operator())
    click.echo("1 taken up again")


@letters.command("retry-like")
@click.argument("kind", type=_KINDS)
@click.argument("letter_id")
def retry_letters_like(kind: str, letter_id: str) -> None:
    """Have all letters like this one taken up again, at most 500."""
    with _said():
        taken = dead_letters.retry_like(LetterKind(kind), letter_id, by=_operator())
    click.echo(f"{taken} taken up again")


@letters.command("discard")
@click.argument("kind", type=_KINDS)
@click.argument("letter_id")
@click.option("--because", required=True, help="The reason; it is kept.")
@click.option("--outcome", default="", help="Of a call: what came of it, as not_done or taken.")
@click.option("--amount", default="", help="Of a call: what the provider shows, such as 500.00.")
@click.option("--currency", default="", help="The amount’s currency, such as INR.")
@click.option("--reference", default="", help="Of a call: the provider’s own id of it.")
def discard_letter(kind: str, letter_id: str, because: str, **given: str) -> None:
    """Let a letter be; of a call to the provider, say what came of it."""
    with _said():
        decision = _decision(because, **given)
        is_final = dead_letters.discard(
            LetterKind(kind), letter_id, because=because, by=_operator(), decision=decision
        )
    if not is_final:
        click.echo("1 waits for an admin to confirm it")
        return
    click.echo("1 decided" if given["outcome"] else "1 discarded")


def _decision(
    because: str, *, outcome: str, amount: str, currency: str, reference: str
) -> gateway.Decision | None:
    if not outcome:
        return None
    if amount and currency.upper() not in EXPONENTS:
        raise Invalid("Name the amount’s currency, such as INR.", param="currency")
    shown = parse_money(amount, currency.upper()) if amount else None
    return gateway.Decision(outcome, because, shown, reference)


def _operator() -> Actor:
    """Return whoever types, by the name that the machine knows them by."""
    return Actor("operator", getpass.getuser())


@contextmanager
def _said() -> Iterator[None]:
    """Turn a refusal into a sentence and exit status 1."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal


@click.command("create-admin")
@click.option("--email", required=True, help="The e-mail address to sign in with.")
@click.option("--name", required=True, help="The person’s name.")
@click.password_option(help="At least 12 characters.")
def create_admin(email: str, name: str, password: str) -> None:
    """Register an admin whose address needs no confirmation."""
    try:
        user_id = accounts.create_admin(email=email, name=name, password=password)
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(user_id)


@click.command("import-users")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def import_users(file: TextIO) -> None:
    """Take people over from FILE, a CSV with the columns email, name and password_hash (bcrypt).

    Lines that are refused are named; the others are taken, and FILE can be given again.
    """
    taken = refused = 0
    for number, row in enumerate(csv.DictReader(file), start=2):
        try:
            accounts.import_user(
                row.get("email") or "", row.get("name") or "", row.get("password_hash") or ""
            )
            taken += 1
        except Refusal as refusal:
            refused += 1
            click.echo(f"line {number}: {refusal.message}")
    click.echo(f"{taken} people taken over, {refused} lines refused")
    if refused:
        sys.exit(1)
