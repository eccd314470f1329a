import gc
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty
from typing import cast

import pytest
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pipeline.flow.ledger import Counts, Ledger
from pipeline.service import service as module
from pipeline.service import workers
from pipeline.service.service import Service
from pipeline.service.values import Address
from pipeline.service.workers import Pulse
from tests.clock import Clock
from tests.parts import wait_for

LOCAL = Address("127.0.0.1", 0)


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """Give the signals back their handlers afterwards."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def service(ledger: Ledger) -> Service:
    return Service("example", LOCAL, ledger)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The service's time; it passes only when a test moves it on."""
    clock = Clock()
    for each in (module, workers):
        monkeypatch.setattr(each, "time", clock)
    return clock


class SignallingLedger(Ledger):
    """Raises a signal in the main thread, where the service asks for the ages."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def take_ages(self) -> list[float]:
        signal.raise_signal(self.number)
        return super().take_ages()


def get(service: Service, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", service._health.port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def wait_for_stop(pulse: Pulse) -> None:
    while not pulse.stopping.wait(0.05):
        pulse.beat()


def restarts(worker: str) -> float:
    return REGISTRY.get_sample_value("streamlens_worker_restarts_total", {"worker": worker}) or 0.0


# To the end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_and_everything_is_closed_in_reverse_order(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SUMMARY", 0.05)
    service = Service("example", LOCAL, SignallingLedger(number))
    ended: list[str] = []

    def work(pulse: Pulse) -> None:
        wait_for_stop(pulse)
        ended.append("worker")

    service.work("work", work)
    service.on_stop(lambda: ended.append("first"))
    service.on_stop(lambda: ended.append("second"))

    status = service.run()

    assert status == 0
    assert ended == ["worker", "second", "first"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_wakes_the_waiting_service(service: Service, number: signal.Signals) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def work(pulse: Pulse) -> None:
        signal.pthread_kill(main, number)
        wait_for_stop(pulse)

    service.work("work", work)
    started = time.monotonic()

    assert service.run() == 0
    assert time.monotonic() - started < module._SUMMARY  # it did not wait for the next summary


def test_a_signal_just_before_the_main_thread_waits_is_noticed_soon(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python learns of it only when the wait ends."""
    waits = list[float]()

    class Late:
        def get(self, *, timeout: float) -> int:
            waits.append(timeout)
            if len(waits) == 1:
                raise Empty
            return signal.SIGTERM

        def put(self, _: object) -> None: ...

    monkeypatch.setattr(service, "_ends", Late())

    assert service.run() == 0
    assert len(waits) == 2
    assert max(waits) <= 0.5


@pytest.mark.timeout(30)
def test_signals_end_the_service_whatever_the_main_thread_is_doing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SUMMARY", 0.01)

    class BusyLedger(Ledger):
        def totals(self) -> Counts:
            for _ in range(2):
                with service._stopping._cond:  # type: ignore[attr-defined] # which `wait` and `set` take
                    signal.raise_signal(signal.SIGTERM)
            return super().totals()

    service = Service("example", LOCAL, BusyLedger())

    assert service.run() == 0


def test_stop_ends_the_service_from_any_thread(service: Service) -> None:
    service.repeat("work", service.stop)

    assert service.run() == 0


def test_a_worker_that_does_not_end_is_left_behind(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "_JOIN", 0.1)
    hanging, closed = threading.Event(), threading.Event()

    def work(_: Pulse) -> None:
        service.stop()
        hanging.wait()

    service.work("hang", work)
    service.on_stop(closed.set)

    status = service.run()
    hanging.set()

    assert status == 0
    assert closed.is_set()
    assert "worker hang did not end in time" in caplog.messages


