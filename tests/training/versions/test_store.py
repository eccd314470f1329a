"""Versions in the model store."""

import os
from pathlib import Path
from typing import Any

import pytest

from training.code.program import CodeError
from training.versions import store as module
from training.versions.copying import copy
from training.versions.names import folder_name, model_name
from training.versions.store import Store, VersionError, metadata


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"model")
    (folder / "variables/variables.index").write_bytes(b"index")
    return folder


def add(store: Store, saved: Path, result: int, **more: Any) -> tuple[int, Path]:
    def fill(folder: Path) -> dict[str, Any]:
        copy(saved, folder, 100)
        return {**more.get("facts", {})}

    return store.add(fill, {"result": result, "seed": 7}, is_served=more.get("served", False))


def test_a_version_is_first_a_candidate(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path / "models", "digits")

    version, folder = add(store, saved, 5)

    assert (version, folder) == (1, tmp_path / "models/digits/candidates/1")
    assert (folder / "saved_model.pb").read_bytes() == b"model"
    assert (folder / "variables/variables.index").read_bytes() == b"index"
    assert metadata(folder) == {"result": 5, "seed": 7, "parent": None}
    assert store.versions() == []
    assert [each.name for each in folder.parent.iterdir()] == ["1"]


def test_numbers_increase(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    (tmp_path / "digits/7").mkdir(parents=True)
    (tmp_path / "digits/candidates/9").mkdir(parents=True)
    (tmp_path / "digits/not-a-number").mkdir()

    version, folder = add(store, saved, 1, served=True)

    assert (version, folder) == (10, tmp_path / "digits/10")
    assert metadata(folder)["parent"] == 7
    assert store.versions() == [7, 10]


def test_a_result_has_one_candidate(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    add(store, saved, 1)
    add(store, saved, 2)

    add(store, saved, 1)

    names = sorted(each.name for each in (tmp_path / "digits/candidates").iterdir())
    assert names == ["2", "3"]


def test_half_a_version_is_never_seen(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    (saved / "link").symlink_to("/etc/passwd")

    with pytest.raises(CodeError, match="it left no file link"):
        add(store, saved, 1)

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
    assert model_name(folder) == model


def test_strange_metadata_is_none(tmp_path: Path) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra/streamlens.json").write_text("[1]")

    assert metadata(tmp_path) == {}
    assert metadata(tmp_path / "nothing") == {}


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_promoted_candidate_is_served_under_its_number(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    add(store, saved, 1, served=True)
    add(store, saved, 2)
    assert (store.versions(), store.candidates()) == ([1], [2])

    assert store.promote(2) == 2

    assert (store.versions(), store.candidates()) == ([1, 2], [])
    facts = metadata(tmp_path / "digits/2")
    assert (facts["result"], facts["parent"]) == (2, 1)
    assert facts["promoted"].endswith("+00:00")


def test_what_is_promoted_becomes_the_newest(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    add(store, saved, 1)
    add(store, saved, 2, served=True)
    add(store, saved, 3, served=True)

    assert store.promote(1) == 4  # a candidate that is older than what is served
    assert store.promote(2) == 5  # a version from before

    assert store.versions() == [3, 4, 5]
    assert [metadata(tmp_path / f"digits/{number}")["result"] for number in (3, 4, 5)] == [3, 1, 2]
    with pytest.raises(VersionError, match="version 5 of digits is the one that is served"):
        store.promote(5)
    with pytest.raises(VersionError, match="there is no version 1 of digits"):
        store.promote(1)


def test_the_parent_of_a_promoted_version_is_the_one_that_was_served_before(
    tmp_path: Path, saved: Path
) -> None:
    store = Store(tmp_path, "digits")
    for result in (1, 2):
        add(store, saved, result)

    made = [store.promote(version) for version in (1, 2, 1)]

    assert made == [1, 2, 3]
    assert store.versions() == [2, 3]
    assert [metadata(tmp_path / f"digits/{each}")["parent"] for each in (2, 3)] == [1, 2]


def test_all_but_the_served_version_can_be_deleted(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    add(store, saved, 1, served=True)
    add(store, saved, 2, served=True)
    add(store, saved, 3)

    store.remove(1)
    store.remove(3)

    assert (store.versions(), store.candidates()) == ([2], [])
    assert names(tmp_path / "digits") == ["2", "candidates"]
    with pytest.raises(VersionError, match="promote another one first"):
        store.remove(2)


def test_the_newest_are_kept_and_what_others_have_put_there(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    (tmp_path / "digits/1").mkdir(parents=True)
    for result in range(2, 7):
        add(store, saved, result, served=True)
    for result in range(7, 11):
        add(store, saved, result)

    assert store.clean(2) == [2, 3, 4, 7, 8]

    assert (store.versions(), store.candidates()) == ([1, 5, 6], [9, 10])
    assert store.clean(1) == [5, 9]
    assert store.clean(1) == []


def test_what_a_killed_process_has_left_is_deleted_after_a_day(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")
    add(store, saved, 1)
    for name in (".5.part", ".6.gone", ".7.part", ".other"):
        (tmp_path / "digits/candidates" / name).mkdir()
        os.utime(tmp_path / "digits/candidates" / name, (0, 0))
    os.utime(tmp_path / "digits/candidates/.7.part")

    store.clean(1)

    assert names(tmp_path / "digits/candidates") == [".7.part", ".other", "1"]


def test_the_codes_own_metadata_does_not_count(tmp_path: Path, saved: Path) -> None:
    (saved / "assets.extra").mkdir()
    (saved / "assets.extra/streamlens.json").write_text('{"result": 99, "seed": 1}')

    _, folder = add(Store(tmp_path, "digits"), saved, 1, facts={"code": "x", "result": 98})

    assert metadata(folder) == {"code": "x", "result": 1, "seed": 7, "parent": None}


def test_a_version_of_another_store_keeps_its_number(tmp_path: Path, saved: Path) -> None:
    store = Store(tmp_path, "digits")

    store.insert(7, lambda folder: copy(saved, folder, 100))
    with pytest.raises(OSError, match="No space"):
        store.insert(8, fails)

    assert names(tmp_path / "digits") == ["7"]


def fails(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_number_that_another_job_takes_meanwhile_is_passed_over(
    tmp_path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path, "digits")
    add(store, saved, 1)
    monkeypatch.setattr(module, "_numbers", lambda _: iter(()))

    assert add(store, saved, 2)[0] == 2
    monkeypatch.setattr(module, "_RACES", 2)
    with pytest.raises(OSError, match="no free number"):
        add(store, saved, 3)

    assert names(tmp_path / "digits/candidates") == ["1", "2"]


def test_a_folder_that_cannot_be_renamed_is_an_error(
    tmp_path: Path, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "rename", fails)

    with pytest.raises(OSError, match="No space left"):
        add(Store(tmp_path, "digits"), saved, 1)

    assert names(tmp_path / "digits/candidates") == []
