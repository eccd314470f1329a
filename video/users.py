"""`python -m video.users`: another name of the command `python -m pipeline.users`."""

import sys

from pipeline.users import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
