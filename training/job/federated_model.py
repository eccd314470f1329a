"""What the restricted process does for an aggregator: the first weights of a model, and the trained one."""

import threading
from typing import Any, Final

from training.code.checking import take
from training.code.confined import run
from training.code.folder import remove
from training.code.limits import of_training
from training.code.program import CodeError
from training.federated import weights
from training.federated.local import FOLDER, TASK
from training.federated.saved import Begun
from training.federated.weights import Arrays
from training.job.samples import Kept
from training.job.settings import JobSettings

_SHAPES: Final = ("input", "output")
_FORGED: Final = "the code: it wrote into the report of its own process"


class Model:
    """The model in `kept.model`. All methods raise CodeError, and StoppedError after `stop`."""

    def __init__(self, settings: JobSettings, kept: Kept, stop: threading.Event) -> None:
        self._settings = settings
        self._kept = kept
        self._stop = stop

    def begin(self) -> Begun:
        """Return the weights of the untrained model, which depend on the seed."""
        found = self._run({"step": "begin"})
        file = self._kept.folder / "weights.bin"
        take(self._kept.work / file.name, file, weights.LARGEST_WEIGHTS)
        try:
            arrays = weights.unpack(weights.described(found["weights"]), file.read_bytes())
            trained = [bool(each) for each in found["trained"]]
            input_shape, output_shape = (
                tuple(each if each is None else int(each) for each in found[name]) for name in _SHAPES
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise CodeError(_FORGED) from None
        if len(trained) != len(arrays):
            raise CodeError(_FORGED)
        if why := weights.why_not_finite(arrays):
            raise CodeError(f"the untrained model: {why}")
        return Begun(arrays, trained, input_shape, output_shape)

    def end(self, arrays: Arrays) -> tuple[str, str] | None:
        """Write the model with its last weights into `kept.work`; return its program."""
        described, data = weights.pack(arrays)
        file = self._kept.data / "weights.bin"
        file.write_bytes(data)
        found = self._run({"step": "end", "weights": described.composed(), "file": str(file)})
        try:
            program = found["program"]
            return None if program is None else (str(program[0]), str(program[1]))
        except (KeyError, TypeError, IndexError):
            raise CodeError(_FORGED) from None

    def _run(self, request: dict[str, Any]) -> Any:
        remove(self._kept.work)
        self._kept.prepare()
        return run(
            TASK,
            {**request, "model": str(self._kept.model), "seed": self._settings.seed},
            folder=self._kept.work,
            limits=of_training(self._settings.jobmemory, FOLDER),
            read=[self._kept.data],
            stop=self._stop,
        )
