"""The consumer's stamping of one 1280x720 frame, next to decoding, drawing and encoding with OpenCV.

Both in this process, on the same frames, with the same text; processor time.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from pipeline.stamp import stamp
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Box, Prediction, Result
from tests.bench import clips, opencv
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import cost, take_turns

LABEL: Final = "mountain bike 93%"
TEXT: Final = (Prediction("imagenet_1", (Result("mountain bike", 0.93),), 1, 41),)
_BOXES: Final[Sequence[Box]] = ((300, 200, 160, 160), (700, 260, 160, 160))
_FACES: Final = (*TEXT, Prediction("emonet_2", tuple(Result("happy", 0.8, box) for box in _BOXES), 1, 41))

LINE: Final = Figure("stamp, a line of text", "x", most=0.3)
FACES: Final = Figure("stamp, a line and two faces", "x")
OWN: Final = Figure("stamp, a line of text, a camera's own JPEGs", "x", most=0.5)
FIGURES: Final = (LINE, FACES, OWN)


def measure() -> list[Measured]:
    """Return the cost of stamping a line of text, and of two faces' boxes; of our JPEGs and of a camera's."""
    frames, own = clips.frames(50), clips.camera_frames(50)
    values = take_turns(
        "stamp",
        {
            "line": partial(cost, stamping(TEXT), frames),
            "bare line": partial(cost, labelling(), frames),
            "faces": partial(cost, stamping(_FACES), frames),
            "bare faces": partial(cost, labelling(_BOXES), frames),
            "own": partial(cost, stamping(TEXT), own),
            "bare own": partial(cost, labelling(), own),
        },
    )
    against = f"decode, draw, encode with OpenCV; 1280x720, {len(frames)} frames per round"
    return [
        LINE.ratio(values["line"], values["bare line"], "ms", against),
        FACES.ratio(values["faces"], values["bare faces"], "ms", against),
        OWN.ratio(values["own"], values["bare own"], "ms", f"{against}; 4:2:2 without restart markers"),
    ]


def stamping(predictions: tuple[Prediction, ...] = TEXT) -> Callable[[Frame], bytes]:
    """Return a function that stamps a frame as the consumer does."""
    return lambda frame: stamp(frame._replace(predictions=predictions), None)


def labelling(boxes: Sequence[Box] = ()) -> Callable[[Frame], bytes]:
    """Return a function that labels a frame with OpenCV alone."""
    return lambda frame: opencv.label(frame.jpeg, LABEL, boxes)
