"""Asks a model over TensorFlow Serving's REST API, in its row format.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pybase64

from pipeline.model_server.connection import Connection, parsed, shown
from pipeline.model_server.errors import ModelError, unavailable
from pipeline.model_server.login import NO_LOGIN, Login
from pipeline.model_server.tensors import Array, Signature, TensorInfo, Tensors
from pipeline.model_server.url import ModelUrl

_VERB: Final = ":predict"
_GRPC: Final = "ask the model over gRPC, which leaves out the outputs that are not needed: grpc://HOST:8500/v1/models/NAME"
_LOOK_EVERY: Final = 2.0  # s between two looks for a new version


class RestClient:
    """Asks the model at a URL such as `http://host:8501/v1/models/imagenet:predict`; for one thread.

    `signature` and `missing` use their own connections, so any thread may call them.
    """

    def __init__(
        self,
        url: ModelUrl,
        timeout: float,
        login: Login = NO_LOGIN,
        *,
        by_version: bool = False,
        reconnected: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask for the newest available version by its number if the answers are to be `by_version`.

        This API does not say which version has answered.
        """
        self._base = f"{url.scheme}://{url.host}"
        self._path = url.path
        self.version = url.version
        self._follows = by_version and url.version is None and not url.label and bool(url.name)
        self._clock = clock
        self._looked = -math.inf
        self._timeout = timeout
        self._login = login
        self._connection = Connection(self._base, timeout, login, reconnected)

    def predict(self, inputs: Tensors, wanted: Sequence[str] = ()) -> dict[str, Array]:  # noqa: ARG002
        """Return the outputs for a batch; if a model has a single output, its name is "".

        This API always sends all outputs, whatever is `wanted`. Raises ModelError if there is no valid
        answer.
        """
        try:
            return outputs(self._connection.ask(self._path_of_version(), body(inputs)))
        except ModelError as error:
            if self._follows:
                self._looked = -math.inf
            if error.kind == "too_large":
                raise ModelError(error.kind, f"{error}; {_GRPC}") from None
            if self._path.endswith(_VERB) or not error.kind.startswith("http_"):
                raise
            raise ModelError(error.kind, f"{error}; its URL does not end with {_VERB}") from None

    def signature(self) -> Signature:
        """Return the model's signature; raise ModelError if it is not available."""
        answer = self._get("/metadata")
        try:
            signatures = parsed(answer)["metadata"]["signature_def"]["signature_def"]
            if "serving_default" not in signatures:
                names = ", ".join(signatures)
                raise ModelError(
                    "nonsense", f"the model has no signature serving_default, but {shown(names.encode())}"
                )
            definition = signatures["serving_default"]
            return Signature(_infos(definition["inputs"]), _infos(definition["outputs"]))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            raise ModelError(
                "nonsense", f"expected metadata with the signature serving_default, found {shown(answer)}"
            ) from None

    def missing(self) -> str | None:
        """Return why the server does not offer the model, or None.

        Only a URL that ends with `:predict` has a status to ask for.
        """
        if not self._path.endswith(_VERB):
            return None
        try:
            self._available()
        except ModelError as error:
            return str(error)
        return None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _path_of_version(self) -> str:
        """Return where to ask: the path of the newest version, if versions are followed."""
        if not self._follows:
            return self._path
        if self._clock() >= self._looked + _LOOK_EVERY:
            self.version = max(self._available())
            self._looked = self._clock()
        return f"{self._path.removesuffix(_VERB)}/versions/{self.version}{_VERB}"

    def _available(self) -> list[int]:
        """Return the available versions of the model; raise ModelError if there are none."""
        answer = self._get("")
        try:
            versions = parsed(answer)["model_version_status"]
            states = [(_version(version["version"]), str(version["state"])[:20]) for version in versions]
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            raise ModelError(
                "nonsense", f"expected the state of the model's versions, found {shown(answer)}"
            ) from None
        available = [version for version, state in states if state == "AVAILABLE"]
        if not available:
            raise unavailable([state for _, state in states])
        return available

    def _get(self, what: str) -> bytes:
        connection = Connection(self._base, min(1.0, self._timeout), self._login)
        try:
            return connection.ask(self._path.removesuffix(_VERB) + what)
        finally:
            connection.close()


def _version(number: Any) -> int:
    version = int(number)
    if not 0 <= version < 2**63:
        raise ValueError(f"expected a version, found {version}")
    return version


def body(inputs: Tensors) -> bytes:
    """Return a request for a batch: `{"instances": [{"image_bytes": {"b64": "..."}}, ...]}`."""
    return b"".join(_pieces(inputs))  # joined once: copying a picture takes longer than encoding it


def _pieces(inputs: Tensors) -> Iterator[bytes]:
    yield b'{"instances":['
    separator = b"{"
    for row in zip(*inputs.values(), strict=True):
        for name, value in zip(inputs, row, strict=True):
            yield b'%s"%s":' % (separator, name.encode())
            yield from _value(value)
            separator = b","
        yield b"}"
        separator = b",{"
    yield b"]}"


def outputs(text: bytes) -> dict[str, Array]:
    """Return the outputs in an answer `{"predictions": [...]}`; raise ModelError if it is invalid."""
    try:
        predictions = parsed(text)["predictions"]
        if not isinstance(predictions, list) or not predictions:
            raise ValueError("expected a list of predictions")
        names = predictions[0] if isinstance(predictions[0], dict) else ()
        # Each name, and "predictions" in front of them, has two quotes. Any others are those of strings.
        tensor = _tensor if text.count(b'"') > 2 + 2 * len(names) * len(predictions) else _numbers
        if isinstance(predictions[0], dict):
            return {name: tensor([row[name] for row in predictions]) for name in names}
        return {"": tensor(predictions)}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise ModelError(
            "nonsense", f"invalid answer: expected predictions of one shape, found {shown(text)}"
        ) from None


def _value(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield b'{"b64":"'
        yield pybase64.b64encode(value)
        yield b'"}'
    elif isinstance(value, np.ndarray) and value.dtype == object:
        yield b"["
        for number, element in enumerate(value):
            if number:
                yield b","
            yield from _value(element)
        yield b"]"
    else:
        yield json.dumps(value.tolist(), separators=(",", ":")).encode()


def _tensor(rows: list[Any]) -> Array:
    """Return the tensor of rows that may hold strings.

    NumPy would give each string the room of the longest.
    """
    array = np.asarray(rows, object)
    kinds = set(map(type, array.flat))
    if kinds == {str}:
        return array
    if str in kinds:
        raise ValueError("expected numbers or strings, found both")
    return _numbers(rows)


def _numbers(rows: list[Any]) -> Array:
    array = np.asarray(rows)  # a ValueError if the lists differ in length
    if array.dtype.kind not in "biuf":
        raise ValueError("expected numbers")
    return array


def _infos(infos: dict[str, Any]) -> dict[str, TensorInfo]:
    return {
        name: TensorInfo(_dtype(info["dtype"]), _shape(info["tensor_shape"])) for name, info in infos.items()
    }


def _dtype(name: str) -> str:
    short = name.removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64", "half": "float16"}.get(short, short)


def _shape(shape: dict[str, Any]) -> tuple[int, ...] | None:
    return None if shape.get("unknown_rank") else tuple(int(dim["size"]) for dim in shape.get("dim", []))
