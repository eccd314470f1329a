"""A SavedModel in memory: its signatures and metadata, and running its graph."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.json_format import MessageToDict

from tfserving.runtime import sessions, tf
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph import graphs, signature
from tfserving.server.graph.signature import DEFAULT_SIGNATURE, Signature, Tensor
from tfserving.server.json.values import Array

__all__ = ["DEFAULT_SIGNATURE", "Runtime", "SavedModel", "Signature", "Tensor"]


@dataclass(frozen=True, slots=True)
class Runtime:
    """Options for loading and running graphs; 0 threads means one per core."""

    tags: tuple[str, ...] = ("serve",)
    intra_op_threads: int = 0
    inter_op_threads: int = 0
    timeout_ms: int = 30_000
    check_method_names: bool = False


class SavedModel:
    """A loaded SavedModel. Several threads may run it at once."""

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        """Load the graph and restore its variables; raise ServingError if it cannot be loaded."""
        self._runtime = runtime
        self._session = tf.compat.v1.Session(
            graph=tf.Graph(),
            config=tf.compat.v1.ConfigProto(
                intra_op_parallelism_threads=runtime.intra_op_threads,
                inter_op_parallelism_threads=runtime.inter_op_threads,
            ),
        )
        try:
            definitions = graphs.load(self._session, folder, runtime.tags)
        except ServingError:
            self._session.close()
            raise
        self.signatures: dict[str, Signature] = {
            name: signature.read(definition, check_method_name=runtime.check_method_names)
            for name, definition in definitions.items()
        }
        self._metadata = {name: _json(definition) for name, definition in sorted(definitions.items())}
        self._ends: dict[str, Any] = {}
        self._session._extend_graph()
        if DEFAULT_SIGNATURE in self.signatures:
            # Optimise the graph now rather than while the first request waits.
            self._prepare(DEFAULT_SIGNATURE)

    def run(
        self,
        name: str,
        feeds: Mapping[str, Array],
        fetch: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """Feed all of a signature's inputs and return its outputs, or those in `fetch`, both by alias.

        The run is stopped after `timeout` seconds (`math.inf`: no limit; default: the runtime's limit). The
        declared shapes are not enforced, only those that the graph's operations require. Raises ServingError
        with TensorFlow's code and message if the run fails.
        """
        asked = self.signatures[name]
        aliases = list(asked.outputs) if fetch is None else list(fetch)
        limit = self._runtime.timeout_ms / 1000 if timeout is None else timeout
        try:
            fed = {self._end(tensor.name): feeds[alias] for alias, tensor in asked.inputs.items()}
            wanted = [self._end(asked.outputs[alias].name) for alias in aliases]
            fetched = self._run(fed, wanted, limit)
        except tf.errors.OpError as error:
            raise graphs.failure(error) from error
        except (TypeError, ValueError, KeyError) as error:
            raise ServingError(Code.INVALID_ARGUMENT, str(error)) from error
        return {alias: _array(value) for alias, value in zip(aliases, fetched, strict=True)}

    def metadata(self) -> dict[str, Any]:
        """Return all signatures as JSON objects with the fields of SignatureDef."""
        return self._metadata

    def close(self) -> None:
        """Free the graph; runs in progress are cancelled."""
        self._session.close()

    def _run(self, feeds: Mapping[Any, Array], fetches: Sequence[Any], limit: float) -> list[Any]:
        if limit <= 0:
            raise ServingError(Code.DEADLINE_EXCEEDED, "The deadline of the request has passed")
        # 0 means no limit, which is right only for more time than the field can hold.
        milliseconds = math.ceil(limit * 1000) if limit < 2**31 else 0
        options = tf.compat.v1.RunOptions(timeout_in_ms=milliseconds).SerializeToString()
        buffer = sessions.TF_NewBufferFromString(options)
        try:
            # Session.run refuses shapes that the graph would accept, and make_callable has no time limit.
            fetched: list[Any] = sessions.TF_SessionRun_wrapper(
                self._session._session, buffer, feeds, fetches, [], None
            )
            return fetched
        finally:
            sessions.TF_DeleteBuffer(buffer)

    def _prepare(self, name: str) -> None:
        """Optimise a signature's graph by feeding wrong types: TensorFlow optimises before it checks them."""
        inputs = self.signatures[name].inputs
        wrong = {
            alias: np.zeros((), np.int8 if tensor.dtype == "uint8" else np.uint8)
            for alias, tensor in inputs.items()
        }
        if wrong:
            with suppress(ServingError):
                SavedModel.run(self, name, wrong)

    def _end(self, name: str) -> Any:
        """Return a tensor's place in the graph; raise KeyError or ValueError if it has none."""
        if name not in self._ends:
            self._ends[name] = self._session.graph.get_tensor_by_name(name)._as_tf_output()
        return self._ends[name]


def _json(definition: Any) -> dict[str, Any]:
    return MessageToDict(
        definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _array(value: Any) -> Array:
    """Return a fetched value as an array; a session returns rank 0 as a scalar, or as bytes."""
    return np.array(value, object if isinstance(value, bytes) else None)
