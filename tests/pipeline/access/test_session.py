"""Sessions and their cookie."""

import asyncio
import secrets
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.access.logouts import Logouts
from pipeline.access.password import hashed
from pipeline.access.session import Session, Sessions
from pipeline.access.signature import signer
from pipeline.access.users import Users
from pipeline.access.users_file import User, UsersFile, write
from tests.clock import Clock
from tests.pipeline.access.conftest import change


@pytest.fixture
def ann(content: UsersFile) -> User:
    """The user ann."""
    return content.users["ann"]


@pytest.fixture
def cookie(sessions: Sessions, ann: User) -> str:
    """The cookie of a session of ann's, as a browser sends it."""
    return f"streamlens={sessions.begin('ann', ann)}"


def found(sessions: Sessions, cookie: str) -> Session:
    session = sessions.find(cookie)
    assert session is not None
    return session


def test_a_session_is_its_users(sessions: Sessions, cookie: str) -> None:
    session = found(sessions, cookie)

    assert session.name == "ann"
    assert session.welcome()
    assert session.may_see("yard-2")
    assert not session.may_see("office")


def test_the_longest_name_fits_into_a_cookie(
    path: Path, logouts: Logouts, clock: Clock, content: UsersFile
) -> None:
    name = "".join(chr(0x1F400 + 7 * number) for number in range(64))
    ann = content.users["ann"]
    write(path, content.model_copy(update={"users": {name: ann}}))
    sessions = Sessions(Users(path), 3600, logouts, clock.time)

    assert found(sessions, f"streamlens={sessions.begin(name, ann)}").name == name


def test_a_cookie_is_found_among_others(sessions: Sessions, cookie: str) -> None:
    assert found(sessions, f"a=b; {cookie};theme=dark").name == "ann"
    assert found(sessions, f"streamlens=of-another-server; {cookie}").name == "ann"
    assert found(sessions, f"{'streamlens; ' * 9}{cookie}").name == "ann"


def test_a_session_ends_after_its_length(sessions: Sessions, cookie: str, clock: Clock) -> None:
    session = found(sessions, cookie)

    clock.now += 3599
    assert session.welcome()
    clock.now += 1

    assert not session.welcome()
    assert sessions.find(cookie) is None


def test_a_session_that_another_servers_clock_began_just_now_holds(
    sessions: Sessions, cookie: str, clock: Clock
) -> None:
    clock.now -= 5

    assert found(sessions, cookie).welcome()


def test_a_session_ends_with_its_password(
    sessions: Sessions, cookie: str, path: Path, clock: Clock, content: UsersFile
) -> None:
    session = found(sessions, cookie)
    ann = content.users["ann"].model_copy(update={"password": hashed("another one")})

    change(path, clock, content.model_copy(update={"users": {"ann": ann}}))

    assert not session.welcome()
    assert sessions.find(cookie) is None


def test_a_session_ends_with_its_user(
    sessions: Sessions, cookie: str, path: Path, clock: Clock, content: UsersFile
) -> None:
    session = found(sessions, cookie)

    change(path, clock, content.model_copy(update={"users": {}}))

    assert not session.welcome()
    assert not session.may_see("door")
    assert sessions.find(cookie) is None


def test_a_new_secret_ends_all_sessions(
    sessions: Sessions, cookie: str, path: Path, clock: Clock, content: UsersFile
) -> None:
    session = found(sessions, cookie)

    change(path, clock, content.model_copy(update={"secret": "t" * 32}))

    assert not session.welcome()
    assert sessions.find(cookie) is None


def test_rights_change_while_a_session_lasts(
    sessions: Sessions, cookie: str, path: Path, clock: Clock, content: UsersFile
) -> None:
    session = found(sessions, cookie)
    ann = content.users["ann"].model_copy(update={"cameras": ["office"]})

    change(path, clock, content.model_copy(update={"users": {"ann": ann}}))

    assert session.may_see("office")
    assert not session.may_see("door")


def test_a_session_that_was_ended_stays_so_and_others_stay(
    sessions: Sessions, cookie: str, ann: User
) -> None:
    other = found(sessions, f"streamlens={sessions.begin('ann', ann)}")
    session = found(sessions, cookie)

    asyncio.run(sessions.end(session))

    assert not session.welcome()
    assert sessions.find(cookie) is None
    assert other.welcome()


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_cookie_is_taken_for_it(sessions: Sessions, cookie: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(len("streamlens="), len(cookie) - 1))
    end = data.draw(st.integers(at, len(cookie)))
    forged = cookie[:at] + data.draw(st.text(st.characters(codec="latin-1"), max_size=9)) + cookie[end:]

    # Base 64 can be written in more than one way: then it is the same session, and no other.
    assert sessions.find(forged) in {None, found(sessions, cookie)}


@given(st.text(st.characters(codec="latin-1")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_only_no_session(sessions: Sessions, text: str) -> None:
    assert sessions.find(f"streamlens={text}") is None
    assert sessions.find(text) is None


@pytest.mark.exceeds("pipeline.access.cookies._MOST")
def test_a_session_is_one_of_four_cookies_of_its_name(sessions: Sessions, cookie: str) -> None:
    assert found(sessions, "streamlens=x; " * 3 + cookie).name == "ann"
    assert sessions.find("streamlens=x; " * 4 + cookie) is None
    assert sessions.find("streamlens=x; " * 5_000 + cookie) is None


@pytest.mark.exceeds("pipeline.access.cookies._LONGEST")
@pytest.mark.parametrize(("size", "is_read"), [(1_000, True), (2_000, False), (60_000, False)])
def test_a_huge_cookie_is_not_a_session(
    sessions: Sessions, ann: User, size: int, is_read: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = secrets.token_urlsafe(size)  # does not get smaller when it is compressed
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: identity)
    cookie = sessions.begin("ann", ann)

    assert (sessions.find(f"streamlens={cookie}") is not None) is is_read


@pytest.mark.parametrize("signed", [["ann"], "anna", 7, None, {"name": "ann"}])
def test_a_signed_value_that_is_not_a_session_is_rejected(sessions: Sessions, signed: object) -> None:
    cookie = signer(sessions.users.secret, "session").dumps(signed)

    assert sessions.find(f"streamlens={cookie}") is None
