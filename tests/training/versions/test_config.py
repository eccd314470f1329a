"""The file that names the models to serve, as the model server reads it."""

from pathlib import Path

import pytest

from tfserving.server.models import config as server
from training.versions.config import write


@pytest.mark.parametrize("name", ["digits", 'a"b\\c', "<b>é 50%", "line\nline", "{}"])
def test_the_server_reads_what_is_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "models.config"

    write(file, {name: tmp_path / "ä", "imagenet": Path("/models/imagenet")})

    read = server.models(server.read(file))
    assert {each.name: each.base_path for each in read.values()} == {
        name: tmp_path / "ä",
        "imagenet": Path("/models/imagenet"),
    }


def test_the_server_is_given_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    write(Path("models.config"), {"digits": Path("models/digits")})

    read = server.models(server.read(tmp_path / "models.config"))
    assert read["digits"].base_path == tmp_path / "models/digits"


def test_without_a_model_it_is_read_too(tmp_path: Path) -> None:
    write(tmp_path / "models.config", {})

    assert server.models(server.read(tmp_path / "models.config")) == {}


def test_it_is_written_only_when_something_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "models.config"
    write(file, {"a": tmp_path})
    before = file.stat().st_ino

    write(file, {"a": tmp_path})
    assert file.stat().st_ino == before
    write(file, {"b": tmp_path})
    assert file.stat().st_ino != before
    assert [each.name for each in tmp_path.iterdir()] == ["models.config"]
