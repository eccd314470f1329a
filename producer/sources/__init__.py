"""The kinds of camera, each with a module that opens it.

To add a kind, write a module here with a function `open_source`, add its name and schemes to the tables in
`pipeline/cameras/links.py`, and add a row to the README.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from pipeline.cameras.links import kind_of

if TYPE_CHECKING:  # importing it would load OpenCV
    from producer.sources.source import Limits, Source


def open_source(link: str, limits: "Limits", interval: float = 0) -> "Source":
    """Open a camera whose frames are published every `interval` s.

    Raises `LinkError`, or `CaptureError` if the camera cannot be opened now.
    """
    # Imported late: compose only needs the kind of a camera, and FFmpeg and OpenCV take 60 MB.
    module = import_module(f"{__name__}.{kind_of(link)}")
    source: Source = module.open_source(link, limits, interval)
    return source
