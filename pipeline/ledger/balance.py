"""Compares what each service has sent with what the next one has received, camera by camera."""

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from pipeline.ledger import ranges
from pipeline.ledger.answer import Answer, Counted, Run
from pipeline.ledger.ranges import Ranges

MISSED: Final = "missed"
"""The reason for frames that no running process has read, although it has read earlier and later ones."""

UNREAD: Final = "unread"
"""The reason for frames that were sent before the first one that a running process has read."""

_SLACK: Final = 3.0  # s that it may take to read on somewhere else


@dataclass(frozen=True, slots=True)
class Difference:
    """Frames that a writer has sent, and that no reader has received, although it read all the time."""

    writer: str
    reader: str
    run: str
    frames: Ranges

    @property
    def count(self) -> int:
        """How many frames there are."""
        return ranges.count(self.frames)


@dataclass(slots=True)
class Row:
    """One camera's frames at one stage: came + twice = went + dropped + pending + those that differ."""

    service: str
    instance: str = ""
    came: int = 0
    went: int = 0
    dropped: Tally[str] = field(default_factory=Tally)
    pending: int = 0
    twice: int = 0
    """How many came more than once, while the partitions moved from one process to another."""
    differences: list[Difference] = field(default_factory=list)
    is_numbered: bool = True
    """Whether the frames that came have numbers; otherwise, they are only counted."""

    @property
    def difference(self) -> int:
        """How many frames are not accounted for."""
        return sum(each.count for each in self.differences)


@dataclass(slots=True)
class Balance:
    """A camera's rows, and whether frames may still arrive that were sent before the first question."""

    camera: str
    rows: list[Row] = field(default_factory=list)
    is_settled: bool = True


def balances(
    first: Sequence[Answer], last: Sequence[Answer], elapsed: float, *, final: bool = True
) -> list[Balance]:
    """Return all cameras' balances, from two answers of all processes, `elapsed` s apart.

    What was sent is taken from the first answers, and what was received from the last. Unless they are
    `final`, frames that have not arrived are pending.
    """
    names = sorted({name for answer in (*first, *last) for name in answer.cameras})
    return [_balance(name, first, last, elapsed, final=final) for name in names]


def _balance(
    camera: str, first: Sequence[Answer], last: Sequence[Answer], elapsed: float, *, final: bool
) -> Balance:
    balance = Balance(camera)
    producers, consumers = _of("producer", camera, first), _of("consumer", camera, first)
    if producers:
        balance.rows.append(_counts("producer", [counted for _, counted in producers]))
    readers = [each for each in last if each.process.service == "consumer"]
    videos = [each for each in last if each.process.service == "video"]
    if readers:
        hop = _Hop("consumer", camera, readers, elapsed, final=final)
        hop.compare(producers)
        _credit(hop.row, _labelled_elsewhere(camera, [*first, *last], videos))
        balance.rows.append(hop.row)
        balance.is_settled = hop.is_settled
    for video in videos:
        if consumers or camera in video.cameras:
            hop = _Hop("video", camera, [video], elapsed, final=final)
            hop.compare(consumers)
            hop.row.instance = video.process.instance
            balance.rows.append(hop.row)
            balance.is_settled = balance.is_settled and hop.is_settled
    return balance


