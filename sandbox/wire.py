"""Stripe's wire format: bracketed forms in, error objects and answers out."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.config import Settings
from sandbox.store import Json, Transaction

_DOCS = "https://stripe.com/docs/error-codes/"
_MOST_METADATA = 50
_LONGEST_METADATA_NAME = 40
_LONGEST_METADATA_VALUE = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: the HTTP status and the JSON body as text."""

    status: int
    body: str


class ApiError(Exception):
    """A refusal in Stripe's shape; one raised `remember=False` is not kept under its key."""

    def __init__(
        self, status: int, message: str, *, remember: bool = True, **details: object
    ) -> None:
        super().__init__(message)
        self.status = status
        self.remember = remember
        error: Json = {"message": message, "type": "invalid_request_error"}
        error.update({name: value for name, value in details.items() if value is not None})
        if "code" in error:
            error["doc_url"] = doc_url(str(error["code"]))
        self.error = error

    def answer(self) -> Answer:
        """The refusal as it goes over the wire."""
        return Answer(self.status, dump({"error": self.error}))


def doc_url(code: str) -> str:
    """The address under which the provider documents an error code."""
    return _DOCS + code.replace("_", "-")


def dump(body: Json) -> str:
    """A body as text; the same body always gives the same bytes."""
    return json.dumps(body, ensure_ascii=False, indent=2)


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter is wrong: refused before anything began, so the key stays free."""
    return ApiError(400, message, param=param, code=code, remember=False)


def missing(noun: str, object_id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """Nothing has that id."""
    return ApiError(status, f"No such {noun}: '{object_id}'", code="resource_missing", param=param)


def parse_form(pairs: Iterable[tuple[str, str]]) -> Json:
    """Bracketed names as nested values: `a[b]=1`, `a[]=1` and `a[0][b]=1` as the provider reads."""
    tree: Json = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        node, key = tree, head
        for part in rest:
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                raise invalid(f"Invalid parameter: {name}", param=name)
            node, key = child, part or str(len(child))
        node[key] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_with_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _with_lists(child) for name, child in value.items()}


class Params:
    """The parameters of one call; each is read once, and what nobody read is refused by name."""

    def __init__(self, values: Json, path: str = "") -> None:
        self._values = dict(values)
        self._path = path

    def name(self, key: str) -> str:
        """The parameter's full name, such as `card[number]`."""
        return f"{self._path}[{key}]" if self._path else key

    def has(self, key: str) -> bool:
        """Whether the parameter was sent and not yet read."""
        return key in self._values

    def take(self, key: str) -> Any:
        """The raw value, None when it was not sent."""
        return self._values.pop(key, None)

    def text(self, key: str, *, longest: int = 5000) -> str | None:
        """A text, None when it was not sent or was sent empty to unset it."""
        value = self.take(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise invalid(f"Invalid string: {value}", param=self.name(key))
        if len(value) > longest:
            raise invalid(
                f"Invalid string: {value[:20]}…; must be at most {longest} characters",
                param=self.name(key),
                code="parameter_invalid_string",
            )
        return value

    def need_text(self, key: str) -> str:
        """A text that must be there."""
        if not self.has(key):
            raise invalid(
                f"Missing required param: {self.name(key)}.",
                param=self.name(key),
                code="parameter_missing",
            )
        value = self.text(key)
        if value is None:
            raise invalid(
                f"You passed an empty string for '{self.name(key)}'. You should remove it from "
                "your request or supply a non-empty value.",
                param=self.name(key),
                code="parameter_invalid_empty",
            )
        return value

    def integer(self, key: str) -> int | None:
        """A whole number, None when it was not sent."""
        return self._as_integer(key, self.text(key)) if self.has(key) else None

    def need_integer(self, key: str) -> int:
        """A whole number that must be there."""
        return self._as_integer(key, self.need_text(key))

    def _as_integer(self, key: str, value: str | None) -> int:
        digits = (value or "").removeprefix("-")
        if not (digits.isascii() and digits.isdigit()):
            raise invalid(
                f"Invalid integer: {value}",
                param=self.name(key),
                code="parameter_invalid_integer",
            )
        return int(value or "")

    def flag(self, key: str) -> bool:
        """True or false; false when it was not sent."""
        value = self.text(key)
        if value not in {None, "true", "false"}:
            raise invalid(f"Invalid boolean: {value}", param=self.name(key))
        return value == "true"

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """One of the choices, None when it was not sent."""
        value = self.text(key)
        if value is not None and value not in choices:
            raise invalid(
                f"Invalid {self.name(key)}: must be one of {', '.join(choices)}",
                param=self.name(key),
            )
        return value

    def mapping(self, key: str) -> "Params | None":
        """The parameters nested under this one, None when it was not sent."""
        value = self.take(key)
        if value is None or value == "":
            return None
        if not isinstance(value, dict):
            raise invalid("Invalid object", param=self.name(key))
        return Params(value, self.name(key))

    def items(self, key: str) -> list[Any]:
        """A list, empty when it was not sent."""
        value = self.take(key)
        if value is None or value == "":
            return []
        if not isinstance(value, list):
            raise invalid("Invalid array", param=self.name(key))
        return value

    def metadata(self, old: dict[str, str] | None = None) -> dict[str, str]:
        """The metadata after this call: names sent are set, sent empty they are removed."""
        merged = dict(old or {})
        for name, value in (self.mapping_or_empty("metadata")).items():
            if not isinstance(value, str) or len(value) > _LONGEST_METADATA_VALUE:
                raise invalid(
                    f"Metadata values can have up to {_LONGEST_METADATA_VALUE} characters",
                    param="metadata",
                )
            if len(name) > _LONGEST_METADATA_NAME:
                raise invalid(
                    f"Metadata keys can have up to {_LONGEST_METADATA_NAME} characters",
                    param="metadata",
                )
            merged[name] = value
        merged = {name: value for name, value in merged.items() if value}
        if len(merged) > _MOST_METADATA:
            raise invalid(f"Metadata can have up to {_MOST_METADATA} keys", param="metadata")
        return merged

    def mapping_or_empty(self, key: str) -> Json:
        """The raw mapping under this name, empty when it was not sent."""
        nested = self.mapping(key)
        return nested.rest() if nested else {}

    def rest(self) -> Json:
        """Everything not read yet."""
        values, self._values = self._values, {}
        return values

    def finish(self) -> None:
        """Refuses the first parameter that nobody read."""
        for key in self._values:
            raise invalid(
                f"Received unknown parameter: {self.name(key)}",
                param=self.name(key),
                code="parameter_unknown",
            )


@dataclass(slots=True)
class Call:
    """One API call on its way through the sandbox."""

    tx: Transaction
    params: Params
    settings: Settings
    arguments: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    idempotency_key: str | None = None
    publishable: bool = False
    """The call was made with the publishable key, from the card fields page."""
