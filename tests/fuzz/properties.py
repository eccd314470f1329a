"""Runs the property tests repeatedly, with random examples, until the time is up.

Each pass starts with another seed and ends at the first failure, which hypothesis prints with the example and
the seed that reproduce it. CI's tests run the same examples each time instead.
"""

import argparse
import os
import random
import subprocess
import sys
import time

from tests.parts import ROOT


def passes(minutes: float, tests: list[str]) -> int:
    """Run the tests until the time is up; return the first exit status other than 0, or 0."""
    until, number = time.monotonic() + 60 * minutes, 0
    while number == 0 or time.monotonic() < until:
        number += 1
        seed = random.randrange(2**32)
        print(f"fuzz: pass {number}, with --hypothesis-seed={seed}", flush=True)
        command = [sys.executable, "-m", "pytest", "--quiet", "-m", "not parts and hypothesis", "--exitfirst"]
        command += ["-n", "logical", f"--hypothesis-seed={seed}", *tests]
        ended = subprocess.run(command, cwd=ROOT, env={**os.environ, "HYPOTHESIS": "fuzz"}, check=False)
        if ended.returncode != 0:
            return ended.returncode
    print(f"fuzz: {number} passes, no failure")
    return 0


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz-properties", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=5, help="for how many minutes (default: %(default)s)"
    )
    parser.add_argument("tests", nargs="*", help="folders, files or tests (default: all)")
    asked = parser.parse_args()
    return passes(asked.minutes, asked.tests)


if __name__ == "__main__":
    sys.exit(main())
