"""A page for each code of an error, the catalogue of declines, and the explorer of the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from flask import Blueprint, Flask, current_app, render_template

from webapp import payments
from webapp.config import Settings
from webapp.kernel.errors import NotFound
from webapp.web.shared.guards import anyone, guard

blueprint = guard(Blueprint("docs", __name__, url_prefix="/docs"), anyone)
WHOSE = {
    payments.Fault.SHOPPER: "The shopper’s",
    payments.Fault.BANK: "The bank’s",
    payments.Fault.PROVIDER: "The provider’s",
    payments.Fault.US: "Ours",
}


class Code(Protocol):
    """One code of an error, as its page shows it."""

    @property
    def code(self) -> str:
        """The code itself."""

    @property
    def status(self) -> int:
        """The HTTP status with which it comes."""

    @property
    def type(self) -> str:
        """The type by which programs branch."""

    @property
    def happened(self) -> str:
        """What happened, in a sentence."""

    @property
    def advice(self) -> str:
        """What to do, in a sentence."""


Codes = Callable[[], Mapping[str, Code]]


def use(app: Flask, codes: Codes) -> None:
    """Say where the pages find the codes."""
    app.extensions["paydeck_codes"] = codes


@blueprint.get("/errors")
def errors() -> str:
    """Show every code."""
    return render_template("docs/errors.html", codes=_codes().values())


@blueprint.get("/errors/<string:name>")
def error(name: str) -> str:
    """Show one code: what happened and what to do."""
    found = _codes().get(name)
    if found is None:
        raise NotFound("There is no error with that code.")
    return render_template("docs/error.html", one=found)


@blueprint.get("/declines")
def declines() -> str:
    """Show every reason of a decline: what to tell whom, whether to try again, whose step it is."""
    return render_template("docs/declines.html", declines=payments.CATALOGUE.values(), whose=WHOSE)


@blueprint.get("/api")
def explorer() -> str:
    """Show the API’s own description, from which requests can be tried; in live mode only reads."""
    settings: Settings = current_app.extensions["paydeck_settings"]
    return render_template("docs/api.html", is_live=settings.livemode)


def _codes() -> Mapping[str, Code]:
    found: Codes = current_app.extensions["paydeck_codes"]
    return found()
