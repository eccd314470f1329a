"""Predict, and classify and regress on serialized Examples, for both REST and gRPC."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tfserving.server.errors import invalid
from tfserving.server.graph import pictures
from tfserving.server.graph.saved import SavedModel
from tfserving.server.graph.signature import DEFAULT_SIGNATURE, Signature
from tfserving.server.inference import results
from tfserving.server.inference.results import INPUT
from tfserving.server.json import values
from tfserving.server.json.values import Array
from tfserving.server.monitoring.monitoring import Monitor
from tfserving.server.room import Room

LONGEST_WAIT: Final = 30.0
"""Seconds to wait for memory, for a request that has no timeout."""

_PICTURES: Final = Room(pictures.LARGEST_RUN, "pictures")


@dataclass(frozen=True, slots=True)
class Inference:
    """A loaded model for one request, which names it and has `timeout` seconds in total.

    Without a timeout, the model's own limit applies to each run.
    """

    model: SavedModel
    name: str
    timeout: float | None = None
    monitor: Monitor | None = None
    begun: float = field(default_factory=time.monotonic)

    def predict(
        self, signature: str, feeds: Mapping[str, Array], fetch: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """Return the outputs of a signature, or those in `fetch`, given all its inputs, both by alias.

        Raises ServingError if the run fails.
        """
        return self._run("predict", signature, feeds, fetch)

    def signature(self, name: str) -> Signature:
        """Return the signature to classify or regress with; raise ServingError if there is none."""
        signature = self.model.signatures.get(name or DEFAULT_SIGNATURE)
        if signature is None:
            raise invalid(f"No signature was found with the name: {name or DEFAULT_SIGNATURE}")
        return signature

    def evaluate(self, verb: str, name: str, examples: Sequence[bytes]) -> dict[str, Array]:
        """Classify or regress serialized Examples; return the same as `results.checked`.

        Raises ServingError if the signature or its outputs do not support the verb, or if the run fails.
        """
        wanted = results.needed(verb, self.signature(name))
        if not examples:
            raise invalid("Input is empty.")
        feeds = {INPUT: values.strings(examples)}
        outputs = self._run(verb, name or DEFAULT_SIGNATURE, feeds, wanted)
        return results.checked(verb, outputs, len(examples))

    def _run(
        self, verb: str, signature: str, feeds: Mapping[str, Array], fetch: Sequence[str] | None
    ) -> dict[str, Array]:
        with _PICTURES.take(pictures.memory(feeds.values()), self._left() or LONGEST_WAIT):
            started = time.monotonic()
            outputs = self.model.run(signature, feeds, fetch, self._left())
        if self.monitor:
            self.monitor.ran(self.name, verb.capitalize(), time.monotonic() - started)
        return outputs

    def _left(self) -> float | None:
        """Return how many seconds are left, which may be none."""
        return None if self.timeout is None else self.timeout - (time.monotonic() - self.begun)
