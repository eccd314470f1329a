"""Cameras that two models label: a broker, a consumer, a video server, and what the models answer."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from pipeline.stamp import stamp
from pipeline.wire import jpeg
from pipeline.wire.frame import Frame
from pipeline.wire.predictions import Prediction, Result
from tests.consumer.fakes import Request, ScriptedServer, reply
from tests.films import Camera, Films, jpegs
from tests.parts import Service, embedded_broker, free_port

MODELS: Final = {"imagenet_1": "tench", "imagenet_2": "goldfish"}
"""The models, and what each of them always says."""

FILM: Final = "bikes.mp4"
_SCORE: Final = 0.75
_ROW: Final = {"classes": 1, "probabilities": [0, _SCORE]}
_SAID: Final = tuple(Prediction(model, (Result(label, _SCORE),), 1, 1) for model, label in MODELS.items())


@dataclass(frozen=True)
class TwoModels:
    """The video server's address, which ends with a slash, the services, and what the cameras show."""

    address: str
    consumer: Service
    video: Service
    films: Films

    @cached_property
    def pictures(self) -> dict[str, set[bytes]]:
        """The pictures of the film, by the only model whose label they have."""
        return {model: {stamp(frame, None, model) for frame in _frames()} for model in MODELS}

    @cached_property
    def together(self) -> set[bytes]:
        """Those with both labels."""
        return {stamp(frame, None) for frame in _frames()}


@contextmanager
def two_models(folder: Path, cameras: Sequence[str], **settings: str) -> Iterator[TwoModels]:
    """Run the system for these cameras; `settings` are the video server's."""
    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(folder))
        models, labels = {}, {}
        for model, label in MODELS.items():
            models[model] = stack.enter_context(ScriptedServer(_answer)).url
            labels[model] = str(folder / f"{model}.json")
            Path(labels[model]).write_text(json.dumps([label]))
        asking = {
            "KAFKAPORTIN": bootstrap,
            "KAFKAPORTOUT": bootstrap,
            "MODELURLS": json.dumps(models),
            "LABELURLS": json.dumps(labels),
        }
        consumer = stack.enter_context(Service("consumer", asking, folder))
        port = free_port()
        serving = {"KAFKAPORT": bootstrap, "DISPLAYPORT": f"127.0.0.1:{port}", **settings}
        video = stack.enter_context(Service("video", serving, folder))
        films = [Camera(name, FILM, lambda _: ()) for name in cameras]
        shown = stack.enter_context(Films(bootstrap, films, topic="videocam"))
        video.ready(60)
        yield TwoModels(f"http://127.0.0.1:{port}/", consumer, video, shown)


def _answer(request: Request, body: bytes) -> None:
    """Say the same about each picture in a request."""
    pictures = len(json.loads(body or b'{"instances": []}')["instances"])
    reply(200, json.dumps({"predictions": [_ROW] * pictures}).encode())(request, body)


def _frames() -> list[Frame]:
    return [Frame("door", 1, 1, each, *jpeg.size(each), _SAID) for each in jpegs(FILM)]
