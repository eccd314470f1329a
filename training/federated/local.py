"""Trains a round on the owner's samples, in the restricted process."""

import math
import threading
from typing import Any, Final

from training.code import gpus
from training.code.checking import take
from training.code.confined import run
from training.code.folder import remove
from training.code.installed import lacking
from training.code.limits import GIB, of_training
from training.code.program import CodeError
from training.federated import weights
from training.federated.held import Held, Trained
from training.federated.messages import MOST_METRICS, Metrics, Round
from training.federated.weights import Described

TASK: Final = "training.job.child.keras_federated"
"""The task of the restricted process."""

FOLDER: Final = 64 * GIB
"""Bytes that the process may write."""

_FILE: Final = "weights.bin"


class Local:
    """Trains with at most `memory` bytes, 0 for any; samples of more than `cache` bytes stay on the disk."""

    def __init__(self, memory: int, cache: int, stop: threading.Event) -> None:
        self._memory = memory
        self._cache = cache
        self._stop = stop

    def train(self, held: Held, given: Round, sizes: dict[str, int]) -> Trained:
        """Train from the weights in `held.weights`; leave the new ones in `held.update`.

        Raises CodeError for what the model's code does, ValueError for weights that are not finite, and
        StoppedError.
        """
        if missing := lacking("tf"):
            raise CodeError(f"TensorFlow is not installed here, it lacks {' and '.join(missing)}")
        remove(held.work)
        held.prepare()
        request = {
            "step": "fit",
            "model": str(held.model),
            "data": str(held.data),
            "file": str(held.weights),
            "weights": given.weights.composed(),
            "sizes": sizes,
            "batch": given.batch,
            "fit": {"epochs": 1, **given.arguments},
            "memory": self._cache,
            "seed": given.seed + given.version,
        }
        found = run(
            TASK,
            request,
            folder=held.work,
            limits=of_training(self._memory, FOLDER),
            read=[held.data],
            environment=gpus.given(),
            stop=self._stop,
        )
        metrics = _metrics(found)
        take(held.work / _FILE, held.update, given.weights.size)
        return Trained(given.version + 1, _checked(held, given.weights), *metrics)


def _checked(held: Held, given: Described) -> Described:
    """Return the description of what the process has left, which must be like the weights it was given."""
    data = held.update.read_bytes()
    found = Described(given.arrays, weights.checksum(data))
    if why := weights.why_not_finite(weights.unpack(found, data)):
        raise ValueError(f"after the training, {why}: lower the learning rate")
    return found


def _metrics(found: Any) -> tuple[Metrics, Metrics]:
    """Return the metrics of training and validation: the user's code may have written them."""
    try:
        given = {str(name)[:100]: _finite(value) for name, value in found["metrics"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise CodeError("the code: it wrote into the report of its own process") from None
    given = dict(list(given.items())[:MOST_METRICS])
    validation = {name[4:]: value for name, value in given.items() if name.startswith("val_")}
    return {name: value for name, value in given.items() if not name.startswith("val_")}, validation


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
