"""Folders of restricted processes are removed whatever is in them."""

import os
from pathlib import Path

from training.code.folder import remove, temporary_folder


def nest(folder: Path, depth: int) -> None:
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)


def test_a_folder_is_private_and_temporary() -> None:
    with temporary_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").touch()

    assert not folder.exists()


def test_deep_folders_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    nest(folder, 3000)

    remove(folder)

    assert not folder.exists()


def test_names_that_are_taken_are_kept_apart(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    for name in ("a/.0", "a/.1/.0", ".0/x", ".2/.1"):
        (folder / name).mkdir(parents=True)
    (folder / ".1").touch()

    remove(folder)

    assert not folder.exists()


def test_folders_without_rights_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/c").touch()
    (folder / "a/b").chmod(0o300)
    (folder / "a").chmod(0)

    remove(folder)

    assert not folder.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (other / "kept").touch()
    (folder / "link").symlink_to(other)

    remove(folder)

    assert (other / "kept").exists()
    assert not folder.exists()
