"""E-mail addresses as they are stored."""

from __future__ import annotations

from typing import Final

from email_validator import EmailNotValidError, validate_email

from webapp.kernel.errors import Invalid

LONGEST: Final = 254


def checked(address: str, *, param: str = "email") -> str:
    """Return an address as it is stored, in its normal form; raises Invalid naming `param`.

    Whether mail arrives is shown by mail alone: names that nobody can have, such as `.test`, pass.
    """
    try:
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise Invalid("Enter an e-mail address such as name@example.com.", param=param) from wrong
    if len(found.normalized) > LONGEST:
        raise Invalid(f"An e-mail address has at most {LONGEST} characters.", param=param)
    return found.normalized
