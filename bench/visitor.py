"""A browser without a screen: signs in, keeps its cookies, fetches pages."""

from __future__ import annotations

import re
from typing import Any

import requests

_TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Visitor:
    """One signed-in browser of a running copy."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def sign_in(self, email: str, password: str) -> None:
        """Sign in; fails loudly when the portal refuses."""
        answer = self.session.post(
            f"{self.url}/sign-in",
            data={"csrf_token": self.csrf("/sign-in"), "email": email, "password": password},
            allow_redirects=False,
            timeout=20,
        )
        assert answer.status_code == 303, answer.text[:500]

    def csrf(self, path: str) -> str:
        """Return the form token of a page."""
        page = self.session.get(f"{self.url}{path}", timeout=20)
        found = _TOKEN.search(page.text)
        assert found, f"{path} has no form token"
        return found.group(1)

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.session.cookies}


def signed_in(demo: dict[str, Any], role: str) -> Visitor:
    """Return a visitor signed in as one of the demo's people."""
    person = next(one for one in demo["sign_ins"] if one["role"] == role)
    visitor = Visitor(demo["portal"])
    visitor.sign_in(person["email"], person["password"])
    return visitor
