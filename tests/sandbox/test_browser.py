"""The provider's pages in a real browser: card fields in a frame, and forms without scripts."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page

from tests.sandbox.running import ROOT, RunningSandbox, Shape

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PARENT = """<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1>
<iframe title="Card" name="card" src="{origin}/elements/card{query}" width="440" height="600"
style="color-scheme: normal"></iframe>
</main><script>
window.got = [];
addEventListener("message", (event) => got.push({{from: event.origin, ...event.data}}));
</script></html>"""


class Shop:
    """A page of another origin that frames the card fields and keeps what they say."""

    def __init__(self) -> None:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = shop.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.origin = f"http://localhost:{self.port}"
        self.page = ""
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def provider(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder = tmp_path_factory.mktemp("provider")
    running = RunningSandbox(folder, PORTAL_ORIGIN=shop.origin).start()
    yield running
    running.stop()


def framed(page: Page, shop: Shop, provider: RunningSandbox, query: str = "") -> Frame:
    shop.page = PARENT.format(origin=provider.origin, query=query)
    page.goto(shop.origin)
    page.wait_for_function("got.some((message) => message.type === 'paydeck:ready')")
    frame = page.frame("card")
    assert frame
    return frame


def ask(page: Page, provider: RunningSandbox, number: int = 1) -> Shape:
    """Asks the frame for a payment method and waits for its answer."""
    page.evaluate(
        "([id, origin]) => frames.card.postMessage("
        "{type: 'paydeck:create-payment-method', id}, origin)",
        [number, provider.origin],
    )
    return page.wait_for_function(
        "(id) => got.find((message) => message.id === id)", arg=number
    ).json_value()


def fill(frame: Frame, number: str, expiry: str = "12/40", cvc: str = "123") -> None:
    for name, value in (("Name on card", "Asha Rao"), ("Card number", number)):
        frame.get_by_label(name).fill(value)
    frame.get_by_label("Expiry").fill(expiry)
    frame.get_by_label("Security code").fill(cvc)


def inspected(page: Page | Frame) -> list[str]:
    """What axe finds wrong with the page, as rule and place."""
    assert AXE.exists(), "axe-core is missing: run `make test`, which fetches it"
    page.evaluate(AXE.read_text())
    found: Any = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag22aa']})")
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]


def test_typed_card_details_become_a_payment_method(
    page: Page, shop: Shop, provider: RunningSandbox
) -> None:
    sent: list[tuple[str, str]] = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    frame = framed(page, shop, provider)
    fill(frame, "4242421313131318")
    answer = ask(page, provider)
    assert answer["from"] == provider.origin
    assert answer["type"] == "paydeck:payment-method"
    assert answer["card"] == {"brand": "visa", "last4": "1318"}
    kept = provider.stripe.v1.payment_methods.retrieve(answer["payment_method"])
    assert kept.billing_details.name == "Asha Rao"
    with_number = [url for url, body in sent if "4242421313131318" in url + body]
    assert with_number == [f"{provider.origin}/v1/payment_methods"]
    assert "4242421313131318" not in str(page.evaluate("got"))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("", "12/40", "123"), "number: Enter your card number."),
        (("4242", "12/40", "123"), "number: The card number is incomplete."),
        (("4242424242424241", "12/40", "123"), "number: Check the card number: a digit"),
        (("6011111111111117", "12/40", "123"), "number: This shop does not take Discover cards."),
        (("4242424242424242", "", "123"), "expiry: Enter the expiry date."),
        (("4242424242424242", "1", "123"), "expiry: The expiry date is incomplete."),
        (("4242424242424242", "13/40", "123"), "expiry: The month must be between 01 and 12."),
        (("4242424242424242", "01/20", "123"), "expiry: This card has expired."),
        (("4242424242424242", "12/40", ""), "cvc: Enter the security code."),
        (("378282246310005", "12/40", "123"), "cvc: The security code has 4 digits"),
        (("4012888888881881", "12/40", "123"), "number: Only test cards work here."),
    ],
)
def test_each_thing_that_is_wrong_has_its_own_sentence(
    page: Page, shop: Shop, provider: RunningSandbox, typed: tuple[str, str, str], said: str
) -> None:
    number, expiry, cvc = typed
    field, sentence = said.split(": ", 1)
    frame = framed(page, shop, provider, "?brands=visa,amex")
    fill(frame, number, expiry, cvc)
    answer = ask(page, provider)
    assert answer["type"] == "paydeck:field-errors"
    assert [error["field"] for error in answer["errors"]] == [field]
    assert answer["errors"][0]["message"].startswith(sentence)
    shown = frame.locator(f"#{field}-error")
    assert shown.inner_text().startswith(sentence)
    assert frame.locator(f"#{field}").get_attribute("aria-invalid") == "true"
    assert f"{field}-error" in (frame.locator(f"#{field}").get_attribute("aria-describedby") or "")


def test_digits_are_grouped_while_typing_and_pasting(
    page: Page, shop: Shop, provider: RunningSandbox
) -> None:
    frame = framed(page, shop, provider)
    number, expiry = frame.get_by_label("Card number"), frame.get_by_label("Expiry")
    number.press_sequentially("378282246310005")
    assert number.input_value() == "3782 822463 10005"
    assert frame.locator("#brand").inner_text() == "American Express"
    number.fill("")
    number.fill("4242-4242 42424242")
    assert number.input_value() == "4242 4242 4242 4242"
    for _ in range(3):
        number.press("ArrowLeft")
    for _ in range(6):
        number.press("ArrowLeft")
    number.press("Backspace")
    number.press_sequentially("2")
    assert number.input_value() == "4242 4242 4242 4242"
    for typed, shown in (("1240", "12 / 40"), ("840", "08 / 40"), ("8/40", "08 / 40")):
        expiry.fill("")
        expiry.press_sequentially(typed)
        assert expiry.input_value() == shown
    expiry.fill("2040-08")
    assert expiry.input_value() == "08 / 40"
    for _ in range(7):
        expiry.press("Backspace")
    assert expiry.input_value() == ""


def test_the_shop_learns_height_completeness_and_can_move_the_focus(
    page: Page, shop: Shop, provider: RunningSandbox
) -> None:
    frame = framed(page, shop, provider)
    fill(frame, "4242424242424242")
    page.wait_for_function("got.some((m) => m.type === 'paydeck:change' && m.complete)")
    heights = page.evaluate("got.filter((m) => m.type === 'paydeck:height').map((m) => m.height)")
    assert 200 < heights[-1] < 600
    frame.get_by_text("Test cards", exact=True).click()
    page.wait_for_function(
        "(before) => got.some((m) => m.type === 'paydeck:height' && m.height > before + 100)",
        arg=heights[-1],
    )
    page.evaluate(
        "(origin) => frames.card.postMessage({type: 'paydeck:focus', field: 'cvc'}, origin)",
        provider.origin,
    )
    frame.wait_for_function("document.activeElement.id === 'cvc'")


def test_a_test_card_is_filled_in_by_one_button(
    page: Page, shop: Shop, provider: RunningSandbox
) -> None:
    frame = framed(page, shop, provider)
    frame.get_by_text("Test cards", exact=True).click()
    frame.get_by_role("button", name="Use the test card: 3-D Secure", exact=True).click()
    answer = ask(page, provider)
    assert answer["card"] == {"brand": "visa", "last4": "3184"}


def test_strangers_may_neither_frame_the_fields_nor_ask_them(
    page: Page, shop: Shop, provider: RunningSandbox
) -> None:
    frame = framed(page, shop, provider)
    fill(frame, "4242424242424242")
    page.evaluate(
        """(origin) => new Promise((done) => {
          const stranger = document.createElement("iframe");
          stranger.sandbox = "allow-scripts";
          stranger.srcdoc = `<script>parent.frames.card.postMessage(
            {type: "paydeck:create-payment-method", id: 9}, "*")</script>`;
          stranger.onload = done;
          document.body.append(stranger);
        })""",
        provider.origin,
    )
    assert ask(page, provider, number=10)["type"] == "paydeck:payment-method"
    assert page.evaluate("got.filter((message) => message.id === 9)") == []
    page.goto(f"http://127.0.0.1:{shop.port}")
    stranger = page.frame("card")
    assert stranger
    assert stranger.locator("#number").count() == 0


def test_a_card_that_cannot_be_sent_is_said_so(
    page: Page, shop: Shop, provider: RunningSandbox
) -> None:
    frame = framed(page, shop, provider)
    fill(frame, "4242424242424242")
    provider.control("faults", endpoint="payment_methods.create", fault="drop_before", times=2)
    answer = ask(page, provider)
    provider.control("faults", endpoint="*", fault="none")
    assert answer["errors"][0]["field"] == "form"
    assert "No money moved" in frame.get_by_role("alert").inner_text()
    assert ask(page, provider, number=2)["type"] == "paydeck:payment-method"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(
    browser: Browser, shop: Shop, provider: RunningSandbox, scheme: Shape
) -> None:
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    frame = framed(page, shop, provider)
    frame.get_by_text("Test cards", exact=True).click()
    ask(page, provider)
    assert inspected(frame) == []
    session = provider.stripe.v1.checkout.sessions.create(session_for(shop))
    page.goto(str(session.url))
    assert inspected(page) == []
    asking = provider.paid("pm_card_authenticationRequired")
    page.goto(asking.next_action.use_stripe_sdk.stripe_js)
    assert inspected(page) == []
    page.goto(provider.origin + "/control")
    assert inspected(page) == []
    assert [text for text in refused if "Content Security Policy" in text] == []
    context.close()


def session_for(shop: Shop) -> Shape:
    return {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "inr",
                    "unit_amount": 1000_00,
                    "product_data": {"name": "Order #1042"},
                },
                "quantity": 1,
            }
        ],
        "success_url": shop.origin + "/paid?session={CHECKOUT_SESSION_ID}",
        "cancel_url": shop.origin + "/cancelled",
    }


@pytest.mark.parametrize("scripts", [True, False])
def test_the_payment_page_works_with_and_without_scripts(
    browser: Browser, shop: Shop, provider: RunningSandbox, scripts: Shape
) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    session = provider.stripe.v1.checkout.sessions.create(session_for(shop))
    page.goto(str(session.url))
    page.get_by_label("Name on card").fill("Asha Rao")
    page.get_by_label("Card number").fill("4000000000000002")
    page.get_by_label("Expiry").fill("12/40")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay ₹1,000.00").click()
    assert "Your card was declined." in page.get_by_role("alert").inner_text()
    page.get_by_label("Card number").fill("4000002760003184")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name="Pay ₹1,000.00").click()
    page.get_by_role("button", name="Complete").click()
    page.wait_for_url(f"{shop.origin}/paid?session={session.id}")
    assert provider.stripe.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    context.close()


def test_the_control_page_sets_and_ends_faults(page: Page, provider: RunningSandbox) -> None:
    page.goto(provider.origin + "/control")
    assert "no real money" in page.get_by_role("heading", level=1).inner_text()
    page.get_by_label("Call").select_option("payment_intents.confirm")
    page.get_by_label("What happens").select_option("drop_after")
    page.get_by_role("button", name="Set fault").click()
    faults = provider.get("/control/faults")["faults"]
    assert [(fault["endpoint"], fault["fault"]) for fault in faults] == [
        ("payment_intents.confirm", "drop_after")
    ]
    page.get_by_role("button", name="End all faults").click()
    assert provider.get("/control/faults")["faults"] == []
    page.get_by_label("Good cards accepted, percent").fill("many")
    page.get_by_role("button", name="Set success rate").click()
    assert "percent must be a number" in page.get_by_role("heading", level=1).inner_text()
