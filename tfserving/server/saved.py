"""A SavedModel in memory: its signatures, its metadata, and runs of its graph."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]

from tfserving.runtime import CallableOptions, tf
from tfserving.server.errors import Code, ServingError
from tfserving.server.values import Array

DEFAULT_SIGNATURE = "serving_default"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph, as a signature declares it; the dtype is NumPy's name, or string."""

    name: str
    dtype: str


@dataclass(frozen=True, slots=True)
class Signature:
    """The tensors to feed and to fetch by alias."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Runtime:
    """How graphs are loaded and run; 0 threads means as many as there are cores."""

    tags: tuple[str, ...] = ("serve",)
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    timeout_ms: int = 30_000


class SavedModel:
    """A loaded SavedModel; runs may come from several threads at once."""

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        """Load the graph and restore its variables; raise ServingError where it cannot be loaded."""
        self._runtime = runtime
        self._session = tf.compat.v1.Session(
            graph=tf.Graph(),
            config=tf.compat.v1.ConfigProto(
                intra_op_parallelism_threads=runtime.intra_op_threads,
                inter_op_parallelism_threads=runtime.inter_op_threads,
            ),
        )
        try:
            definitions = _load(self._session, folder, runtime.tags)
        except ServingError:
            self._session.close()
            raise
        self.signatures = {
            name: Signature(_tensors(definition.inputs), _tensors(definition.outputs))
            for name, definition in definitions.items()
        }
        self._metadata = {name: _json(definition) for name, definition in sorted(definitions.items())}
        self._callables: dict[str, Callable[..., list[Array]]] = {}
        self._lock = threading.Lock()
        if DEFAULT_SIGNATURE in self.signatures:
            # The graph is optimised now, not while the first request waits, who is also told what is wrong.
            with suppress(tf.errors.OpError, TypeError, ValueError):
                self._callable(DEFAULT_SIGNATURE)

    def run(self, name: str, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Feed a signature's inputs and return its outputs, both by alias.

        Declared shapes are not enforced, only the graph's operations are. Raises ServingError with the code
        and the text of TensorFlow where the run fails.
        """
        signature = self.signatures[name]
        try:
            fetched = self._callable(name)(*(feeds[alias] for alias in signature.inputs))
        except tf.errors.OpError as error:
            raise ServingError(_code(error), error.message) from error
        except (TypeError, ValueError) as error:
            raise ServingError(Code.INVALID_ARGUMENT, str(error)) from error
        return {alias: _array(value) for alias, value in zip(signature.outputs, fetched, strict=True)}

    def metadata(self) -> dict[str, Any]:
        """Return all signatures as JSON objects, in the fields of SignatureDef."""
        return self._metadata

    def close(self) -> None:
        """Free the graph; what still runs is cancelled."""
        self._session.close()

    def _callable(self, name: str) -> Callable[..., list[Array]]:
        with self._lock:
            if name not in self._callables:
                self._callables[name] = self._make_callable(self.signatures[name])
            return self._callables[name]

    def _make_callable(self, signature: Signature) -> Callable[..., list[Array]]:
        options = tf.compat.v1.RunOptions(timeout_in_ms=self._runtime.timeout_ms)
        proto = CallableOptions(
            feed=[tensor.name for tensor in signature.inputs.values()],
            fetch=[tensor.name for tensor in signature.outputs.values()],
            run_options=options,
        )
        # The public make_callable takes no time limit, and Session.run refuses shapes the graph would take.
        make: Callable[[Any], Callable[..., list[Array]]] = self._session._make_callable_from_options
        return make(proto)


def _load(session: Any, folder: Path, tags: tuple[str, ...]) -> Mapping[str, Any]:
    """Load a graph into a session and return its SignatureDefs by name."""
    try:
        with session.graph.as_default():
            definitions = tf.compat.v1.saved_model.load(session, list(tags), str(folder)).signature_def
            return dict(definitions.items())
    except tf.errors.OpError as error:
        raise ServingError(_code(error), error.message) from error
    except (OSError, RuntimeError, TypeError, ValueError, KeyError) as error:
        raise ServingError(Code.INVALID_ARGUMENT, str(error)) from error


def _json(definition: Any) -> dict[str, Any]:
    options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
    value: dict[str, Any] = MessageToDict(definition, **options)
    return value


def _tensors(infos: Mapping[str, Any]) -> dict[str, Tensor]:
    return {alias: Tensor(infos[alias].name, _dtype(infos[alias].dtype)) for alias in sorted(infos)}


def _array(value: Any) -> Array:
    """Return a fetched value as an array; a session gives rank 0 as a scalar, or as bytes."""
    return np.array(value, object if isinstance(value, bytes) else None)


def _dtype(number: int) -> str:
    try:
        return str(tf.dtypes.as_dtype(number).name)
    except TypeError:
        return "invalid"


def _code(error: Any) -> Code:
    try:
        return Code(error.error_code)
    except ValueError:
        return Code.UNKNOWN
