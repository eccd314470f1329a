"""The folder in which processes keep what outlives them."""

import os
from pathlib import Path

import pytest

from pipeline.service import state
from pipeline.service.settings import Settings, SettingsError, load


def test_a_folder_is_made_for_this_user_only(tmp_path: Path) -> None:
    state.prepare(tmp_path / "a" / "b")
    state.prepare(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("name", "why"), [("file", "it is not a folder"), ("file/state", "a part of its path is not a folder")]
)
def test_a_file_is_not_a_folder(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError, match=why):
        state.prepare(tmp_path / name)


def test_a_home_is_found_without_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/joe")

    assert Settings(statefolder=Path("~/state")).statefolder == Path("/home/joe/state")


def test_the_home_of_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATEFOLDER", "~nobody-here/state")

    with pytest.raises(
        SettingsError, match=r"^STATEFOLDER='~nobody-here/state': expected a folder: the home"
    ):
        load(Settings)


def test_a_link_of_ones_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    state.prepare(tmp_path / "link")


@pytest.mark.parametrize("of_another", ["folder", "link"])
def test_what_belongs_to_another_user_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_another: str
) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    another = os.stat_result([0o40700, *[0] * 3, os.getuid() + 1, *[0] * 5])
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        is_of_another = path == link and follow_symlinks == (of_another == "folder")
        return another if is_of_another else real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)

    with pytest.raises(PermissionError, match="belongs to another user"):
        state.prepare(link)
