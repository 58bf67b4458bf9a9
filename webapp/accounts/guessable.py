"""Which passwords are too easy to guess, and why, as a pure function.

What a guesser tries first is taken out of the password: well-known words, keyboard rows, counting,
repeats, the person's own name and address. What is left must still be worth guessing. The words
are our own short list; it stands in for no list of leaked passwords.
"""

from __future__ import annotations

import re
import string
import unicodedata

MIN_LENGTH = 12
MAX_LENGTH = 128
MIN_DIFFERENT = 5
MIN_LEFT = 5
MIN_RUN = 4
MIN_CONTEXT = 4

PRODUCT_WORDS = ("paydeck",)
_WORD_LIST = """
abcd access account admin administrator alexander alexis amanda america andrea andrew angel
angela animal anthony apple april ashley asdf august austin autumn awesome babygirl badboy
banana bank barcelona baseball basketball batman beautiful bitcoin blessed bollywood bonjour
boomer brandon brooklyn buster butterfly camera carlos changeme change charlie cheese chelsea
chicken chocolate chris christian cookie computer control cowboy credit cricket daniel david
december default delhi demo destiny diamond dolphin dragon eagle easy elephant emily enter euro
everton facebook family february ferrari flower football forever freedom friday friend fuckyou
ganesh ganesha garden george ginger google guest guitar hannah happy harley hello hockey holiday
hunter iloveyou india indian internet jackson jaguar january jasmine jennifer jessica jesus
jordan joseph joshua july june justin killer king kitten krishna lakers laptop letmein liverpool
login london lovely love lucky maggie manchester march maria marina martin master matrix matthew
mercedes merchant michael michelle million mobile monday money monkey monster mother mumbai
mustang naruto nicole ninja november nothing office october opensesame orange owner pass
passcode passwd passwort password payment peace pepper phoenix pikachu player please pokemon
police princess private purple qazwsx queen rabbit rachel ranger rainbow ravi robert rocket root
rupee samantha samsung saturday scooter secret secure security september service shadow shiva
shopper shopping silver single sister smile snoopy soccer spider spring starwars strong student
summer sunday sunflower sunshine super superman support sweet system taylor temp temporary
teacher test tester testing thank thomas thunder thursday tiger tigger today trust truelove
trustno tuesday turtle twitter user victoria wallet warrior wednesday welcome whatever william
winner winter wizard wolf wonder world yankees yellow zaq zxcvbn
"""
WORDS = frozenset(_WORD_LIST.split())
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()",
)
_FOLDS = (
    str.maketrans("013456789@$!+|", "oieasgtbgasitl"),
    str.maketrans("013456789@$!+|", "oleasgtbgaslti"),
)


def why_guessable(password: str, *, email: str = "", name: str = "") -> str | None:
    """Return in a sentence why `password` is refused for this person, or None when it is good."""
    length = len(password)
    if length < MIN_LENGTH:
        return f"Use at least {MIN_LENGTH} characters. Yours has {length}."
    if length > MAX_LENGTH:
        return f"Use at most {MAX_LENGTH} characters. Yours has {length}."
    plain = unicodedata.normalize("NFKC", password).casefold()
    spellings = (plain, *(plain.translate(fold) for fold in _FOLDS))
    if any(word in spelling for word in _context(email, name) for spelling in spellings):
        return "Leave your name, your e-mail address and the word Paydeck out of the password."
    if len(set(plain)) < MIN_DIFFERENT:
        return "That repeats a few characters. Use several words that do not belong together."
    if any(len(_left_over(spelling)) < MIN_LEFT for spelling in spellings):
        return (
            "That is built from words or rows that are guessed first. "
            "Use several words that do not belong together."
        )
    return None


def _context(email: str, name: str) -> set[str]:
    local, _, domain = email.casefold().partition("@")
    words = [*PRODUCT_WORDS, local, domain.partition(".")[0], *re.split(r"[._+\-\d]+", local)]
    words += name.casefold().split()
    return {word for word in words if len(word) >= MIN_CONTEXT}


def _left_over(spelling: str) -> str:
    """Return the different characters that stay when everything guessed first is taken out."""
    kept = _without_runs(spelling)
    for word in sorted(WORDS, key=len, reverse=True):
        kept = kept.replace(word, " ")
    kept = re.sub(r"(19|20)\d\d", " ", kept)
    kept = re.sub(r"(.)\1{2,}", r"\1", kept)
    return "".join(sorted(set(kept) - set(string.punctuation) - set(string.whitespace)))


def _without_runs(text: str) -> str:
    """Return `text` without stretches along the alphabet, the digits or a keyboard row."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    kept, place = [], 0
    while place < len(text):
        length = max(_run(text, place, row) for row in rows)
        if length >= MIN_RUN:
            place += length
            kept.append(" ")
        else:
            kept.append(text[place])
            place += 1
    return "".join(kept)


def _run(text: str, start: int, row: str) -> int:
    at = row.find(text[start])
    if at < 0:
        return 0
    length = 0
    while (
        start + length < len(text)
        and at + length < len(row)
        and text[start + length] == row[at + length]
    ):
        length += 1
    return length
