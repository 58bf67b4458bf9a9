"""What operators type: `flask seed`, `flask check-books`, `flask create-admin` and their like."""

from __future__ import annotations

import csv
import sys
from typing import TextIO

import click
from flask import Flask

from webapp import accounts, analytics, audit, ledger, payments
from webapp.kernel import db
from webapp.kernel.errors import Refusal


def register(app: Flask) -> None:
    """Give the application its commands."""
    for command in (seed, check_books, audit_head, audit_verify, create_admin, import_users):
        app.cli.add_command(command)


@click.command("seed")
def seed() -> None:
    """Fill an empty database with the demo's story; the last line says who may sign in."""
    from demo.seed import printed  # noqa: PLC0415 - only the demo needs its story

    click.echo(printed())


@click.command("check-books")
def check_books() -> None:
    """Prove that balances are the sums of entries, figures their facts, records untouched."""
    db.use_scope(db.Scope(role=db.Role.OWNER))
    report = ledger.check_books()
    for total in report.totals:
        mode = "live" if total.livemode else "test"
        click.echo(
            f"{mode}  {total.kind:<16} {total.accounts:>6} accounts"
            f"  {total.amount.currency} {total.amount.plain():>18}"
        )
    problems = [
        *report.problems,
        *(f"figures differ: {difference}" for difference in analytics.compare_with_facts()),
        *(f"figures and books differ: {one}" for one in analytics.compare_with_ledger()),
        *(f"payment {payment_id} was altered" for payment_id in payments.altered_records()),
    ]
    trail = audit.verify()
    if not trail.ok:
        problems.append(f"audit trail: {trail.says}")
    for problem in problems:
        click.echo(f"WRONG  {problem}")
    click.echo(f"{report.transfers} transfers, {report.entries} entries, {len(problems)} problems")
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
