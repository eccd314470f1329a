"""Asks a model over TensorFlow Serving's REST API, in its row format.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import json
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pybase64

from consumer.model_server.connection import Connection
from consumer.model_server.errors import ModelError
from consumer.model_server.tensors import Array, Signature, TensorInfo, Tensors

_VERB = ":predict"


class RestClient:
    """Asks the model at a URL such as `http://host:8501/v1/models/imagenet:predict`; for one thread.

    `signature` and `missing` may be called from any thread: they use connections of their own.
    """

    def __init__(self, url: str, timeout: float) -> None:
        parts = urlsplit(url)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._url = url
        self._timeout = timeout
        self._connection = Connection(url, timeout)

    def predict(self, inputs: Tensors) -> dict[str, Array]:
        """Return the outputs for a batch; the only output of a model has the name "".

        Raises ModelError where there is no sensible answer.
        """
        try:
            return outputs(self._connection.ask(self._path, body(inputs)))
        except ModelError as error:
            if self._url.endswith(_VERB) or not error.kind.startswith("http_"):
                raise
            raise ModelError(error.kind, f"{error}; its URL does not end with {_VERB}") from None

    def signature(self) -> Signature:
        """Return the model's signature; raise ModelError where it cannot be had."""
        answer = self._get("/metadata")
        try:
            signatures = json.loads(answer)["metadata"]["signature_def"]["signature_def"]
            definition = signatures["serving_default"]
            return Signature(_infos(definition["inputs"]), _infos(definition["outputs"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError("nonsense", f"its metadata hold no serving_default: {error!r}") from None

    def missing(self) -> str | None:
        """Return why the server does not offer the model, or None.

        Of a URL that does not end with `:predict` nothing is known.
        """
        if not self._url.endswith(_VERB):
            return None
        try:
            versions = json.loads(self._get(""))["model_version_status"]
            states = [str(version["state"]) for version in versions]
        except ModelError as error:
            return str(error)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return f"its status makes no sense: {error!r}"
        return None if "AVAILABLE" in states else f"no version of it is available: {', '.join(states)}"

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _get(self, what: str) -> bytes:
        connection = Connection(self._url, min(1.0, self._timeout))
        try:
            return connection.ask(self._path.removesuffix(_VERB) + what)
        finally:
            connection.close()


def body(inputs: Tensors) -> bytes:
    """Return a request for a batch: `{"instances": [{"image_bytes": {"b64": "..."}}, ...]}`."""
    columns = [[b'"%s":%s' % (name.encode(), _value(row)) for row in rows] for name, rows in inputs.items()]
    return b'{"instances":[%s]}' % b",".join(
        b"{%s}" % b",".join(members) for members in zip(*columns, strict=True)
    )


def outputs(text: bytes) -> dict[str, Array]:
    """Return the outputs in an answer `{"predictions": [...]}`; raise ModelError where it makes no sense."""
    try:
        predictions = json.loads(text)["predictions"]
        if not isinstance(predictions, list) or not predictions:
            raise ValueError("its predictions are no list")
        if isinstance(predictions[0], dict):
            return {name: _tensor([row[name] for row in predictions]) for name in predictions[0]}
        return {"": _tensor(predictions)}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ModelError("nonsense", f"its answer makes no sense: {error!r}, in {text[:100]!r}") from None


def _value(row: Any) -> bytes:
    if isinstance(row, bytes):
        return b'{"b64":"%s"}' % pybase64.b64encode(row)
    if isinstance(row, np.ndarray) and row.dtype == object:
        return b"[%s]" % b",".join(map(_value, row))
    return json.dumps(row.tolist(), separators=(",", ":")).encode()


def _tensor(rows: list[Any]) -> Array:
    array = np.asarray(rows)  # a ValueError where the lists are of unequal lengths
    if array.dtype.kind not in "biufU":
        raise ValueError("neither numbers nor texts")
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