class _Hop:
    """A camera's way from the processes of one service to those of the next: its row, once it is compared."""

    def __init__(
        self, service: str, camera: str, readers: Sequence[Answer], elapsed: float, *, final: bool
    ) -> None:
        self._camera = camera
        self._readers = readers
        self._elapsed = elapsed
        self._final = final
        self._counted = [each.cameras[camera] for each in readers if camera in each.cameras]
        self.row = _counts(service, self._counted)
        self.is_settled = True

    def compare(self, writers: Iterable[tuple[Answer, Counted]]) -> None:
        """Account for every frame that was sent."""
        row, read = self.row, _merged(self._counted)
        row.twice = sum(each.again for each in self._counted)
        row.twice += sum(sum(map(_size, runs)) - ranges.count(_union(runs)) for runs in read.values())
        row.is_numbered = bool(read) or not row.came
        row.came -= row.twice
        known = set[str]()
        for writer, counted in writers:
            for name, run in counted.wrote.items():
                known.add(name)
                self._compare_run(writer.process.name, name, run)
        for name in read.keys() - known:  # its writer is gone, and may have lost frames
            missed = ranges.count(ranges.gaps(_union(read[name])))
            row.dropped[MISSED] += missed
            row.came += missed
        row.dropped = +row.dropped

    def _compare_run(self, writer: str, name: str, wrote: Run) -> None:
        """Account for the frames of a run that were not read."""
        row = self.row
        reads = [
            (each.process.name, run)
            for each in self._readers
            if self._camera in each.cameras and (run := each.cameras[self._camera].read.get(name))
        ]
        read = _union(run for _, run in reads)
        missing = ranges.without(_plain(wrote), read)
        row.came += ranges.count(missing)
        below, between, above = ranges.split(missing, *_ends(read)) if read else ([], [], missing)
        row.dropped[UNREAD] += ranges.count(below)
        for each in between:
            if reader := next((reader for reader, run in reads if _reads_across(run, each)), None):
                _note(row, writer, reader, name, each)
            else:
                row.dropped[MISSED] += ranges.count([each])
        if self._is_excused(wrote):
            row.dropped[MISSED if read else UNREAD] += ranges.count(above)
        elif not self._final:
            row.pending += ranges.count(above)
            self.is_settled = self.is_settled and not above
        else:
            for each in above:
                _note(row, writer, _together(self._readers), name, each)

    def _is_excused(self, wrote: Run) -> bool:
        """Return whether a reader began elsewhere after a run's last frame: it need not have read that."""
        age = wrote.age + self._elapsed + _SLACK
        return any(each.began is not None and each.began <= age for each in self._readers)


def _of(service: str, camera: str, answers: Iterable[Answer]) -> list[tuple[Answer, Counted]]:
    return [
        (each, each.cameras[camera])
        for each in answers
        if each.process.service == service and camera in each.cameras
    ]


def _counts(service: str, counted: Iterable[Counted]) -> Row:
    row = Row(service)
    for each in counted:
        row.came += each.came
        row.went += each.went
        row.dropped.update(each.dropped)
        row.pending += each.pending
    return row


def _merged(counted: Iterable[Counted]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for each in counted:
        for name, run in each.read.items():
            found.setdefault(name, []).append(run)
    return found


def _plain(run: Run) -> Ranges:
    return [(begin, end) for begin, end, _ in run.ranges]


def _union(runs: Iterable[Run]) -> Ranges:
    return ranges.union(each for run in runs for each in _plain(run))


def _ends(found: Ranges) -> tuple[int, int]:
    return found[0][0], found[-1][1]


def _size(run: Run) -> int:
    return ranges.count(_plain(run))


def _reads_across(run: Run, missing: tuple[int, int]) -> bool:
    """Return whether a reader has read on, without a break, from before some frames to behind them."""
    for before, after in pairwise(run.ranges):
        if before[1] < missing[0] and missing[1] < after[0]:
            return not after[2]
    return False


def _labelled_elsewhere(camera: str, answers: Sequence[Answer], videos: Sequence[Answer]) -> int:
    """Return how many frames have come from consumers that are gone, by what the video servers have."""
    known = {run for _, counted in _of("consumer", camera, answers) for run in counted.wrote}
    came = _merged(each.cameras[camera] for each in videos if camera in each.cameras)
    return sum(ranges.count(_union(runs)) for name, runs in came.items() if name not in known)


def _credit(row: Row, labelled: int) -> None:
    """Count frames that no running consumer has read as labelled: others, which are gone, did that."""
    for reason in (UNREAD, MISSED):
        found = min(labelled, row.dropped[reason])
        row.dropped[reason] -= found
        row.went += found
        labelled -= found
    row.dropped = +row.dropped


def _note(row: Row, writer: str, reader: str, run: str, frames: tuple[int, int]) -> None:
    last = row.differences[-1] if row.differences else None
    if last and (last.writer, last.reader, last.run) == (writer, reader, run):
        last.frames.append(frames)
    else:
        row.differences.append(Difference(writer, reader, run, [frames]))


def _together(readers: Sequence[Answer]) -> str:
    """Return what one reader, or several together, are called."""
    if len(readers) == 1:
        return readers[0].process.name
    return f"any of {len(readers)} {readers[0].process.service}s"
