"""JPEG to pixels and back as in the services, next to libjpeg-turbo called through simplejpeg.

Both in this process, on the same 1280x720 frames, quality 85, 4:2:0; simplejpeg writes no restart markers.
Processor time of this thread.
"""

from typing import Final

import simplejpeg

from pipeline.wire import picture
from tests.bench import clips
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import cost, take_turns

ENCODE: Final = Figure("encode", "x")
DECODE: Final = Figure("decode", "x")
FIGURES: Final = (ENCODE, DECODE)


def measure() -> list[Measured]:
    """Return the cost of encoding and decoding a frame."""
    images = clips.images(50)
    jpegs = [picture.encode(image, clips.QUALITY) for image in images]
    values = take_turns(
        "encode",
        {
            "encode": lambda: cost(lambda image: picture.encode(image, clips.QUALITY), images),
            "bare encode": lambda: cost(
                lambda image: simplejpeg.encode_jpeg(image, clips.QUALITY, "BGR", "420"), images
            ),
            "decode": lambda: cost(picture.decode, jpegs),
            "bare decode": lambda: cost(lambda jpeg: simplejpeg.decode_jpeg(jpeg, "BGR"), jpegs),
        },
    )
    against = "simplejpeg; 1280x720, 50 frames per round"
    return [
        ENCODE.ratio(values["encode"], values["bare encode"], "ms", f"{against}, ours with restart markers"),
        DECODE.ratio(values["decode"], values["bare decode"], "ms", against),
    ]
