"""The forms of this door; rules about people live in the accounts room and answer by field."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, ValidationError

from webapp.accounts import checked_email, checked_shop_name, why_guessable
from webapp.kernel.errors import Refusal
from webapp.web.account.choices import CURRENCIES, DEFAULT_CURRENCY, DEFAULT_ZONE, zones

LONGEST = 500
PAY, SELL = "pay", "sell"


def _asked(sentence: str) -> list[Any]:
    return [InputRequired(sentence), Length(max=LONGEST, message="That is too long.")]


class AccountForm(FlaskForm):  # type: ignore[misc]
    """A form that knows its errors by field, as the pages show them."""

    def refuse(self, refusal: Refusal) -> None:
        """Put what a room refused beside its field, or among the errors of the whole form."""
        if refusal.param and refusal.param in self:
            field = self[refusal.param]
            field.errors = [*field.errors, refusal.message]
        else:
            self.form_errors.append(refusal.message)

    def error(self, name: str) -> str | None:
        """Return the first error of a field, or None."""
        return self[name].errors[0] if self[name].errors else None

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """Return what a list offers, as (value, words)."""
        return [(choice.value, choice.label) for choice in self[name].iter_choices()]

    @property
    def problems(self) -> list[dict[str, str | None]]:
        """Return every error for the summary on top, each with the id of its control."""
        rows: list[dict[str, str | None]] = [
            {"field": None, "message": message} for message in self.form_errors
        ]
        rows += [
            {"field": field.name, "message": str(field.errors[0])}
            for field in self
            if field.errors and field.name != "csrf_token"
        ]
        return rows


class RegisterForm(AccountForm):
    """Signing up, to pay or to sell."""

    aim = RadioField(choices=[SelectChoice(PAY, "Pay"), SelectChoice(SELL, "Sell")], default=PAY)
    name = StringField(validators=_asked("Enter your name."))
    email = StringField(validators=_asked("Enter your e-mail address."))
    password = PasswordField(validators=_asked("Choose a password."))
    merchant_name = StringField(validators=[Length(max=LONGEST, message="That is too long.")])
    currency = SelectField(choices=CURRENCIES, default=DEFAULT_CURRENCY)
    timezone = SelectField(choices=zones, default=DEFAULT_ZONE)

    def validate_email(self, field: StringField) -> None:
        """Refuse what is no address, with the other fields' errors."""
        try:
            checked_email(field.data or "")
        except Refusal as wrong:
            raise ValidationError(wrong.message) from wrong

    def validate_password(self, field: PasswordField) -> None:
        """Refuse a password that is guessed first, with the other fields' errors."""
        reason = why_guessable(field.data, email=self.email.data or "", name=self.name.data or "")
        if reason:
            raise ValidationError(reason)

    def validate_merchant_name(self, field: StringField) -> None:
        """Refuse a shop without a name where somebody wants to sell."""
        if self.sells:
            try:
                checked_shop_name(field.data or "")
            except Refusal as wrong:
                raise ValidationError(wrong.message) from wrong

    @property
    def sells(self) -> bool:
        """Whether the person wants to sell."""
        return bool(self.aim.data == SELL)


class SignInForm(AccountForm):
    """Signing in; `next` is the page to go on to."""

    email = StringField(validators=_asked("Enter your e-mail address."))
    password = PasswordField(validators=_asked("Enter your password."))
    next = HiddenField()


class ForgotForm(AccountForm):
    """Asking for a link to choose a new password."""

    email = StringField(validators=_asked("Enter your e-mail address."))


class ResetForm(AccountForm):
    """Choosing a new password by a mailed link."""

    password = PasswordField(validators=_asked("Choose a password."))


class ProfileForm(AccountForm):
    """What a person says about themselves."""

    name = StringField(validators=_asked("Enter your name."))
    phone = StringField(validators=[Length(max=LONGEST, message="That is too long.")])
    timezone = SelectField(choices=zones, default=DEFAULT_ZONE)


class EmailForm(AccountForm):
    """Asking for another e-mail address."""

    email = StringField(validators=_asked("Enter the new e-mail address."))
    current = PasswordField(validators=_asked("Enter your current password."))


class PasswordForm(AccountForm):
    """Changing the password."""

    current = PasswordField(validators=_asked("Enter your current password."))
    new = PasswordField(validators=_asked("Choose a new password."))


class PlainForm(AccountForm):
    """A form of one button."""
