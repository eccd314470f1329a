"""Trains on mini-batches as they arrive, and continues after it was killed with the same messages."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from training.code.program import CodeError
from training.control.message import ControlMessage
from training.data.ranges import Range
from training.data.samples import Samples
from training.job.outcome import Outcome, outcome
from training.job.recent import Recent
from training.job.settings import JobSettings
from training.job.stream.answers import BAD_REPORT, count, numbers
from training.job.stream.checks import improvement, topic_of
from training.job.stream.decoding import LABEL, Decoding
from training.job.stream.improvement import Improvement
from training.job.stream.reader import Stream
from training.job.stream.session import Session
from training.job.stream.state import Kept, State

log = logging.getLogger(__name__)

DELETED: Final = "deleted"
"""The reason for messages that Kafka has deleted before they could be read."""

UNSURE: Final = "confidence"
"""The reason for unlabelled samples that the model is not sure of."""

LABELLED: Final = "labelled"
"""The folder of samples with labels, and of those for the validation."""

UNLABELLED: Final = "unlabelled"
"""The folder of samples without labels."""


@dataclass(frozen=True, slots=True)
class Trained:
    """The model as it is after some mini-batches, whose files are in the process's folder.

    `progress` is kept with its result; `ranges` are the offsets that it was trained on.
    """

    outcome: Outcome
    progress: dict[str, Any]
    ranges: tuple[Range, ...]


Publish = Callable[[Trained], None]
"""Makes a result of the model; the same number of mini-batches makes one result only."""


RENEWED_AFTER: Final = 1_000
"""Mini-batches after which the process is started again, so that what it leaks does not add up."""

Put = Callable[[str, Samples, Samples], None]
"""Writes samples for training and for validation to the folder with a name, where the process reads them."""


class Incremental:
    """One training on a stream. `report` takes progress, `report_metrics` the metrics so far.

    If it is semi-supervised, the stream has no labels: first come the samples of `labelled`.
    """

    def __init__(
        self,
        settings: JobSettings,
        message: ControlMessage,
        kept: Kept,
        *,
        put: Put,
        report: Callable[[dict[str, Any]], None],
        report_metrics: Callable[[dict[str, Any]], None],
        publish: Publish,
        labelled: Callable[[], Samples] | None = None,
    ) -> None:
        self._settings = settings
        self._message = message
        self._kept = kept
        self._put = put
        self._report = report
        self._report_metrics = report_metrics
        self._publish = publish
        self._labelled = labelled
        self._is_over = False
        self._recent = Recent()
        self._said = ""
        self._state = State()
        self._improvement = improvement(settings)

    def begin(self, session: Session) -> State:
        """Wait until the process is ready; return the state that belongs to its checkpoint."""
        hello = session.hear()
        number = count(hello.get("number"))
        state = self._kept.after(number)
        if state is None:
            raise ValueError(
                f"the checkpoint is after {number} mini-batches, which is not what this job has noted: its"
                " folder was changed"
            )
        self._recent = Recent(numbers(hello.get("recent")))
        self._state = state
        if number:
            log.info("continuing after %d mini-batches, %d messages", number, state.ledger.read)
        if not state.is_settled:
            self._settle(session, hello)
        return self._state

    def run(self, session: Session, stream: Stream, decoding: Decoding) -> Trained | None:
        """Train until no message comes for a while; None if another session is to go on.

        Raises ValueError if there was none to train on, CodeError, OSError and StoppedError.
        """
        patience, last = self._patience(), self._state.number + RENEWED_AFTER
        if self._labelled is not None and not self._state.number:
            self._train(session, self._state.positions, self._labelled(), {})
        while not self._is_over and ((messages := stream.take(patience)) or stream.deleted):
            samples, dropped = decoding.samples(messages)
            if stream.deleted:
                dropped = {**dropped, DELETED: stream.deleted}
            self._train(session, stream.positions, samples, dropped)
            if self._state.number >= last and not self._is_over:
                return None
        if not self._state.ledger.used:
            raise ValueError(self._nothing(patience))
        self._report({"state": "exporting", **self._fields()})
        return self._exported(session)

    def waiting(self, why: str) -> None:
        """Report what the stream waits for, once."""
        if why != self._said:
            self._said = why
            self._report({"state": "waiting", "reason": why, **self._fields()})

    def _train(
        self,
        session: Session,
        positions: Mapping[int, int],
        samples: Samples | None,
        dropped: Mapping[str, int],
    ) -> None:
        used = 0 if samples is None else len(samples)
        ledger = self._state.ledger.added(used, dropped)
        after = replace(self._state, positions=dict(positions), ledger=ledger)
        if samples is None:
            self._state = after
            self._kept.note(after)
            return
        after = replace(after, number=after.number + 1, is_settled=False)
        self._said = ""
        question: dict[str, Any] = {"do": "fit", "number": after.number}
        if samples.labels is None:
            self._put(UNLABELLED, samples, samples.part(0, 0))
            question |= {"folder": UNLABELLED, "confidence": self._settings.confidence}
        else:
            self._put(LABELLED, *self._split(samples, after.number))
            question["folder"] = LABELLED
        self._kept.note(self._state, after)
        answer = session.ask(question)
        if count(answer.get("number")) != after.number:
            raise CodeError(BAD_REPORT)
        # As in Kafka-ML: the first mini-batch without a sample that the model is sure of is the last.
        self._is_over = samples.labels is None and answer.get("refused") == used
        self._state = after
        for each in numbers(answer.get("recent"))[-1:]:
            self._recent.add(each)
        self._settle(session, answer)

    def _settle(self, session: Session, answer: dict[str, Any]) -> None:
        """Take what the process says about the last mini-batch into the state."""
        state = self._state
        refused = count(answer.get("refused"))
        if refused > state.ledger.used:
            raise CodeError(BAD_REPORT)
        if refused:
            reason = UNSURE if self._labelled is not None and state.number > 1 else LABEL
            log.info("mini-batch %d: %d samples dropped: %s", state.number, refused, reason)
            state = replace(state, ledger=state.ledger.refused(refused, reason))
        self._state = replace(state, is_settled=True)
        self._report({"state": "training", **self._fields()})
        self._report_metrics(self._recent.history())
        if self._improvement is not None:
            self._compare(session, self._improvement)
        self._kept.note(self._state)

    def _compare(self, session: Session, improvement: Improvement) -> None:
        """Make a new result if the model has improved."""
        last = self._recent.last()
        value = improvement.value(last) if last else None
        if value is None or not improvement.is_better(value, self._state.best):
            return
        log.info("%s of the validation is %g: a new result", improvement.metric, value)
        self._state = replace(self._state, best=value)
        self._publish(self._exported(session))

    def _exported(self, session: Session) -> Trained:
        answer = session.ask({"do": "export"})
        found = outcome({**answer, **self._recent.history(), "test_metrics": None, "confusion_matrix": None})
        return Trained(found, self._fields(), self._ranges())

    def _ranges(self) -> tuple[Range, ...]:
        topic, start = topic_of(self._message), self._kept.start.positions
        return self._message.ranges + tuple(
            Range(topic, partition, min(start.get(partition, 0), end), end)
            for partition, end in sorted(self._state.positions.items())
        )

    def _split(self, samples: Samples, number: int) -> tuple[Samples, Samples]:
        """Return the samples for training and for validation."""
        if self._settings.random_split:
            samples = copied(samples)
            samples.shuffle(self._settings.seed + number)
        training = len(samples) - int(self._message.validation_rate * len(samples) + 1e-9)
        return samples.part(0, training), samples.part(training, len(samples))

    def _patience(self) -> float:
        timeout = self._settings.stream_timeout
        return math.inf if timeout < 0 else timeout / 1000

    def _nothing(self, patience: float) -> str:
        ledger = self._state.ledger
        if not ledger.read:
            return (
                f"topic {topic_of(self._message)}: no message came within {patience:g} s (stream_timeout):"
                " send data sooner, or allow more time"
            )
        reasons = ", ".join(f"{name} {number}" for name, number in ledger.dropped.items())
        return f"topic {topic_of(self._message)}: none of {ledger.read} messages could be used ({reasons})"

    def _fields(self) -> dict[str, Any]:
        found = {"mini_batches": self._state.number, **self._state.ledger.fields()}
        return found if self._state.best is None else {**found, "best": self._state.best}


def copied(samples: Samples) -> Samples:
    """Return samples that can be shuffled: those of messages are read-only."""
    return Samples(samples.features.copy(), None if samples.labels is None else samples.labels.copy())
