"""The shopper's forms."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

#: In which currencies wallets can be opened.
WALLET_CURRENCIES = ("INR", "USD", "EUR", "GBP", "JPY", "KWD")


class SendForm(FlaskForm):  # type: ignore[misc]
    """Whom to send how much from which wallet."""

    recipient = StringField("To", validators=[InputRequired("Enter an e-mail address.")])
    amount = StringField("Amount", validators=[InputRequired("Enter an amount.")])
    currency = SelectField("Wallet", choices=[], validate_choice=False)
    note = StringField("Note")


class TopUpForm(FlaskForm):  # type: ignore[misc]
    """How much to put into which wallet."""

    amount = StringField("Amount", validators=[InputRequired("Enter an amount.")])
    currency = SelectField("Currency", choices=list(WALLET_CURRENCIES), validate_choice=False)
