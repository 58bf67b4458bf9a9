"""The command `paydeck`: it forwards, keeps its place, makes events, follows the log."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import httpx
import pytest
import standardwebhooks

from paydeck import Paydeck, PaydeckError
from paydeck.command import listen, logs, main, trigger
from paydeck.command.listen import Place
from tests.api.desk import Shop
from tests.api.things import MAKERS
from tests.clients.desk import KEY, Script, fine, refused
from tests.clients.home import HOOK, Home, an_order, listener
from tests.webhooks.hooks import tell
from webapp import webhooks


def test_what_happens_is_forwarded_signed_as_standard_webhooks_has_it(
    client: Paydeck, tmp_path: Path
) -> None:
    an_order(client)
    home = Home()
    one = listener(client, home, tmp_path / "place")
    one.begin(None)
    order = an_order(client)
    assert one.step() == 1
    (got,) = home.got
    headers = dict(got.headers)
    told = standardwebhooks.Webhook(one.place.secret).verify(got.content, headers)
    assert (told["type"], told["data"]["object"]["id"]) == ("order.created", order)
    assert headers["webhook-id"] == told["id"]
    assert headers["x-webhook-event"] == "order.created"
    assert "authorization" not in headers


def test_whoever_listens_again_gets_what_happened_meanwhile(
    client: Paydeck, tmp_path: Path
) -> None:
    file, home = tmp_path / "deep" / "place", Home()
    first = listener(client, home, file)
    first.begin(None)
    an_order(client)
    first.step()
    missed = [an_order(client), an_order(client)]
    again = listener(client, home, file)
    again.begin(None)
    again.step()
    assert [json.loads(one.content)["data"]["object"]["id"] for one in home.got[1:]] == missed
    assert again.place.secret == first.place.secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert again.step() == 0


def test_one_can_begin_at_the_first_event_after_any_or_now(client: Paydeck, tmp_path: Path) -> None:
    for _ in range(3):
        an_order(client)
    second = client.events.after("beginning")[1]["id"]
    for start, came in (("beginning", 3), (second, 1), ("now", 0)):
        one = listener(client, Home(), tmp_path / "place")
        one.begin(start)
        assert one.step() == came, start
    lost = listener(client, Home(), tmp_path / "place")
    lost.begin("evt_of_another_world")
    with pytest.raises(PaydeckError, match="not known"):
        lost.step()


def test_only_chosen_events_are_forwarded_and_the_place_moves_past_others(
    client: Paydeck, tmp_path: Path
) -> None:
    home = Home()
    one = listener(client, home, tmp_path / "place", "order.cancelled")
    one.begin("beginning")
    client.orders.cancel(an_order(client))
    tell()
    assert one.step() == 2
    assert home.events == ["order.cancelled"]
    assert one.step() == 0


def test_an_event_waits_for_a_server_that_is_away_and_a_refusal_counts_as_an_answer(
    client: Paydeck, tmp_path: Path
) -> None:
    said: list[str] = []
    waits: list[float] = []
    home = Home(httpx.ConnectError("refused"), httpx.ConnectError("refused"), 500)
    one = listener(client, home, tmp_path / "place", say=said.append, sleep=waits.append)
    one.begin("beginning")
    an_order(client)
    an_order(client)
    assert one.step() == 2
    assert len(home.got) == 2
    assert waits == [1.0, 2.0]
    assert [line.split("  ")[2].split(" in ")[0] for line in said[2:]] == [
        "no answer (refused); trying again",
        "no answer (refused); trying again",
        "500",
        "200",
    ]


def test_an_event_whose_answer_cannot_be_read_is_forwarded_again(
    client: Paydeck, tmp_path: Path
) -> None:
    home = Home(httpx.DecodingError("badly packed"), 200)
    one = listener(client, home, tmp_path / "place")
    one.begin("beginning")
    an_order(client)
    assert one.step() == 1
    assert len(home.got) == 1


def test_a_portal_that_is_away_is_asked_again_and_a_wrong_key_is_not(tmp_path: Path) -> None:
    event = {"id": "evt_1", "type": "order.created"}
    away = [httpx.ConnectError("refused")] * 5
    script = Script(*away, fine(data=[event]), refused(401, "credentials_wrong"))
    home = Home()
    one = listener(script.client(), home, tmp_path / "place")
    one.place.after = "beginning"
    assert [one.step(), one.step()] == [0, 1]
    assert home.events == ["order.created"]
    with pytest.raises(PaydeckError, match="credentials_wrong"):
        one.step()


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "place").write_text("[]")
    with pytest.raises(PaydeckError, match="not a file"):
        Place.at(tmp_path / "place")
    assert (tmp_path / "place").read_text() == "[]"


def test_the_usual_file_is_one_for_each_key_and_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    files = {listen.usual_file(f"{KEY} {place}") for place in (HOOK, HOOK, "http://localhost:1")}
    assert len(files) == 2
    assert all(file.is_relative_to(tmp_path) and KEY not in str(file) for file in files)


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        ("order.created", ["order.created"]),
        ("order.cancelled", ["order.created", "order.cancelled"]),
        ("checkout.opened", ["order.created", "checkout.opened"]),
        ("checkout.expired", ["order.created", "checkout.opened", "checkout.expired"]),
    ],
)
def test_an_event_is_triggered_by_a_real_object(
    client: Paydeck, event: str, heard: list[str]
) -> None:
    said: list[str] = []
    assert trigger.run(client, event, say=said.append) == 0
    tell()
    assert [one["type"] for one in client.events.after("beginning")] == heard
    assert said[0].startswith(f"{event} comes from ")


def test_what_cannot_be_made_is_sent_as_an_example(shop: Shop, client: Paydeck) -> None:
    with pytest.raises(PaydeckError, match="no endpoint"):
        trigger.run(client, "anomaly.opened", say=lambda _line: None)
    endpoint = MAKERS["endpoint_id"](shop)
    for to in (None, endpoint):
        trigger.run(client, "anomaly.opened", to=to, say=lambda _line: None)
    sent = client.deliveries.list(endpoint=endpoint).data
    assert [one["event_type"] for one in sent] == ["anomaly.opened"] * 2
    assert trigger.RECIPES.keys() <= set(webhooks.NAMES)


def test_nothing_is_triggered_in_live_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYDECK_API_KEY", "sk_live_x")
    script = Script(fine(object="balance", livemode=True))
    with pytest.raises(PaydeckError, match="test mode"):
        trigger.run(script.client(), "order.created")
    assert [one.method for one in script.asked] == ["GET"]


def test_a_refund_is_triggered_once_its_payment_was_taken() -> None:
    made = {"id": "pay_1", "status": "PROCESSING"}
    script = Script(fine(**made), fine(**made), fine(id="pay_1", status="SUCCESS"), fine(id="re_1"))
    waits: list[float] = []
    assert trigger.Maker(script.client(), waits.append).refund() == "re_1"
    assert json.loads(script.asked[-1].content)["payment"] == "pay_1"
    assert len(waits) == 1


def test_the_log_is_told_once_oldest_first_without_its_own_reads(client: Paydeck) -> None:
    order = an_order(client)
    with pytest.raises(PaydeckError):
        client.orders.get("ord_nothing")
    said: list[str] = []
    tail = logs.Tail(client, say=said.append)
    tail.step()
    client.orders.get(order)
    tail.step()
    tail.step()
    assert [line.split()[1:4] for line in said] == [
        ["201", "POST", "/api/v1/orders"],
        ["404", "GET", "/api/v1/orders/ord_nothing"],
        ["200", "GET", f"/api/v1/orders/{order}"],
    ]
    assert order in said[0]
    assert "order_not_found" in said[1]


def test_a_slow_request_is_told_though_a_later_one_was_told_before_it() -> None:
    def row(number: int, at: int) -> dict[str, object]:
        kept = {"method": "GET", "path": "/api/v1/orders", "status": 200, "duration_ms": 1}
        more = {"error_code": None, "about": None, "is_replay": False}
        return {"id": f"req_{number:03}", "created": at, **kept, **more}

    def page(*rows: dict[str, object]) -> httpx.Response:
        return fine(object="list", data=list(rows[::-1]), has_more=False, url="/")

    early, slow, quick, late = row(1, 1000), row(2, 1001), row(3, 1002), row(4, 1100)
    script = Script(
        page(early), page(quick), page(slow, quick), page(slow, quick, late), page(late)
    )
    said: list[str] = []
    tail = logs.Tail(script.client(), say=said.append)
    assert [tail.step() for _ in range(5)] == [1, 1, 1, 1, 0]
    assert [line.split()[-1] for line in said] == ["req_001", "req_003", "req_002", "req_004"]
    after = [asked.url.params.get("ending_before") for asked in script.asked]
    assert after == [None, "req_001", "req_001", "req_001", "req_003"]


def test_the_command_says_what_is_wrong_and_ends_with_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAYDECK_API_KEY", raising=False)
    assert main.main(["trigger", "order.created"]) == 1
    assert "PAYDECK_API_KEY" in capsys.readouterr().err
    monkeypatch.setenv("PAYDECK_API_KEY", KEY)
    assert main.main(["--base-url", "http://pay.example.com", "logs", "tail"]) == 1
    assert "https" in capsys.readouterr().err
    with pytest.raises(SystemExit) as mistyped:
        main.main(["listen", "--forward-to", "localhost:4242"])
    assert mistyped.value.code == 2
