"""How far a training on a stream is: the offsets and the ledger that belong to a checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from training.control.message import ControlMessage, compose, parse
from training.job.stream.ledger import Ledger, parsed

_FILE: Final = "stream.json"


@dataclass(frozen=True, slots=True)
class State:
    """What holds once the model was trained on so many mini-batches.

    `positions` are the next offsets by partition. `best` is the best value of the monitored metric that has
    become a result. Unless it `is_settled`, what the process said about the last mini-batch is not in it.
    """

    number: int = 0
    positions: Mapping[int, int] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    best: float | None = None
    is_settled: bool = True


class Kept:
    """The states in a job's folder, where the restricted process cannot write.

    The process writes its checkpoint after a mini-batch, and this job notes before it what will hold then. So
    whenever both are killed, one of the two newest states belongs to the checkpoint.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._file = folder / _FILE
        self._identity = identity
        self.start = State()
        """What holds before the first mini-batch."""
        self._states: tuple[State, ...] = ()
        self.message: ControlMessage | None = None

    def load(self) -> bool:
        """Find what an earlier run of this job has kept; return whether it has."""
        try:
            found = json.loads(self._file.read_text())
            start, *states = map(_parsed, found["states"])
            message = parse(bytes.fromhex(found["key"]), found["value"].encode())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False
        if found.get("job") != self._identity:
            return False
        self.message, self.start, self._states = message, start, tuple(states)
        return True

    def begin(self, message: ControlMessage) -> None:
        """Keep what the training is about. Raises OSError."""
        self.message, self.start, self._states = message, State(), ()
        self._write()

    def found(self, partition: int, offset: int) -> None:
        """Note where the reading of a partition begins. Raises OSError."""
        self.start = State(positions={**self.start.positions, partition: offset})
        self._states = tuple(
            State(each.number, {**each.positions, partition: offset}, each.ledger, each.best, each.is_settled)
            for each in self._states
        )
        self._write()

    def note(self, *states: State) -> None:
        """Keep these states: the one that holds, and the one that will. Raises OSError."""
        self._states = states
        self._write()

    def after(self, number: int) -> State | None:
        """Return the state after so many mini-batches; None if it is not known."""
        if number == 0 and not any(each.number == 0 for each in self._states):
            return self.start
        return next((each for each in reversed(self._states) if each.number == number), None)

    def _write(self) -> None:
        if self.message is None:
            raise ValueError("expected a control message first")
        key, value = compose(self.message)
        states = [_fields(each) for each in (self.start, *self._states)]
        kept = {"job": self._identity, "key": key.hex(), "value": value.decode(), "states": states}
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(kept))
        part.replace(self._file)


def _fields(state: State) -> dict[str, Any]:
    return {
        "number": state.number,
        "positions": {str(number): offset for number, offset in state.positions.items()},
        "ledger": state.ledger.fields(),
        "best": state.best,
        "is_settled": state.is_settled,
    }


def _parsed(value: Any) -> State:
    return State(
        int(value["number"]),
        {int(number): int(offset) for number, offset in value["positions"].items()},
        parsed(value["ledger"]),
        None if value["best"] is None else float(value["best"]),
        bool(value["is_settled"]),
    )
