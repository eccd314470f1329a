"""Cameras as data on a real Kafka: producers share them, whoever is killed, added or removed."""

import re
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.cameras.record import CameraRecord, RecordError
from pipeline.cameras.seal import Seal, new_key
from pipeline.cameras.topic import CameraTopic, partition_for
from tests.integration.conftest import Pipeline
from tests.integration.watcher import Seen, Watcher
from tests.parts import ModelServer, Service, free_port, reads, wait_for
from tests.producer.sources import videos

_PARTITIONS: Final = 16
_NAMES: Final = [f"camera {number:02}" for number in range(16)]
_MOVED: Final = 10.0  # s in which a camera has moved


class Site:
    """Producers that share the cameras of a topic, and what they publish."""

    def __init__(self, pipeline: Pipeline, film: Path, enter: Callable[[Any], Any]) -> None:
        self.pipeline = pipeline
        self.film = film
        self._count = 0
        self.producers: list[Service] = []
        self.lines: list[str] = []  # the last ones of producers that have stopped
        self.topic = CameraTopic(pipeline.bootstrap, f"cameras-{pipeline.topic_in}", {})
        admin = AdminClient({"bootstrap.servers": pipeline.bootstrap})
        new = NewTopic(pipeline.topic_in, num_partitions=_PARTITIONS, replication_factor=1)
        admin.create_topics([new])[pipeline.topic_in].result(20)
        wait_for(
            lambda: len(admin.list_topics(timeout=5).topics[pipeline.topic_in].partitions) == _PARTITIONS,
            20,
            "the topic",
        )
        self.watcher: Watcher = enter(Watcher(pipeline.bootstrap, pipeline.topic_in))
        assert self.topic.catch_up(20)

    def put(self, *names: str, **fields: Any) -> None:
        """Add cameras, or change them."""
        for name in names:
            before = self.topic.cameras.get(name)
            if not isinstance(before, CameraRecord):
                partition = partition_for(_PARTITIONS, self.topic.cameras.values())
                before = CameraRecord(link=str(self.film), interval=0.1, partition=partition)
            record = before.model_copy(update=fields)
            self.topic.put(name, record)
            wait_for(lambda: self.followed(name) == record, 20, f"the record of {name}")  # noqa: B023

    def remove(self, name: str) -> None:
        """Remove a camera."""
        self.topic.remove(name)
        wait_for(lambda: self.followed(name) is None, 20, "the tombstone")

    def followed(self, name: str) -> CameraRecord | RecordError | None:
        """Read on, and return a camera's record."""
        self.topic.step()
        return self.topic.cameras.get(name)

    def start(self, count: int, **settings: str) -> list[Service]:
        """Start producers, and wait until they are ready."""
        started = []
        for _ in range(count):
            self._count += 1
            producer = self.pipeline.producer(
                f"{self._count}",
                "",
                **{
                    "CAMERASTOPIC": self.topic.name,
                    "TOPICNAMEMEMBERS": f"members-{self.pipeline.topic_in}",
                    "LINKSCHEMES": "file,rtsp,http",
                    "CAMERANAME": "",
                    **settings,
                },
            )
            started.append(producer)
        self.producers += started
        for producer in started:
            producer.ready(60)
        return started

    def stop(self, producer: Service) -> None:
        """Stop a producer as Kubernetes would."""
        self.producers.remove(producer)
        assert producer.stop() == 0
        self.lines.append(producer.text.strip().splitlines()[-1])

    def kill(self, producer: Service) -> None:
        """Kill a producer."""
        self.producers.remove(producer)
        producer.kill()

    def sizes(self) -> list[int]:
        """Return how many cameras each producer captures."""
        return [round(each.metric("streamlens_cameras_captured ")) for each in self.producers]

    def wait_until_shared(self, cameras: int = 16) -> None:
        """Wait until the producers share the cameras evenly."""

        def is_even() -> bool:
            sizes = self.sizes()
            return sum(sizes) == cameras and max(sizes) - min(sizes) <= 1

        wait_for(is_even, 60, f"an even share instead of {self.sizes()}")

    def wait_until_all_move(self, cameras: list[str], since: float) -> None:
        """Wait until each camera has sent a frame that was captured after a time, in s since the epoch."""
        wait_for(lambda: self.watcher.moves(cameras, since), 60, f"frames of {cameras}")


@pytest.fixture
def site(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Site]:
    """Sixteen cameras, and no producer yet."""
    images = [videos.grey(5 * number, 160, 120) for number in range(50)]
    film = videos.write(tmp_path / "small.mp4", images, rate=10)
    with ExitStack() as stack:
        site = Site(Pipeline(kafka_bootstrap, tmp_path, stack.enter_context), film, stack.enter_context)
        yield site
        site.topic.close()


def check_frames(frames: dict[str, list[Seen]]) -> None:
    """Check that each camera's frames are in order, and that none comes twice."""
    for name, seen in frames.items():
        counts = Counter((frame.run, frame.seq) for frame in seen)
        assert max(counts.values()) == 1, f"{name}: {counts.most_common(1)} came twice"
        by_run = defaultdict[str, list[Seen]](list)
        for frame in seen:
            by_run[frame.run].append(frame)
        for run in by_run.values():
            assert [each.seq for each in run] == sorted(each.seq for each in run), name
            assert [each.captured for each in run] == sorted(each.captured for each in run), name


