"""Batches of samples that do not fit into memory."""

import math
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Slices of arrays, in a new order in each epoch if there is a seed.

    Only the order of batches changes: the samples were shuffled when they were read, and neighbours on the
    disk are read together.
    """

    def __init__(self, features: NDArray[Any], labels: NDArray[Any], batch: int, *, seed: int | None) -> None:
        super().__init__()
        self._arrays = (features, labels)
        self._batch = batch
        self._random = None if seed is None else np.random.default_rng(seed)
        self._order = np.arange(len(self))
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self._arrays[0]) / self._batch)

    def __getitem__(self, index: int) -> tuple[NDArray[Any], ...]:
        start = self._order[index] * self._batch
        return tuple(np.array(array[start : start + self._batch]) for array in self._arrays)

    def on_epoch_end(self) -> None:
        """Shuffle the batches."""
        if self._random is not None:
            self._random.shuffle(self._order)
