"""`paydeck events resend`: to where an event was sent, to an endpoint, to a server at home."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from paydeck import Paydeck, PaydeckError
from paydeck.command import main, resend
from paydeck.command.listen import Place, Target
from tests.api.desk import Shop
from tests.api.things import MAKERS
from tests.clients.desk import KEY
from tests.clients.home import HOOK, Home, an_order, listener
from tests.webhooks.hooks import an_endpoint
from webapp.kernel import clock


def test_an_event_is_sent_again_to_wherever_it_was_sent(shop: Shop, client: Paydeck) -> None:
    event, other = MAKERS["event_id"](shop), MAKERS["endpoint_id"](shop)
    said: list[str] = []
    for to in (None, None, other):
        assert resend.run(client, event, to=to, say=said.append) == 0
    (first, *_rest) = sent = [one["endpoint"] for one in client.deliveries.list(event=event)]
    assert first == other
    assert len(set(sent)) == 2
    assert len(sent) == 4
    assert len(said) == 3
    an_order(client)
    with pytest.raises(PaydeckError, match="no endpoint"):
        resend.run(client, client.events.after("beginning")[-1]["id"] + "x", say=said.append)


def a_target(home: Home) -> Target:
    """Return where a server at home is reached."""
    return Target(HOOK, frozenset(), httpx.Client(transport=httpx.MockTransport(home)))


def test_an_event_is_posted_again_to_a_server_at_home_signed_as_listen_signs(
    client: Paydeck, tmp_path: Path
) -> None:
    an_order(client)
    heard, again = Home(), Home(503)
    one = listener(client, heard, tmp_path / "place")
    one.begin("beginning")
    one.step()
    event = client.events.after("beginning")[0]["id"]
    said: list[str] = []
    secret = one.place.secret
    for ends in (1, 0):
        done = resend.forward(client, event, target=a_target(again), secret=secret, say=said.append)
        assert done == ends
    ((first,), (_refused, taken)) = heard.got, again.got
    assert taken.content == first.content
    assert standardwebhooks.Webhook(secret).verify(taken.content, dict(taken.headers))
    assert taken.headers["webhook-id"] == event
    assert [line.split(" in ")[0] for line in said] == [
        f"order.created  {event}  503",
        f"order.created  {event}  200",
    ]
    assert said[0].endswith(" ms")
    away = a_target(Home(httpx.ConnectError("refused")))
    with pytest.raises(PaydeckError, match="no answer"):
        resend.forward(client, event, target=away, secret=secret, say=said.append)


def test_all_events_of_a_stretch_of_time_are_sent_again_oldest_first(
    shop: Shop, client: Paydeck
) -> None:
    began = clock.now()
    orders = []
    for minutes in range(3):
        with clock.standing_at(began + dt.timedelta(minutes=minutes - 5)):
            orders.append(an_order(client))
    made = [one["created"] for one in client.events.after("beginning")]
    span, home = resend.Span(made[1], made[2] + 1), Home()
    quiet: list[str] = []
    assert not resend.forward(
        client, span, target=a_target(home), secret="s" * 12, say=quiet.append
    )
    assert [json.loads(one.content)["data"]["object"]["id"] for one in home.got] == orders[1:]
    up_to = resend.Span(made[1], made[2])
    assert not resend.forward(client, up_to, target=a_target(home), secret="x", say=quiet.append)
    assert len(home.got) == 3
    endpoint = an_endpoint(shop.merchant_id, "order.created").id
    resend.run_span(client, span, to=endpoint, say=quiet.append)
    assert len(client.deliveries.list(endpoint=endpoint).data) == 2
    assert quiet[-1] == f"2 on their way to {endpoint}."


def test_the_command_forwards_an_event_with_the_secret_of_listen(
    client: Paydeck,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    an_order(client)
    event, home = client.events.after("beginning")[0]["id"], Home()
    http = httpx.Client(transport=httpx.MockTransport(home))
    monkeypatch.setattr(main, "Paydeck", lambda **_where: contextlib.nullcontext(client))
    monkeypatch.setattr(httpx, "Client", lambda **_how: contextlib.nullcontext(http))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    again = ["events", "resend", event, "--forward-to", HOOK]
    assert main.main(again) == 0
    (file,) = tmp_path.rglob("listen-*.json")
    kept = Place.at(file)
    assert f"Verify with the secret {kept.secret}" in capsys.readouterr().out
    assert kept.after is None
    assert main.main([*again[:2], "--since", "2026-01-01T00:00", *again[3:]]) == 0
    assert main.main([*again, "--secret", "a-secret-of-mine"]) == 0
    for got, secret in zip(home.got, [kept.secret] * 2 + [b"a-secret-of-mine"], strict=True):
        assert standardwebhooks.Webhook(secret).verify(got.content, dict(got.headers))
    assert Place.at(file) == kept


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([], "which event"),
        (["evt_1", "--since", "5"], "which event"),
        (["--until", "5"], "--since"),
        (["--since", "5"], "--forward-to"),
    ],
)
def test_what_is_to_be_sent_again_and_where_to_must_be_said(
    typed: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PAYDECK_API_KEY", KEY)
    assert main.main(["events", "resend", *typed]) == 1
    assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main.main(["events", "resend", "--since", "yesterday", "--to", "we_1"])
