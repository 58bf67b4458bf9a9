"""Signing up and in for people’s programs: accounts, access tokens and refresh tokens."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import accounts
from webapp.api import letters
from webapp.api.caller import needs
from webapp.api.devices import this_program
from webapp.api.models import Body
from webapp.api.routing import Key, post
from webapp.kernel import clock

TAG = "Sign-in"
Email = Annotated[str, Field(min_length=3, max_length=254)]
Password = Annotated[str, Field(min_length=1, max_length=200)]
Secret = Annotated[str, Field(min_length=20, max_length=200)]


class Register(Body):
    """A new account."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "email": "asha@people.example",
        "name": "Asha Raman",
        "password": "Kettle-Harbour-42-Saffron",
        "timezone": "Asia/Kolkata",
    }

    email: Email
    name: Annotated[str, Field(min_length=1, max_length=80)]
    password: Password
    timezone: Annotated[str, Field(max_length=64)] = "Asia/Kolkata"


class SignIn(Body):
    """Who signs in."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "email": "asha@people.example",
        "password": "Kettle-Harbour-42-Saffron",
    }

    email: Email
    password: Password


class Refresh(Body):
    """The refresh token that was given last."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"refresh_token": "p" * 43}

    refresh_token: Secret


class Verify(Body):
    """The secret at the end of the link that was mailed."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"token": "v" * 43}

    token: Secret


class Forgot(Body):
    """Whose password was forgotten."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"email": "asha@people.example"}

    email: Email


class ResetPassword(Body):
    """The secret from the mail and the new password."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "token": "v" * 43,
        "password": "Kettle-Harbour-42-Saffron",
    }

    token: Secret
    password: Password


class TokenPair(BaseModel):
    """An access token and what renews it."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "tokens",
        "token_type": "Bearer",
        "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2lnbmVk",
        "expires_in": 3600,
        "refresh_token": "p" * 43,
        "refresh_expires_at": 1_764_322_200,
        "user": "usr_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
    }

    object: Literal["tokens"]
    token_type: Literal["Bearer"]
    access_token: str = Field(description="A JWT: send it as Authorization: Bearer.")
    expires_in: int = Field(description="Seconds for which the access token works.")
    refresh_token: str = Field(description="Good once; the answer brings the next one.")
    refresh_expires_at: int = Field(description="Unix time in seconds.")
    user: str


class Done(BaseModel):
    """That it was done, or that a letter is on its way where there is somebody to get it."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {"object": "done", "message": "Look into your mail."}

    object: Literal["done"]
    message: str = Field(description="A sentence for people.")


@post("/auth/register", tag=TAG, gives=Done, status=202, key=Key.NONE)
@needs(anyone=True)
def register_user(body: Register) -> dict[str, Any]:
    """Open an account.

    A link to confirm the address is mailed to it. The answer is the same where the address has an
    account already: its owner is told by mail, and nobody else.
    """
    try:
        new = accounts.register(
            body.email,
            body.name,
            body.password,
            timezone=body.timezone,
            address=this_program().address,
        )
        letters.verify_address(accounts.own_email(new.user_id), new.user_id, new.verification_token)
    except accounts.AlreadyRegistered:
        letters.already_registered(accounts.checked_email(body.email))
    return done("Open the link that was mailed to you to confirm your address.")


@post("/auth/verify-email", tag=TAG, gives=Done, status=200, key=Key.NONE)
@needs(anyone=True)
def verify_email(body: Verify) -> dict[str, Any]:
    """Confirm an e-mail address.

    With the secret at the end of the mailed link. Each works once.
    """
    accounts.verify(body.token)
    return done("Your e-mail address is confirmed.")


@post("/auth/tokens", tag=TAG, gives=TokenPair, status=200, key=Key.NONE)
@needs(anyone=True)
def create_tokens(body: SignIn) -> dict[str, Any]:
    """Sign in.

    Gives an access token for 60 minutes and a refresh token for 7 days. After five wrong passwords
    in a quarter hour the account waits; an unknown address is answered as a wrong password is.
    """
    device = this_program()
    signed_in = accounts.sign_in(
        body.email, body.password, device=device.words, address=device.address
    )
    return shown_tokens(accounts.begin_tokens(signed_in))


@post("/auth/tokens/refresh", tag=TAG, gives=TokenPair, status=200, key=Key.NONE)
@needs(anyone=True)
def refresh_tokens(body: Refresh) -> dict[str, Any]:
    """Renew an access token.

    The refresh token is used up and another one given. One that was used before ends the whole
    sign-in, because somebody else may have it.
    """
    return shown_tokens(accounts.refresh_tokens(body.refresh_token))


@post("/auth/tokens/revoke", tag=TAG, gives=Done, status=200, key=Key.NONE)
@needs(anyone=True)
def revoke_tokens(body: Refresh) -> dict[str, Any]:
    """Sign out.

    Ends the sign-in of a refresh token, with every access token of it, at once. An unknown one
    changes nothing.
    """
    accounts.end_tokens(body.refresh_token)
    return done("You are signed out.")


@post("/auth/password/forgot", tag=TAG, gives=Done, status=202, key=Key.NONE)
@needs(anyone=True)
def forgot_password(body: Forgot) -> dict[str, Any]:
    """Ask for a new password.

    A link is mailed to the address. The answer is the same where nobody has it.
    """
    token = accounts.ask_reset(body.email, address=this_program().address)
    if token is None:
        letters.no_account(accounts.checked_email(body.email))
    else:
        letters.choose_password(accounts.mailed_to(token), token)
    return done("If the address has an account, a link is on its way to it.")


@post("/auth/password/reset", tag=TAG, gives=Done, status=200, key=Key.NONE)
@needs(anyone=True)
def reset_password(body: ResetPassword) -> dict[str, Any]:
    """Set a new password by mail.

    With the secret at the end of the mailed link. Everything that is signed in is signed out.
    """
    user_id = accounts.reset_password(body.token, body.password)
    letters.password_changed(accounts.own_email(user_id), user_id)
    return done("Your password is changed. Sign in with it.")


def shown_tokens(tokens: accounts.Tokens) -> dict[str, Any]:
    """Return a pair as the API shows it, this one time."""
    left = tokens.access_ends_at - clock.now()
    return {
        "object": "tokens",
        "token_type": "Bearer",
        "access_token": tokens.access,
        "expires_in": round(left.total_seconds()),
        "refresh_token": tokens.refresh,
        "refresh_expires_at": int(tokens.refresh_ends_at.timestamp()),
        "user": tokens.user_id,
    }


def done(message: str) -> dict[str, Any]:
    """Return that something was done."""
    return {"object": "done", "message": message}
