"""The users as their file has them now."""

from pathlib import Path

import pytest

from pipeline.access.users import Users
from pipeline.access.users_file import UsersFile, write
from pipeline.service.settings import SettingsError
from tests.clock import Clock
from tests.pipeline.access.conftest import change


def test_a_change_of_the_file_is_seen_after_a_second(
    users: Users, path: Path, clock: Clock, content: UsersFile
) -> None:
    bob = {"bob": content.users["bob"]}
    change(path, clock, content.model_copy(update={"users": bob, "secret": "t" * 32}))

    assert users.get("ann") is None
    assert [name for name, _ in users] == ["bob"]
    assert users.secret == "t" * 32


def test_the_file_is_looked_at_once_a_second_at_most(users: Users, path: Path, clock: Clock) -> None:
    path.unlink()
    clock.now += 0.9

    assert users.get("ann") is not None
    assert users._version is not None


def test_a_change_of_the_file_is_seen_at_once_on_request(
    users: Users, path: Path, content: UsersFile
) -> None:
    write(path, content.model_copy(update={"users": {}}))

    users.look()

    assert users.get("ann") is None


@pytest.mark.parametrize("broken", [True, False])
def test_a_file_that_breaks_or_vanishes_leaves_the_users_and_is_logged_once(
    users: Users, path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, broken: bool
) -> None:
    if broken:
        path.write_text("{}")
    else:
        path.unlink()

    for _ in range(3):
        clock.now += 1
        assert users.get("ann") is not None

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "keeping the previous users" in caplog.text


def test_a_file_that_is_mended_counts_again(
    users: Users, path: Path, clock: Clock, content: UsersFile
) -> None:
    path.write_text("{}")
    clock.now += 1
    users.get("ann")

    change(path, clock, content.model_copy(update={"users": {}}))

    assert users.get("ann") is None


def test_a_server_does_not_start_without_its_users(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^USERS: .*none\.json: .*python -m pipeline\.users"):
        Users(tmp_path / "none.json")
