"""A real PostgreSQL, from the system's packages, which a test can stop, kill and start again."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import psycopg

from tests.parts import free_port, wait_for

_START: Final = 60.0  # s
_USER: Final = "streamlens"
_PASSWORD: Final = "sesame/@ %1"
# What a test writes need not survive a machine that loses power.
_SETTINGS: Final = (
    "fsync=off",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "timezone=Asia/Tokyo",
)


def programs() -> Path | None:
    """Return the folder with PostgreSQL's programs, or None. Debian keeps them out of the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


class PostgreSQL:
    """Runs while its block does; `create` makes databases. As it refuses to run as root, `nobody` runs it."""

    def __init__(self, folder: Path) -> None:
        self._programs = folder
        self._user = None if os.getuid() else pwd.getpwnam("nobody").pw_uid
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def __enter__(self) -> Self:
        password = self._folder / "password"
        password.write_text(_PASSWORD)
        if self._user is not None:
            for path in (self._folder, password):
                os.chown(path, self._user, -1)
        options = (
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        done = subprocess.run(
            [self._programs / "initdb", *options, f"--username={_USER}", f"--pgdata={self._data}"],
            user=self._user,
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [f"-c{setting}" for setting in _SETTINGS]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-p", str(self._port), *settings],
                user=self._user,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        wait_for(self._answers, _START, "PostgreSQL")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: by default it undoes open transactions; with SIGQUIT, as if it had crashed."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(_START)

    def create(self) -> str:
        """Create a database; return its address."""
        self._number += 1
        name = f"training{self._number}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, password: str = "") -> str:
        """Return the address of a database, by default with the right password."""
        return (
            f"postgresql://{_USER}:{quote(password or _PASSWORD, safe='')}@127.0.0.1:{self._port}/{database}"
        )

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(self.url("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True
