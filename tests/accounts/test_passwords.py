"""Passwords: what may be one, and the real Argon2id parameters (R-SAFE)."""

import unicodedata

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from kartramail.accounts import passwords
from kartramail.accounts.passwords import (
    NO_PASSWORD,
    hash_password,
    is_right_password,
    judge_password,
)


def test_hashes_are_argon2id_with_the_parameters_of_rfc_9106(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())
    parameters = extract_parameters(hash_password("a sentence to remember"))
    assert parameters.type is Type.ID
    assert parameters == RFC_9106_LOW_MEMORY


def test_a_hash_matches_its_password_only() -> None:
    known = hash_password("a sentence to remember")
    assert is_right_password("a sentence to remember", known)
    assert not is_right_password("A sentence to remember", known)
    assert not is_right_password("", known)
    assert known != hash_password("a sentence to remember")


def test_nothing_matches_where_there_is_no_password() -> None:
    for guess in ("", " ", NO_PASSWORD):
        assert not is_right_password(guess, NO_PASSWORD)


def test_accents_match_however_the_keyboard_composes_them() -> None:
    typed = "zoë kaufte brötchen"
    known = hash_password(unicodedata.normalize("NFC", typed))
    assert is_right_password(unicodedata.normalize("NFD", typed), known)


def test_where_there_is_no_hash_the_same_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time must not tell whether an address is known."""
    worked: list[str] = []
    monkeypatch.setattr(passwords, "hash_password", lambda text: worked.append(text) or "")
    is_right_password("a guess", NO_PASSWORD)
    assert worked == ["a guess"]


@pytest.mark.parametrize("password", ["ten chars!", "p" * 100 + "assword " * 12, "пароль надёжный"])
def test_long_enough_ones_are_taken(password: str) -> None:
    assert not judge_password(password, email="jane@doeinc.com", business_name="Doe").is_error


@pytest.mark.parametrize(
    "password",
    [
        "",
        "nine char",
        "x" * 201,
        "abababababab",
        "Jane@DoeInc.com",
        "jane.longname",
        "Doe Bakery Inc.",
    ],
)
def test_weak_ones_are_refused_with_a_sentence(password: str) -> None:
    email = "jane.longname@doeinc.com" if password == "jane.longname" else "jane@doeinc.com"
    verdict = judge_password(password, email=email, business_name="doe bakery inc.")
    assert verdict.is_error
    assert verdict.message.endswith(".")
