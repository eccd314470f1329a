"""Passwords and their hashes."""

import argon2
import pytest

from pipeline.access import password
from pipeline.access.password import hashed, is_hash, verify


def test_a_password_is_verified_against_its_hash_only() -> None:
    stored = hashed("correct horse")

    assert verify(stored, "correct horse")
    assert not verify(stored, "correct horsf")
    assert stored != hashed("correct horse")


def test_an_accent_counts_the_same_however_the_keyboard_sends_it() -> None:
    assert verify(hashed("caf\u00e9-caf\u00e9"), "cafe\u0301-cafe\u0301")


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "x" * 100_000])
def test_any_text_is_only_wrong(text: str) -> None:
    assert not verify(hashed("correct horse"), text)


def test_nobody_has_a_password_and_it_takes_as_long_to_say_so() -> None:
    known, nobodys = (argon2.extract_parameters(text) for text in (hashed("x"), password._NOBODYS))

    assert not verify(None, "correct horse")
    assert known == nobodys


def test_a_hash_that_is_none_lets_nobody_in() -> None:
    assert not verify("nonsense", "nonsense")


def test_only_argon2id_is_taken_for_a_hash() -> None:
    assert is_hash(hashed("x"))
    assert not is_hash(argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash("x"))
    assert not is_hash("correct horse")
