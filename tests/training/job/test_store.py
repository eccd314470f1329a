"""Versions in the model store."""

from pathlib import Path
from typing import Any

import pytest

from training.code.program import CodeError
from training.job.store import Store, folder_name, metadata


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    folder = tmp_path / "exported"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"model")
    (folder / "variables/variables.index").write_bytes(b"index")
    return folder


def add(store: Store, exported: Path, result: int, **more: Any) -> tuple[int, Path]:
    return store.add(exported, {"result": result, "seed": 7}, most=100, is_served=more.get("served", False))


def test_a_version_is_first_a_candidate(tmp_path: Path, exported: Path) -> None:
    store = Store(tmp_path / "models", "digits")

    version, folder = add(store, exported, 5)

    assert (version, folder) == (1, tmp_path / "models/digits/candidates/1")
    assert (folder / "saved_model.pb").read_bytes() == b"model"
    assert (folder / "variables/variables.index").read_bytes() == b"index"
    assert metadata(folder) == {"result": 5, "seed": 7, "parent": None}
    assert store.versions() == []
    assert [each.name for each in folder.parent.iterdir()] == ["1"]


def test_numbers_increase(tmp_path: Path, exported: Path) -> None:
    store = Store(tmp_path, "digits")
    (tmp_path / "digits/7").mkdir(parents=True)
    (tmp_path / "digits/candidates/9").mkdir(parents=True)
    (tmp_path / "digits/not-a-number").mkdir()

    version, folder = add(store, exported, 1, served=True)

    assert (version, folder) == (10, tmp_path / "digits/10")
    assert metadata(folder)["parent"] == 7
    assert store.versions() == [7, 10]


def test_a_result_has_one_candidate(tmp_path: Path, exported: Path) -> None:
    store = Store(tmp_path, "digits")
    add(store, exported, 1)
    add(store, exported, 2)

    add(store, exported, 1)

    names = sorted(each.name for each in (tmp_path / "digits/candidates").iterdir())
    assert names == ["2", "3"]


def test_half_a_version_is_never_seen(tmp_path: Path, exported: Path) -> None:
    store = Store(tmp_path, "digits")
    (exported / "link").symlink_to("/etc/passwd")

    with pytest.raises(CodeError, match="it left no file link"):
        add(store, exported, 1)

    assert list((tmp_path / "digits/candidates").iterdir()) == []


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        ("digits", "digits"),
        ("a/b", "a%2Fb"),
        ("..", "%2E."),
        (".hidden", "%2Ehidden"),
        ("<b>é 50%", "%3Cb%3Eé 50%25"),
        ("new\nline", "new%0Aline"),
    ],
    ids=["plain", "slash", "dots", "hidden", "markup", "line"],
)
def test_names_are_folders(model: str, folder: str) -> None:
    assert folder_name(model) == folder


def test_strange_metadata_is_none(tmp_path: Path) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra/streamlens.json").write_text("[1]")

    assert metadata(tmp_path) == {}
    assert metadata(tmp_path / "nothing") == {}
