"""Behind https the cookies insist on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.accounts.people import PASSWORD, new_address, somebody
from tests.checked_client import CheckedClient
from tests.portal import cloned, dispose, environment
from webapp import config
from webapp.app import create_app
from webapp.kernel import db

PUBLIC = "https://pay.shop.example"


@pytest.fixture
def client(stores: Stores) -> Iterator[CheckedClient]:
    """A browser at a portal that people reach by https."""
    with cloned(stores) as database:
        settings = config.read(environment(stores, database) | {"PUBLIC_URL": PUBLIC})
        app = create_app(settings, ROUTES)
        app.test_client_class = CheckedClient
        with app.app_context():
            made = app.test_client()
            assert isinstance(made, CheckedClient)
            yield made
            db.session.remove()
        dispose(app)


@pytest.mark.requirement("S2-79")
def test_every_cookie_is_bound_to_the_host_and_to_https(client: CheckedClient) -> None:
    email = new_address()
    somebody(email)
    headers = {"Origin": PUBLIC, "Referer": f"{PUBLIC}/sign-in"}
    form = client.get("/sign-in", base_url=PUBLIC)
    token = (
        form.get_data(as_text=True).split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    )
    fields = {"csrf_token": token, "email": email, "password": PASSWORD, "next": ""}
    answer = client.post("/sign-in", base_url=PUBLIC, data=fields, headers=headers)
    assert answer.status_code == 303
    lines = form.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")
    assert any(line.startswith("__Host-paydeck_443_session=") for line in lines)
    for line in lines:
        assert line.startswith("__Host-")
        assert "Secure" in line
        assert "HttpOnly" in line
        assert "SameSite=Lax" in line
        assert "Domain" not in line
