"""Questions in, answers out: a replica's only loop."""

import logging
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message
from numpy.typing import NDArray

from pipeline.service.logs import Seldom
from pipeline.service.workers import Pulse
from training.code.supervise import StoppedError
from training.data.column import Column
from training.inference.answers import Answer, answers
from training.inference.batch import Bad, Batch, batches
from training.inference.counts import BATCHES, TOOK, Counts
from training.inference.model import AwayError, LostError, Model, RefusedError
from training.inference.sink import Sink
from training.inference.source import Source, place

log = logging.getLogger(__name__)

_WAIT: Final = 0.1  # s between two questions to a model that is away
_SLOW: Final = 10.0  # s that a step may take, at least: Kafka may take some to create a topic
_LOST: Final = 2  # times that a model may be lost on one message


@dataclass(frozen=True, slots=True)
class _Predicted:
    """Messages that were taken together: the answers to them, and those that cannot be answered."""

    messages: Sequence[Message]
    answers: Sequence[Answer]
    bad: Sequence[Bad]


class Answering:
    """Answers what has come as one batch, and commits it once Kafka has the answers.

    So after a restart nothing that was committed is answered again, and nothing is lost; of what was not
    committed, some may be answered twice. While the model predicts a batch, Kafka gets the answers to the one
    before.
    """

    def __init__(
        self, source: Source, column: Column, model: Model, sink: Sink, *, counts: Counts, timeout: float
    ) -> None:
        self._source = source
        self._column = column
        self._model = model
        self._sink = sink
        self._counts = counts
        self._seldom = Seldom(log, most=10)
        self._timeout = timeout
        self._pulse = Pulse(threading.Event())
        self._predicted: _Predicted | None = None

    def run(self, pulse: Pulse) -> None:
        """Answer until the service stops: a worker."""
        self._pulse = pulse
        pulse.quiet = max(_SLOW, 2 * self._timeout)
        try:
            while not pulse.stopping.is_set():
                self.step()
                pulse.beat()
            self._finish()
        except StoppedError:
            return

    def step(self) -> None:
        """Predict what has come, and deliver what was predicted before; or wait a moment.

        Raises StoppedError when the service stops meanwhile: then nothing is committed.
        """
        if self._model.unready():
            self._finish()
            if self._stopping.wait(_WAIT):
                return
        self._sink.poll()
        if self._model.unready():
            return  # messages stay where other replicas can have them
        self._source.begin()
        messages = self._source.take(waits=self._predicted is None)
        self._leave_to_others()
        if not messages:
            self._finish()
        elif self._predicted is None:
            self._predicted = self._predict(messages)
        else:
            begun = self._begin(messages)
            self._finish()
            self._predicted = begun.result()

    @property
    def _stopping(self) -> threading.Event:
        return self._pulse.stopping

    def _leave_to_others(self) -> None:
        """Forget the messages of partitions that are gone: whoever has these now answers them, too."""
        found, gone = self._predicted, self._source.gone
        if found is not None and gone:
            self._predicted = _Predicted(
                [each for each in found.messages if place(each) not in gone],
                [each for each in found.answers if place(each.question) not in gone],
                [each for each in found.bad if place(each.message) not in gone],
            )

    def _begin(self, messages: Sequence[Message]) -> Future[_Predicted]:
        """Predict in a thread, which does not keep the process from ending."""
        begun = Future[_Predicted]()

        def predict() -> None:
            try:
                begun.set_result(self._predict(messages))
            except BaseException as error:  # for whoever waits for it
                begun.set_exception(error)

        threading.Thread(target=predict, name="predict", daemon=True).start()
        return begun

    def _predict(self, messages: Sequence[Message]) -> _Predicted:
        made, bad = list[Answer](), list[Bad]()
        for part in batches(messages, self._column):
            if isinstance(part, Bad):
                bad.append(part)
                continue
            for found in self._answered(part):
                if isinstance(found, Bad):
                    bad.append(found)
                else:
                    made += found
        return _Predicted(messages, made, bad)

    def _finish(self) -> None:
        """Deliver and commit what was predicted last, if anything was."""
        found, self._predicted = self._predicted, None
        if found is None or not found.messages:
            return
        refused = self._sink.deliver(found.answers)
        self._source.commit(found.messages)
        bad = [*found.bad, *(Bad(answer.question, "size", reason) for answer, reason in refused)]
        self._note(found.messages, bad)

    def _answered(self, batch: Batch) -> Iterator[Iterable[Answer] | Bad]:
        """Yield the answers to a batch; if the model cannot have all of it, those to its halves."""
        try:
            yield answers(batch.messages, self._asked(batch))
        except RefusedError as error:
            if len(batch) == 1:
                yield Bad(batch.messages[0], "model", str(error))
                return
            for half in batch.halves():
                yield from self._answered(half)

    def _asked(self, batch: Batch) -> NDArray[Any]:
        """Return the predictions. While the model is away, this waits.

        Messages on which it is lost may be the cause: then this raises RefusedError, for a single one only
        if it happens again.
        """
        lost = 0
        while True:
            begun = time.monotonic()
            try:
                found = self._model.predict(batch.rows, batch.values)
            except AwayError as error:
                lost += isinstance(error, LostError)
                self._await_model()
                if lost and (len(batch) > 1 or lost == _LOST):
                    raise RefusedError(str(error)) from None
                continue
            TOOK.observe(time.monotonic() - begun)
            BATCHES.inc()
            return found

    def _await_model(self) -> None:
        while self._model.unready():
            self._pulse.beat()
            if self._stopping.wait(_WAIT):
                raise StoppedError

    def _note(self, messages: Sequence[Message], bad: Sequence[Bad]) -> None:
        if bad:
            self._counts.skipped_why = str(bad[-1])[:2000]
        for each in bad:
            self._seldom.warning(each.kind, str(each))
        skipped = Tally(each.kind for each in bad)
        kind, sent = messages[0].timestamp()
        age = None if kind == TIMESTAMP_NOT_AVAILABLE else time.time() - sent / 1000
        self._counts.add(len(messages) - len(bad), skipped, age)
        self._counts.waiting = self._source.waiting
