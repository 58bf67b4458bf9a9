"""Pages the shopper sees on the provider's own origin: payment page, challenge, card fields."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox import cards, charging, sessions
from sandbox.config import Settings
from sandbox.currencies import spoken
from sandbox.store import Json, Record, Store
from sandbox.wire import ApiError, Call, Params

_FIELD_OF_PARAM = {
    "number": "number",
    "exp_month": "expiry",
    "exp_year": "expiry",
    "cvc": "cvc",
}
_SENTENCES = {
    "invalid_number": "The card number is incomplete.",
    "incorrect_number": "Check the card number: a digit looks wrong.",
    "card_declined": "Only test cards work here. Open “Test cards” below for one.",
    "invalid_expiry_year": "This card has expired.",
    "invalid_cvc": "The security code has 3 digits, or 4 on American Express.",
}
_EXPIRY = re.compile(r"\s*(\d{1,2})\s*/\s*(\d{2}|\d{4})\s*")
_APPEARANCES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is the matter with one field, as a sentence."""

    field: str
    message: str


class Pages:
    """The shopper's pages on one store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def card_fields(self) -> Response:
        """The card fields that the portal's checkout frames."""
        wanted = [brand for brand in request.args.get("brands", "").split(",") if brand]
        appearance = request.args.get("appearance", "")
        response = make_response(
            render_template(
                "card_fields.html",
                parent=self._settings.portal_origin,
                key=self._settings.publishable_key,
                brands=[brand for brand in wanted if brand in cards.BRANDS] or cards.BRANDS,
                appearance=appearance if appearance in _APPEARANCES else "",
            )
        )
        response.headers["X-Frame-Origins"] = self._settings.portal_origin
        return response

    def show_payment(self, session_id: str) -> AnyResponse:
        """The hosted payment page of a checkout session."""
        with self._store.read() as tx:
            session = tx.find("checkout.session", session_id)
        if session is None:
            return _notice("This payment page does not exist.", None, 404)
        return self._payment_page(session, [], None, 200)

    def pay(self, session_id: str) -> AnyResponse:
        """One try on the hosted page: to the shop, to the bank, or the page again with why not."""
        form = request.form
        errors, card = read_card_form(form)
        with self._store.write() as tx:
            call = Call(tx, Params({}), self._settings)
            session = tx.find("checkout.session", session_id)
            if session is None:
                return _notice("This payment page does not exist.", None, 404)
            if session.body["status"] != "open" or errors:
                return self._payment_page(session, errors, None, 422)
            tx.db.execute("SAVEPOINT try_card")
            try:
                decline = sessions.pay(call, session, card, form.get("name"))
            except ApiError as refusal:
                tx.db.execute("ROLLBACK TO try_card")
                return self._payment_page(session, [_field_error(refusal)], None, 422)
            fresh = tx.find("checkout.session", session_id) or session
            intent = sessions.intent_of(call, fresh)
        if decline:
            return self._payment_page(fresh, [], str(decline), 402)
        return self._onward(fresh, intent)

    def after_challenge(self, session_id: str) -> AnyResponse:
        """Where the challenge page sends a shopper of the hosted page back to."""
        with self._store.read() as tx:
            call = Call(tx, Params({}), self._settings)
            session = tx.find("checkout.session", session_id)
            if session is None:
                return _notice("This payment page does not exist.", None, 404)
            intent = sessions.intent_of(call, session)
        if intent and session.body["status"] == "open":
            error = intent.body["last_payment_error"] or {}
            return self._payment_page(session, [], _spoken_failure(error), 200)
        return self._onward(session, intent)

    def _onward(self, session: Record, intent: Record | None) -> AnyResponse:
        if session.body["status"] == "complete":
            return redirect(sessions.success_address(session), 303)
        if intent and intent.body["next_action"]:
            return redirect(intent.body["next_action"]["redirect_to_url"]["url"], 303)
        return self._payment_page(session, [], None, 200)

    def _payment_page(
        self, session: Record, errors: list[FieldError], failure: str | None, status: int
    ) -> AnyResponse:
        body = session.body
        if body["status"] == "complete":
            return redirect(sessions.success_address(session), 303)
        if body["status"] == "expired":
            return _notice(
                "This payment page has expired. No money moved.", body["cancel_url"], 410
            )
        page = render_template(
            "payment.html",
            session=body,
            lines=[
                (line["description"], line["quantity"], _amount(line))
                for line in session.hidden["lines"]
            ],
            total=spoken(body["amount_total"], body["currency"]),
            errors=_in_order(errors),
            failure=failure,
            typed=request.form,
            test_cards=_shown_cards(),
        )
        response = make_response(page, status)
        response.headers["X-Form-Origins"] = _origins(body["success_url"], body["cancel_url"])
        return response

    def show_challenge(self, intent_id: str, token: str) -> AnyResponse:
        """The bank's page that asks the shopper to confirm."""
        with self._store.read() as tx:
            intent = tx.find("payment_intent", intent_id)
        return self._challenge_page(intent, token, 200)

    def answer_challenge(self, intent_id: str, token: str) -> AnyResponse:
        """The shopper's answer; only the first one counts, a later one shows what came of it."""
        choice = request.form.get("answer")
        with self._store.write() as tx:
            intent = tx.find("payment_intent", intent_id)
            if not _is_open(intent, token) or choice not in {"complete", "fail"}:
                return self._challenge_page(intent, token, 200)
            if intent is None:
                raise LookupError(intent_id)
            call = Call(tx, Params({}), self._settings)
            charging.finish_challenge(call, intent, completed=choice == "complete")
            sessions.follow(call, intent)
        address = charging.return_address(intent)
        if address:
            return redirect(address, 303)
        return self._challenge_page(intent, token, 200)

    def _challenge_page(self, intent: Record | None, token: str, status: int) -> AnyResponse:
        challenge = intent.hidden.get("challenge") if intent else None
        if intent is None or challenge is None or challenge["token"] != token:
            return _notice("This confirmation is no longer asked for.", None, 404)
        page = render_template(
            "challenge.html",
            amount=spoken(intent.body["amount"], intent.body["currency"]),
            description=intent.body["description"],
            status=intent.body["status"],
            outcome=challenge["outcome"],
            error=intent.body["last_payment_error"],
            back=charging.return_address(intent),
        )
        response = make_response(page, status)
        back = [self._settings.public_origin, challenge["return_url"]]
        response.headers["X-Form-Origins"] = _origins(*back, *_after_return(intent))
        return response


