"""What an aggregator needs to continue after it was killed: a file with the beginning of its round."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training.federated.aggregation import Aggregation
from training.federated.announcement import Shape
from training.federated.clients import Client
from training.federated.following import Offsets
from training.federated.weights import Arrays


@dataclass(frozen=True, slots=True)
class Begun:
    """What a training begins with: weights, which of them are trained, and the shapes of samples."""

    weights: Arrays
    trained: Sequence[bool]
    input_shape: Shape
    output_shape: Shape


@dataclass(frozen=True, slots=True)
class Saved:
    """A round's beginning, and `offsets` of the topic with updates, where those that came later begin.

    `time` is how long the training had taken, in s.
    """

    begun: Begun
    fields: Mapping[str, Any] = field(default_factory=dict)
    moments: tuple[Arrays, Arrays] = ((), ())  # type: ignore[assignment]
    offsets: Offsets = field(default_factory=dict)
    time: float = 0.0

    def restore(self, aggregation: Aggregation) -> None:
        """Put an aggregation with these weights where it was."""
        fields = self.fields
        if not fields:
            return
        aggregation.version = int(fields["version"])
        aggregation.has_begun = bool(fields["has_begun"])
        aggregation.history.training.update(fields["training"])
        aggregation.history.validation.update(fields["validation"])
        aggregation.clients.update({name: Client(**each) for name, each in fields["clients"].items()})
        aggregation.server.moments = self.moments


def save(
    file: Path, identity: str, begun: Begun, aggregation: Aggregation, *, offsets: Offsets, time: float
) -> None:
    """Write where an aggregation is; `identity` is that of its job.

    Raises OSError, and leaves what was saved before.
    """
    first, second = aggregation.server.moments
    fields = {
        "job": identity,
        "trained": [*begun.trained],
        "input": begun.input_shape,
        "output": begun.output_shape,
        "version": aggregation.version,
        "time": time,
        "has_begun": aggregation.has_begun,
        "training": aggregation.history.training,
        "validation": aggregation.history.validation,
        "clients": {name: asdict(each) for name, each in aggregation.clients.items()},
        "offsets": {str(partition): offset for partition, offset in offsets.items()},
    }
    arrays = {
        f"{name}_{number}": array
        for name, group in (("weight", aggregation.weights), ("first", first), ("second", second))
        for number, array in enumerate(group)
    }
    part = file.with_suffix(".part.npz")
    try:
        np.savez(part, fields=np.array(json.dumps(fields)), **arrays)  # type: ignore[arg-type]
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def load(file: Path, identity: str) -> Saved | None:
    """Return what a job with this identity has saved, or None if there is nothing that can be used."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as found:
            fields = json.loads(str(found["fields"]))
            weights, first, second = (_numbered(found, name) for name in ("weight", "first", "second"))
        begun = Begun(weights, fields["trained"], tuple(fields["input"]), tuple(fields["output"]))
        offsets = {int(partition): int(offset) for partition, offset in fields["offsets"].items()}
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
    if fields.get("job") != identity:
        return None
    return Saved(begun, fields, (first, second), offsets, float(fields["time"]))


def _numbered(found: Any, kind: str) -> Arrays:
    names = [name for name in found.files if name.startswith(f"{kind}_")]
    return [found[f"{kind}_{number}"] for number in range(len(names))]
