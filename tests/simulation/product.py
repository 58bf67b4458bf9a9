"""Parts of the product by name, for bugs to be planted in what is nobody's to touch otherwise."""

from __future__ import annotations

import importlib
from typing import Any


def room(name: str) -> Any:
    """Return the module of that name, of the jobs or else of the portal."""
    return importlib.import_module(name if name.startswith("jobs.") else f"webapp.{name}")