def test_all_workers_together_have_one_time_to_end(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_JOIN", 0.5)
    hanging, all_run = threading.Event(), threading.Barrier(20)

    def work(_: Pulse) -> None:
        all_run.wait()
        service.stop()
        hanging.wait()

    for number in range(20):
        service.work(f"hang {number}", work)
    started = time.monotonic()

    service.run()
    took = time.monotonic() - started
    hanging.set()

    assert took < 20 * 0.5


# Workers


def test_a_step_is_repeated_until_the_end(service: Service) -> None:
    steps: list[int] = []

    def step() -> None:
        steps.append(len(steps))
        if len(steps) == 10:
            service.stop()

    service.repeat("work", step)

    assert service.run() == 0
    assert steps == list(range(10))


def test_the_garbage_collector_skips_everything_allocated_before_the_start(service: Service) -> None:
    frozen: list[int] = []

    def step() -> str:
        frozen.append(gc.get_freeze_count())
        service.stop()
        return "which nobody looks at"

    service.repeat("work", step)
    gc.unfreeze()
    try:
        service.run()
    finally:
        gc.unfreeze()

    assert frozen[0] > 1000


def test_a_repeated_step_beats_each_time(service: Service, clock: Clock) -> None:
    frozen: list[str | None] = []

    def step() -> None:
        clock.now += module._FROZEN - 1
        frozen.append(service.frozen())
        if len(frozen) == 5:
            service.stop()

    service.repeat("work", step)
    service.run()

    assert frozen == [None] * 5


@pytest.mark.skipif(not Path("/proc/thread-self").exists(), reason="there is no /proc here, as on Linux")
def test_the_system_shows_a_workers_name(service: Service) -> None:
    names = []

    def work(_: Pulse) -> None:
        names.append(Path("/proc/thread-self/comm").read_text().strip())
        service.stop()

    service.work("a name that is long", work)
    service.run()

    assert names == ["a name that is "[:15].strip()]


def test_a_worker_that_fails_is_restarted_and_counted(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    before = restarts("flaky")
    attempts: list[int] = []

    def work(pulse: Pulse) -> None:
        attempts.append(len(attempts))
        if len(attempts) < 3:
            raise RuntimeError("a bug")
        service.stop()
        wait_for_stop(pulse)

    service.work("flaky", work)

    status = service.run()

    assert status == 0
    assert attempts == [0, 1, 2]
    assert restarts("flaky") - before == 2
    failures = [record for record in caplog.records if "worker flaky failed" in record.message]
    assert [record.levelname for record in failures] == ["ERROR", "ERROR"]
    assert all(record.exc_info for record in failures)


def test_a_worker_that_fails_too_often_ends_the_service(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_RESTARTS", 2)
    before, closed = restarts("broken"), threading.Event()
    attempts: list[int] = []

    def work(_: Pulse) -> None:
        attempts.append(len(attempts))
        raise RuntimeError("a bug")

    service.work("broken", work)
    service.work("sound", wait_for_stop)
    service.on_stop(closed.set)

    status = service.run()

    assert status == 1
    assert attempts == [0, 1, 2]
    assert restarts("broken") - before == 2
    assert closed.is_set()


def test_failures_of_long_ago_are_forgotten(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "MOST_RESTARTS", 1)
    monkeypatch.setattr(workers, "_RECENT", 0.0)
    attempts: list[int] = []

    def work(_: Pulse) -> None:
        attempts.append(len(attempts))
        if len(attempts) == 4:
            service.stop()
        raise RuntimeError("a bug")

    service.work("work", work)

    assert service.run() == 0
    assert attempts == [0, 1, 2, 3]


def test_one_workers_failure_does_not_disturb_another(service: Service) -> None:
    steps: list[int] = []
    failed = threading.Event()

    def fail(_: Pulse) -> None:
        failed.set()
        raise RuntimeError("a bug")

    def step() -> None:
        if failed.wait(0.1):
            steps.append(len(steps))
        if len(steps) == 10:
            service.stop()

    service.work("broken", fail)
    service.repeat("sound", step)

    assert service.run() == 0
    assert len(steps) == 10


# Groups of workers that come and go


@pytest.fixture
def running(service: Service) -> Iterator[Service]:
    """A service that runs in another thread than this one."""
    started = threading.Event()

    def first(pulse: Pulse) -> None:
        started.set()
        wait_for_stop(pulse)

    service.work("first", first)

    class Thread(threading.Thread):
        status: int

        def run(self) -> None:
            self.status = service.run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signal, "signal", lambda *_: None)  # works in the main thread only
        thread = Thread()
        thread.start()
        assert started.wait(10)
        yield service
        service.stop()
        thread.join(10)
    assert thread.status == 0


def test_a_group_added_before_the_start_runs_with_the_service(service: Service) -> None:
    service.group("door").repeat("work", service.stop)

    assert service.run() == 0


def test_a_group_added_while_the_service_runs_starts_at_once(running: Service) -> None:
    names: list[str] = []
    started = threading.Event()

    def step() -> None:
        names.append(threading.current_thread().name)
        started.set()

    running.group("door").repeat("capture", step)

    assert started.wait(10)
    assert names[0] == "capture door"


def test_a_released_group_ends_and_is_closed_in_reverse_order_while_the_service_goes_on(
    running: Service,
) -> None:
    ended: list[str] = []
    started = threading.Event()
    group = running.group("door")

    def work(pulse: Pulse) -> None:
        started.set()
        wait_for_stop(pulse)
        ended.append("worker")

    group.work("capture", work)
    group.on_stop(lambda: ended.append("first"))
    group.on_stop(lambda: ended.append("second"))
    group.require(lambda: "door is away")
    before = running.unready()
    assert started.wait(10)

    group.release()

    assert before == "door is away"
    assert running.unready() is None
    assert ended == ["worker", "second", "first"]
    assert "capture door" not in [thread.name for thread in threading.enumerate()]


def test_a_worker_that_hangs_while_it_is_released_is_left_behind_and_no_longer_counts(
    running: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "_JOIN", 0.1)
    monkeypatch.setattr(module, "_FROZEN", 0.5)
    hanging, closed = threading.Event(), threading.Event()
    group = running.group("door")
    group.work("capture", lambda _: cast("None", hanging.wait()))
    group.on_stop(closed.set)
    wait_for(lambda: "capture door" in (running.frozen() or ""), 10, "the worker to hang")

    group.release()
    frozen = running.frozen()
    hanging.set()

    assert "capture door" not in (frozen or "")
    assert closed.is_set()
    assert "worker capture door did not end in time" in caplog.messages


def test_a_worker_that_crashes_while_it_is_released_is_not_restarted(
    running: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_RESTARTS", 0)
    runs: list[int] = []
    group = running.group("door")

    def work(pulse: Pulse) -> None:
        runs.append(len(runs))
        pulse.stopping.wait()
        raise RuntimeError("a bug")

    group.work("capture", work)
    wait_for(lambda: runs, 10, "the worker")

    group.release()

    assert runs == [0]
    assert running.unready() is None  # it is not stopping


def test_a_group_may_be_released_by_its_own_worker(running: Service) -> None:
    closed = threading.Event()
    group = running.group("door")
    group.on_stop(closed.set)

    group.work("capture", lambda _: group.release())

    assert closed.wait(10)
    wait_for(lambda: "capture door" not in [t.name for t in threading.enumerate()], 10, "the worker's end")


def test_a_released_group_starts_nothing_more_and_closes_at_once(running: Service) -> None:
    started, closed = threading.Event(), threading.Event()
    group = running.group("door")
    group.release()

    group.repeat("capture", started.set)
    group.on_stop(closed.set)
    group.release()

    assert closed.is_set()
    assert not started.is_set()


def test_a_released_groups_restarts_are_no_longer_counted(running: Service) -> None:
    group = running.group("door")
    failed = threading.Event()

    def work(pulse: Pulse) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("a bug")
        wait_for_stop(pulse)

    group.work("capture", work)
    wait_for(lambda: restarts("capture door") == 1, 10, "the restart")

    group.release()

    name = "streamlens_worker_restarts_total"
    assert REGISTRY.get_sample_value(name, {"worker": "capture door"}) is None


def test_groups_are_closed_with_the_service_the_last_first(service: Service) -> None:
    closed: list[str] = []
    service.on_stop(lambda: closed.append("service"))
    service.group("door").on_stop(lambda: closed.append("door"))
    service.group("yard").on_stop(lambda: closed.append("yard"))
    service.repeat("work", service.stop)

    service.run()

    assert closed == ["yard", "door", "service"]


def test_a_group_added_after_the_end_starts_nothing_and_closes_at_once(service: Service) -> None:
    service.repeat("work", service.stop)
    service.run()
    started, closed = threading.Event(), threading.Event()

    group = service.group("door")
    group.repeat("capture", started.set)
    group.on_stop(closed.set)
    service.repeat("late", started.set)

    assert closed.is_set()
    assert not started.is_set()


def test_a_closer_that_fails_does_not_stop_the_others(
    running: Service, caplog: pytest.LogCaptureFixture
) -> None:
    closed = threading.Event()
    group = running.group("door")
    group.on_stop(closed.set)
    group.on_stop(cast("Callable[[], None]", lambda: 1 // 0))

    group.release()

    assert closed.is_set()
    assert [record.exc_info is not None for record in caplog.records] == [True]


# What it reports


def test_a_hanging_worker_is_reported_over_http(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FROZEN", 0.5)
    release = threading.Event()
    healthy: list[tuple[int, str]] = []
    hanging: list[tuple[int, str]] = []

    def hang(_: Pulse) -> None:
        healthy.append(get(service, "/healthz"))
        release.wait()

    def probe() -> None:
        answer = get(service, "/healthz")
        if answer[0] == 503:
            hanging.append(answer)
            release.set()
            service.stop()

    service.work("hang", hang)
    service.repeat("probe", probe)

    status = service.run()

    assert status == 0
    assert healthy == [(200, "ok\n")]
    assert hanging[0][1].startswith("worker hang has not beaten for ")


def test_readiness_reports_the_first_missing_thing(service: Service) -> None:
    missing: dict[str, str | None] = {"camera": None, "kafka": None}
    service.require(lambda: missing["camera"])
    service.require(lambda: missing["kafka"])

    assert service.unready() is None
    missing["kafka"] = "no broker"
    assert service.unready() == "no broker"
    missing["camera"] = "no picture"
    assert service.unready() == "no picture"
    service.stop()
    assert service.unready() == "stopping"
    service._health._server.server_close()


def test_readiness_and_the_ledger_are_reported_over_http(service: Service, ledger: Ledger) -> None:
    answers: dict[str, tuple[int, str]] = {}

    def ask() -> None:
        ledger.came("front")
        answers.update({path: get(service, path) for path in ("/readyz", "/ledger", "/metrics")})
        service.stop()

    service.require(lambda: "no picture")
    service.repeat("ask", ask)
    service.run()

    assert answers["/readyz"] == (503, "no picture\n")
    assert answers["/ledger"] == (200, '{"front": {"in": 1, "out": 0, "dropped": {}, "pending": 1}}')
    assert 'streamlens_frames_in_total{camera="front"} 1.0' in answers["/metrics"][1]


class Doors(Collector):
    """Counts doors."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("doors", "Doors", 2)


def test_metrics_of_a_collector_are_exported_while_the_service_runs(service: Service) -> None:
    pages: list[str] = []

    def ask() -> None:
        pages.append(get(service, "/metrics")[1])
        service.stop()

    service.export(Doors())
    service.repeat("ask", ask)
    service.run()

    assert "\ndoors 2.0\n" in pages[0]
    assert REGISTRY.get_sample_value("doors") is None


def test_a_service_can_run_after_another() -> None:
    for _ in range(2):
        service = Service("example", LOCAL, Ledger())
        service.repeat("work", service.stop)

        assert service.run() == 0


def test_what_is_missing_is_logged_now_and_then(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_SUMMARY", 0.1)
    monkeypatch.setattr(module, "_REMIND", 0.2)
    missing: list[str] = ["no broker"]
    service.require(lambda: missing[0] if missing else None)

    def look() -> None:
        time.sleep(0.01)
        if len(caplog.messages) >= 2:
            missing.clear()
        if not missing:
            time.sleep(0.3)
            service.stop()

    service.repeat("look", look)
    service.run()

    assert caplog.messages == ["not ready: no broker"] * 2


def test_a_reason_is_logged_when_it_changes_and_not_with_every_summary(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module, "_SUMMARY", 0.02)
    reasons = ["no broker"]
    service.require(lambda: reasons[-1])

    def look() -> None:
        time.sleep(0.01)
        summaries = [text for text in caplog.messages if text.startswith("in ")]
        if len(summaries) == 5 and len(reasons) == 1:
            reasons.append("no camera")
        if len(summaries) >= 10:
            service.stop()

    service.repeat("look", look)
    service.run()

    said = [text for text in caplog.messages if text.startswith("not ready")]
    assert said == ["not ready: no broker", "not ready: no camera"]


def test_a_summary_counts_since_the_last_one(
    service: Service, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module, "_SUMMARY", 0.1)
    summaries: list[str] = []
    for _ in range(3):
        ledger.came("front")
    ledger.went("front", 0.02)
    ledger.went("front", 0.5)
    ledger.dropped("front", "late")

    def look() -> None:
        time.sleep(0.01)
        summaries[:] = [text for text in caplog.messages if text.startswith("in ")]
        if len(summaries) >= 2:
            service.stop()

    service.repeat("look", look)
    service.run()

    assert summaries[0].startswith("in 3, out 2, dropped {'late': 1}, ")
    assert summaries[0].endswith(" fps, age 500 ms (worst 500)")
    assert summaries[1] == "in 0, out 0, dropped none, 0.0 fps, age 0 ms (worst 0)"
    assert caplog.messages[-1] == (
        "example stopped: {'in': 3, 'out': 2, 'dropped': {'late': 1}, 'pending': 0}"
    )


def test_a_summary_has_the_ledgers_unit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Messages(Ledger):
        unit = "messages per second"

    assert summary(Service("example", LOCAL, Messages()), monkeypatch, caplog) == [
        "example started",
        "in 0, out 0, dropped none, 0.0 messages per second, age 0 ms (worst 0)",
        "example stopped: {'in': 0, 'out': 0, 'dropped': {}, 'pending': 0}",
    ]


def test_without_a_ledger_nothing_is_said_of_frames(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service("example", LOCAL)

    assert summary(service, monkeypatch, caplog) == ["example started", "example stopped"]


def summary(service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log of a service that ends with its first summary."""
    caplog.set_level(logging.INFO, logger=module.__name__)
    monkeypatch.setattr(module, "_SUMMARY", 0.0)
    ends = iter((False, True))
    monkeypatch.setattr(service, "_ended", lambda _: next(ends))
    assert service.run() == 0
    return [each.getMessage() for each in caplog.records if each.name == module.__name__]


def test_the_first_note_is_the_reason_of_a_ready_service() -> None:
    service = Service("test", LOCAL, Ledger())
    service.note(list)
    service.note(lambda: ["topic videocam keeps frames for 7 days", "camera door: paused"])
    service.note(lambda: ["camera hall: paused"])
    missing: list[str] = []
    service.require(lambda: missing[0] if missing else None)

    assert service.condition() == ("ready", "topic videocam keeps frames for 7 days")

    missing.append("no frame has come")
    assert service.condition() == ("not-ready", "no frame has come")
    service.stop()
    assert service.run() == 0
