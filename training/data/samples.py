"""Samples, and how they are split for training, test and validation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.errors import DataError


@dataclass(frozen=True, slots=True)
class Samples:
    """Features, shape (n, …), and their labels, shape (n, …), or None if the messages have none.

    In the order of the stream. The arrays may be mapped to a file.
    """

    features: NDArray[Any]
    labels: NDArray[Any] | None

    def __len__(self) -> int:
        return len(self.features)

    def part(self, start: int, end: int) -> "Samples":
        """Return the samples from `start` up to, but not including, `end`; they are not copied."""
        return Samples(self.features[start:end], None if self.labels is None else self.labels[start:end])

    def shuffle(self, seed: int) -> None:
        """Shuffle the samples in place: labels stay with their features."""
        for array in (self.features, self.labels):
            if array is not None and len(array):
                np.random.default_rng(seed).shuffle(_rows(array))


@dataclass(frozen=True, slots=True)
class Split:
    """Samples for each purpose; those for test and validation may be none."""

    training: Samples
    test: Samples
    validation: Samples


def sizes(count: int, validation_rate: float, test_rate: float) -> tuple[int, int, int]:
    """Return how many of `count` samples are for training, test and validation.

    With the same rounding as in Kafka-ML: of 40 samples with the rates 0.4 and 0.2, 15 are for training.
    """
    training = int((1 - (validation_rate + test_rate)) * count)
    validation, test = int(validation_rate * count), int(test_rate * count)
    if validation:
        return training, test, count - training - test
    return training, count - training if test else 0, 0


def split(
    samples: Samples, validation_rate: float, test_rate: float, *, seed: int, random: bool = False
) -> Split:
    """Split samples as Kafka-ML does: the first are for training, the next for test, the last for validation.

    They are chosen by the order of the stream, or at `random`. Those for training are then shuffled. The
    arrays are not copied but shuffled in place; the same seed gives the same result. Raises `DataError` if no
    sample remains for training.
    """
    training, test, _ = sizes(len(samples), validation_rate, test_rate)
    if not training:
        count = f"{len(samples)} sample{'' if len(samples) == 1 else 's'}"
        raise DataError(
            f"validation_rate {validation_rate:g} and test_rate {test_rate:g} leave none of {count} for"
            " training: send more, or lower the rates"
        )
    if random:
        samples.shuffle(seed)
    parts = Split(
        samples.part(0, training),
        samples.part(training, training + test),
        samples.part(training + test, len(samples)),
    )
    if not random:
        parts.training.shuffle(seed)
    return parts


def _rows(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of one element per row: numpy shuffles these fast, and always in the same order."""
    if array[0].size == 1:
        return np.asarray(array).reshape(len(array))
    flat = np.asarray(array).reshape(len(array), -1)
    return flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).reshape(len(array))
