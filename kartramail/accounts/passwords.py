"""Passwords: what may be one, and its Argon2id hash (R-SAFE).

Hashing takes a tenth of a second on purpose: never call it inside a transaction.
"""

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kartramail.rules.verdict import OK, Status, Verdict

MIN_LENGTH = 10
MAX_LENGTH = 200
NO_PASSWORD = ""
"""What is stored for a person who has not chosen a password yet; nothing matches it."""

_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The Argon2id hash to keep, with its salt and parameters in it."""
    return _hasher.hash(_normalised(password))


def is_right_password(password: str, password_hash: str) -> bool:
    """Whether this is the password of that hash. It takes equally long where there is no hash."""
    try:
        return _hasher.verify(password_hash, _normalised(password))
    except InvalidHashError:
        hash_password(password)
        return False
    except VerificationError:
        return False


def needs_new_hash(password_hash: str) -> bool:
    """True when the hash was made with weaker parameters than are usual now."""
    return _hasher.check_needs_rehash(password_hash)


def _normalised(password: str) -> str:
    """The same password, however the keyboard composes its accents (NIST SP 800-63B §5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def judge_password(password: str, *, email: str, business_name: str = "") -> Verdict:
    """Whether a password can be chosen: long enough, and not what anybody would try first."""
    if len(password) < MIN_LENGTH:
        return _refusal(
            f"A password needs at least {MIN_LENGTH} characters. "
            "A few words in a row are easy to remember and hard to guess."
        )
    if len(password) > MAX_LENGTH:
        return _refusal(f"A password has room for {MAX_LENGTH} characters. Shorten it.")
    if len(set(password)) < 4:
        return _refusal(
            "That repeats the same few characters. Choose something that is harder to guess."
        )
    typed = password.casefold().strip()
    for taken, words in (
        (email, "your address"),
        (email.partition("@")[0], "your address"),
        (business_name, "your business name"),
    ):
        if taken and typed == taken.casefold().strip():
            return _refusal(
                f"That is {words}, which others know. Choose something that only you know."
            )
    return OK


def _refusal(message: str) -> Verdict:
    return Verdict(Status.ERROR, "password", message)
