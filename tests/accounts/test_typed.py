"""What people type about themselves: one answer for each kind of wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from webapp.accounts import typed
from webapp.kernel.errors import Invalid


@pytest.mark.requirement("S2-07", "S2-84")
@pytest.mark.parametrize(
    "bad",
    ["", "   ", "asha", "asha@", "@shop.example", "a b@shop.example", "asha@shop",
     "a@@shop.example", "asha@shop.example\nbcc:x@y.example", "x" * 300 + "@shop.example",
     "asha@-shop.example"],
)  # fmt: skip
def test_an_address_that_cannot_get_mail_is_refused_by_field(bad: str) -> None:
    with pytest.raises(Invalid) as refused:
        typed.email(bad)
    assert refused.value.param == "email"


def test_an_address_is_kept_as_typed_but_for_its_domain() -> None:
    assert typed.email("  Asha.Raman@Shop.EXAMPLE ") == "Asha.Raman@shop.example"


@pytest.mark.parametrize(
    "bad", ["", " \t ", "x" * 81, "As\x07ha", "As\u202eha", "4242 4242 4242 4242"]
)
def test_a_name_that_is_none_is_refused_by_field(bad: str) -> None:
    with pytest.raises(Invalid) as refused:
        typed.name(bad)
    assert refused.value.param == "name"


@pytest.mark.parametrize("good", ["Asha", "Ōkubo 太郎", "محمد بن راشد", "O’Neill-Smith", "x" * 80])
def test_any_name_of_at_most_80_letters_is_taken(good: str) -> None:
    assert typed.name(f"  {good} ") == good


def test_a_phone_number_is_digits_with_its_country() -> None:
    assert typed.phone(" +91 98765-43210 ") == "+919876543210"
    assert typed.phone("") is None


@pytest.mark.parametrize("bad", ["12", "call me", "+", "1" * 16, "4242 4242 4242 4242", "٠١٢٣٤٥٦٧"])
def test_a_phone_number_that_is_none_is_refused_by_field(bad: str) -> None:
    with pytest.raises(Invalid) as refused:
        typed.phone(bad)
    assert refused.value.param == "phone"


@pytest.mark.parametrize(
    ("check", "bad"),
    [(typed.timezone, "Mars/Olympus"), (typed.timezone, "../etc/passwd"), (typed.currency, "XXX"),
     (typed.currency, "inr"), (typed.country, "India"), (typed.country, "in")],
)  # fmt: skip
def test_a_choice_that_is_not_on_the_list_is_refused(check: Callable[[str], str], bad: str) -> None:
    with pytest.raises(Invalid):
        check(bad)
