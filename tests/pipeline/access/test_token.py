"""Tokens of players and scripts."""

import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.access import token
from pipeline.access.users import Users
from pipeline.access.users_file import UsersFile
from tests.clock import Clock
from tests.pipeline.access.conftest import PASSWORD, TOKEN, change


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer  {TOKEN} ", basic(f"ann:{TOKEN}")])
def test_who_brings_a_token_is_its_user(users: Users, header: str) -> None:
    visitor = token.find(users, header)

    assert visitor is not None
    assert visitor.name == "ann"
    assert visitor.welcome()
    assert visitor.may_see("door")
    assert not visitor.may_see("office")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer sl_of-bob",
        f"Bearer {token.digest(TOKEN)}",
        f"Digest {TOKEN}",
        basic(f"bob:{TOKEN}"),
        basic(f"ann:{PASSWORD}"),
        basic("ann:"),
        basic("ann"),
        "Basic ???",
        "Basic /w==",
    ],
)
def test_nobody_else_is(users: Users, header: str) -> None:
    assert token.find(users, header) is None


@given(st.text(st.characters(codec="latin-1")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_only_nobody(users: Users, text: str) -> None:
    for scheme in ("", "Basic ", "Bearer "):
        assert token.find(users, scheme + text) is None


@pytest.mark.parametrize("removed", ["token", "user"])
def test_a_token_ends_when_it_is_revoked_and_with_its_user(
    users: Users, path: Path, clock: Clock, content: UsersFile, removed: str
) -> None:
    visitor = token.find(users, f"Bearer {TOKEN}")
    left = {"ann": content.users["ann"].model_copy(update={"tokens": {}})} if removed == "token" else {}

    change(path, clock, content.model_copy(update={"users": left}))

    assert visitor is not None
    assert not visitor.welcome()
    assert token.find(users, f"Bearer {TOKEN}") is None


def test_a_new_token_is_fit_for_a_url_and_for_no_second_use() -> None:
    one, other = token.new(), token.new()

    assert one != other
    assert len(one) >= 32
    assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in one)
