"""Questions in, answers out: a replica's only loop."""

import logging
import threading
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
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
from training.inference.source import Source

log = logging.getLogger(__name__)

_WAIT: Final = 0.1  # s between two questions to a model that is away
_SLOW: Final = 10.0  # s that a step may take, at least: Kafka may take some to create a topic
_LOST: Final = 2  # times that a model may be lost on one message


class Answering:
    """Answers what has come as one batch, and commits it once Kafka has the answers.

    So after a restart nothing that was committed is answered again, and nothing is lost; of what was not
    committed, some may be answered twice.
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

    def run(self, pulse: Pulse) -> None:
        """Answer until the service stops: a worker."""
        self._pulse = pulse
        pulse.quiet = max(_SLOW, 2 * self._timeout)
        try:
            while not pulse.stopping.is_set():
                self.step()
                pulse.beat()
        except StoppedError:
            return

    def step(self) -> None:
        """Answer what has come, or wait a moment.

        Raises StoppedError when the service stops meanwhile: then nothing is committed.
        """
        if self._model.unready() and self._stopping.wait(_WAIT):
            return
        self._sink.poll()
        if self._model.unready():
            return  # messages stay where other replicas can have them
        self._source.begin()
        if messages := self._source.take():
            self._answer(messages)

    @property
    def _stopping(self) -> threading.Event:
        return self._pulse.stopping

    def _answer(self, messages: Sequence[Message]) -> None:
        made, bad = list[Answer](), list[Bad]()
        for part in batches(messages, self._column):
            if isinstance(part, Bad):
                bad.append(part)
                continue
            for found in self._predicted(part):
                if isinstance(found, Bad):
                    bad.append(found)
                else:
                    made += found
        bad += [Bad(answer.question, "size", reason) for answer, reason in self._sink.deliver(made)]
        self._source.commit(messages)
        self._note(messages, bad)

    def _predicted(self, batch: Batch) -> Iterator[Iterable[Answer] | Bad]:
        """Yield the answers to a batch; if the model cannot have all of it, those to its halves."""
        try:
            yield answers(batch.messages, self._asked(batch))
        except RefusedError as error:
            if len(batch) == 1:
                yield Bad(batch.messages[0], "model", str(error))
                return
            for half in batch.halves():
                yield from self._predicted(half)

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
        for each in bad:
            self._seldom.warning(each.kind, str(each))
        skipped = Tally(each.kind for each in bad)
        kind, sent = messages[0].timestamp()
        age = None if kind == TIMESTAMP_NOT_AVAILABLE else time.time() - sent / 1000
        self._counts.add(len(messages) - len(bad), skipped, age)
        self._counts.waiting = self._source.waiting
