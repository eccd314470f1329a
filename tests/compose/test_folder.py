"""The folder that outlives a run, and the key in it."""

from pathlib import Path

import pytest

from compose import folder
from compose.errors import OptionsError
from pipeline.cameras.seal import Seal
from pipeline.service import state


def test_it_survives_a_restart_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert folder.choose({"XDG_STATE_HOME": str(tmp_path / "x")}) == (tmp_path / "x/streamlens", "")
    assert folder.choose({}) == (tmp_path / ".local/state/streamlens", "")
    assert (tmp_path / ".local/state/streamlens").stat().st_mode & 0o777 == 0o700


def test_the_users_own_has_priority() -> None:
    assert folder.choose({"STATEFOLDER": " /mine \n", "XDG_STATE_HOME": "/x"}) == (Path("/mine"), "")


def test_without_it_a_line_says_where_cameras_are_kept_instead(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    chosen, line = folder.choose({"XDG_STATE_HOME": str(tmp_path / "file")})

    assert chosen == state.default()
    assert str(tmp_path / "file/streamlens") in line
    assert str(chosen) in line
    assert "STATEFOLDER" in line


def test_the_home_of_nobody_is_refused() -> None:
    with pytest.raises(OptionsError, match="STATEFOLDER='~nobody-here/x': expected a folder"):
        folder.choose({"STATEFOLDER": "~nobody-here/x"})

    chosen, line = folder.choose({"XDG_STATE_HOME": "~nobody-here/x"})
    assert chosen == state.default()
    assert line.startswith("~nobody-here/x/streamlens cannot be used (")


def test_a_key_is_written_once(tmp_path: Path) -> None:
    given, line = folder.key(tmp_path / "new", {})
    file = Path(given["CAMERASKEYFILE"])
    text = file.read_text()

    assert (file, line) == (tmp_path / "new/cameras.key", "")
    assert file.stat().st_mode & 0o777 == 0o600
    Seal([text.strip()])
    assert folder.key(tmp_path / "new", {}) == (given, "")
    assert file.read_text() == text


@pytest.mark.parametrize("name", ["CAMERASKEY", "CAMERASKEYFILE"])
def test_the_users_own_key_has_priority(tmp_path: Path, name: str) -> None:
    assert folder.key(tmp_path / "new", {name: "mine"}) == ({}, "")
    assert not (tmp_path / "new").exists()


def test_without_a_folder_the_key_lasts_for_this_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    given, line = folder.key(tmp_path / "file", {})

    Seal([given["CAMERASKEY"]])
    assert given["CAMERASKEY"] not in line
    assert line.startswith(f"STATEFOLDER='{tmp_path / 'file'}' cannot be used (it is not a folder): the key")


def test_a_new_key_to_kept_links_is_reported(tmp_path: Path) -> None:
    (tmp_path / "cameras.json").write_text('{"door": "{\\"link\\": \\"gAAAAABo\\"}"}')

    _, line = folder.key(tmp_path, {})
    _, again = folder.key(tmp_path, {})

    assert "do not decrypt" in line
    assert again == ""
