"""Hashing and the rules for passwords: pure, except for the turns that hashing takes."""

from __future__ import annotations

import threading

import bcrypt
import pytest
from flask import Flask

from tests import cheap_passwords
from webapp.accounts import errors, passwords
from webapp.accounts.guessable import WORDS, why_guessable

ARGON = "$argon2id$v=19$m=19456,t=2,p=1$"


@pytest.fixture(autouse=True)
def _settled_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", cheap_passwords.SETTLED)


@pytest.mark.requirement("S2-09")
def test_a_password_is_stored_as_salted_argon2id_with_the_settled_cost(app: Flask) -> None:
    first, second = (
        passwords.hash_password("a long secret"),
        passwords.hash_password("a long secret"),
    )
    assert first.startswith(ARGON)
    assert second.startswith(ARGON)
    assert first != second, "each hash has its own salt"
    assert passwords.is_right(first, "a long secret")
    assert not passwords.is_right(first, "a long secreT")


@pytest.mark.requirement("S2-09")
def test_a_bcrypt_hash_is_checked_and_asks_to_be_replaced(app: Flask) -> None:
    old = bcrypt.hashpw(b"imported secret", bcrypt.gensalt(4)).decode()
    assert passwords.importable(old) == old
    assert passwords.is_right(old, "imported secret")
    assert not passwords.is_right(old, "another secret")
    assert passwords.needs_rehash(old)
    assert not passwords.needs_rehash(passwords.hash_password("imported secret"))


def test_a_bcrypt_hash_of_a_long_password_still_opens(app: Flask) -> None:
    long = "é" * 60
    old = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert passwords.is_right(old, long)


def test_weaker_argon2_parameters_ask_to_be_replaced() -> None:
    weak = (
        "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$h4Xo3oDXLmPyPYSSFYfTb2bLVPFLDhFAEWVjkN0iFMY"
    )
    assert passwords.needs_rehash(weak)


@pytest.mark.parametrize(
    "bad",
    ["", "plain", "$2b$31$" + "a" * 53, "$2b$03$" + "a" * 53, "$2b$10$short", "$1$abc$def",
     ARGON + "c2FsdA$aGFzaA"],
)  # fmt: skip
def test_only_bcrypt_of_a_bearable_cost_is_imported(bad: str) -> None:
    with pytest.raises(errors.BadImport):
        passwords.importable(bad)


def test_nobody_is_checked_with_the_same_work_and_is_never_right(app: Flask) -> None:
    assert not passwords.is_right(None, "anything at all")


def test_accents_typed_in_two_ways_are_one_password(app: Flask) -> None:
    stored = passwords.hash_password("cafe\u0301 au lait tout noir")
    assert passwords.is_right(stored, "caf\u00e9 au lait tout noir")


def test_at_most_two_passwords_are_hashed_at_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, most, lock = [0], [0], threading.Lock()
    meeting = threading.Event()

    class Slow:
        def hash(self, _password: str) -> str:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            meeting.wait(0.05)
            with lock:
                inside[0] -= 1
            return "hashed"

    monkeypatch.setattr(passwords, "_hasher", Slow())

    def one() -> None:
        with app.app_context():
            passwords.hash_password("x")

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


GUESSABLE = [
    "password1234", "P@ssw0rd2026!", "qwertyuiop123", "aaaaaaaaaaaa", "abcabcabcabc",
    "Summer2026!!Winter", "iloveyou1234567", "1q2w3e4r5t6y", "1qaz2wsx3edc", "letmeinletmein",
    "MondayTuesday1", "abcdefghijklmnop", "zyxwvutsrqponm", "000000000000", "123456789012",
    "Welcome12345!", "adminadmin2025", "trustno1trustno1", "DragonMaster99", "f00tb@ll2024!!",
    "Liverpool1892", "monkeymonkey12", "qazwsxqazwsx", "superman123456", "princess!!!!!!",
    "changeme-1234", "cricket-delhi-2026", "krishna1234567", "bitcoin wallet 1", "!@#$%^&*()!@",
]  # fmt: skip


@pytest.mark.parametrize("password", GUESSABLE)
def test_passwords_that_are_guessed_first_are_refused(password: str) -> None:
    assert why_guessable(password) is not None


GOOD = [
    "correct horse battery", "tr0ub4dor&3xyz", "Xk9#mQ2vLp7z", "pässwörter sind doof",
    "日本の夏は暑いですねえ本当", "🦊🐻🐼🐨🐯🦁🐮🐷🐸🐵🐔🐧", "vier blaue Teller im Regal",
    "x" + "moss-granite-velvet" * 3, "seven llamas hum", "  spaces are fine too  ",
    "Teilchen/Quark/Gluon", "o tempo perguntou ao tempo",
]  # fmt: skip


@pytest.mark.parametrize("password", GOOD)
def test_passwords_that_are_hard_to_guess_are_taken_whatever_their_letters(password: str) -> None:
    assert why_guessable(password, email="asha.raman@mail.example", name="Asha Raman") is None


@pytest.mark.parametrize("word", sorted(WORDS)[::9])
def test_a_well_known_word_with_a_year_is_refused(word: str) -> None:
    assert why_guessable(f"{word}{word}2026!!") is not None


@pytest.mark.parametrize(
    "password",
    ["my raman is in here 77", "asha.raman.horse.cloud", "paydeck likes blue horses",
     "P4yd3ck likes blue horses", "blue horses of mailbox"],
)  # fmt: skip
def test_name_address_and_product_are_kept_out_of_the_password(password: str) -> None:
    said = why_guessable(password, email="asha.raman@mailbox.example", name="Asha Raman")
    assert said is not None
    assert "Leave your name" in said


@pytest.mark.parametrize(("length", "says"), [(11, "at least"), (129, "at most")])
def test_a_password_that_is_too_short_or_too_long_says_so(length: int, says: str) -> None:
    assert says in (why_guessable(("kolze9!qwvb" * 12)[:length]) or "")


@pytest.mark.parametrize("length", [12, 64, 128])
def test_a_password_has_12_to_128_characters(length: int) -> None:
    assert why_guessable(("kolze9!qwvb" * 12)[:length]) is None
