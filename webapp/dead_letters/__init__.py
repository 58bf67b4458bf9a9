"""Work that gave up, in one list: seen, tried again, or decided by a person with a reason."""

from webapp.dead_letters.errors import LetterNotFound, NotLikeThis
from webapp.dead_letters.models import KINDS, Letter, LetterKind
from webapp.dead_letters.queries import counts, how_many_like, letter, listed
from webapp.dead_letters.service import AT_ONCE, confirm, discard, retry, retry_like

__all__ = [
    "AT_ONCE",
    "KINDS",
    "Letter",
    "LetterKind",
    "LetterNotFound",
    "NotLikeThis",
    "confirm",
    "counts",
    "discard",
    "how_many_like",
    "letter",
    "listed",
    "retry",
    "retry_like",
]
