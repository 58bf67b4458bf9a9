"""The door for programs: everything under /api/v1, in JSON."""

from webapp.api import (
    admin_money,
    admin_people,
    admin_trail,
    aliases,
    analytics,
    api_keys,
    auth,
    checkout_sessions,
    customers,
    deliveries,
    door,
    events,
    ledger,
    openapi,
    orders,
    payment_links,
    payment_story,
    payments,
    refunds,
    requests,
    test_clock,
    transactions,
    users,
    wallet_statements,
    wallet_transfers,
    wallets,
    webhook_endpoints,
)
from webapp.api.catalogue import entries as error_codes
from webapp.api.door import answer_elsewhere
from webapp.api.routing import BLUEPRINTS, OPERATIONS

#: Imported so that their operations stand in the table.
RESOURCES = (
    admin_money,
    admin_people,
    admin_trail,
    aliases,
    analytics,
    api_keys,
    auth,
    checkout_sessions,
    customers,
    deliveries,
    door,
    events,
    ledger,
    openapi,
    orders,
    payment_links,
    payment_story,
    payments,
    refunds,
    requests,
    test_clock,
    transactions,
    users,
    wallet_statements,
    wallet_transfers,
    wallets,
    webhook_endpoints,
)

__all__ = ["BLUEPRINTS", "OPERATIONS", "RESOURCES", "answer_elsewhere", "error_codes"]
