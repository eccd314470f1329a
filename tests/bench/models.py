"""Predictions per second from a model server, and the cost of a request, next to a bare load."""

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from confluent_kafka import Producer

from consumer.handlers import HANDLERS
from pipeline.model_server.client import Client, connect
from pipeline.model_server.tensors import Signature, TensorInfo, Tensors
from pipeline.model_server.url import ModelUrl
from pipeline.wire.frame import Frame, encode
from tests.bench import clips
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import cost, rounds, take_turns
from tests.integration.conftest import Pipeline
from tests.parts import ROOT, ModelServer, Service, embedded_broker, free_port, wait_for

_CAMERAS: Final = 8
_MORE: Final = 1.7  # frames sent, as a multiple of what the model can answer one by one
_SECONDS: Final = 2.0
_WARM: Final = 1.0  # s
_QUESTIONS: Final = {"imagenet": "JPEG of 1280x720", "emonet": "4 faces of 64x64 floats"}
_ANSWERED: Final = "streamlens_model_frames_answered_total"
_ASKED: Final = {
    "one connection": {"MAXBATCH": "1", "INFLIGHT": "1"},
    "two connections": {"MAXBATCH": "1", "INFLIGHT": "2"},
    "batches": {"MAXBATCH": str(_CAMERAS), "INFLIGHT": "1"},
}

ONE: Final = Figure("predictions/s, 1 connection", "x", least=0.95)
TWO: Final = Figure("predictions/s, 2 connections", "x", least=0.95)
BATCHES: Final = Figure(f"predictions/s, batches of {_CAMERAS} cameras", "x", least=1.3)
COST: Final = {name: Figure(f"gRPC, cost, {what}", "x") for name, what in _QUESTIONS.items()}
TRIP: Final = {name: Figure(f"gRPC, round trip, {what}", "x") for name, what in _QUESTIONS.items()}
SEARCH: Final = Figure("emonet, face search", "ms", most=15)
FIGURES: Final = (ONE, TWO, BATCHES, *COST.values(), *TRIP.values(), SEARCH)


def measure() -> list[Measured]:
    """Return the figures of models. The model server has a core of its own, as if it were another machine."""
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        config = _models(folder)
        stack.callback(os.sched_setaffinity, 0, cores)
        os.sched_setaffinity(0, cores[:1])
        server = stack.enter_context(ModelServer(folder, free_port(), folder, config))
        os.sched_setaffinity(0, cores[1:] or cores)
        bootstrap = stack.enter_context(embedded_broker(folder))[0]
        figures = _pipeline(server, bootstrap, folder)
        return [*figures, *_transport(server), _search()]


def _pipeline(server: ModelServer, bootstrap: str, folder: Path) -> list[Measured]:
    """Measure predictions per second, with one or all waiting frames per request and with a bare load."""
    frames = clips.frames(100, "bikes.mp4")
    pause = 1 / (_MORE * _bare(server.url, frames, 1))
    with ExitStack() as stack:
        sides: dict[str, Callable[[], float]] = {
            "one bare": partial(_bare, server.url, frames, 1),
            "two bare": partial(_bare, server.url, frames, 2),
        }
        for name, settings in _ASKED.items():
            pipeline = Pipeline(bootstrap, folder, stack.enter_context)
            consumer = pipeline.consumer(server.url, **settings)
            sides[name] = partial(_ours, pipeline, consumer, frames, pause)
            sides[name]()
        each = take_turns("models", sides)
    against = "a bare load with as many connections"
    alone = "one request per frame"
    return [
        ONE.ratio(each["one connection"], each["one bare"], "/s", against),
        TWO.ratio(each["two connections"], each["two bare"], "/s", against),
        BATCHES.ratio(each["batches"], each["one connection"], "/s", alone),
    ]


def _ours(pipeline: Pipeline, consumer: Service, frames: list[Frame], pause: float) -> float:
    """Return the predictions per second while cameras send more than the model can answer."""
    stop = threading.Event()
    feeder = threading.Thread(target=_feed, args=(pipeline.bootstrap, pipeline.topic_in, frames, pause, stop))
    feeder.start()
    try:
        consumer.ready(60)
        answered = consumer.metric(_ANSWERED)
        wait_for(lambda: consumer.metric(_ANSWERED) > answered + _CAMERAS, 60, "answers")
        time.sleep(_WARM)
        return _rate(lambda: consumer.metric(_ANSWERED))
    finally:
        stop.set()
        feeder.join()


