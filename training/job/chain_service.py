"""The results of a chain in the training service: what concerns all of them goes to each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.job.service import Service


class ChainService(Service):
    """Requests about all results of a chain; `parts` has the service of each, lowest first."""

    def __init__(self, parts: Sequence[Service]) -> None:
        self.parts = parts

    def fetch_models(self, files: Sequence[Path]) -> None:
        """Write the untrained models to files. Raises RefusedError and AwayError."""
        for part, file in zip(self.parts, files, strict=True):
            part.fetch_model(file)

    def progress(self, fields: Mapping[str, Any]) -> None:
        """Report how far the job is, once to each result."""
        for part in self.parts:
            part.progress(fields)

    def metrics(self, fields: Mapping[str, Any]) -> None:
        """Report the metrics of all epochs so far: `parts` has those of each part."""
        for part, own in zip(self.parts, fields["parts"], strict=True):
            part.metrics(own)

    def insist(self, fields: Mapping[str, Any]) -> None:
        """Report a state that must arrive at each result."""
        for part in self.parts:
            part.insist(fields)
