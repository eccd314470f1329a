"""One reader under atheris, which sees which code an input reaches. `tests.fuzz.readers` starts it."""

import sys

import atheris

with atheris.instrument_imports(include=["consumer", "pipeline", "producer"]):
    from tests.fuzz.targets import READERS

if __name__ == "__main__":
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, READERS[name])
    atheris.Fuzz()
