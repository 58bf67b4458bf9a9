"""From where a person’s program calls, in a few words, for the list of their sessions."""

from __future__ import annotations

import re

from flask import request

from webapp.accounts import Device

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,39}(/[0-9][0-9A-Za-z.]{0,15})?")


def this_program() -> Device:
    """Return the program by the name that it gives itself, such as `python-httpx/0.28`."""
    name = _NAME.match(request.user_agent.string)
    words = f"A program ({name[0]})" if name else "A program"
    return Device(words=words, address=request.remote_addr or "")
