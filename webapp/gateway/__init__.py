"""Payment providers: one port, one adapter each; operations that are sent until answered; an inbox.

The only room that speaks to a provider. It has never heard of payments: whoever drains hands in
what is to be done with an answer.
"""

from webapp.gateway import inbox, operations
from webapp.gateway.calls import (
    Call,
    Cancel,
    Capture,
    Confirm,
    CreateIntent,
    CreateSession,
    ExpireSession,
    Kind,
    LookUp,
    LookUpRefund,
    Refund,
)
from webapp.gateway.claims import Operation
from webapp.gateway.context import QUIET, Context
from webapp.gateway.errors import (
    BadEvent,
    BadSignature,
    NeedsPerson,
    NotWaitingForPerson,
    OperationUnderWay,
    ProviderError,
    Refused,
    UnknownOutcome,
    Unreachable,
)
from webapp.gateway.models import ProviderEvent, ProviderOperation, State
from webapp.gateway.operations import plan
from webapp.gateway.port import (
    CallKey,
    Card,
    Decline,
    Event,
    Failure,
    Outcome,
    Provider,
    Result,
)
from webapp.gateway.providers import preload, provider, put, use
from webapp.gateway.queries import (
    Backlog,
    backlog,
    events_aside,
    events_of,
    has_operation,
    operations_of,
    waiting_for_person,
)
from webapp.outbox import PROVIDER

#: Who acts when an answer of the provider moves something.
ACTOR = PROVIDER

__all__ = [
    "ACTOR",
    "QUIET",
    "Backlog",
    "BadEvent",
    "BadSignature",
    "Call",
    "CallKey",
    "Cancel",
    "Capture",
    "Card",
    "Confirm",
    "Context",
    "CreateIntent",
    "CreateSession",
    "Decline",
    "Event",
    "ExpireSession",
    "Failure",
    "Kind",
    "LookUp",
    "LookUpRefund",
    "NeedsPerson",
    "NotWaitingForPerson",
    "Operation",
    "OperationUnderWay",
    "Outcome",
    "Provider",
    "ProviderError",
    "ProviderEvent",
    "ProviderOperation",
    "Refund",
    "Refused",
    "Result",
    "State",
    "UnknownOutcome",
    "Unreachable",
    "backlog",
    "events_aside",
    "events_of",
    "has_operation",
    "inbox",
    "operations",
    "operations_of",
    "plan",
    "preload",
    "provider",
    "put",
    "use",
    "waiting_for_person",
]
