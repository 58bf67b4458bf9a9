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
from webapp.gateway.decisions import CHOICES, NOT_DONE, Choice, Decision, choice_of
from webapp.gateway.desk import (
    WAITS,
    Waits,
    deadline_of,
    event_counts,
    event_of,
    events_page,
    operation_row,
    refused_events,
    unfinished_events,
    unfinished_operations,
)
from webapp.gateway.errors import (
    BadDecision,
    BadEvent,
    BadSignature,
    EventNotFound,
    ForeignObject,
    NeedsPerson,
    NotWaitingForPerson,
    OperationUnderWay,
    ProviderError,
    Refused,
    UnknownOperation,
    UnknownOutcome,
    Unreachable,
)
from webapp.gateway.models import (
    ProviderEvent,
    ProviderOperation,
    RefusedEvent,
    Standing,
    State,
)
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
    "CHOICES",
    "NOT_DONE",
    "QUIET",
    "WAITS",
    "Backlog",
    "BadDecision",
    "BadEvent",
    "BadSignature",
    "Call",
    "CallKey",
    "Cancel",
    "Capture",
    "Card",
    "Choice",
    "Confirm",
    "Context",
    "CreateIntent",
    "CreateSession",
    "Decision",
    "Decline",
    "Event",
    "EventNotFound",
    "ExpireSession",
    "Failure",
    "ForeignObject",
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
    "RefusedEvent",
    "Result",
    "Standing",
    "State",
    "UnknownOperation",
    "UnknownOutcome",
    "Unreachable",
    "Waits",
    "backlog",
    "choice_of",
    "deadline_of",
    "event_counts",
    "event_of",
    "events_aside",
    "events_of",
    "events_page",
    "has_operation",
    "inbox",
    "operation_row",
    "operations",
    "operations_of",
    "plan",
    "preload",
    "provider",
    "put",
    "refused_events",
    "unfinished_events",
    "unfinished_operations",
    "use",
    "waiting_for_person",
]
