"""One reader under atheris, which sees which code an input reaches. `tests.fuzz.readers` starts it."""

import sys
import time
from typing import Final

import atheris

_OURS: Final = ["consumer", "pipeline", "producer", "tfserving", "video"]

with atheris.instrument_imports(include=_OURS):
    from tests.fuzz.targets import READERS

_SLOWEST: Final = 1.0  # s of the processor for one input


def main(name: str) -> None:
    """Feed a reader, and fail if it takes long."""
    reader = READERS[name]
    with atheris.instrument_imports(include=_OURS):
        reader(b"")  # imports the rest of what it needs, and takes longer

    def read(data: bytes) -> None:
        begun = time.process_time()
        reader(data)
        taken = time.process_time() - begun
        assert taken < _SLOWEST, f"one input takes {taken:.1f} s"

    atheris.Setup(sys.argv, read)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv.pop(1))