def _feed(bootstrap: str, topic: str, frames: list[Frame], pause: float, stop: threading.Event) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "acks": 1})
    begun = time.monotonic()
    for seq in itertools.count(1):
        shown = frames[seq % len(frames)]
        camera = f"camera {seq % _CAMERAS}"
        message = encode(Frame(camera, seq, time.time_ns(), shown.jpeg, shown.width, shown.height))
        producer.produce(topic, message.value, message.key, headers=list(message.headers))
        producer.poll(0)
        if stop.wait(max(0.0, begun + seq * pause - time.monotonic())):
            break
    producer.flush(5)


def _bare(url: str, frames: list[Frame], connections: int) -> float:
    """Return the predictions per second over this many connections, without the pipeline."""
    done = [0] * connections
    stop = threading.Event()

    def load(number: int) -> None:
        client = connect(ModelUrl.parse(url), 10)
        for frame in itertools.cycle(frames):
            client.predict(_question(frame))
            done[number] += 1
            if stop.is_set():
                break
        client.close()

    threads = [threading.Thread(target=load, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    rate = _rate(lambda: sum(done))
    stop.set()
    for thread in threads:
        thread.join()
    return rate


def _rate(count: Callable[[], float]) -> float:
    before, begun = count(), time.monotonic()
    time.sleep(_SECONDS)
    return (count() - before) / (time.monotonic() - begun)


def _models(folder: Path) -> str:
    """Export the emotion model; return the flag that makes the server serve it and the ImageNet model."""
    export = [sys.executable, "-m", "tfserving.export", "--model=emonet", str(folder / "emonet")]
    subprocess.run(export, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    paths = {"imagenet": ROOT / "build/models/imagenet", "emonet": folder / "emonet"}
    text = "".join(
        f'config {{ name: "{name}" base_path: "{path}" model_platform: "tensorflow" }}\n'
        for name, path in paths.items()
    )
    config = folder / "models.config"
    config.write_text(f"model_config_list {{ {text} }}")
    return f"--model_config_file={config}"


def _transport(server: ModelServer) -> list[Measured]:
    """Measure a request's cost in the client's processor time, and its duration, over REST and gRPC."""
    (frame,) = clips.frames(1)
    faces = (np.arange(4 * 64 * 64) % 256 / np.float32(255)).astype(np.float32).reshape(4, 64, 64, 1)
    questions: dict[str, Tensors] = {"imagenet": _question(frame), "emonet": {"images": faces}}
    figures = []
    for model, question in questions.items():
        urls = f"{server.base}/v1/models/{model}:predict", server.grpc + model
        clients = [connect(ModelUrl.parse(url), 10) for url in urls]
        values = [_medians(clients, question) for _ in rounds(f"transport, {model}")]
        rest, grpc, rest_lasted, grpc_lasted = zip(*values, strict=True)
        figures.append(COST[model].ratio(grpc, rest, "ms", "REST; the client's processor time"))
        figures.append(TRIP[model].ratio(grpc_lasted, rest_lasted, "ms", "REST"))
        for client in clients:
            client.close()
    return figures


def _medians(clients: list[Client], question: Tensors) -> list[float]:
    """Return the cost and the duration of a request in ms for each client; they take turns."""
    each = np.array([[_cost(client, question) for client in clients] for _ in range(10)])
    return [float(value) for value in 1000 * np.median(each, axis=0).T.reshape(-1)]


def _cost(client: Client, question: Tensors) -> tuple[float, float]:
    """Return the cost of a request for this process, and its duration, in s."""
    begun, cpu = time.monotonic(), time.process_time()
    client.predict(question)
    return time.process_time() - cpu, time.monotonic() - begun


def _search() -> Measured:
    """Measure the search for faces in a 1280x720 frame, which precedes the request."""
    frames = clips.frames(25)
    size = TensorInfo("float32", (-1, 64, 64, 1))
    kind = HANDLERS["emonet"]
    handler = kind(kind.Options(), lambda: Signature({"images": size}, {}))
    found = [cost(handler.question, frames) for _ in rounds("face search")]
    return SEARCH.alone(found, f"1280x720, {len(frames)} frames per round")


def _question(frame: Frame) -> Tensors:
    jpegs = np.empty(1, object)
    jpegs[0] = frame.jpeg
    return {"image_bytes": jpegs}
