"""The files of results."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from training.files import FileError, Files

HDF5 = b"\x89HDF\r\n\x1a\n"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "results")


@pytest.mark.parametrize(
    ("framework", "content", "name"),
    [
        ("tf", HDF5, "model.h5"),
        ("tf", b"PK\x03\x04", "model.keras"),
        ("pth", b"PK\x03\x04", "model.pth"),
        ("pth", b"\x80\x02", "model.pth"),
    ],
    ids=["HDF5", "Keras", "torch", "older torch"],
)
def test_models_are_kept_under_the_names_of_their_formats(
    files: Files, framework: str, content: bytes, name: str
) -> None:
    files.put_model(7, framework, [content, b"and so on"])

    path, found = files.model(7, framework) or (Path(), "")
    assert (path.read_bytes(), found) == (content + b"and so on", name)
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("framework", "content"),
    [("tf", b""), ("tf", b"\x80\x02"), ("tf", HDF5[:-1]), ("pth", HDF5), ("pth", b"GIF89a")],
    ids=range(5),
)
def test_what_is_no_model_is_refused_and_the_one_before_stays(
    files: Files, framework: str, content: bytes
) -> None:
    files.put_model(7, "tf", [HDF5, b"before"])

    with pytest.raises(FileError, match=r"trained_model: expected a .*, found something else"):
        files.put_model(7, framework, [content])

    assert [each.read_bytes() for each in (files.folder / "7").iterdir()] == [HDF5 + b"before"]


def test_pictures_are_kept(files: Files) -> None:
    files.put_picture(7, [PNG, b"1"])
    with pytest.raises(FileError, match="confussion_matrix: expected a PNG"):
        files.put_picture(7, [b"GIF89a"])

    picture = files.picture(7)
    assert picture is not None
    assert picture.read_bytes() == PNG + b"1"
    files.delete(7)
    files.delete(7)
    assert files.picture(7) is None
    assert files.model(7, "tf") is None


def test_a_disk_that_becomes_full_is_a_reason(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(FileError, match=r"model cannot be kept in .*/7: No space left on device"):
        files.put_model(7, "tf", [HDF5])

    assert list((files.folder / "7").iterdir()) == []


def test_no_training_starts_without_room_for_its_model(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Path]()

    def usage(path: Path) -> object:
        asked.append(path)
        return shutil._ntuple_diskusage(2**40, 2**40, free)

    def gone(_: Path) -> object:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    free = 2**30
    assert files.why_full() is None
    free = 5 * 2**20
    assert (files.why_full() or "").endswith("is full: free at least 64 MB, 5 are left")
    assert asked == [files.folder.parent] * 2, "the folder does not exist yet"

    monkeypatch.setattr(shutil, "disk_usage", gone)
    assert (files.why_full() or "").endswith("cannot be used: Input/output error")
