"""A browser without a screen that expects the worst: every answer may be missing."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

import requests

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
_SECONDS = 8.0
_SEE_OTHER, _SERVER_ERROR = 303, 500
_PUBLISHABLE_KEY = "pk_test_sandbox"


class NoAnswer(Exception):
    """Nobody knows whether what was asked has been done: no answer came, or one of our faults."""

    def __init__(self, reason: str, status: int = 0) -> None:
        self.reason, self.status = reason, status
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: its status, its text, and where it leads or stands."""

    status: int
    text: str
    place: str

    def field(self, name: str) -> str:
        """Return the value of a hidden field; raises NoAnswer when the page is another one."""
        found = re.search(rf'name="{name}" value="([^"]+)"', self.text)
        if found is None:
            raise NoAnswer(f"no field {name} on {self.place}", self.status)
        return found.group(1)


class Browser:
    """One person's browser at `portal`; it keeps its cookies."""

    def __init__(self, portal: str, sandbox: str) -> None:
        self.portal, self.sandbox = portal, sandbox
        self._session = requests.Session()

    def get(self, path: str, *, as_json: bool = False) -> Page:
        """Fetch a page, wherever it leads; raises NoAnswer."""
        return self._asked("GET", path, as_json=as_json, follow=True)

    def post(self, path: str, fields: dict[str, str]) -> Page:
        """Send a form and return what came back, without following it; raises NoAnswer."""
        return self._asked("POST", path, fields=fields)

    def sign_in(self, email: str, password: str) -> None:
        """Sign in; raises NoAnswer, also when the portal refuses."""
        page = self.get("/sign-in")
        found = _TOKEN.search(page.text)
        if found is None:
            raise NoAnswer("no token on the sign-in page", page.status)
        fields = {"csrf_token": found.group(1), "email": email, "password": password}
        answer = self.post("/sign-in", fields)
        if answer.status != _SEE_OTHER:
            raise NoAnswer("the sign-in was refused", answer.status)

    def card(self, number: str) -> str:
        """Type a card into the provider's own fields; returns its `pm_…`; raises NoAnswer."""
        typed = {
            "type": "card",
            "card[number]": number,
            "card[exp_month]": "11",
            "card[exp_year]": str(time.gmtime().tm_year + 3),
            "card[cvc]": "123",
        }
        try:
            answer = self._session.post(
                f"{self.sandbox}/v1/payment_methods",
                data=typed,
                headers={"Authorization": f"Bearer {_PUBLISHABLE_KEY}"},
                timeout=_SECONDS,
            )
            return str(answer.json()["id"])
        except (requests.RequestException, KeyError) as lost:
            raise NoAnswer(f"the provider’s card fields: {type(lost).__name__}") from lost

    def _asked(
        self,
        method: str,
        path: str,
        *,
        fields: dict[str, str] | None = None,
        as_json: bool = False,
        follow: bool = False,
    ) -> Page:
        try:
            answer = self._session.request(
                method,
                path if path.startswith("http") else f"{self.portal}{path}",
                data=fields,
                headers={"Accept": "application/json"} if as_json else {},
                allow_redirects=follow,
                timeout=_SECONDS,
            )
        except requests.RequestException as lost:
            raise NoAnswer(type(lost).__name__) from lost
        if answer.status_code >= _SERVER_ERROR:
            raise NoAnswer(f"answer {answer.status_code}", answer.status_code)
        place = answer.url if follow else answer.headers.get("Location", answer.url)
        return Page(answer.status_code, answer.text, place)

    def json(self, path: str) -> dict[str, Any]:
        """Fetch what a page would show, as data; raises NoAnswer."""
        page = self.get(path, as_json=True)
        try:
            told = json.loads(page.text)
        except ValueError as wrong:
            raise NoAnswer(f"no JSON at {path}", page.status) from wrong
        if not isinstance(told, dict):
            raise NoAnswer(f"no object at {path}", page.status)
        return told
