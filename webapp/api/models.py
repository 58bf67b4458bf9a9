"""What bodies, queries and answers are made of: strict types, each with a sentence."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from webapp.kernel import crypto
from webapp.kernel.money import EXPONENTS, MAX_MINOR
from webapp.kernel.paging import MAX_LIMIT

LATEST = 4_102_444_800  # the year 2100
MAX_METADATA = 50
#: No text that is taken is longer, so that no more of one need be looked through for cards.
LOOKED_AT = 4_000
_WHOLE = re.compile(r"-?[0-9]{1,15}")


def _whole(typed: object) -> object:
    """Read a whole number as it stands in an address."""
    if not isinstance(typed, str):
        return typed
    if not _WHOLE.fullmatch(typed):
        raise ValueError("Write a whole number of at most 15 digits.")
    return int(typed)


#: Reads a whole number as it stands in an address.
WHOLE_NUMBER = BeforeValidator(_whole)


def _currency(typed: str) -> str:
    if typed.isascii() and typed.upper() in EXPONENTS:
        return typed.upper()
    raise ValueError("Use a currency that we take, such as INR or USD.")


def _no_card(words: str) -> str:
    if crypto.looks_like_card_number(words[:LOOKED_AT]):
        raise ValueError("That looks like a card number. Never write those here.")
    return words


def _short_words(given: dict[str, str]) -> dict[str, str]:
    for name, said in given.items():
        if not name or len(name) > 40:  # noqa: PLR2004 - as the sentence says
            raise ValueError("A name in metadata has 1 to 40 characters.")
        _no_card(name)
        _no_card(said)
    return given


Minor = Annotated[
    int,
    Field(ge=1, le=MAX_MINOR, description="Whole minor units: 50000 is ₹500.00."),
]
Currency = Annotated[
    str,
    Field(
        description="ISO 4217, in either case; answers are in upper case.",
        json_schema_extra={"enum": sorted(EXPONENTS)},
    ),
    AfterValidator(_currency),
]
Epoch = Annotated[
    int, Field(ge=0, le=LATEST, description="Unix time in seconds."), BeforeValidator(_whole)
]
#: What people write: never a card number.
Words = Annotated[str, AfterValidator(_no_card)]
MailAddress = Annotated[
    Words, Field(min_length=3, max_length=254, json_schema_extra={"format": "email"})
]
Metadata = Annotated[
    dict[str, Annotated[str, Field(max_length=500)]],
    Field(
        max_length=MAX_METADATA,
        description="Up to 50 names of your own with texts of up to 500 characters.",
        json_schema_extra={"propertyNames": {"minLength": 1, "maxLength": 40}},
    ),
    AfterValidator(_short_words),
]


class Body(BaseModel):
    """What is sent as JSON: nothing is converted, nothing unknown is taken. Set EXAMPLE."""

    model_config = ConfigDict(strict=True, extra="forbid", regex_engine="python-re")
    EXAMPLE: ClassVar[dict[str, Any]]


class Query(BaseModel):
    """What stands in the address after the question mark; nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False, regex_engine="python-re")


class ListQuery(Query):
    """What every list takes; lists add their filters."""

    limit: Annotated[
        int,
        Field(ge=1, le=MAX_LIMIT, description="How many objects at most."),
        BeforeValidator(_whole),
    ] = 10
    starting_after: str | None = Field(
        None, max_length=64, description="The id of the last object of the page before."
    )
    ending_before: str | None = Field(
        None, max_length=64, description="The id of the first object of the page after."
    )


class CreatedQuery(ListQuery):
    """A list that can be bounded by when its objects were created."""

    created_gte: Epoch | None = Field(None, alias="created[gte]")
    created_lte: Epoch | None = Field(None, alias="created[lte]")


class Thing(BaseModel):
    """What every object of an answer carries; used to describe answers. Set EXAMPLE."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]]

    id: str
    object: str
    created: int = Field(description="Unix time in seconds.")
    livemode: bool
    metadata: dict[str, str]


class Deleted(BaseModel):
    """That an object is gone."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"id": "we_01KAJ8Z5V0", "object": "x", "deleted": True}

    id: str
    object: str
    deleted: Literal[True]


class ErrorBody(BaseModel):
    """What went wrong, told alike everywhere."""

    type: Literal[
        "invalid_request_error",
        "card_error",
        "idempotency_error",
        "authentication_error",
        "permission_error",
        "rate_limit_error",
        "api_error",
    ]
    code: str = Field(description="Stable; each has a page at doc_url.")
    decline_code: str | None = Field(description="Why the bank declined, where it did.")
    message: str = Field(description="A sentence for people.")
    param: str | None = Field(description="The field that is wrong, as a dotted path.")
    doc_url: str
    request_id: str


class Error(BaseModel):
    """The one envelope of every refusal."""

    error: ErrorBody
