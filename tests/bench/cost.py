"""The processor time that each service spends on a 1280x720 frame, and the services' memory.

The services run next to bare loops of library calls that process as many frames at the same time; the
processor time of both is read at the ends of the same intervals.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

from tests.bench import clips
from tests.bench.figures import Figure, Measured
from tests.bench.pairs import rounds
from tests.bench.processes import Bare, spent
from tests.bench.stream import watching
from tests.bench.system import CAMERA, System, broker_kind, running
from tests.bench.topics import short_lived
from tests.parts import Service, free_port
from tests.producer.http_camera import HttpCamera

_SECONDS: Final = 5.0

CONSUMER: Final = Figure("consumer, a frame / labelling", "x", most=0.3)
CONSUMER_LEAST: Final = Figure("consumer, a frame / stamping and Kafka", "x", most=1.25)
PRODUCER: Final = Figure("producer, a frame / capture", "x", most=1.15)
PRODUCER_LEAST: Final = Figure("producer, a frame / capture and Kafka", "x")
VIDEO: Final = Figure("video, a frame / Kafka and a socket", "x")
MEMORY: Final = {
    name: Figure(f"{name}, memory", "MB", most=120) for name in ("producer", "consumer", "video")
}
OWN: Final = Figure("a camera's own JPEGs, producer and consumer / labelling", "x", most=0.8)
OWN_MEMORY: Final = Figure("a camera's own JPEGs, consumer, memory", "MB", most=120)
FIGURES: Final = (
    CONSUMER,
    CONSUMER_LEAST,
    PRODUCER,
    PRODUCER_LEAST,
    VIDEO,
    *MEMORY.values(),
    OWN,
    OWN_MEMORY,
)

Costs = dict[str, list[float]]
"""The cost of a frame in ms, by process, one value per round."""


def measure() -> list[Measured]:
    """Return costs per frame as ratios to the bare work, and the memory of each service."""
    with running() as system, _bare_loops(system) as bare:
        memory: Costs = {name: [] for name in MEMORY}
        costs = _rounds(system, bare, memory)
    stamped = [sum(each) for each in zip(costs["stamp"], costs["hop"], strict=True)]
    at = f"1280x720 at 25/s, {broker_kind()}"
    figures = [
        CONSUMER.ratio(costs["consumer"], costs["draw"], "ms", f"decode, draw, encode; {at}"),
        CONSUMER_LEAST.ratio(
            costs["consumer"], stamped, "ms", f"bare stamping + consume and produce of the same; {at}"
        ),
        PRODUCER.ratio(costs["producer"], costs["capture"], "ms", f"read, encode, discard; {at}"),
        PRODUCER_LEAST.ratio(costs["producer"], costs["publish"], "ms", f"read, encode, produce; {at}"),
        VIDEO.ratio(costs["video"], costs["serve"], "ms", f"consume, write to one connection; {at}"),
    ]
    against = f"resident memory, within two minutes of the start; {at}"
    figures += [MEMORY[name].alone(values, against) for name, values in memory.items()]
    return figures + _own_jpegs()


def _own_jpegs() -> list[Measured]:
    """Return the cost of a camera's own JPEGs, for the producer and the consumer together."""
    memory: Costs = {name: [] for name in MEMORY}
    jpegs = [frame.jpeg for frame in clips.camera_frames(50)]
    with (
        TemporaryDirectory() as folder,
        HttpCamera(jpegs) as camera,
        running(camera.link) as system,
        Bare(Path(folder), "bare", "draw", "camera") as draw,
        watching(system.address, CAMERA),
    ):
        draw.going()
        costs = _rounds(system, {"draw": draw}, memory)
    both = [sum(each) for each in zip(costs["producer"], costs["consumer"], strict=True)]
    at = f"1280x720 at 25/s, 4:2:2 without restart markers, {broker_kind()}"
    return [
        OWN.ratio(both, costs["draw"], "ms", f"decode, draw, encode; {at}"),
        OWN_MEMORY.alone(memory["consumer"], f"resident memory, within two minutes of the start; {at}"),
    ]


@contextmanager
def _bare_loops(system: System) -> Iterator[dict[str, Bare]]:
    """Run the bare loops next to the system, each once it has frames; one client watches each server."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        kafka, tag, port = system.bootstrap, uuid4().hex[:8], str(free_port())
        clip = str(clips.path())
        published, hopped = f"bench-published-{tag}", f"bench-hopped-{tag}"
        stack.enter_context(short_lived(kafka, published, hopped))
        loops = {
            "capture": Bare(folder, "bare", "capture", clip),
            "publish": Bare(folder, "bare", "capture", clip, kafka, published, CAMERA, tag="-published"),
            "draw": Bare(folder, "bare", "draw"),
            "stamp": Bare(folder, "bare", "stamp"),
            "hop": Bare(folder, "bare", "hop", kafka, system.topic_in, hopped),
            "serve": Bare(folder, "bare_video", kafka, system.topic_out, port),
        }
        for loop in loops.values():
            stack.enter_context(loop).going()
        stack.enter_context(watching(system.address, CAMERA))
        stack.enter_context(watching(("127.0.0.1", int(port)), CAMERA))
        yield loops


def _rounds(system: System, bare: dict[str, Bare], memory: Costs) -> Costs:
    costs: Costs = {name: [] for name in (*system.services, *bare)}
    for _ in rounds("cost"):
        before = _state(system, bare)
        time.sleep(_SECONDS)
        for name, (cpu, count) in _state(system, bare).items():
            costs[name].append(1000 * (cpu - before[name][0]) / (count - before[name][1]))
        for name, service in system.services.items():
            memory[name].append(service.rss())
    return costs


def _state(system: System, bare: dict[str, Bare]) -> dict[str, tuple[float, int]]:
    """Return the processor time of each process in s, and how many frames it has processed."""
    services = {name: (spent(each.pid), _out(each)) for name, each in system.services.items()}
    return services | {name: (spent(each.pid), each.done) for name, each in bare.items()}


def _out(service: Service) -> int:
    return int(service.ledger()[CAMERA]["out"])
