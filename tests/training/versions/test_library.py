"""All models in the model store."""

import logging
from pathlib import Path
from typing import Any

import pytest

from training.versions import library as module
from training.versions.library import Library
from training.versions.store import VersionError

METRICS = {"test_metrics": {"loss": [0.5]}}


def fill(folder: Path) -> dict[str, Any]:
    (folder / "saved_model.pb").write_bytes(b"model")
    return {"metrics": METRICS, "code": "model = 1"}


def add(library: Library, model: str, result: int, *, is_served: bool = False) -> int:
    return library.add(model, fill, {"result": result, "deployment": 3, "model": model}, is_served=is_served)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "models", 2, {"imagenet": Path("/models/imagenet")})


def test_versions_are_listed_with_what_is_known_about_them(library: Library) -> None:
    for result in (1, 2):
        add(library, "digits", result, is_served=True)
    add(library, "digits", 3)
    add(library, "a/b", 4)
    (library.folder / "empty").mkdir()
    (library.folder / "file").touch()

    assert library.models() == ["a/b", "digits"]
    rows = library.listed("digits")
    assert [(row["version"], row["state"], row["result"]) for row in rows] == [
        (3, "candidate", 3),
        (2, "served", 2),
        (1, "old", 1),
    ]
    assert (rows[0]["parent"], rows[0]["metrics"], rows[0]["promoted"]) == (2, METRICS, None)
    assert library.described("digits", 3).items() >= {"state": "candidate", "code": "model = 1"}.items()


def test_what_does_not_exist_is_the_reason(library: Library) -> None:
    with pytest.raises(VersionError, match="there is no version of digits"):
        library.listed("digits")
    add(library, "digits", 1)
    for call in (library.described, library.promote, library.remove):
        with pytest.raises(VersionError, match="there is no version 9 of digits"):
            call("digits", 9)
    with pytest.raises(VersionError, match="version 1 of digits is not served"):
        library.place("digits", 1)


def test_old_versions_are_deleted_when_new_ones_come(library: Library) -> None:
    for result in range(1, 5):
        add(library, "digits", result, is_served=True)
    assert [row["version"] for row in library.listed("digits")] == [4, 3]

    add(library, "digits", 5)
    assert library.promote("digits", 5) == 5

    assert [row["version"] for row in library.listed("digits")] == [5, 4]
    assert library.place("digits", 5) == library.folder / "digits/5"
    library.remove("digits", 4)
    assert [row["version"] for row in library.listed("digits")] == [5]


def test_the_file_for_the_server_names_the_models_that_are_served(library: Library) -> None:
    add(library, "digits", 1)
    config = library.folder / "models.config"
    assert "digits" not in config.read_text()

    library.promote("digits", 1)

    assert f'name: "digits" base_path: "{library.folder}/digits"' in config.read_text()
    assert 'name: "imagenet" base_path: "/models/imagenet"' in config.read_text()


def test_it_tidies_from_time_to_time(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TICK", 0.0)

    library.step()
    (library.folder / "models.config").unlink()
    library.step()
    assert not (library.folder / "models.config").exists()
    monkeypatch.setattr(library, "_tidy_at", 0.0)
    library.step()

    assert (library.folder / "models.config").exists()


def test_a_folder_that_cannot_be_written_is_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "models").touch()

    with caplog.at_level(logging.WARNING):
        Library(tmp_path / "models", 2).tidy()

    assert f"{tmp_path}/models: " in caplog.text
