"""Batches for PyTorch."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.job.child.loader import Loader


def loader(count: int, batch: int, **options: Any) -> Loader:
    return Loader(
        (np.arange(count), np.arange(count) * 2), batch, (np.ndarray.tolist, np.ndarray.tolist), **options
    )


def epoch(batches: Loader, number: int = 0) -> list[int]:
    batches.epoch = number
    return [each for features, _ in batches for each in features]


def test_without_a_seed_the_order_is_that_of_the_samples() -> None:
    assert [*loader(5, 2)] == [([0, 1], [0, 2]), ([2, 3], [4, 6]), ([4], [8])]
    assert len(loader(5, 2)) == 3
    assert [*loader(5, 2, drops_last=True)] == [([0, 1], [0, 2]), ([2, 3], [4, 6])]
    assert [*loader(0, 2)] == []


@given(
    count=st.integers(0, 40),
    batch=st.integers(1, 9),
    seed=st.none() | st.integers(0, 2**31),
    mapped=st.booleans(),
)
def test_each_sample_comes_once_with_its_label(
    count: int, batch: int, seed: int | None, mapped: bool
) -> None:
    found = [*loader(count, batch, seed=seed, mapped=mapped)]

    assert len(found) == len(loader(count, batch))
    assert sorted(each for features, _ in found for each in features) == [*range(count)]
    assert all(labels == [2 * each for each in features] for features, labels in found)


def test_the_order_depends_on_the_seed_and_the_epoch_only() -> None:
    first, second = loader(50, 5, seed=7), loader(50, 5, seed=7)

    orders = [epoch(first, number) for number in (0, 1, 2)]

    assert [epoch(second, number) for number in (2, 0, 1)] == [orders[2], orders[0], orders[1]]
    assert len({*map(tuple, orders), tuple(epoch(loader(50, 5, seed=8)))}) == 4


def test_of_mapped_samples_neighbours_stay_together() -> None:
    found = [features for features, _ in loader(50, 5, seed=7, mapped=True)]

    assert sorted(found) == [[*range(start, start + 5)] for start in range(0, 50, 5)]
    assert found != sorted(found)
