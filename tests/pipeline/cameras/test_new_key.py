"""A new key is written once."""

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from pipeline.cameras import new_key
from pipeline.cameras.seal import Seal


def test_a_key_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "cameras.key"

    assert new_key.provide(file)
    text = file.read_text()

    assert not new_key.provide(file)
    assert file.read_text() == text
    Seal([text.strip()])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["cameras.key"]


def test_of_many_writers_one_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, wrote = tmp_path / "cameras.key", list[bool]()
    together = threading.Barrier(8)
    # As in containers, each of which has its own process numbers.
    monkeypatch.setattr("os.getpid", lambda: 7)

    def write() -> None:
        together.wait(30)
        wrote.append(new_key.provide(file))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(wrote) == [False] * 7 + [True]
    assert os.listdir(tmp_path) == ["cameras.key"]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nowhere/cameras.key"

    assert new_key.main([str(file)]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{file}: ")
    assert "No such file" in line


def test_without_a_file_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert new_key.main([]) == 2
    assert "FILE" in capsys.readouterr().err


def test_the_command_follows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = list[tuple[object, ...]]()
    monkeypatch.setattr("os.execvp", lambda *given: ran.append(given))

    new_key.main([str(tmp_path / "cameras.key"), sys.executable, "-m", "pipeline", "video"])

    assert ran == [(sys.executable, [sys.executable, "-m", "pipeline", "video"])]
    assert (tmp_path / "cameras.key").exists()
