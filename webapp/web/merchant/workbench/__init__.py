"""The pages on which a merchant's developers see what their program does and is told."""

from webapp.web.merchant.workbench import (
    clock,
    deliveries,
    endpoints,
    events,
    exam,
    guide,
    lab,
    requests,
)

__all__ = [
    "clock",
    "deliveries",
    "endpoints",
    "events",
    "exam",
    "guide",
    "lab",
    "requests",
]
