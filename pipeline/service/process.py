"""Tune OpenCV and glibc for a process that encodes or decodes pictures."""

import ctypes
from typing import Final

import cv2

_MMAP_THRESHOLD: Final = -3  # malloc.h
_TRIM_THRESHOLD: Final = -1


def tune() -> None:
    """Let OpenCV work in the calling threads, and glibc keep the memory that each frame allocates again."""
    # A frame is too little work to share among threads: they cost more time than they save.
    cv2.setNumThreads(1)
    # Memory that was returned to the kernel comes back page by page, with a fault for each one: for a frame,
    # these take half as long as decoding it.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # only glibc has it
        mallopt(_MMAP_THRESHOLD, 32 * 1024 * 1024)  # the largest allowed value
        mallopt(_TRIM_THRESHOLD, 128 * 1024 * 1024)