@pytest.mark.timeout(400)
def test_cameras_are_shared_by_producers_that_are_killed_added_and_removed(
    site: Site, model_folder: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        models = []
        for number in range(2):
            (tmp_path / f"model-{number}").mkdir()
            models.append(ModelServer(model_folder, free_port(), tmp_path / f"model-{number}"))
        site.put(*_NAMES)
        site.start(3)
        consumers = [site.pipeline.consumer(*(each.url for each in models), tag=f"-{n}") for n in range(2)]
        for server in models:
            stack.enter_context(server)
        site.wait_until_shared()
        site.wait_until_all_move(_NAMES, time.time())
        gaps: dict[str, float] = {}

        def moved(what: str, begun: float) -> None:
            site.wait_until_all_move(_NAMES, begun)
            site.wait_until_shared()
            site.wait_until_all_move(_NAMES, time.time())
            gaps[what] = max(site.watcher.longest_gap(each, begun) for each in _NAMES)
            assert gaps[what] < _MOVED, what

        # One is killed, one added, one stopped in order, one frozen; then there are twice as many.
        begun = time.time()
        site.kill(site.producers[0])
        moved("killed", begun)

        begun = time.time()
        site.start(1)
        moved("added", begun)

        begun = time.time()
        site.stop(site.producers[0])
        moved("stopped", begun)

        begun = time.time()
        frozen = site.producers[0]
        frozen.signal(signal.SIGSTOP)
        site.wait_until_all_move(_NAMES, begun + 0.5)
        frozen.signal(signal.SIGCONT)
        moved("frozen", begun)

        begun = time.time()
        site.start(len(site.producers))
        moved("doubled", begun)

        # The parts behind them come and go as well.
        consumers[0].kill()
        models[0].kill()
        site.pipeline.consumer(models[1].url, tag="-3")
        site.wait_until_all_move(_NAMES, time.time())
        print({what: round(seconds, 2) for what, seconds in gaps.items()})
        for producer in list(site.producers):
            site.stop(producer)

    published = sum(int(count) for line in site.lines for count in re.findall(r"'out': (\d+)", line))
    assert len(site.lines) == 1 + 4
    assert all("'pending': 0" in line for line in site.lines)
    wait_for(lambda: sum(map(len, site.watcher.frames.values())) >= published, 30, "all frames")
    check_frames(site.watcher.frames)


def test_a_change_of_one_camera_costs_the_others_nothing(site: Site) -> None:
    site.put(*_NAMES[:6])
    site.start(2)
    site.wait_until_shared(6)
    others, changed = _NAMES[1:6], _NAMES[0]
    site.wait_until_all_move(_NAMES[:6], time.time())
    begun = time.time()
    runs = site.watcher.runs()

    site.put(changed, rotate=90)
    site.wait_until_all_move([changed], time.time() + 1)
    opened = logs(site).count(f"camera {changed} delivers")
    site.put(changed, weight=2.0, group="hall")
    site.wait_until_all_move([changed], time.time() + 2)
    assert logs(site).count(f"camera {changed} delivers") == opened, "it was not opened again"
    site.put(changed, paused=True)
    wait_for(lambda: f"camera {changed}: paused" in bodies(site), 30, "the pause")
    site.put("new")
    site.wait_until_all_move(["new"], time.time())
    site.put("wrong", link="gopher://door/")
    site.put("hanging", link=f"rtsp://127.0.0.1:{free_port()}/", partition=99)
    site.put("locked", link="gAAAAAAA")
    wait_for(
        lambda: all(f"camera {name}: " in bodies(site) for name in ("wrong", "hanging", "locked")),
        30,
        "reasons",
    )
    site.remove("new")
    site.put(changed, paused=False)
    site.wait_until_all_move([changed], time.time())
    site.wait_until_all_move(others, time.time())

    assert {name: site.watcher.runs()[name] for name in others} == {name: runs[name] for name in others}
    for name in others:
        seqs = [frame.seq for frame in site.watcher.frames[name] if frame.captured >= begun]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), name
    check_frames(site.watcher.frames)
    ready = [reads(f"{each.health}/readyz") for each in site.producers]
    assert all(body.startswith(b"ok\n") for body in ready)


def logs(site: Site) -> str:
    """Return what the producers have logged."""
    return "".join(each.text for each in site.producers)


def bodies(site: Site) -> str:
    """Return what the producers' `/readyz` say."""
    return "".join(reads(f"{each.health}/readyz").decode() for each in site.producers)


def test_the_own_camera_of_a_producer_becomes_a_record(site: Site) -> None:
    key = new_key()
    environment = {"CAMERANAME": "mine", "CAMERASKEY": key, "LINKSCHEMES": "rtsp"}

    site.start(2, VIDEOLINK=str(site.film), **environment)
    site.wait_until_all_move(["mine"], time.time())

    wait_for(lambda: site.followed("mine") is not None, 20, "its record")
    record = site.topic.cameras["mine"]
    assert isinstance(record, CameraRecord)
    assert record.link != str(site.film)
    assert Seal([key]).open(record.link) == str(site.film)
    assert record.partition == 0
    assert {frame.partition for frame in site.watcher.frames["mine"]} == {0}
