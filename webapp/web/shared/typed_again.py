"""A page shown again with what was typed and what is wrong with it beside its field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar

from flask import g, make_response, request
from werkzeug.wrappers import Response

from webapp.kernel.errors import Invalid
from webapp.web.shared.errors import status_of

Answer = TypeVar("Answer", bound=Response | str)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was sent to `action` and refused: the field, what is wrong, and all that was typed."""

    action: str
    field: str
    says: str
    typed: dict[str, str]

    def said_of(self, name: str, action: str) -> str | None:
        """Return what is wrong with a field of the form that goes to `action`, or None."""
        return self.says if (name, action) == (self.field, self.action) else None

    def kept(self, name: str, action: str) -> str:
        """Return what was typed into a field of the form that goes to `action`."""
        return self.typed.get(name, "") if action == self.action else ""


NOTHING = Wrong("", "", "", {})


def wrong_form() -> Wrong:
    """Return what was refused of the form that this request sent; nothing where nothing was."""
    found: Wrong = g.get("wrong_form", NOTHING)
    return found


def shown_again(
    page: Callable[..., Answer], *fields: str
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Have a view that refuses one of `fields` answer with `page`, called with the same parts.

    The page's forms ask `wrong_form()` what to say beside the field, and what to keep in it.
    """

    def around(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def watched(**parts: str) -> Response:
            try:
                return view(**parts)
            except Invalid as wrong:
                if wrong.param not in fields:
                    raise
                typed = {
                    name: value for name, value in request.form.items() if name != "csrf_token"
                }
                g.wrong_form = Wrong(request.path, wrong.param or "", wrong.message, typed)
                response = make_response(page(**parts))
                response.status_code = status_of(wrong)
                return response

        return watched

    return around
