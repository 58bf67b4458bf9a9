"""The demo mailbox's pages; the application registers them in demo mode only."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for

from webapp import notifications
from webapp.kernel.paging import page_request
from webapp.web.shared.guards import anyone, guard

blueprint = guard(Blueprint("mailbox", __name__, url_prefix="/_mailbox"), anyone)


@blueprint.get("")
def mails() -> str:
    """List the mails that were not sent, newest first."""
    asked = page_request(older=request.args.get("older"), newer=request.args.get("newer"))
    page = notifications.mailbox(page=asked)
    return render_template(
        "mailbox/mails.html",
        mails=page.rows,
        newer_url=url_for("mailbox.mails", newer=page.newer) if page.newer else None,
        older_url=url_for("mailbox.mails", older=page.older) if page.older else None,
    )


@blueprint.get("/<mail_id>")
def mail(mail_id: str) -> str:
    """Show one mail as plain text, with its links."""
    return render_template("mailbox/mail.html", mail=notifications.mail_of(mail_id))
