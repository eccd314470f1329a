"""What reads bytes from outside, with inputs that need no fuzzer."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.seeds import WORDS, seeds
from tests.fuzz.targets import GRAPHS, READERS
from tests.parts import ROOT

INPUTS = 2000
EACH = [pytest.param(name, marks=[pytest.mark.parts] if name in GRAPHS else []) for name in READERS]


def changed(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return an input with some bytes replaced, removed, repeated, or taken from elsewhere."""
    for _ in range(chance.randint(1, 5)):
        begin = chance.randint(0, len(data))
        end = min(len(data), begin + chance.choice([0, 1, 2, 4, 100]))
        other = chance.choice(others)
        middle = chance.choice(
            [
                b"",
                2 * data[begin:end],
                chance.choice(WORDS),
                chance.randbytes(end - begin),
                other[chance.randint(0, len(other)) :][:100],
            ]
        )
        data = data[:begin] + middle + data[end:]
    return data


@pytest.mark.parametrize("reader", EACH)
def test_valid_inputs_and_their_beginnings(reader: str) -> None:
    for data in seeds()[reader]:
        for length in range(len(data), 0, -7):
            READERS[reader](data[:length])
    READERS[reader](b"")


@pytest.mark.parametrize("reader", EACH)
def test_changed_inputs(reader: str) -> None:
    chance, valid = random.Random(reader), list(seeds()[reader])

    for _ in range(INPUTS):
        data = changed(chance.choice(valid), valid, chance)
        try:
            READERS[reader](data)
        except Exception:
            print(f"the input: {data!r}")
            raise


@pytest.mark.parts
def test_an_input_can_be_replayed(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(seeds()["multipart"][0])
    command = [sys.executable, "-m", "tests.fuzz.readers", "multipart", "--replay", str(file)]

    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parts
def test_an_unknown_reader_is_reported_in_one_line() -> None:
    command = [sys.executable, "-m", "tests.fuzz.readers", "nothing"]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 2
    assert "nothing; expected multipart, " in run.stderr.splitlines()[-1]
