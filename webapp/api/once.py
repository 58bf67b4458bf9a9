"""One effect and one answer for each Idempotency-Key, whatever is sent again and how often.

Answers are kept sealed: some tell a secret that is told only once, such as a new key's text. Those
are given again to the very credential that was told them, and to none that is being replaced.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from flask import Response, g, request

from webapp import accounts, idempotency
from webapp.api import errors, reading
from webapp.api.caller import Caller, caller
from webapp.kernel import crypto
from webapp.kernel.errors import Conflict, Declined, Refusal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
ORIGINAL = "Original-Request"
#: What a rule refuses stays refused under its key; other refusals may be otherwise next time.
BY_RULE = (Conflict, Declined)
Work = Callable[[], idempotency.Answer]


def run(
    work: Work, *, must: bool, hashed: tuple[str, ...], tells_secret: bool
) -> idempotency.Answer:
    """Return the answer of `work`, run at most once for this caller's key.

    `hashed` says what makes the request the same besides method, body and version; where the answer
    `tells_secret`, also who asks does. Without a key the work just runs, unless one must be sent:
    then KeyMissing. Raises KeyMalformed, KeyInUse, KeyReused, and KeyEnded where a key that is
    being replaced asks for such an answer again.
    """
    sent = request.headers.get(HEADER)
    who = caller()
    if sent is None and not must:
        return work()
    key = idempotency.check_key(sent)
    g.idempotency_key = key
    kind, name = _whose(who)
    body = reading.canonical(reading.json_body())
    hidden = (found,) if (found := g.get("hidden_part")) else ()
    for_whom = _credential(who) if tells_secret else _reach(who)
    request_hash = idempotency.request_hash(
        request.method, *hashed, body, *hidden, who.version, *for_whom
    )
    place = f"idempotency_key:body:{kind}:{name}:{key}"

    def remembered() -> idempotency.Answer:
        try:
            answer = work()
        except BY_RULE as refusal:
            if isinstance(refusal, Conflict) and refusal.passes:
                raise
            raise idempotency.Refused(_sealed(_refusal(refusal), place)) from refusal
        return _sealed(_signed(answer), place)

    kept = idempotency.once(kind, name, who.livemode, key, request_hash, remembered)
    if tells_secret and kept.replayed:
        _refuse_replaced(who)
    return replace(kept, body=crypto.unseal(kept.body.decode(), context=place).encode())


def respond(answer: idempotency.Answer) -> Response:
    """Return the answer as it was given, bytes and headers."""
    response = Response(answer.body, status=answer.status, mimetype="application/json")
    response.headers.update(answer.headers)
    g.is_replay = answer.replayed
    if answer.replayed:
        response.headers[REPLAYED] = "true"
    return response


def _whose(who: Caller) -> tuple[str, str]:
    """Return whose key it is: the merchant's, so that a rolled API key finds it again.

    A publishable key is everybody's: what is sent with it takes no name that the shop uses itself.
    """
    if who.key_id is not None and not who.is_secret:
        return "publishable", who.key_id
    if who.merchant_id is not None:
        return "merchant", who.merchant_id
    if who.person is not None:
        return "admin" if who.actor.kind == "admin" else "user", who.person.user_id
    return "address", request.remote_addr or "unknown"


def _reach(who: Caller) -> list[str]:
    """Return what a key may do that may not do all: another one is not told its answers."""
    everything = accounts.may_do(accounts.KeyKind.SECRET, None)
    return [] if who.kind != "key" or who.scopes >= everything else sorted(who.scopes)


def _credential(who: Caller) -> list[str]:
    """Return whose answer it is alone: the very key's, or the person's whoever they act for."""
    return ["key", who.key_id] if who.key_id else ["person", who.user_id or ""]


def _refuse_replaced(who: Caller) -> None:
    """Refuse a key that is being replaced: whoever else holds it is told nothing that follows."""
    if who.key_id and accounts.key_of(who.merchant, who.key_id).replaced_by is not None:
        raise accounts.KeyEnded


def _refusal(refusal: Refusal) -> idempotency.Answer:
    status = errors.status_of(refusal)
    body = errors.told(status, refusal)
    g.error_code = refusal.code
    return _signed(idempotency.Answer(status, json.dumps(body, ensure_ascii=False).encode()))


def _sealed(answer: idempotency.Answer, place: str) -> idempotency.Answer:
    return replace(answer, body=crypto.seal(answer.body.decode(), context=place).encode())


def _signed(answer: idempotency.Answer) -> idempotency.Answer:
    headers = {**answer.headers, ORIGINAL: g.request_id}
    return idempotency.Answer(answer.status, answer.body, headers)
