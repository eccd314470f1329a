"""Cameras as data on a real Kafka: producers share them, whoever is killed, added or removed."""

import ast
import signal
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import numpy as np
import pytest

from pipeline.cameras.record import CameraRecord
from pipeline.cameras.seal import Seal, new_key
from tests.integration.conftest import Pipeline
from tests.integration.sharing import Site
from tests.integration.watcher import Screen, Seen
from tests.parts import ModelServer, Service, free_port, reads, wait_for
from tests.producer.sources import videos

_NAMES: Final = [f"camera {number:02}" for number in range(16)]
_MOVED: Final = 10.0  # s in which a camera has moved


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def site(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Site]:
    """Sixteen cameras, and no producer yet."""
    images = [videos.grey(5 * number, 160, 120) for number in range(50)]
    film = videos.write(tmp_path / "small.mp4", images, rate=10)
    with ExitStack() as stack:
        site = Site(Pipeline(kafka_bootstrap, tmp_path, stack.enter_context), film, stack.enter_context)
        yield site
        site.topic.close()


def start_models(stack: ExitStack, model: Path, folder: Path, count: int) -> list[ModelServer]:
    """Start model servers, each with a folder of its own; they end with the stack."""
    servers = []
    for number in range(count):
        logs = folder / f"model-{number}"
        logs.mkdir()
        servers.append(stack.enter_context(ModelServer(model, free_port(), logs)))
    return servers


def watch(site: Site, stack: ExitStack, cameras: Collection[str]) -> dict[str, Screen]:
    """Watch these cameras' video until the stack ends, once each has a picture."""
    wait_for(lambda: all(site.pipeline.camera(quote(each)).get("width") for each in cameras), 60, "pictures")
    display = urlsplit(site.pipeline.display)
    address = display.hostname or "", display.port or 0
    return {name: stack.enter_context(Screen(address, name)) for name in cameras}


def change_producers(site: Site) -> None:
    """Kill a producer, add one, stop one in order, freeze one, then start twice as many."""
    gaps: dict[str, float] = {}

    def moved(what: str, begun: float) -> None:
        site.wait_until_all_move(_NAMES, begun)
        site.wait_until_shared()
        site.wait_until_all_move(_NAMES, time.time())
        gaps[what] = max(site.watcher.longest_gap(each, begun) for each in _NAMES)
        assert gaps[what] < _MOVED, what

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
    print({what: round(seconds, 2) for what, seconds in gaps.items()})


def stopped(service: Service) -> str:
    """Stop a service as Kubernetes would, and return its last line."""
    assert service.stop() == 0
    return service.text.strip().splitlines()[-1]


def totals(line: str) -> dict[str, Any]:
    """Return the counts in the last line of a service."""
    counts: dict[str, Any] = ast.literal_eval(line.partition("stopped: ")[2])
    return counts


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
        models = start_models(stack, model_folder, tmp_path, 2)
        video = site.pipeline.video()
        site.put(*_NAMES)
        site.start(3)
        consumers = [site.pipeline.consumer(*(each.url for each in models), tag=f"-{n}") for n in range(2)]
        site.wait_until_shared()
        site.wait_until_all_move(_NAMES, time.time())
        screens = watch(site, stack, _NAMES)

        change_producers(site)
        # The parts behind them come and go as well.
        consumers[0].kill()
        models[0].kill()
        consumers[0] = site.pipeline.consumer(models[1].url, tag="-3").ready(60)
        begun = time.time()
        wait_for(lambda: site.labelled.moves(_NAMES, begun), 60, "labelled frames of all cameras")

        for producer in list(site.producers):
            site.stop(producer)
        consumer_lines = [stopped(each) for each in consumers]
        skipped = video.metric("streamlens_messages_skipped_total")
        video_line = stopped(video)

    published = sum(totals(line)["out"] for line in site.lines)
    assert len(site.lines) == 1 + 4
    wait_for(lambda: sum(map(len, site.watcher.frames.values())) >= published, 30, "all frames")
    check_frames(site.watcher.frames)
    for name, screen in screens.items():
        assert len(screen.captured) > 100, name
        assert screen.captured == sorted(screen.captured), f"{name} went backwards"
    for line in (*site.lines, *consumer_lines, video_line):
        assert totals(line)["pending"] == 0, line
    labelled = sum(map(len, site.labelled.frames.values()))
    assert totals(video_line)["in"] + skipped == labelled


def test_a_change_of_one_camera_costs_the_others_nothing(site: Site, silent: socket.socket) -> None:
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
    site.put("hanging", link=f"rtsp://127.0.0.1:{silent.getsockname()[1]}/", partition=99)
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


def test_a_camera_whose_frames_are_too_large_for_the_topic_says_so_and_others_go_on(
    site: Site, tmp_path: Path
) -> None:
    site.limit(site.pipeline.topic_in, 20_000)
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    site.put("small")
    site.put("large", link=str(videos.write(tmp_path / "noise.mp4", [noise] * 20, rate=10)))
    (producer,) = site.start(1)

    wait_for(lambda: "camera large: a frame is larger than topic" in bodies(site), 30, "the reason")
    site.wait_until_all_move(["small"], time.time() + 2)

    assert "camera small" not in bodies(site)
    assert bodies(site).startswith("ok\n")
    assert producer.metric('streamlens_camera_up{camera="small"}') == 1
    assert producer.metric('streamlens_camera_up{camera="large"}') == 0
    site.put("large", link=str(site.film))
    site.wait_until_all_move(["large"], time.time())
    wait_for(lambda: "camera large" not in bodies(site), 30, "the end of the reason")
