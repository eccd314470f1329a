"""What `/api/status` reports: services, their processes and each camera, from what the processes report."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from pipeline.wire.figures import CameraFigures
from video.api.model_servers import model_servers
from video.api.view import View
from video.cameras.camera import timestamp
from video.cameras.processes import Process

STAGES: Final = ("producer", "consumer", "video")
"""The services that a frame passes, in this order; they are listed even if none runs."""

_CALLED: Final = {"video": "video server"}
_NO_FRAMES: Final = "no frame in the last ten seconds"
_MEASURED: Final = "it is being measured"
_HIDDEN: Final = "only those who may see every camera see why"


class Listed(NamedTuple):
    """A camera that the server lists."""

    name: str
    state: str
    reason: str | None


class _Sum:
    """The sum of figures: of several cameras, or of one in several processes."""

    __slots__ = ("ages", "came", "count", "dropped", "measured", "went")

    def __init__(self) -> None:
        self.came = self.went = 0.0
        self.count = 0
        self.measured = True
        self.dropped: dict[str, tuple[int, float]] = {}
        self.ages: list[tuple[float, float]] = []  # and how many frames per second have it

    def add(self, figures: CameraFigures) -> None:
        self.count += 1
        if figures.came is None or figures.went is None:
            self.measured = False
        else:
            self.came += figures.came
            self.went += figures.went
            if figures.age is not None:
                self.ages.append((figures.age, figures.went))
        for reason, each in figures.dropped.items():
            self._drop(reason, each.count, each.rate or 0.0)

    def merge(self, other: "_Sum") -> None:
        self.count += other.count
        self.measured &= other.measured
        self.came += other.came
        self.went += other.went
        self.ages += other.ages
        for reason, (count, rate) in other.dropped.items():
            self._drop(reason, count, rate)

    def _drop(self, reason: str, count: int, rate: float) -> None:
        before, slower = self.dropped.get(reason, (0, 0.0))
        self.dropped[reason] = before + count, slower + rate

    def age_ms(self) -> int | None:
        """Return the median of all frames' ages, as far as the cameras' medians tell."""
        ages = sorted(self.ages)
        half = sum(weight for _, weight in ages) / 2
        for age, weight in ages:
            half -= weight
            if half <= 0:
                return round(1000 * age)
        return None

    def drops(self, **more: str) -> list[dict[str, Any]]:
        return [
            {**more, "reason": reason, "count": count, "per_s": round(rate, 2)}
            for reason, (count, rate) in sorted(self.dropped.items())
        ]


def overview(
    processes: Sequence[Process], cameras: Iterable[Listed], view: View, me: str, notes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return everything that a visitor may see. `me` is the instance of this server."""
    by_service: dict[str, list[Process]] = {name: [] for name in STAGES}
    for process in processes:
        by_service.setdefault(process.service, []).append(process)
    stages = {name: [each for each in by_service[name] if each.runs] for name in STAGES}
    # Each video server shows all frames: what counts for a camera is what this one shows.
    stages["video"] = [each for each in stages["video"] if each.instance == me]
    return {
        "services": [_service(name, found, view) for name, found in by_service.items()],
        "model_servers": model_servers((each for each in processes if each.runs), view),
        "cameras": [_camera(each, stages) for each in cameras if view.may_see(each.name)],
        "notes": [*notes, *_clocks(processes, view)],
    }


def _service(name: str, processes: Sequence[Process], view: View) -> dict[str, Any]:
    sums = [_sum(process.figures or {}, view.may_see) for process in processes]
    total = _Sum()
    for each in sums:
        total.merge(each)
    running = [process for process in processes if process.runs]
    lacking = next((process.why for process in running if process.figures is None), None)
    called = _CALLED.get(name, name)
    why = f"a {called} {lacking}" if lacking else None if running else f"no {called} reports"
    return {
        "service": name,
        "replicas": len(running),
        "states": dict(sorted(Tally(process.state for process in processes).items())),
        **_figures(name, total, why),
        "processes": [*map(_process, processes, sums, repeat(view))] if view.processes else None,
    }


def _process(process: Process, total: _Sum, view: View) -> dict[str, Any]:
    return {
        "instance": process.instance,
        "state": process.state,
        "reason": _HIDDEN if process.reason and not view.sees_all else process.reason,
        "since": timestamp(process.since),
        **_figures(process.service, total, f"it {process.why}" if process.figures is None else None),
    }


def _figures(service: str, total: _Sum, why: str | None) -> dict[str, Any]:
    """Return sums with why some are null; all are if there is a reason, and for services without frames."""
    passes_frames = service in STAGES
    known = passes_frames and total.measured and not why
    age = total.age_ms() if known else None
    if passes_frames and not why:
        why = _NO_FRAMES if known and age is None else None if known else _MEASURED
    return {
        "in_per_s": round(total.came, 2) if known else None,
        "out_per_s": round(total.went, 2) if known else None,
        "age_ms": age,
        "dropped": total.drops(),
        "why": why if passes_frames else None,
    }


def _sum(figures: Mapping[str, CameraFigures], may_see: Callable[[str], bool]) -> _Sum:
    total = _Sum()
    for name, each in figures.items():
        if may_see(name):
            total.add(each)
    return total


def _camera(camera: Listed, stages: Mapping[str, Sequence[Process]]) -> dict[str, Any]:
    sums = {stage: _counted(camera.name, found) for stage, found in stages.items()}
    why: dict[str, str] = {}
    values: dict[str, float | int | None] = {}
    for name, stage in (("captured", "producer"), ("labelled", "consumer"), ("shown", "video")):
        total = sums[stage]
        values[name] = None
        if total.count == 0:
            why[name] = _why_uncounted(stage, stages[stage])
        elif not total.measured:
            why[name] = _MEASURED
        else:
            values[name] = round(total.came if stage == "producer" else total.went, 2)
    values["age_ms"] = sums["video"].age_ms()
    if values["age_ms"] is None:
        why["age_ms"] = why.get("shown", _NO_FRAMES)
    dropped = [each for stage, total in sums.items() for each in total.drops(service=stage)]
    return {**camera._asdict(), **values, "dropped": dropped, "why": why}


def _counted(camera: str, processes: Sequence[Process]) -> _Sum:
    total = _Sum()
    for process in processes:
        if process.figures and (found := process.figures.get(camera)):
            total.add(found)
    return total


def _why_uncounted(service: str, processes: Sequence[Process]) -> str:
    if not processes:
        return "this server has not reported yet" if service == "video" else f"no {service} reports"
    lacking = next((each.why for each in processes if each.figures is None), None)
    called = _CALLED.get(service, service)
    return f"a {called} {lacking}" if lacking else f"no {called} has had a frame of it"


def _clocks(processes: Sequence[Process], view: View) -> Iterator[str]:
    for each in processes:
        if each.clock and each.runs:
            called = _CALLED.get(each.service, each.service)
            who = f"{called} {each.instance}" if view.processes else f"a {called}"
            side = "ahead of" if each.clock > 0 else "behind"
            yield (
                f"the clock of {who} is about {abs(each.clock):.0f} s {side} this server's, so ages are wrong"
                " by as much: set one of the two"
            )
