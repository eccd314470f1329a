"""Feeds what reads bytes from outside with inputs that atheris makes: `python -m tests.fuzz.readers`.

A fault ends the run with a traceback; its input is left in `build/fuzz`, and fails again with

    python -m tests.fuzz.readers READER --replay FILE

Inputs that reach new code are kept there too, and the next run starts from them.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.fuzz.seeds import WORDS, seeds
from tests.fuzz.targets import GRAPHS, READERS
from tests.parts import ROOT

FOLDER: Final = ROOT / "build/fuzz"
_LONGEST: Final = 4096  # bytes of an input
_SLOWEST: Final = 10  # s for one input
_MOST_MEMORY: Final = 640  # MB, the smallest limit of a service's deployment.yml
_MOST_MEMORY_OF_GRAPHS: Final = 1536  # MB, the limit in tfserving/deployment.yml


def fuzz(reader: str, inputs: int, folder: Path) -> int:
    """Run one reader in a process of its own, with so many inputs; return the exit status."""
    corpus = folder / reader
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()[reader]):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    options = [
        f"-runs={inputs}",
        f"-max_len={_LONGEST}",
        f"-timeout={_SLOWEST}",
        f"-rss_limit_mb={_MOST_MEMORY_OF_GRAPHS if reader in GRAPHS else _MOST_MEMORY}",
        f"-dict={words}",
        f"-artifact_prefix={folder}/{reader}-",
        "-print_final_stats=1",
    ]
    command = [sys.executable, "-m", "tests.fuzz.instrumented", reader, *options, str(corpus)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument(
        "readers", nargs="*", metavar="READER", help=f"of {', '.join(READERS)} (default: all)"
    )
    parser.add_argument("--inputs", type=int, default=100_000, help="for each (default: %(default)s)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="feed the readers with this input only")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for inputs (default: %(default)s)")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.readers) - set(READERS)):
        parser.error(f"no such reader: {', '.join(unknown)}; expected {', '.join(READERS)}")
    for reader in asked.readers or READERS:
        if asked.replay:
            READERS[reader](asked.replay.read_bytes())
        elif status := fuzz(reader, asked.inputs, asked.folder):
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
