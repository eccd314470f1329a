"""A logout holds on all servers with the same users, and after each of them has been restarted."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.access import token
from pipeline.access.password import hashed
from pipeline.access.users_file import User, UsersFile, write
from tests.parts import Process, Service, embedded_broker, free_port, wait_for
from tests.video.fakes import Browser
from tests.visitor import Visitor

pytestmark = pytest.mark.parts

PASSWORD = "correct horse"
TOKEN = "sl_of-ann"
HTML = "text/html"


def write_users(folder: Path, password: str = PASSWORD) -> Path:
    """Write a users file for ann, who has a token; return it."""
    ann = User(password=hashed(password), cameras=["*"], tokens={"vlc": token.digest(TOKEN)})
    write(folder / "users.json", UsersFile(secret="s" * 32, users={"ann": ann}))
    return folder / "users.json"


class Server(Browser):
    """A video server as a process."""

    def __init__(self, service: Process, port: int) -> None:
        super().__init__(port)
        self.service = service

    def log_in(self) -> str:
        """Log in as ann as soon as that is possible, and return the cookies."""
        visitor = Visitor(f"http://127.0.0.1:{self.port}/")
        form = {"name": "ann", "password": PASSWORD}
        wait_for(lambda: visitor.ask("login", form, Accept=HTML).status == 200, 30, "a login")
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.cookies)

    def log_out(self, cookie: str) -> None:
        """Log out."""
        with self.ask("/logout", "POST", Cookie=cookie) as answer:
            assert answer.status == 303

    def status(self, cookie: str) -> int:
        """Return the status of an answer to somebody with this cookie."""
        return self.get("/api/session", Cookie=cookie)[0]

    def wait(self, cookie: str, status: int) -> None:
        """Wait for the status of an answer to somebody with this cookie."""
        wait_for(lambda: self.status(cookie) == status, 30, f"a {status}")

    def status_with_token(self) -> int:
        """Return the status of an answer to somebody with ann's token."""
        return self.get("/api/session", Authorization=f"Bearer {TOKEN}")[0]


class Site:
    """Servers with the same users and broker, one after the other or at the same time."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._count = 0
        self._users = write_users(folder)

    def start(self, kafka: str, **variables: str) -> Server:
        """Start a server, and wait until it answers."""
        port, self._count = free_port(), self._count + 1
        settings = {"KAFKAPORT": kafka, "DISPLAYPORT": f"127.0.0.1:{port}", **variables}
        settings["USERS"] = str(self._users)
        service = Service("video", settings, self._folder, f"-{self._count}")
        server = Server(self._stack.enter_context(service), port)
        wait_for(lambda: "video started" in service.text, 30, "the start")
        return server


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Servers that end with the test."""
    with ExitStack() as stack:
        yield Site(tmp_path, stack)


def test_a_logout_holds_on_all_servers_and_after_restarts(site: Site, tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as (kafka, _):
        one, two = site.start(kafka), site.start(kafka)
        stolen, kept = one.log_in(), two.log_in()
        assert [server.status(cookie) for server in (one, two) for cookie in (stolen, kept)] == [200] * 4

        one.log_out(stolen)

        assert one.status(stolen) == 401
        wait_for(lambda: two.status(stolen) == 401, 10, "the other server")
        one.service.kill()
        assert two.service.stop() == 0
        later = site.start(kafka)
        wait_for(lambda: later.status(stolen) != 503, 30, "the logouts")
        assert later.status(stolen) == 401
        assert later.status(kept) == 200


def test_a_session_that_is_older_than_a_lost_topic_does_not_come_back(site: Site, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with embedded_broker(tmp_path / "first") as (kafka, _):
        server = site.start(kafka)
        stolen = server.log_in()
        server.log_out(stolen)
        server.service.stop()

    with embedded_broker(tmp_path / "second") as (kafka, _):
        later = site.start(kafka)
        wait_for(lambda: later.status(stolen) != 503, 30, "the logouts")

        assert later.status(stolen) == 401


def test_a_new_password_ends_sessions_but_not_tokens_on_all_servers_and_after_restarts(
    site: Site, tmp_path: Path
) -> None:
    with embedded_broker(tmp_path) as (kafka, _):
        one, two = site.start(kafka), site.start(kafka)
        cookies = [one.log_in(), two.log_in()]

        write_users(tmp_path, "battery staple")

        for server in (one, two):
            server.wait(cookies[0], 401)
            assert server.status(cookies[1]) == 401
            assert server.status_with_token() == 200
            server.service.stop()
        later = site.start(kafka)
        later.wait(cookies[0], 401)
        assert [later.status(cookie) for cookie in cookies] == [401, 401]
        assert later.status_with_token() == 200


def test_while_kafka_is_away_from_the_start_no_session_counts(site: Site, tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as (kafka, _):
        server = site.start(kafka)
        cookie = server.log_in()

    late = site.start(kafka)

    assert late.status(cookie) == 503
