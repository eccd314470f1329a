"""Standard error belongs to the log.

What libraries write there is counted, and one line a minute is logged of each kind.
"""

import faulthandler
import logging
import os
import re
import sys
import threading
from collections.abc import Callable
from typing import Final

from pipeline.service.logs import Seldom
from pipeline.service.masking import hide

log = logging.getLogger(__name__)

_LONGEST_LINE: Final = 200  # characters that are logged
_READ: Final = 4096  # bytes of a line at a time
# Lines that begin with the same two words are of a kind, such as "Corrupt JPEG"; further kinds count as one.
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_KINDS: Final = 20


def take(count: Callable[[], object] = lambda: None) -> None:
    """Give this process's Python code standard error, and everything else a pipe that is read here.

    Each line that comes through the pipe is counted.

    libjpeg writes a line for each thing that is wrong with a picture, OpenCV and FFmpeg write warnings; no
    setting keeps all of them quiet.
    """
    ours = os.dup(sys.stderr.fileno())
    reading, writing = os.pipe()
    # A library that writes while it holds the interpreter's lock would wait for the reader forever.
    os.set_blocking(writing, False)
    os.dup2(writing, sys.stderr.fileno())
    os.close(writing)
    sys.stderr = os.fdopen(ours, "w", buffering=1, errors="backslashreplace")
    # When a library aborts, its last words stay in the pipe, as nothing can read them any more. Python writes
    # where each thread was.
    faulthandler.enable(sys.stderr)
    threading.Thread(target=_read, args=(reading, count), name="stderr", daemon=True).start()


def _read(reading: int, count: Callable[[], object]) -> None:
    seldom = Seldom(log)
    kinds = set[str]()
    with os.fdopen(reading, "rb") as lines:
        while line := lines.readline(_READ):
            count()
            # Hidden first: a half secret would not be recognised.
            text = hide(" ".join(line.decode(errors="replace").split()))[:_LONGEST_LINE]
            kind = " ".join(_WORD.findall(text)[:2])
            if len(kinds) < _KINDS:
                kinds.add(kind)
            seldom.warning(kind if kind in kinds else "", f"a library says: {text}")
