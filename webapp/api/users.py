"""People about themselves: profile, password, sessions, merchants they work for, messages."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import accounts, notifications, webhooks
from webapp.accounts import Person, SignInSession
from webapp.api import letters
from webapp.api.auth import Done, Password, TokenPair, done, shown_tokens
from webapp.api.caller import caller, needs
from webapp.api.devices import this_program
from webapp.api.errors import CredentialsMissing
from webapp.api.lists import asked_page, listing
from webapp.api.models import Body, Deleted, ListQuery, Thing
from webapp.api.routing import Key, delete, get, patch, post

TAG = "People"
ME = "usr_01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
AT = 1_763_717_400


class User(Thing):
    """The person who asks."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": ME,
        "object": "user",
        "created": AT,
        "livemode": False,
        "metadata": {},
        "status": "ACTIVE",
        "name": "Asha Raman",
        "email": "asha@people.example",
        "phone": "+919876543210",
        "timezone": "Asia/Kolkata",
        "locale": "en-IN",
        "is_verified": True,
        "roles": ["User", "Merchant"],
    }

    object: Literal["user"]
    status: Literal["UNVERIFIED", "ACTIVE", "SUSPENDED"]
    name: str
    email: str
    phone: str | None
    timezone: str
    locale: str
    is_verified: bool
    roles: list[str]


class UpdateUser(Body):
    """What may change in one’s profile; what is left out stays."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"name": "Asha Raman", "timezone": "Asia/Kolkata"}

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    phone: Annotated[str, Field(max_length=40)] | None = Field(
        None, description="With its country; an empty text takes it away."
    )
    timezone: Annotated[str, Field(max_length=64)] | None = None


class ChangePassword(Body):
    """One’s password now and the new one."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "current": "Kettle-Harbour-42-Saffron",
        "new": "Lantern-Orchard-77-Marigold",
    }

    current: Password
    new: Password


