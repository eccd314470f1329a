"""What the libraries of a process that codes pictures may take of its machine."""

import ctypes
from typing import Final

import cv2

_MMAP_THRESHOLD: Final = -3  # malloc.h
_TRIM_THRESHOLD: Final = -1


def settle() -> None:
    """Let OpenCV work in the threads that call it, and glibc keep the memory that each frame takes anew."""
    # A frame is too little work to be shared among threads: they take more time than they save.
    cv2.setNumThreads(1)
    # Memory that is given back to the kernel comes back page by page, each one a fault: of a decoded frame
    # they take as long as half its decoding.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # other C libraries have none
        mallopt(_MMAP_THRESHOLD, 32 * 1024 * 1024)  # the largest it takes
        mallopt(_TRIM_THRESHOLD, 128 * 1024 * 1024)
