"""The room on the disk."""

import shutil
from pathlib import Path

import pytest

from training.space import why_full


def test_a_folder_that_does_not_exist_yet_is_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    assert why_full(tmp_path / "a/b") is None


def test_a_full_disk_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 95, 5 * 2**20))

    assert why_full(tmp_path) == f"the disk of {tmp_path} is full: free at least 64 MB, 5 are left"


def test_a_disk_that_cannot_be_read_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", fails)

    assert why_full(tmp_path) == f"{tmp_path} cannot be used: Input/output error"