class Session(BaseModel):
    """A browser or program in which one is signed in."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "ses_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "session",
        "created": AT,
        "device": "Firefox on Linux",
        "network": "203.0.113.0/24",
        "last_seen_at": AT,
        "ends_at": AT + 90 * 86_400,
        "is_current": True,
    }

    id: str
    object: Literal["session"]
    created: int
    device: str
    network: str
    last_seen_at: int
    ends_at: int
    is_current: bool = Field(description="Whether it is the one that asks.")


class MembershipObject(BaseModel):
    """That one works for a merchant, in a role."""

    model_config = ConfigDict(extra="forbid", title="Membership")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "membership",
        "merchant": "mer_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "merchant_name": "Lotus Tea House",
        "role": "owner",
        "timezone": "Asia/Kolkata",
        "is_active": True,
    }

    object: Literal["membership"]
    merchant: str = Field(description="Send it as Paydeck-Merchant to act for the merchant.")
    merchant_name: str
    role: Literal["owner", "admin", "developer", "support", "analyst", "viewer"]
    timezone: str
    is_active: bool = Field(description="False while the platform has suspended the merchant.")


class MessageObject(BaseModel):
    """A message in one’s inbox."""

    model_config = ConfigDict(extra="forbid", title="Message")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "msg_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "message",
        "created": AT,
        "livemode": False,
        "kind": "payment.captured",
        "text": "Your payment of ₹500 for Order #123 is successful.",
        "about": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "is_read": False,
    }

    id: str
    object: Literal["message"]
    created: int
    livemode: bool
    kind: str
    text: str
    about: str
    is_read: bool


@get("/users/me", tag=TAG, gives=User)
@needs(person=True)
def get_me() -> dict[str, Any]:
    """Get one’s own profile.

    With the platform-wide roles: everybody is a User, some are Merchant or Admin.
    """
    return _shown_me(me())


@patch("/users/me", tag=TAG, gives=User)
@needs(person=True)
def update_me(body: UpdateUser) -> dict[str, Any]:
    """Change one’s profile.

    Name, phone number and time zone; what is left out stays as it is.
    """
    person = me()
    user = accounts.user_of(person.user_id)
    accounts.update_profile(
        person.user_id,
        name=user.name if body.name is None else body.name,
        phone=(user.phone or "") if body.phone is None else body.phone,
        timezone=user.timezone if body.timezone is None else body.timezone,
    )
    return _shown_me(person)


@post("/users/me/password", tag=TAG, gives=TokenPair, status=200, key=Key.NONE)
@needs(person=True)
def change_my_password(body: ChangePassword) -> dict[str, Any]:
    """Change one’s password.

    Everything that is signed in is signed out; the answer brings fresh tokens for this program.
    """
    person = me()
    signed_in = accounts.change_password(
        person, current=body.current, new=body.new, device=this_program()
    )
    letters.password_changed(person.email, person.user_id)
    return shown_tokens(accounts.begin_tokens(signed_in))


@post("/users/me/verification", tag=TAG, gives=Done, status=202, key=Key.NONE)
@needs(person=True)
def send_my_verification() -> dict[str, Any]:
    """Have the confirmation of one’s address mailed again.

    Does nothing where it is confirmed already.
    """
    person = me()
    token = accounts.ask_verification(person.user_id, address=this_program().address)
    if token is None:
        return done("Your e-mail address is confirmed already.")
    letters.verify_address(person.email, person.user_id, token)
    return done("A new link is on its way to you.")


@get("/users/me/memberships", tag=TAG, gives=MembershipObject, is_list=True)
@needs(person=True)
def list_my_memberships() -> dict[str, Any]:
    """List the merchants one works for.

    All of them, with one’s role at each.
    """
    found = [
        {
            "object": "membership",
            "merchant": member.merchant_id,
            "merchant_name": member.merchant_name,
            "role": str(member.role),
            "timezone": member.timezone,
            "is_active": member.is_active,
        }
        for member in me().memberships
    ]
    return whole(found, "/api/v1/users/me/memberships")


@get("/users/me/sessions", tag=TAG, gives=Session, is_list=True)
@needs(person=True)
def list_my_sessions() -> dict[str, Any]:
    """List where one is signed in.

    Browsers and programs, the last seen first.
    """
    person = me()
    found = [_shown_session(one, person) for one in accounts.sessions_of(person.user_id)]
    return whole(found, "/api/v1/users/me/sessions")


@delete("/users/me/sessions/<string:session_id>", tag=TAG, gives=Deleted, key=Key.NONE)
@needs(person=True)
def revoke_my_session(session_id: str) -> dict[str, Any]:
    """Sign a browser or program out.

    At once, with all its tokens; also the one that asks.
    """
    accounts.revoke_session(me().user_id, session_id)
    return {"id": session_id, "object": "session", "deleted": True}


@post("/users/me/sessions/revoke-others", tag=TAG, gives=Done, status=200, key=Key.NONE)
@needs(person=True)
def revoke_my_other_sessions() -> dict[str, Any]:
    """Sign everything else out.

    All but the sign-in that asks.
    """
    person = me()
    accounts.revoke_other_sessions(person.user_id, person.session_id)
    return done("Everything else is signed out.")


@get("/users/me/messages", tag=TAG, gives=MessageObject, is_list=True)
@needs(person=True)
def list_my_messages(query: ListQuery) -> dict[str, Any]:
    """List one’s messages.

    What the inbox shows, newest first.
    """
    user_id = me().user_id
    page = asked_page(query, lambda sent: notifications.message_of(user_id, sent))
    return listing(notifications.inbox_of(user_id, page=page), _shown_message)


@post("/users/me/messages/read", tag=TAG, gives=Done, status=200, key=Key.NONE)
@needs(person=True)
def read_my_messages() -> dict[str, Any]:
    """Mark one’s messages as read.

    All of them.
    """
    count = notifications.mark_read(me().user_id)
    return done(f"{count} messages were marked as read.")


def me() -> Person:
    """Return the person who asks; raises CredentialsMissing where it is none."""
    person = caller().person
    if person is None:
        raise CredentialsMissing
    return person


def whole(rows: list[dict[str, Any]], url: str) -> dict[str, Any]:
    """Return a list that is always given whole."""
    return {"object": "list", "data": rows, "has_more": False, "url": url}


def _shown_me(person: Person) -> dict[str, Any]:
    user = accounts.user_of(person.user_id)
    return {
        **webhooks.payload_of("user", user.snapshot()),
        "name": user.name,
        "email": user.email,
        "phone": user.phone,
        "timezone": user.timezone,
        "locale": user.locale,
        "is_verified": user.is_verified,
        "roles": list(accounts.roles_of(person)),
    }


def _shown_session(one: SignInSession, person: Person) -> dict[str, Any]:
    return {
        "id": one.id,
        "object": "session",
        "created": int(one.created_at.timestamp()),
        "device": one.device,
        "network": one.ip_prefix,
        "last_seen_at": int(one.last_seen_at.timestamp()),
        "ends_at": int(min(one.ends_at, one.idle_until).timestamp()),
        "is_current": one.id == person.session_id,
    }


def _shown_message(one: notifications.Message) -> dict[str, Any]:
    return {
        "id": one.id,
        "object": "message",
        "created": int(one.created_at.timestamp()),
        "livemode": one.livemode,
        "kind": one.kind,
        "text": one.text,
        "about": one.about_id,
        "is_read": one.is_read,
    }
