"""What the tests of access share: a users file with two users, and its sessions."""

from pathlib import Path

import pytest

from pipeline.access import token
from pipeline.access.logouts import Logouts
from pipeline.access.password import hashed
from pipeline.access.session import Sessions
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersFile, write
from tests.clock import Clock

PASSWORD = "correct horse"
TOKEN = "sl_of-ann"


@pytest.fixture(scope="session")
def content() -> UsersFile:
    """Two users: ann, of door and the yard, with a token; bob, of everything."""
    password = hashed(PASSWORD)
    ann = User(password=password, cameras=["door", "yard-*"], tokens={"vlc": token.digest(TOKEN)})
    bob = User(password=password, cameras=["*"])
    return UsersFile(secret="s" * 32, users={"ann": ann, "bob": bob})


@pytest.fixture
def path(tmp_path: Path, content: UsersFile) -> Path:
    """The users file."""
    path = tmp_path / "users.json"
    write(path, content)
    return path


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def users(path: Path, clock: Clock) -> Users:
    """The users, who look at their file when the clock says so."""
    return Users(path, clock.monotonic)


@pytest.fixture
def logouts(users: Users, clock: Clock) -> Logouts:
    """What is known of logouts: that there were none."""
    logouts = Logouts(users, clock.time)
    logouts.are_known = True
    return logouts


@pytest.fixture
def sessions(users: Users, logouts: Logouts, clock: Clock) -> Sessions:
    """Sessions of an hour."""
    return Sessions(users, 3600, logouts, clock.time)


def change(path: Path, clock: Clock, content: UsersFile) -> None:
    """Write the users file, and let the time pass until it is looked at."""
    write(path, content)
    clock.now += 1
