"""ImageNet classifiers: a JPEG goes in as it came, one label comes out."""

import base64
import json
from collections.abc import Sequence

from pipeline.frame import Frame
from pipeline.predictions import Result


class Imagenet:
    """Speaks TensorFlow Serving's row format with the original system's signature.

    `image_bytes` (a JPEG) gives `classes` (an integer; 0 is the background, so the label is
    `labels[classes - 1]`) and `probabilities` (one for each class, the background first).
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels

    def request(self, frame: Frame) -> bytes:
        """Return the body that asks about a frame."""
        return b'{"instances":[{"image_bytes":{"b64":"%s"}}]}' % base64.b64encode(frame.jpeg)

    def results(self, body: bytes) -> tuple[Result, ...]:
        """Return one result, or none for the background; raise ValueError for a nonsensical answer."""
        try:
            answer = json.loads(body)["predictions"][0]
            number, probabilities = answer["classes"], answer["probabilities"]
            score = float(probabilities[number])
            known = 0 <= number <= len(self._labels) and 0 <= score <= 1
        except (KeyError, IndexError, TypeError, OverflowError, RecursionError) as error:
            raise ValueError(f"no classes and probabilities in it: {error!r}") from None
        if not known:
            raise ValueError(
                f"class {number} with probability {score} is not among {len(self._labels)} labels"
            )
        return (Result(self._labels[number - 1], score),) if number else ()
