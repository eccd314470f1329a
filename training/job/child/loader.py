"""Batches of samples for PyTorch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.job.child.parts import Part

Convert = Callable[[NDArray[Any]], Any]
"""Turns a part of an array into a tensor."""


class Loader:
    """Yields features and labels, batch by batch, in another order in each `epoch` if there is a seed.

    The order depends on nothing else, so that a training that was interrupted continues as it would have.
    Of samples that are `mapped` from the disk, only the order of batches changes: they were shuffled when
    they were read, and neighbours are read together.
    """

    def __init__(
        self,
        part: Part,
        batch: int,
        convert: tuple[Convert, Convert],
        *,
        seed: int | None = None,
        drops_last: bool = False,
        mapped: bool = False,
    ) -> None:
        self.epoch = 0
        self._part = part
        self._batch = batch
        self._convert = convert
        self._seed = seed
        self._drops_last = drops_last
        self._mapped = mapped

    def __len__(self) -> int:
        """Return the number of batches."""
        count = len(self._part[0])
        return count // self._batch if self._drops_last else -(-count // self._batch)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """Yield the batches of an epoch."""
        batches = np.arange(len(self))
        rows = None
        if self._seed is not None:
            random = np.random.default_rng((self._seed, self.epoch))
            if self._mapped:
                random.shuffle(batches)
            else:
                rows = random.permutation(len(self._part[0]))
        for number in batches:
            chosen: Any = slice(number * self._batch, (number + 1) * self._batch)
            if rows is not None:
                chosen = rows[chosen]
            features, labels = (np.array(array[chosen]) for array in self._part)
            yield self._convert[0](features), self._convert[1](labels)
