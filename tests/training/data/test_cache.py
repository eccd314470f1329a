"""Arrays in memory and in files."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from training.data import cache
from training.data.errors import DataError

FORMS: list[cache.Form] = [
    ((1000, 3, 2), np.dtype(np.float32)),
    ((1000,), np.dtype(np.int64)),
]  # 24,000 and 8,000 bytes


@pytest.mark.parametrize(("memory", "is_mapped"), [(32_000, False), (31_999, True), (0, True)], ids=str)
def test_arrays_beyond_the_limit_are_in_files(tmp_path: Path, memory: int, is_mapped: bool) -> None:
    made = cache.arrays(FORMS, memory, tmp_path)

    assert [isinstance(each, np.memmap) for each in made] == [is_mapped] * 2
    for array, (shape, kind) in zip(made, FORMS, strict=True):
        array[:] = 7
        assert (array.shape, array.dtype) == (shape, kind)
        assert (array == 7).all()
    assert list(tmp_path.iterdir()) == [], "the files have no name"


def test_large_arrays_in_memory_can_be_written() -> None:
    (array,) = cache.arrays([((3000, 1000), np.dtype(np.uint8))], 10_000_000)

    array[:] = np.arange(1000, dtype=np.uint8)

    assert (array[2999] == array[0]).all()


def test_texts_stay_in_memory(tmp_path: Path) -> None:
    texts, numbers = cache.arrays([((10, 1), np.dtype(object)), ((10,), np.dtype(np.uint8))], 0, tmp_path)

    assert not isinstance(texts, np.memmap)
    assert isinstance(numbers, np.memmap)


def test_samples_without_any_numbers_have_no_file(tmp_path: Path) -> None:
    (array,) = cache.arrays([((0, 5), np.dtype(np.uint8))], -1, tmp_path)

    assert array.shape == (0, 5)


def test_a_full_disk_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"more than CACHEMEMORY, and .* has room for"):
        cache.arrays([((10**9, 10**9), np.dtype(np.uint8))], 2**30, tmp_path)


def test_a_disk_that_becomes_full_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(DataError, match="No space left"):
        cache.arrays(FORMS, 0, tmp_path)


def test_files_are_made_where_room_cannot_be_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS."""
    monkeypatch.delattr(os, "posix_fallocate")

    first, second = cache.arrays(FORMS, 0, tmp_path)

    first[:], second[:] = 1, 2
    assert isinstance(first, np.memmap)
    assert first.sum() + second.sum() == 8000


def test_too_much_for_the_machine_is_a_reason() -> None:
    with pytest.raises(DataError, match="which this machine does not have"):
        cache.arrays([((2**62,), np.dtype(np.uint8))], 2**63)
