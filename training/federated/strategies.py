"""How the server makes new weights of its clients': FedAvg, FedAdagrad, FedAdam and FedYogi.

The last three are those of Reddi et al., "Adaptive Federated Optimization" (ICLR 2021, algorithm 2). Every
round, the server sees the mean change of the weights as a gradient, and takes a step of its own:

    D = beta1 * D + (1 - beta1) * (mean of the clients' weights - x)        D is 0 at first
    v = v + D^2                                                             FedAdagrad
    v = beta2 * v + (1 - beta2) * D^2                                       FedAdam
    v = v - (1 - beta2) * D^2 * sign(v - D^2)                               FedYogi
    x = x + eta * D / (sqrt(v) + tau)                                       v is tau^2 at first
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

Name = Literal["FedAvg", "FedAdagrad", "FedAdam", "FedYogi"]
Arrays = list[NDArray[np.float64]]

FAMILY: Final = (
    "agg_strategy: FedOpt is the name of the family of FedAdagrad, FedAdam and FedYogi, and not a strategy:"
    " choose one of these, or FedAvg"
)
"""Why FedOpt is refused."""

_Second = Callable[[NDArray[np.float64], NDArray[np.float64], float], NDArray[np.float64]]
_SECOND: Final[dict[str, _Second]] = {
    "FedAdagrad": lambda v, square, _: v + square,
    "FedAdam": lambda v, square, beta2: beta2 * v + (1 - beta2) * square,
    "FedYogi": lambda v, square, beta2: v - (1 - beta2) * square * np.sign(v - square),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The server's step `eta`, the decay of both moments, and `tau`, how far it adapts.

    Without `beta1`, it is 0.9, and for FedAdagrad 0, as in the paper.
    """

    eta: float = 0.1
    beta1: float | None = None
    beta2: float = 0.99
    tau: float = 0.001


class Server:
    """The server's optimizer. All numbers are of 64 bits."""

    def __init__(self, name: Name, options: Options) -> None:
        self._name = name
        self._options = options
        default = 0.0 if name == "FedAdagrad" else 0.9
        self._beta1 = default if options.beta1 is None else options.beta1
        self.moments: tuple[Arrays, Arrays] = ([], [])
        """D and v, which a checkpoint keeps."""

    def step(self, weights: Sequence[NDArray[Any]], mean: Arrays, trained: Sequence[bool]) -> Arrays:
        """Return the new weights, given the mean of the clients'.

        Those that are not `trained`, such as the mean that a layer has seen, become the clients' mean.
        """
        if self._name == "FedAvg":
            return mean
        if not self.moments[0]:
            self.moments = (
                [np.zeros_like(each) for each in mean],
                [np.full_like(each, self._options.tau**2) for each in mean],
            )
        found = Arrays()
        for number, (before, after) in enumerate(zip(weights, mean, strict=True)):
            found.append(self._stepped(number, before, after) if trained[number] else after)
        return found

    def _stepped(self, number: int, before: NDArray[Any], after: NDArray[np.float64]) -> NDArray[np.float64]:
        first, second = self.moments
        x = before.astype(np.float64)
        change = self._beta1 * first[number] + (1 - self._beta1) * (after - x)
        scale = _SECOND[self._name](second[number], change**2, self._options.beta2)
        first[number], second[number] = change, scale
        stepped: NDArray[np.float64] = x + self._options.eta * change / (np.sqrt(scale) + self._options.tau)
        return stepped


class Mean:
    """The mean of weights, each as heavy as its number of samples; it needs memory for one set only."""

    def __init__(self) -> None:
        self._sums = Arrays()
        self.total = 0

    def add(self, weights: Sequence[NDArray[Any]], num_data: int) -> None:
        """Add a client's weights."""
        parts = [each.astype(np.float64) * num_data for each in weights]
        self._sums = parts if not self.total else [a + b for a, b in zip(self._sums, parts, strict=True)]
        self.total += num_data

    def result(self) -> Arrays:
        """Return the mean."""
        return [each / self.total for each in self._sums]


def cast(weights: Arrays, like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return weights in the types of others; for whole numbers, the nearest."""
    return [
        (each if other.dtype.kind == "f" else np.rint(each)).astype(other.dtype)
        for each, other in zip(weights, like, strict=True)
    ]
