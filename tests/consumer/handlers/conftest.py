"""What the handlers' tests share: films, and models that are asked in this process."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from consumer.handlers.handler import Handler
from consumer.model_server.tensors import Signature, TensorInfo
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Result
from tests.clock import SECOND

Film = Callable[..., list[Frame]]
DTYPES = {"DT_STRING": "string", "DT_UINT8": "uint8", "DT_FLOAT": "float32"}


class Asked:
    """A SavedModel, loaded as a model server does."""

    def __init__(self, folder: Path) -> None:
        from tfserving.server.graph.saved import Runtime, SavedModel  # TensorFlow, which units do without

        self._model = SavedModel(folder, Runtime())

    def signature(self) -> Signature:
        """Return its signature, as a server tells it."""
        definition = self._model.metadata()["serving_default"]
        inputs, outputs = (
            {
                name: TensorInfo(
                    DTYPES[info["dtype"]], tuple(int(dim["size"]) for dim in info["tensor_shape"]["dim"])
                )
                for name, info in definition[side].items()
            }
            for side in ("inputs", "outputs")
        )
        return Signature(inputs, outputs)

    def results(self, handler: Handler, frame: Frame) -> tuple[Result, ...]:
        """Return what a handler makes of its answer about a frame."""
        question = handler.question(frame)
        answer = self._model.run("serving_default", question.inputs) if question.rows else {}
        return handler.results(question, answer)

    def close(self) -> None:
        """Free the graph."""
        self._model.close()


@pytest.fixture(scope="session")
def film(clips: Path) -> Film:
    """Return the frames of a clip, 30 a second; scaled where a size is given."""

    def film(name: str, *, most: int = 1000, size: tuple[int, int] | None = None) -> list[Frame]:
        reader, frames = cv2.VideoCapture(str(clips / f"{name}.mp4")), list[Frame]()
        while len(frames) < most:
            good, image = reader.read()
            if not good:
                break
            image = cv2.resize(image, size) if size else image
            jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
            seq = len(frames)
            captured = SECOND + seq * SECOND // 30
            frames.append(Frame("door", seq, captured, jpeg, image.shape[1], image.shape[0]))
        reader.release()
        return frames

    return film


def coloured(red: int, green: int, blue: int, *, width: int = 96, height: int = 64) -> Frame:
    """Return a frame of one colour."""
    image = np.full((height, width, 3), (blue, green, red), np.uint8)
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return Frame("door", 1, SECOND, jpeg, width, height)
