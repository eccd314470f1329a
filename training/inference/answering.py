"""Questions in, answers out: a replica's only loop."""

import logging
import threading
import time
from collections import Counter as Tally
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from pipeline.service.logs import Seldom
from pipeline.service.workers import Pulse
from training.code.supervise import StoppedError
from training.data.column import Column
from training.inference.answers import Answer, answers
from training.inference.batch import Bad, Batch, batches
from training.inference.counts import BATCHES, TOOK, Counts
from training.inference.model import AwayError, LostError, Model, RefusedError
from training.inference.predicted import Delivered, Predicted
from training.inference.sink import Sink
from training.inference.source import Source, place
from training.inference.upper import Sending, Unsure, Upper

log = logging.getLogger(__name__)

_WAIT: Final = 0.1  # s between two questions to a model that is away
_SLOW: Final = 10.0  # s that a step may take, at least: Kafka may take some to create a topic
_LOST: Final = 2  # times that a model may be lost on one message
_GLANCE: Final = 0.01  # s between two looks whether the upper Kafka has what it was sent
_GRACE: Final = 3.0  # s for messages on their way up when the service stops
_WINDOW: Final = 2_000  # messages that are on their way up before others are taken


class Answering:
    """Answers what has come as one batch, and commits it once Kafka has the answers.

    So after a restart nothing that was committed is answered again, and nothing is lost; of what was not
    committed, some may be answered twice. While the model predicts a batch, Kafka gets the answers to the one
    before.
    """

    def __init__(
        self,
        source: Source,
        column: Column,
        model: Model,
        sink: Sink,
        *,
        counts: Counts,
        timeout: float,
        upper: Upper | None = None,
    ) -> None:
        self._source = source
        self._column = column
        self._model = model
        self._sink = sink
        self._upper = upper
        self._counts = counts
        self._seldom = Seldom(log, most=10)
        self._timeout = timeout
        self._pulse = Pulse(threading.Event())
        self._predicted: Predicted | None = None
        self._delivered = deque[Delivered]()

    def run(self, pulse: Pulse) -> None:
        """Answer until the service stops: a worker."""
        self._pulse = pulse
        pulse.quiet = max(_SLOW, 2 * self._timeout)
        try:
            while not pulse.stopping.is_set():
                self.step()
                pulse.beat()
            self._finish()
            self._wait_for_upper()
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
        if self._upper is not None:
            self._upper.poll()
        if self._model.unready():
            return  # messages stay where other replicas can have them
        if sum(len(each.messages) for each in self._delivered) > _WINDOW:
            self._settle()
            self._stopping.wait(_GLANCE)
            return
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
        if not gone:
            return
        if found is not None:
            self._predicted = found.without(gone)
        for each in self._delivered:
            each.messages = [message for message in each.messages if place(message) not in gone]

    def _begin(self, messages: Sequence[Message]) -> Future[Predicted]:
        """Predict in a thread, which does not keep the process from ending."""
        begun = Future[Predicted]()

        def predict() -> None:
            try:
                begun.set_result(self._predict(messages))
            except BaseException as error:  # for whoever waits for it
                begun.set_exception(error)

        threading.Thread(target=predict, name="predict", daemon=True).start()
        return begun

    def _predict(self, messages: Sequence[Message]) -> Predicted:
        made, bad = list[Answer | Unsure](), list[Bad]()
        for part in batches(messages, self._column):
            if isinstance(part, Bad):
                bad.append(part)
                continue
            for found in self._answered(part):
                if isinstance(found, Bad):
                    bad.append(found)
                else:
                    made += found
        unsure = [each for each in made if isinstance(each, Unsure)]
        return Predicted(messages, [each for each in made if isinstance(each, Answer)], unsure, bad)

    def _finish(self) -> None:
        """Deliver what was predicted last, if anything was, and commit what is done with."""
        found, self._predicted = self._predicted, None
        if found is not None and found.messages:
            sending = self._upper.send(found.unsure) if self._upper and found.unsure else None
            bad = [*found.bad, *self._deliver(found.answers)]
            answered = len(found.answers) + len(found.bad) - len(bad)
            self._delivered.append(Delivered(found.messages, answered, bad, sending))
        self._settle()

    def _deliver(self, answers: Sequence[Answer]) -> list[Bad]:
        refused = self._sink.deliver(answers)
        return [Bad(answer.question, "size", reason) for answer, reason in refused]

    def _settle(self) -> None:
        """Commit the messages that are done with, in their order, and count them."""
        while self._delivered and self._is_settled(self._delivered[0].sending):
            each = self._delivered.popleft()
            leaving = each.sending.leaving if each.sending else []
            refused = self._deliver(leaving) if leaving else []
            each.bad += refused
            self._source.commit(each.messages)
            self._note(each, left=len(leaving) - len(refused))

    def _is_settled(self, sending: Sending | None) -> bool:
        return sending is None or self._upper is None or self._upper.is_settled(sending)

    def _wait_for_upper(self) -> None:
        """Wait a little for what is on its way up; what is not there then is sent again after a restart."""
        until = time.monotonic() + _GRACE
        while self._delivered and time.monotonic() < until:
            time.sleep(_GLANCE)
            self._settle()

    def _answered(self, batch: Batch) -> Iterator[Iterable[Answer | Unsure] | Bad]:
        """Yield the answers to a batch; if the model cannot have all of it, those to its halves."""
        try:
            yield self._asked(batch)
        except RefusedError as error:
            if len(batch) == 1:
                yield Bad(batch.messages[0], "model", str(error))
                return
            for half in batch.halves():
                yield from self._answered(half)

    def _asked(self, batch: Batch) -> Iterable[Answer | Unsure]:
        """Return the answers, or what goes up instead. While the model is away, this waits.

        Messages on which it is lost may be the cause: then this raises RefusedError, for a single one only
        if it happens again.
        """
        lost = 0
        while True:
            begun = time.monotonic()
            try:
                found = self._made(batch)
            except AwayError as error:
                lost += isinstance(error, LostError)
                self._await_model()
                if lost and (len(batch) > 1 or lost == _LOST):
                    raise RefusedError(str(error)) from None
                continue
            TOOK.observe(time.monotonic() - begun)
            BATCHES.inc()
            return found

    def _made(self, batch: Batch) -> Iterable[Answer | Unsure]:
        if self._upper is None:
            return answers(batch.messages, self._model.predict(batch.rows, batch.values))
        upper, own = self._model.predict_both(batch.rows, batch.values)
        return self._upper.parted(batch.messages, own, upper)

    def _await_model(self) -> None:
        while self._model.unready():
            self._pulse.beat()
            if self._stopping.wait(_WAIT):
                raise StoppedError

    def _note(self, done: Delivered, left: int) -> None:
        """Count messages; so many have `left` with this part's answer as they could not go up."""
        if done.bad:
            self._counts.skipped_why = str(done.bad[-1])[:2000]
        for each in done.bad:
            self._seldom.warning(each.kind, str(each))
        skipped = Tally(each.kind for each in done.bad)
        kind, sent = done.messages[0].timestamp() if done.messages else (TIMESTAMP_NOT_AVAILABLE, 0)
        age = None if kind == TIMESTAMP_NOT_AVAILABLE else time.time() - sent / 1000
        sent_up = done.sending.sent if done.sending else 0
        exited = done.answered if self._upper else 0
        self._counts.add(done.answered + left, skipped, age, exited=exited, sent_up=sent_up)
        self._counts.waiting = self._source.waiting
