"""The wall of money checks for the admin, and the switch that stops every refund."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp import invariants, refunds
from webapp.invariants import Brick
from webapp.kernel.proof import Finding
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.merchants import reason
from webapp.web.shared.pills import Pill
from webapp.web.shared.typed_again import shown_again

HOLDS = Pill("Holds", "success", "check")
BROKEN = Pill("Broken", "danger", "x")
LATE = Pill("Not looked at lately", "warning", "clock")
#: Where the object with such an id has its page: the id's prefix, the route, its parameter.
PAGES = {
    "pay": ("admin.payment", "payment_id"),
    "re": ("admin.refund", "refund_id"),
    "tr": ("admin.transfer", "transfer_id"),
    "cor": ("admin.correction", "correction_id"),
    "ano": ("admin.anomaly", "anomaly_id"),
    "mer": ("admin.merchant", "merchant_id"),
    "usr": ("admin.user", "user_id"),
}


@dataclass(frozen=True, slots=True)
class RowBehind:
    """One thing that is wrong, with the page on which it can be looked at, where there is one."""

    subject: str
    says: str
    href: str | None


@dataclass(frozen=True, slots=True)
class BrickView:
    """One check as the wall shows it."""

    sentence: str
    broken: str
    group: str
    pill: Pill
    hour_at: dt.datetime | None
    all_at: dt.datetime | None
    milliseconds: int | None
    is_red: bool
    red_since: dt.datetime | None
    found: int
    rows: Sequence[RowBehind]


@blueprint.get("/admin/invariants")
def wall() -> Response:
    """Show every check as a sentence, the broken ones first with the rows behind them."""
    return make_response(render_template("admin/invariants.html", **_wall()))


@blueprint.get("/admin/invariants/now")
def wall_now() -> Response:
    """Give the live part of the wall."""
    return make_response(render_template("admin/_invariants.html", **_wall()))


@blueprint.post("/admin/invariants/check")
def check_now() -> Response:
    """Have every check made now, over everything."""
    invariants.ask_for_all(by=acting())
    flash("Every check is being made now. The results appear here one by one.", "success")
    return redirect(url_for("admin.wall"), code=303)


@blueprint.post("/admin/invariants/freeze-refunds")
@shown_again(wall, "because")
def freeze_refunds() -> Response:
    """Let no refund leave until somebody lets them, for a reason that is kept."""
    refunds.freeze(because=reason(), by=acting())
    flash("Refunds are frozen. None leaves until you let them.", "success")
    return redirect(url_for("admin.wall"), code=303)


@blueprint.post("/admin/invariants/unfreeze-refunds")
def unfreeze_refunds() -> Response:
    """Let refunds leave again."""
    refunds.unfreeze(by=acting())
    flash("Refunds leave again.", "success")
    return redirect(url_for("admin.wall"), code=303)


def page_of_subject(subject: str) -> str | None:
    """Return the address at which an object can be looked at, or None where it has no page."""
    prefix, _, rest = subject.partition("_")
    if not rest.isalnum() or prefix not in PAGES:
        return None
    endpoint, parameter = PAGES[prefix]
    filled: dict[str, Any] = {parameter: subject}
    return url_for(endpoint, **filled)


def _wall() -> dict[str, object]:
    bricks = [_view(brick) for brick in invariants.wall()]
    groups: dict[str, list[BrickView]] = {}
    for brick in bricks:
        groups.setdefault(brick.group, []).append(brick)
    red = [brick for brick in bricks if brick.is_red]
    return {
        "groups": groups,
        "red": red,
        "late": [brick for brick in bricks if brick.pill is LATE],
        "count": len(bricks),
        "looked_at": max((brick.hour_at for brick in bricks if brick.hour_at), default=None),
        "frozen": refunds.frozen(),
    }


def _view(brick: Brick) -> BrickView:
    known = HOLDS if not brick.is_late else LATE
    hour, night = brick.hour, brick.everything
    return BrickView(
        sentence=brick.invariant.holds,
        broken=brick.invariant.broken[:1].upper() + brick.invariant.broken[1:],
        group=brick.invariant.group,
        pill=BROKEN if brick.is_red else known,
        hour_at=hour.ran_at if hour else None,
        all_at=night.ran_at if night else None,
        milliseconds=hour.milliseconds if hour else night.milliseconds if night else None,
        is_red=brick.is_red,
        red_since=brick.red_since,
        found=brick.found,
        rows=[_behind(row) for row in brick.rows],
    )


def _behind(row: Finding) -> RowBehind:
    return RowBehind(row.subject, row.says, page_of_subject(row.subject))
