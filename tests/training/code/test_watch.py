"""What a process uses: this one, and one that does not exist."""

import os
from pathlib import Path

import pytest

from training.code.watch import Usage, deleted_size, folder_size, usage

NOBODY = 2**22 + 1  # larger than any process's number
MIB = 1024 * 1024


def test_memory_and_threads_are_counted() -> None:
    found = usage(os.getpid())

    assert found.threads >= 1
    assert found.memory > MIB
    grown = bytearray(os.urandom(64 * MIB))
    assert usage(os.getpid()).memory > found.memory + len(grown) // 2


def test_a_process_that_has_ended_uses_nothing() -> None:
    assert usage(NOBODY) == Usage(memory=0, threads=0)
    assert deleted_size(NOBODY) == 0


def test_files_in_all_folders_count(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(bytes(MIB))
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 2**40)
    (tmp_path / "link").symlink_to("/")

    size, count = folder_size(tmp_path, 100)

    assert MIB <= size < 2 * MIB, "a hole takes no room, and links are not followed"
    assert count == 5


def test_the_count_stops_soon_beyond_the_limit(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / str(number)).touch()

    assert folder_size(tmp_path, 10)[1] == 11


def test_what_is_removed_meanwhile_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").touch()
    scandir = os.scandir

    def remove_first(path: str) -> object:
        if path.endswith("/a"):
            (tmp_path / "a/file").unlink()
            (tmp_path / "a").rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", remove_first)

    assert folder_size(tmp_path, 10) == (0, 1)


@pytest.mark.parametrize(
    ("error", "expected"),
    [(PermissionError, (0, 2)), (OSError, (0, 11))],
    ids=["not readable", "too deep"],
)
def test_folders_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError], expected: tuple[int, int]
) -> None:
    """The superuser can read all of them, so the kernel's answer is made up."""
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "file").touch()
    folder.chmod(0)
    refusals = [error()]
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path == str(folder) and refusals:
            raise refusals.pop()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)

    assert folder_size(tmp_path, 10) == expected
    if error is PermissionError:
        assert folder.stat().st_mode & 0o777 == 0o700


def test_deleted_files_count_while_they_are_open(tmp_path: Path) -> None:
    before = deleted_size(os.getpid())

    with (tmp_path / "file").open("wb") as file:
        file.write(bytes(MIB))
        file.flush()
        assert deleted_size(os.getpid()) < before + MIB
        (tmp_path / "file").unlink()
        assert deleted_size(os.getpid()) >= before + MIB

    assert deleted_size(os.getpid()) < before + MIB
