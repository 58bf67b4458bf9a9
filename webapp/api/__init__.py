"""The door for programs: everything under /api/v1, in JSON."""

from webapp.api import door, openapi, orders
from webapp.api.errors import answer
from webapp.api.routing import BLUEPRINTS, OPERATIONS

#: Imported so that their operations stand in the table.
RESOURCES = (door, openapi, orders)

__all__ = ["BLUEPRINTS", "OPERATIONS", "RESOURCES", "answer"]
