"""A SavedModel whose runs are counted."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tfserving.server.graph.saved import Runtime, SavedModel
from tfserving.server.json.values import Array
from tfserving.server.monitoring.monitoring import Monitor


class CountedModel(SavedModel):
    """A loaded SavedModel that reports its runs to a monitor."""

    def __init__(self, folder: Path, runtime: Runtime, monitor: Monitor) -> None:
        """Load the graph; raise ServingError if it cannot be loaded."""
        self._monitor = monitor
        super().__init__(folder, runtime)

    def run(
        self,
        name: str,
        feeds: Mapping[str, Array],
        fetch: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> dict[str, Array]:
        """Run like `SavedModel.run`, and count the run if it succeeds."""
        outputs = super().run(name, feeds, fetch, timeout)
        self._monitor.graph_ran()
        return outputs
