"""Runs a module so that everything else has priority: `python -m training.runners.niced MODULE`."""

import os
import sys

from pipeline.service.niceness import step_back


def main() -> None:
    """Become `python -m MODULE`, in the same process."""
    step_back()
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
