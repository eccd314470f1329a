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

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.topic import CameraTopic, partition_for
from tests.integration.conftest import Pipeline
from tests.integration.watcher import Seen, Watcher
from tests.parts import ModelServer, Service, free_port, reads, wait_for
from tests.producer.sources import videos

_PARTITIONS: Final = 16
_NAMES: Final = [f"camera {number:02}" for number in range(16)]
_MOVED: Final = 10.0  # s in which a camera has moved
_STEADY: Final = 0.9  # s between two frames at most of a camera that nothing has happened to


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
            wait_for(lambda: self._followed(name, record), 20, f"the record of {name}")  # noqa: B023

    def remove(self, name: str) -> None:
        """Remove a camera."""
        self.topic.remove(name)
        wait_for(lambda: self._followed(name, None), 20, "the tombstone")

    def _followed(self, name: str, record: CameraRecord | None) -> bool:
        self.topic.step()
        return self.topic.cameras.get(name) == record

    def start(self, count: int) -> list[Service]:
        """Start producers, and wait until they are ready."""
        started = []
        for _ in range(count):
            self._count += 1
            producer = self.pipeline.producer(
                f"{self._count}",
                "",
                CAMERASTOPIC=self.topic.name,
                TOPICNAMEMEMBERS=f"members-{self.pipeline.topic_in}",
                LINKSCHEMES="file,rtsp,http",
                CAMERANAME="",
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

    def seconds_until_all_move(self, cameras: list[str], since: float) -> float:
        """Wait until each camera has sent a frame after a time; return how long that took."""
        wait_for(lambda: self.watcher.moves(set(cameras), since), 60, f"frames of {cameras}")
        firsts = [next(f.at for f in self.watcher.frames[each] if f.at > since) for each in cameras]
        return max(firsts) - since


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


def test_cameras_are_shared_by_producers_that_are_killed_added_and_removed(
    site: Site, model_folder: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        models = []
        for number in range(2):
            (tmp_path / f"model-{number}").mkdir()
            server = ModelServer(model_folder, free_port(), tmp_path / f"model-{number}")
            models.append(stack.enter_context(server))
        site.put(*_NAMES)
        site.start(3)
        consumers = [site.pipeline.consumer(*(each.url for each in models), tag=f"-{n}") for n in range(2)]
        site.wait_until_shared()
        site.seconds_until_all_move(_NAMES, time.monotonic())
        took: dict[str, float] = {}

        def moving(what: str, cameras: list[str], begun: float) -> None:
            took[what] = site.seconds_until_all_move(cameras, begun)
            site.wait_until_shared()
            assert took[what] < _MOVED, what

        # One is killed, one added, one stopped in order, one frozen; then there are twice as many.
        begun = time.monotonic()
        site.kill(site.producers[0])
        moving("killed", _NAMES, begun)

        begun = time.monotonic()
        site.start(1)
        moving("added", _NAMES, begun)

        begun = time.monotonic()
        site.stop(site.producers[0])
        moving("stopped", _NAMES, begun)

        frozen = site.producers[0]
        frozen.signal(signal.SIGSTOP)
        begun = time.monotonic()
        took["frozen"] = site.seconds_until_all_move(_NAMES, begun)
        assert took["frozen"] < _MOVED
        frozen.signal(signal.SIGCONT)
        site.wait_until_shared()

        begun = time.monotonic()
        site.start(len(site.producers))
        moving("doubled", _NAMES, begun)

        # The parts behind them come and go as well.
        consumers[0].kill()
        models[0].kill()
        site.pipeline.consumer(models[1].url, tag="-3")
        time_of_change = time.monotonic()
        site.seconds_until_all_move(_NAMES, time_of_change)
        print({what: round(seconds, 2) for what, seconds in took.items()})

        for consumer in consumers[1:]:
            wait_for(lambda: reads(f"{consumer.health}/ledger"), 20, "its ledger")  # noqa: B023
        for producer in list(site.producers):
            site.stop(producer)
        time.sleep(0)  # the watcher reads on until everything has come

    published = sum(int(re.search(r"'out': (\d+)", line)[1]) for line in site.lines)  # type: ignore[index]
    stopped = len(site.lines)
    assert stopped == 5
    assert all("'pending': 0" in line for line in site.lines)
    wait_for(lambda: sum(map(len, site.watcher.frames.values())) >= published, 30, "all frames")
    check_frames(site.watcher.frames)


def test_a_change_of_one_camera_costs_the_others_nothing(site: Site) -> None:
    site.put(*_NAMES[:6])
    site.start(2)
    site.wait_until_shared(6)
    others, changed = _NAMES[1:6], _NAMES[0]
    site.seconds_until_all_move(_NAMES[:6], time.monotonic())
    begun = time.monotonic()
    runs = site.watcher.runs()

    site.put(changed, rotate=90)
    site.seconds_until_all_move([changed], time.monotonic() + 1)
    weighed = time.monotonic()
    site.put(changed, weight=2.0, group="hall")
    site.seconds_until_all_move([changed], time.monotonic() + 2)
    gap_of_weight = site.watcher.longest_gap(changed, weighed)
    site.put(changed, paused=True)
    wait_for(lambda: f"camera {changed}: paused" in bodies(site), 30, "the pause")
    site.put("new")
    site.seconds_until_all_move(["new"], time.monotonic())
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
    site.seconds_until_all_move([changed], time.monotonic())
    site.seconds_until_all_move(others, time.monotonic())

    assert {name: site.watcher.runs()[name] for name in others} == {name: runs[name] for name in others}
    for name in others:
        seqs = [frame.seq for frame in site.watcher.frames[name] if frame.at >= begun]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), name
    assert gap_of_weight < _STEADY
    check_frames(site.watcher.frames)
    ready = [reads(f"{each.health}/readyz") for each in site.producers]
    assert all(body.startswith(b"ok\n") for body in ready)


def bodies(site: Site) -> str:
    """Return what the producers' `/readyz` say."""
    return "".join(reads(f"{each.health}/readyz").decode() for each in site.producers)
