"""What came in, read strictly: bodies and queries, and what is wrong with them in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

from flask import g, request
from pydantic import BaseModel, ValidationError

from webapp.api.errors import (
    BodyNotJson,
    BodyUnreadable,
    ParameterInvalid,
    ParameterMissing,
    ParameterUnknown,
)
from webapp.kernel import crypto

Model = TypeVar("Model", bound=BaseModel)
JSON_TYPE = re.compile(r"application/([a-z0-9.+-]+\+)?json")
#: A field's name as we show it again; anything else stays unsaid.
SHOWN = re.compile(r"[A-Za-z0-9_\[\]-]{1,64}")
DEEPEST = 32
#: No number has more places before or after its point; a computer's own floats end at 308.
MOST_PLACES = 400
OUT_OF_RANGE = f"The body has a number in it of more than {MOST_PLACES} places."
#: Our sentences for pydantic's kinds of error; others keep its own, which never hold the input.
SENTENCES = {
    "string_type": "Write this as text.",
    "int_type": "Write a whole number.",
    "int_from_float": "Write a whole number.",
    "bool_type": "Write true or false.",
    "list_type": "Write this as a list.",
    "dict_type": "Write this as an object.",
    "model_type": "Write this as an object.",
    "model_attributes_type": "Write this as an object.",
    "greater_than": "This must be more than {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
    "string_too_long": "Keep this to {max_length} characters.",
    "string_too_short": "Write at least {min_length} characters.",
    "too_long": "Keep this to {max_length} entries.",
    "too_short": "Give no fewer entries than {min_length}.",
    "literal_error": "This must be one of {expected}.",
    "enum": "This must be one of {expected}.",
    "string_pattern_mismatch": "Write this in the form {pattern}.",
}

FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def json_body() -> dict[str, Any]:
    """Return the body as an object, {} where there is none; numbers with a point are Decimals.

    Raises BodyNotJson, BodyUnreadable.
    """
    raw = request.get_data(cache=True)
    if not raw:
        if _was_read_as_form():
            raise BodyNotJson
        return {}
    if not JSON_TYPE.fullmatch(request.mimetype):
        raise BodyNotJson
    try:
        found = json.loads(
            raw.decode(),
            object_pairs_hook=_once_each,
            parse_constant=_no_number,
            parse_float=_decimal,
            parse_int=_whole,
        )
    except (ValueError, RecursionError) as wrong:
        raise BodyUnreadable from wrong
    if not isinstance(found, dict):
        raise BodyUnreadable
    _storable(found)
    return found


def _was_read_as_form() -> bool:
    """Whether a body may have come and is gone, since its media type is a form's.

    Only a length of 0 says that none did: chunks have no length, and HTTP/2 need not tell one.
    """
    return request.mimetype in FORM_TYPES and request.content_length != 0


def hide_body(shown: Mapping[str, Any], *, known_by: str) -> None:
    """Put another body in the place of the one that came, for whoever keeps it later.

    For what may pass through and must not stay: a card's number and its code. `known_by` is a keyed
    hash of what is hidden: it tells one request from another and stands nowhere itself.
    """
    g.hidden_part = known_by
    request._cached_data = json.dumps(dict(shown)).encode()  # noqa: SLF001 - its only place


def canonical(body: Mapping[str, Any]) -> str:
    """Return one text for all bodies that say the same."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)


def body_of(model: type[Model], sent: dict[str, Any]) -> Model:
    """Return the body as its model; raises the refusal that names the first field that is wrong."""
    try:
        return model.model_validate(sent)
    except ValidationError as wrong:
        _refuse(wrong)


def query_of(model: type[Model]) -> Model:
    """Return the query as its model.

    A name given twice is refused unless it is a list's, and so is one without a value.
    """
    sent: dict[str, Any] = {}
    for name, values in request.args.lists():
        if name.endswith("[]"):
            sent[name] = values
        elif len(values) > 1:
            raise ParameterInvalid("Give this once.", param=_shown((name,)))
        else:
            sent[name] = values[0]
    try:
        found = model.model_validate(sent)
    except ValidationError as wrong:
        _refuse(wrong)
    for name, value in sent.items():
        if value == "":  # a program whose variable is empty would be shown everybody's
            raise ParameterInvalid("This is empty. Give it a value, or leave it out.", param=name)
    return found


def no_query() -> None:
    """Refuse any query where the operation takes none."""
    for name in request.args:
        raise ParameterUnknown(param=_shown((name,)))


def no_body() -> None:
    """Refuse any field where the operation takes no body."""
    for name in json_body():
        raise ParameterUnknown(param=_shown((name,)))


def _refuse(wrong: ValidationError) -> NoReturn:
    found = wrong.errors(include_url=False)
    # A name that is spelt wrongly is missing and unknown at once: the second says more.
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    kind, param = first["type"], _shown(first["loc"])
    if kind == "missing":
        raise ParameterMissing(param=param) from None
    if kind == "extra_forbidden":
        raise ParameterUnknown(param=param) from None
    if isinstance(first["input"], str) and kind in {"too_long", "too_short"}:
        kind = f"string_{kind}"
    told = SENTENCES.get(kind, first["msg"].removeprefix("Value error, "))
    context = {name: value for name, value in first.get("ctx", {}).items() if name != "error"}
    raise ParameterInvalid(told.format(**context) if context else told, param=param) from None


def _shown(place: tuple[str | int, ...]) -> str | None:
    words = [str(word) for word in place]
    if not all(SHOWN.fullmatch(word) for word in words):
        return None
    path = ".".join(words)
    return None if crypto.looks_like_card_number(path) else path or None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BodyUnreadable("A name stands twice in the body.")
    return found


def _no_number(_word: str) -> NoReturn:
    raise BodyUnreadable("NaN and Infinity are not numbers in JSON.")


def _whole(written: str) -> int:
    if len(written) > MOST_PLACES:
        raise BodyUnreadable(OUT_OF_RANGE)
    return int(written)


def _decimal(written: str) -> Decimal:
    """Read a number with a point or an exponent exactly, where it is one that can be used."""
    try:
        found = Decimal(written)
    except InvalidOperation as beyond:  # its exponent has more digits than the machine's words
        raise BodyUnreadable(OUT_OF_RANGE) from beyond
    if len(written) > MOST_PLACES or abs(found.adjusted()) > MOST_PLACES:
        raise BodyUnreadable(OUT_OF_RANGE)
    return found


def _storable(found: object) -> None:
    """Refuse text that the database cannot keep, and what is nested beyond any use."""
    open_ends: list[tuple[object, int]] = [(found, 1)]
    while open_ends:
        value, depth = open_ends.pop()
        if depth > DEEPEST:
            raise BodyUnreadable("The body is nested too deeply.")
        if isinstance(value, dict):
            open_ends += [(one, depth + 1) for pair in value.items() for one in pair]
        elif isinstance(value, list):
            open_ends += [(one, depth + 1) for one in value]
        elif isinstance(value, str) and ("\x00" in value or _has_half(value)):
            raise BodyUnreadable("The body has a character in it that cannot be stored.")


def _has_half(text: str) -> bool:
    """Whether half of a surrogate pair stands in the text, which no encoding takes."""
    return any("\ud800" <= letter <= "\udfff" for letter in text)
