"""Samples are split as in Kafka-ML, and shuffled with a seed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from training.data import cache
from training.data.errors import DataError
from training.data.samples import Samples, sizes, split


def numbered(count: int) -> Samples:
    """Samples whose features and labels are their numbers."""
    features = np.repeat(np.arange(count, dtype=np.int32), 3).reshape(count, 3)
    return Samples(features, np.arange(count).reshape(count, 1))


def numbers(samples: Samples) -> list[int]:
    """Return the numbers of samples; each has its own label."""
    assert samples.labels is not None
    assert samples.labels[:, 0].tolist() == samples.features[:, 0].tolist() == samples.features[:, 2].tolist()
    found: list[int] = samples.features[:, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("count", "validation_rate", "test_rate", "expected"),
    [
        (40, 0.2, 0.1, (28, 4, 8)),
        (40, 0.4, 0.2, (15, 8, 17)),
        (5, 0.1, 0.1, (4, 0, 0)),
        (5, 0.1, 0.2, (3, 2, 0)),
        (20, 0.1, 0.1, (16, 2, 2)),
        (10, 0.25, 0, (7, 0, 3)),
        (10, 0, 0.25, (7, 3, 0)),
        (10, 0, 0, (10, 0, 0)),
        (10, 0.3, 0.3, (4, 3, 3)),
        (1, 0, 0, (1, 0, 0)),
        (7, 0.33, 0.33, (2, 2, 3)),
    ],
    ids=str,
)
def test_the_sizes_are_kafka_mls(
    count: int, validation_rate: float, test_rate: float, expected: tuple[int, int, int]
) -> None:
    """Training, test, validation: rounded down with floating point, and validation takes the remainder."""
    assert sizes(count, validation_rate, test_rate) == expected


def test_the_order_is_training_then_test_then_validation() -> None:
    parts = split(numbered(40), 0.2, 0.1, seed=1)

    assert sorted(numbers(parts.training)) == list(range(28))
    assert numbers(parts.training) != list(range(28)), "shuffled"
    assert numbers(parts.test) == list(range(28, 32))
    assert numbers(parts.validation) == list(range(32, 40))


def test_a_random_split_takes_them_from_everywhere() -> None:
    parts = split(numbered(1000), 0.2, 0.1, seed=1, random=True)

    assert (len(parts.training), len(parts.test), len(parts.validation)) == (700, 100, 200)
    assert sorted(numbers(parts.training) + numbers(parts.test) + numbers(parts.validation)) == list(
        range(1000)
    )
    assert min(numbers(parts.test)) < 100
    assert max(numbers(parts.test)) > 900


@pytest.mark.parametrize("random", [False, True], ids=["in order", "random"])
def test_a_seed_repeats_a_split(random: bool) -> None:
    first, same, other = (split(numbered(50), 0.2, 0.1, seed=seed, random=random) for seed in (1, 1, 2))

    assert numbers(first.training) == numbers(same.training)
    assert numbers(first.test) == numbers(same.test)
    assert numbers(first.training) != numbers(other.training)


@given(
    st.sampled_from(["bool", "uint8", "int64", "float16", "float64", "<U3", "complex128"]).flatmap(
        lambda kind: arrays.arrays(np.dtype(kind), arrays.array_shapes(min_dims=1, max_dims=3, max_side=4))
    ),
    st.integers(0, 2**63),
)
def test_labels_stay_with_their_features_whatever_they_are(features: NDArray[Any], seed: int) -> None:
    samples = Samples(features.copy(), np.arange(len(features)))

    samples.shuffle(seed)

    assert samples.labels is not None
    assert np.array_equal(samples.features, features[samples.labels], equal_nan=features.dtype.kind in "fc")


def test_texts_are_shuffled_too() -> None:
    texts = np.array([str(number) for number in range(50)], object).reshape(50, 1)
    samples = Samples(texts, np.arange(50))

    samples.shuffle(3)

    assert samples.labels is not None
    assert [int(text) for text in samples.features[:, 0]] == samples.labels.tolist() != list(range(50))


def test_samples_in_a_file_are_shuffled_alike(tmp_path: Path) -> None:
    count = 500
    made = cache.arrays([((count, 3), np.dtype(np.int32)), ((count, 1), np.dtype(np.int64))], 0, tmp_path)
    mapped, plain = Samples(made[0], made[1]), numbered(count)
    assert plain.labels is not None
    made[0][:], made[1][:] = plain.features, plain.labels

    assert numbers(split(mapped, 0.1, 0, seed=5).training) == numbers(split(plain, 0.1, 0, seed=5).training)


def test_samples_without_labels() -> None:
    parts = split(Samples(np.arange(10), None), 0.2, 0.2, seed=1)

    assert parts.training.labels is None
    assert sorted(parts.training.features.tolist()) == list(range(6))


def test_too_few_samples_are_a_reason() -> None:
    with pytest.raises(DataError, match="validation_rate 0\\.5 and test_rate 0 leave none of 1 sample for"):
        split(numbered(1), 0.5, 0, seed=1)
