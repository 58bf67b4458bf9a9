"""Forms that are sent twice and have one effect: the hidden key, and the remembered answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from functools import partial

from flask import g, redirect, request, session
from werkzeug.wrappers import Response

from webapp import idempotency
from webapp.kernel import ids
from webapp.kernel.errors import Invalid

FIELD = "form_key"
GUEST = "guest"
NOT_HASHED = frozenset({FIELD, "csrf_token"})
SEE_OTHER = 303
#: How often, and for how long each time, a form waits for the same form that came just before.
TWIN_WAITS = 10
TWIN_WAIT_SECONDS = 0.2
SENT_BEFORE = (
    "You sent this form before with other details, and that was done. "
    "Nothing was changed now; to do this too, send it once more."
)


def new_form_key() -> str:
    """Return a fresh key for one rendered form."""
    return ids.new("form")


def once_per_form(
    work: Callable[[], str], *, livemode: bool, to: Callable[[str], str] | None = None
) -> Response:
    """Run `work` once for this form's key and redirect to the address that it returns.

    Where the address holds a secret, `work` returns a public part and `to` makes the address.
    The same form sent again redirects to the same address and runs nothing; sent twice at once, the
    second waits for the first. Raises Invalid naming `form_key` when it is missing, Conflict while
    the first is still running after two seconds, and Invalid when the same key came with other
    contents.
    """
    key = request.form.get(FIELD, "")
    if not key.startswith("form_"):
        raise Invalid("This form is out of date. Reload the page and send it again.", param=FIELD)

    def answer() -> idempotency.Answer:
        return idempotency.Answer(status=SEE_OTHER, body=work().encode())

    once = partial(
        idempotency.once,
        actor_kind="form",
        actor_id=_who(),
        livemode=livemode,
        key=key,
        request_hash=_body_hash(),
        work=answer,
    )
    try:
        given = _after_its_twin(once)
    except idempotency.KeyReused as used:
        raise Invalid(SENT_BEFORE, param=FIELD) from used
    place = given.body.decode()
    return redirect(to(place) if to else place, code=SEE_OTHER)


def _after_its_twin(once: Callable[[], idempotency.Answer]) -> idempotency.Answer:
    """Answer as the same form did that came a moment earlier, such as with a double click."""
    for _ in range(TWIN_WAITS):
        try:
            return once()
        except idempotency.KeyInUse:
            time.sleep(TWIN_WAIT_SECONDS)
    return once()


def _who() -> str:
    """Return who sends forms: the person, or the browser by the seed of its form tokens."""
    if g.person is not None:
        return str(g.person.user_id)
    seed = session.get("csrf_token", GUEST)
    return hashlib.sha256(str(seed).encode()).hexdigest()[:32]


def _body_hash() -> str:
    fields = sorted(
        (name, value)
        for name, values in request.form.lists()
        for value in values
        if name not in NOT_HASHED
    )
    return hashlib.sha256(repr((request.path, fields)).encode()).hexdigest()
