"""The users file: what it takes, what it complains about, how it is written."""

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.access.password import hashed
from pipeline.access.users_file import Name, User, UsersError, UsersFile, empty, matches, read, write
from tests.pipeline.access.conftest import PASSWORD

HASH = hashed(PASSWORD)

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64).filter(
    lambda text: text.isprintable() and text == text.strip() and ":" not in text
)
patterns = st.text(st.characters(codec="utf-8"), min_size=1)
users = st.builds(
    User,
    password=st.just(HASH),
    cameras=st.lists(patterns),
    tokens=st.dictionaries(names, st.text("0123456789abcdef", min_size=64, max_size=64), max_size=3),
)


@given(st.dictionaries(names, users, max_size=4))
def test_what_was_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, users: dict[Name, User]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    content = UsersFile(secret="s" * 32, users=users)

    write(path, content)

    assert read(path) == content


@given(st.text("ab*", max_size=8), st.text("ab\n", max_size=12))
def test_a_pattern_matches_as_a_regular_expression_would(pattern: str, camera: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))

    assert matches(pattern, camera) == bool(re.fullmatch(expression, camera, re.DOTALL))


@pytest.mark.parametrize(
    ("pattern", "camera", "yes"),
    [
        ("*", "", True),
        ("yard-*", "yard-", True),
        ("yard-*", "Yard-1", False),
        ("[a-z]?", "a1", False),
        ("a*a", "a", False),
        ("*" * 200 + "b", "a" * 20_000, False),
    ],
)
def test_nothing_but_a_star_is_special(pattern: str, camera: str, yes: bool) -> None:
    assert matches(pattern, camera) == yes


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    path.chmod(0o644)

    write(path, read(path))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_to_the_file_stays_one(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(path)

    write(link, empty())

    assert link.is_symlink()
    assert not read(path).users


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays_when_root_writes(path: Path) -> None:
    os.chown(path, 1000, 1000)

    write(path, empty())

    assert path.stat().st_uid == 1000


def test_a_file_that_cannot_be_written_leaves_the_old_one_and_no_other(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(UsersError, match="No space left"):
        write(path, empty())

    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_owner_that_cannot_be_kept_is_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def forbidden(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.fchown", forbidden)

    write(path, empty())

    owner = f"{path.stat().st_uid}:{path.stat().st_gid}"
    assert owner in caplog.text
    assert "Operation not permitted" in caplog.text
    assert read(path).users == {}


def test_each_new_file_has_its_own_secret() -> None:
    assert empty().secret != empty().secret


def ann(**fields: Any) -> dict[str, Any]:
    return {"secret": "s" * 32, "users": {"ann": {"password": HASH, "cameras": ["*"], **fields}}}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "users.json: line 1, column 0: expected JSON"),
        ("{\n,", "users.json: line 2, column 1: expected JSON"),
        ("[" * 100_000, "users.json: line 1, column 202: expected JSON"),
        ("[]", "users.json: expected an object"),
        ({"users": {}}, "users.json: secret: is missing"),
        ({"secret": "short", "users": {}}, "users.json: secret: expected 32 or more characters"),
        ({"secret": "s" * 32, "users": []}, "users.json: users: expected an object"),
        ({"secret": "s" * 32, "users": {"ann": 3}}, "users.json: user 'ann': expected an object"),
        ({"secret": "s" * 32, "users": {"a" * 65: {}}}, ": expected 64 or fewer characters"),
        (
            {"secret": "s" * 32, "users": {"a:b": {}}},
            "users.json: user 'a:b': ",
        ),
        (ann(password="hunter22"), "users.json: user 'ann': password: expected an argon2id hash"),
        (ann(cameras="door"), "users.json: user 'ann': cameras: expected a list"),
        (ann(cameras=[7]), "users.json: user 'ann': cameras: 0: expected a text"),
        (ann(camera=["door"]), "users.json: user 'ann': camera: is not a field of this file"),
        (ann(tokens={"v\nlc": "the token"}), "users.json: user 'ann': tokens: 'v\\nlc': expected"),
        ({"secret": "s" * 32, "users": {"a\nb": {}}}, "users.json: user 'a\\nb': expected printable"),
        (ann(tokens={"vlc": "the token"}), "users.json: user 'ann': tokens: vlc: expected the SHA-256"),
    ],
)
def test_errors_take_one_line(tmp_path: Path, content: Any, complaint: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))

    with pytest.raises(UsersError) as caught:
        read(path)

    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsersError, match=r"none\.json: No such file"):
        read(tmp_path / "none.json")


def test_neither_the_secret_nor_a_password_is_printed() -> None:
    content = empty().model_copy(update={"users": {"ann": User(password=hashed("hunter2-7"), cameras=["*"])}})

    assert content.secret not in repr(content)
    assert "argon2" not in repr(content)
