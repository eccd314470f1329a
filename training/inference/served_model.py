"""A model on TensorFlow Serving."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.model_server.client import Client
from pipeline.model_server.errors import ModelError
from pipeline.model_server.tensors import Signature
from pipeline.service.workers import Pulse
from training.inference.answers import is_valid
from training.inference.model import AwayError, RefusedError

_LOOK_EVERY: Final = 2.0  # s between two looks whether the server has the model
_PICTURES: Final = "image_bytes"
_PROBABILITIES: Final = "probabilities"


class ServedModel:
    """Asks one model of a server. Those for pictures have the pipeline's signature, and get the JPEGs."""

    def __init__(
        self, client: Client, wait: Callable[[float], object] | None = None, *, is_part: bool = False
    ) -> None:
        self._client = client
        self._is_part = is_part
        self._wait = wait
        self._signature: Signature | None = None
        self._why: str | None = "the model's server has not been asked yet"

    def run(self, pulse: Pulse) -> None:
        """Look whether the server has the model: a worker."""
        wait = self._wait or pulse.stopping.wait
        while not pulse.stopping.is_set():
            self._why = self._client.missing()
            pulse.beat()
            wait(_LOOK_EVERY)

    def unready(self) -> str | None:
        """Return why the model cannot be asked now, in one line, or None."""
        return self._why

    def predict(self, rows: NDArray[Any], values: Sequence[bytes]) -> NDArray[Any]:
        """Return the predictions for rows, or for pictures, `values`."""
        outputs, is_picture = self._outputs(rows, values)
        if self._is_part and len(outputs) == 2:
            return self._valid(_both(outputs)[1], len(rows))
        return self._valid(_answer(outputs, is_picture=is_picture), len(rows))

    def predict_both(self, rows: NDArray[Any], values: Sequence[bytes]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return both outputs of a part of a chain for rows."""
        upper, own = _both(self._outputs(rows, values)[0])
        return self._valid(upper, len(rows)), self._valid(own, len(rows))

    def _outputs(self, rows: NDArray[Any], values: Sequence[bytes]) -> tuple[dict[str, NDArray[Any]], bool]:
        """Return the outputs by their names, and whether the model is one for pictures."""
        try:
            signature = self._signature = self._signature or self._client.signature()
            name, given = _question(signature, rows, values)
            outputs = self._client.predict({name: given})
        except ModelError as error:
            if error.refused:
                raise RefusedError(str(error)) from None
            self._signature = None  # the server may have another version
            self._why = str(error)
            raise AwayError(str(error)) from None
        self._why = None
        return outputs, name == _PICTURES

    def _valid(self, found: NDArray[Any], count: int) -> NDArray[Any]:
        if not is_valid(found, count):
            raise RefusedError(
                f"the model's server has sent {found.dtype} of shape {found.shape} for {count} samples"
            )
        return found

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _question(signature: Signature, rows: NDArray[Any], values: Sequence[bytes]) -> tuple[str, NDArray[Any]]:
    if len(signature.inputs) != 1:
        raise RefusedError(f"the model has the inputs {', '.join(signature.inputs)}: expected one")
    ((name, info),) = signature.inputs.items()
    if info.dtype == "string":
        if name != _PICTURES and rows.dtype.kind not in "OSU":
            raise RefusedError(f"the message has {rows.dtype}, but the model expects texts")
        texts = values if name == _PICTURES else [_text(each) for each in rows.ravel().tolist()]
        given = np.empty(len(texts), object)
        given[:] = texts
        return name, given if name == _PICTURES else given.reshape(rows.shape)
    if rows.dtype.kind in "OSU":
        raise RefusedError(f"the message has texts, but the model expects {info.dtype}")
    return name, _shaped(rows.astype(info.dtype), info.shape)


def _text(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _shaped(rows: NDArray[Any], expected: tuple[int, ...] | None) -> NDArray[Any]:
    """Return rows in the shape of the signature, whose first dimension is the batch, if that is possible."""
    if expected is None or len(expected) < 1:
        return rows
    sizes = expected[1:]
    if -1 in sizes or int(np.prod(sizes)) != int(np.prod(rows.shape[1:])):
        return rows  # the server says what is wrong
    return rows.reshape(len(rows), *sizes)


def _both(outputs: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return both outputs of a part of a chain, `output_0` and `output_1` in what Keras exports."""
    if len(outputs) != 2:
        raise RefusedError(f"the model has the outputs {', '.join(outputs)}: expected two, for early exits")
    first, second = sorted(outputs)
    return outputs[first], outputs[second]


def _answer(outputs: dict[str, NDArray[Any]], *, is_picture: bool) -> NDArray[Any]:
    if is_picture and _PROBABILITIES in outputs:
        return outputs[_PROBABILITIES][:, 1:]  # the first is the background's
    if len(outputs) != 1:
        raise RefusedError(f"the model has the outputs {', '.join(outputs)}: expected one")
    return next(iter(outputs.values()))
