"""What predicts: a model in a restricted process, or on TensorFlow Serving."""

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from pipeline.service.workers import Pulse


class AwayError(Exception):
    """The model cannot be asked now: why, in one line. The same question may be answered later."""


class LostError(AwayError):
    """The model was lost on this question, which may be the cause; it is being loaded again."""


class RefusedError(Exception):
    """The model does not answer this question: why, in one line."""


class Model(Protocol):
    """Predicts. One thread uses `run`, another one `predict`, and any thread `unready`."""

    def run(self, pulse: Pulse) -> None:
        """Load the model, or look after its server: a worker."""

    def unready(self) -> str | None:
        """Return why the model cannot be asked now, in one line, or None."""

    def predict(self, rows: NDArray[Any], values: Sequence[bytes]) -> NDArray[Any]:
        """Return the predictions, shape (n, …), for n rows.

        `values` are the bytes that they were decoded from. Raises AwayError and RefusedError.
        """

    def predict_both(self, rows: NDArray[Any], values: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return both outputs of a part of a chain: what the upper model gets, and its own predictions."""
