"""What must be true of everything that waits: it has an owner, and nothing waits for ever."""

from __future__ import annotations

from typing import Final

from webapp.kernel.proof import Check

#: Work that gave up waits for a person and is listed for them; here it counts as looked after.
_WITH_A_PERSON = """
  EXISTS (SELECT 1 FROM provider_operation WHERE subject_id = late.id AND state = 'manual')"""

WAITING: Final[tuple[Check, ...]] = (
    Check(
        "nothing_past_its_deadline",
        holds="Nothing waits past its deadline, but with a person who was told.",
        broken="something waits past its deadline",
        sql=f"""
        SELECT late.id, format('%s since %s', late.status, late.deadline_at) FROM (
          SELECT id, status, deadline_at FROM payment
           WHERE check_at IS NOT NULL AND deadline_at < clock_now() - interval '10 min'
          UNION ALL
          SELECT id, status, deadline_at FROM refund
           WHERE check_at IS NOT NULL AND deadline_at < clock_now() - interval '10 min'
          UNION ALL
          SELECT id, status, leaves_at FROM refund
           WHERE status = 'approved' AND leaves_at < clock_now() - interval '10 min'
             AND NOT EXISTS (SELECT 1 FROM refund_freeze WHERE frozen_at IS NOT NULL)
          UNION ALL
          SELECT id, status, deadline_at FROM correction
           WHERE status = 'requested' AND deadline_at < clock_now() - interval '2 h') AS late
        WHERE NOT {_WITH_A_PERSON}""",  # noqa: S608 - constants
    ),
    Check(
        "refunds_leave_in_time",
        holds="Every approved refund leaves within ten minutes, but while refunds are stopped.",
        broken="an approved refund does not leave",
        sql="""
        SELECT id, format('approved, since %s', least(leaves_at, deadline_at)) FROM refund
        WHERE status = 'approved'
          AND least(leaves_at, deadline_at) < clock_now() - interval '10 min'
          AND EXISTS (SELECT 1 FROM refund_freeze WHERE frozen_at IS NULL)""",
    ),
    Check(
        "links_end_in_time",
        holds="No checkout link stays open after its time, but while a payment is under way.",
        broken="a checkout link is open after its time",
        sql="""
        SELECT id, format('since %s', expires_at) FROM checkout_session
        WHERE status = 'open' AND expires_at < clock_now() - interval '5 min'
          AND NOT EXISTS (SELECT 1 FROM payment WHERE order_id = checkout_session.order_id
                AND status IN ('processing', 'requires_action', 'authorised'))""",
    ),
    Check(
        "facts_are_told_in_time",
        holds="Every fact is told within a minute, or is listed as having failed, or waits behind"
        " such a one where the order counts.",
        broken="a fact has waited for more than a minute",
        sql="""
        SELECT fact_id, format('for %s since %s', consumer, due_at) FROM outbox_due AS due
        WHERE due_at < clock_now() - interval '60 s'
          AND NOT (consumer LIKE 'bus%' AND EXISTS (
            SELECT 1 FROM fact AS this
            JOIN fact AS earlier ON earlier.subject_kind = this.subject_kind
              AND earlier.subject_id = this.subject_id AND earlier.version < this.version
            JOIN outbox_due AS failed ON failed.fact_id = earlier.id
              AND failed.consumer = due.consumer AND failed.due_at > clock_now()
            WHERE this.id = due.fact_id))""",
    ),
    Check(
        "no_call_without_an_owner",
        holds="No call to the provider is held past its lease.",
        broken="a call is held by a worker that has gone",
        sql="""
        SELECT id, format('%s of %s since %s', kind, subject_id, lease_until)
        FROM provider_operation
        WHERE state IN ('pending', 'in_flight', 'unknown') AND state = 'in_flight'
          AND lease_until < clock_now() - interval '35 s'""",
    ),
    Check(
        "calls_are_made_in_time",
        holds="Every call to the provider is made within five minutes of being due.",
        broken="a call to the provider is overdue",
        sql="""
        SELECT id, format('%s of %s, %s since %s', kind, subject_id, state, due_at)
        FROM provider_operation
        WHERE state IN ('pending', 'in_flight', 'unknown') AND state <> 'in_flight'
          AND due_at < clock_now() - interval '5 min'
          AND (kind <> 'refund' OR first_sent_at IS NOT NULL
            OR EXISTS (SELECT 1 FROM refund_freeze WHERE frozen_at IS NULL))""",
    ),
    Check(
        "messages_are_applied_in_time",
        holds="Every message of the provider is applied within five minutes of being due.",
        broken="a message of the provider waits",
        sql="""
        SELECT event_id, format('%s since %s', kind, due_at) FROM provider_event
        WHERE due_at < clock_now() - interval '5 min'""",
    ),
    Check(
        "acts_are_sealed_in_time",
        holds="Every act in the audit trail is sealed within a minute.",
        broken="an act waits for its seal",
        sql="""
        SELECT u.audit_id, format('since %s', a.at)
        FROM audit_unsealed u JOIN audit_entry a ON a.id = u.audit_id
        WHERE a.at < clock_now() - interval '60 s'""",
    ),
)