def _after_return(intent: Record) -> list[str | None]:
    """The hosted page answers a challenge with a second redirect, to the shop."""
    shop = intent.hidden.get("shop")
    return [shop] if shop else []


def mount(app: Flask, store: Store, settings: Settings) -> None:
    """Adds the shopper's pages to the app."""
    pages = Pages(store, settings)
    for path, name, view, method in (
        ("/elements/card", "card_fields", pages.card_fields, "GET"),
        ("/c/pay/<session_id>", "show_payment", pages.show_payment, "GET"),
        ("/c/pay/<session_id>", "pay", pages.pay, "POST"),
        ("/c/pay/<session_id>/return", "after_challenge", pages.after_challenge, "GET"),
        ("/3ds/<intent_id>/<token>", "show_challenge", pages.show_challenge, "GET"),
        ("/3ds/<intent_id>/<token>", "answer_challenge", pages.answer_challenge, "POST"),
    ):
        app.add_url_rule(path, endpoint=name, view_func=view, methods=[method])


def read_card_form(form: Json) -> tuple[list[FieldError], Params]:
    """What is missing or unreadable in the typed form, and the card as API parameters."""
    errors = []
    for name, sentence in (
        ("number", "Enter your card number."),
        ("expiry", "Enter the expiry date."),
        ("cvc", "Enter the security code."),
        ("name", "Enter the name on the card."),
    ):
        if not form.get(name, "").strip():
            errors.append(FieldError(name, sentence))
    expiry = _EXPIRY.fullmatch(form.get("expiry", ""))
    if form.get("expiry", "").strip() and not expiry:
        errors.append(FieldError("expiry", "Write the expiry as month and year, such as 08 / 29."))
    try:
        if form.get("number", "").strip():
            cards.check_number(form["number"])
    except ApiError as refusal:
        errors.append(_field_error(refusal))
    card = Params(
        {
            "number": form.get("number", "").strip(),
            "exp_month": expiry[1] if expiry else "",
            "exp_year": expiry[2] if expiry else "",
            "cvc": form.get("cvc", "").strip(),
        },
        "card",
    )
    return errors, card


def _field_error(refusal: ApiError) -> FieldError:
    code = str(refusal.error.get("code"))
    param = str(refusal.error.get("param"))
    field = _FIELD_OF_PARAM.get(param, "number")
    sentence = _SENTENCES.get(code, str(refusal))
    if code == "invalid_expiry_month":
        sentence = "The month is not between 01 and 12, or this card has expired."
    return FieldError(field, sentence)


def _in_order(errors: list[FieldError]) -> dict[str, str]:
    """The first error of each field, in the order of the page."""
    first = {error.field: error.message for error in reversed(errors)}
    return {name: first[name] for name in ("name", "number", "expiry", "cvc") if name in first}


def _spoken_failure(error: Json) -> str | None:
    if error.get("code") == "payment_intent_authentication_failure":
        return "Your bank did not confirm this payment."
    message: str | None = error.get("message")
    return message


def _is_open(intent: Record | None, token: str) -> bool:
    challenge = intent.hidden.get("challenge") if intent else None
    return bool(
        intent
        and challenge
        and challenge["token"] == token
        and challenge["outcome"] is None
        and intent.body["status"] == "requires_action"
    )


def _amount(line: Json) -> str:
    return spoken(line["amount_total"], line["currency"])


def _shown_cards() -> list[tuple[str, str]]:
    return [
        ("4242 4242 4242 4242", "is accepted"),
        ("4000 0000 0000 0002", "is declined"),
        ("4000 0000 0000 9995", "has insufficient funds"),
        ("4000 0027 6000 3184", "asks for confirmation (3-D Secure)"),
    ]


def _origins(*addresses: str | None) -> str:
    found = {urlsplit(address) for address in addresses if address}
    return " ".join(sorted({f"{parts.scheme}://{parts.netloc}" for parts in found}))


def _notice(sentence: str, back: str | None, status: int) -> Response:
    return make_response(render_template("notice.html", sentence=sentence, back=back), status)
