"""A worker: matches trainings with its owner's data, trains rounds, and sends weights, metrics and counts."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Message

from training.code.program import CodeError
from training.control import message as control
from training.control.message import ControlMessage
from training.data.ranges import Range
from training.data.ranges import write as written
from training.data.samples import Samples, split
from training.federated import announcement, matching, messages, weights
from training.federated.announcement import Announcement
from training.federated.following import Follower
from training.federated.held import Held, Trained
from training.federated.messages import End, Failure, Join, Round, Update
from training.federated.sending import Sender

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker uses.

    `owner` and `cloud` follow topics of both Kafkas, and `sender` writes to the cloud's. `fetch` returns so
    many bytes in a range there, `read` the samples of the owner's, and `create` makes a topic for weights.
    `train` is that of `Local`.
    """

    owner: Follower
    cloud: Follower
    sender: Sender
    fetch: Callable[[Range, int], bytes]
    read: Callable[[ControlMessage, Path], Samples]
    create: Callable[[str], object]
    train: Callable[[Held, Round, dict[str, int]], Trained]


class Known:
    """A training that this worker knows: `newest` is what its aggregator has said last."""

    def __init__(self, announced: Announcement, held: Held) -> None:
        self.announced = announced
        self.held = held
        self.newest: Round | End | None = None
        self.sizes: dict[str, int] | None = held.sizes()
        self.has_joined = False
        self.unfit = set[int]()  # numbers of control messages

    @property
    def name(self) -> str:
        """Its name in the log."""
        return f"training {self.announced.topics.training}"


class Worker:
    """Works for the client `name`; announcements before `oldest`, in ms since the epoch, are for others."""

    def __init__(
        self, name: str, folder: Path, around: Surroundings, *, data: str, models: str, oldest: int
    ) -> None:
        self._name = name
        self._folder = folder
        self._around = around
        self._models = models
        self._data_topic = data
        self._oldest = oldest
        self._data = list[ControlMessage]()
        self._known = dict[str, Known]()
        around.owner.add(data)
        around.cloud.add(models)

    def step(self) -> None:
        """Take what has come; if nothing has, do what is due. Raises StoppedError."""
        owners, clouds = self._around.owner.poll(), self._around.cloud.poll()
        if owners is not None:
            self._take_data(owners)
        if clouds is not None:
            self._take_said(clouds)
        if owners is None and clouds is None:
            for known in list(self._known.values()):
                self._go_on(known)

    def _take_data(self, message: Message) -> None:
        try:
            found = control.parse(message.key(), message.value())
        except ValueError as error:
            log.warning("%s; skipped", error)
            return
        log.info("data: %s, %s", written(found.ranges) or found.stream, found.input_format)
        self._data.append(found)

    def _take_said(self, message: Message) -> None:
        if message.topic() == self._models:
            self._take_announced(message)
            return
        known = next(
            (each for each in self._known.values() if each.announced.topics.rounds == message.topic()), None
        )
        if known is None:
            return
        try:
            known.newest = messages.parse_round(message.value(), known.announced.topics)
        except ValueError as error:
            log.warning("%s: %s; skipped", known.name, error)

    def _take_announced(self, message: Message) -> None:
        try:
            found = announcement.parse(message.value())
        except ValueError as error:
            log.warning("%s; skipped", error)
            return
        held = Held(self._folder / found.topics.training)
        is_old = 0 < message.timestamp()[1] < self._oldest and not held.folder.exists()
        if found.topics.training in self._known or held.is_over or is_old:
            return
        known = self._known[found.topics.training] = Known(found, held)
        log.info(
            "%s is announced: samples of the shape %s, at least %d, with the restrictions %s",
            known.name,
            announcement.written(found.input_shape) or "of a single number",
            found.min_data,
            found.restriction,
        )
        self._around.cloud.add(found.topics.rounds)

    def _go_on(self, known: Known) -> None:
        """Do what is due for a training."""
        topics = known.announced.topics
        if isinstance(known.newest, End):
            log.info("%s is over%s", known.name, f": {known.newest.reason}" if known.newest.reason else "")
            known.held.end()
            self._around.cloud.remove(topics.rounds)
            del self._known[topics.training]
            return
        if not (self._around.cloud.is_at_end(topics.rounds) and self._has_samples(known)):
            return
        if not known.has_joined:
            self._join(known)
        if (trained := known.held.unsent()) is not None:
            self._send(known, trained)
        if known.newest is not None and known.newest.version + 1 > known.held.answered:
            self._train(known, known.newest)

    def _has_samples(self, known: Known) -> bool:
        """Return whether there are samples for a training; read the newest data that match, if not."""
        if known.sizes is None and self._around.owner.is_at_end(self._data_topic):
            for number, data in reversed(list(enumerate(self._data))):
                if number not in known.unfit and self._read(known, data):
                    break
                known.unfit.add(number)
        return known.sizes is not None

    def _read(self, known: Known, data: ControlMessage) -> bool:
        place = written(data.ranges) or data.stream
        if why := matching.why_not(known.announced, data):
            log.info("%s: %s is not used: %s", known.name, place, why)
            return False
        log.info("%s: reading %s", known.name, place)
        try:
            known.held.prepare()
            samples = self._around.read(data, known.held.folder)
            parts = split(samples, data.validation_rate, data.test_rate, seed=0)
            known.sizes = known.held.save(parts, samples)
        except ValueError as error:  # DataError is one
            log.warning("%s: %s cannot be used: %s", known.name, place, error)
            return False
        return True

    def _join(self, known: Known) -> None:
        count = (known.sizes or {})["training"]
        self._around.create(known.announced.topics.of(self._name))
        key, value = messages.compose_said(Join(self._name, count))
        self._around.sender.send(known.announced.topics.updates, value, key)
        known.has_joined = True
        log.info("%s: joined as %s with %d samples", known.name, self._name, count)

    def _train(self, known: Known, given: Round) -> None:
        held = known.held
        log.info(
            "%s: round %d of %d: training on %d samples",
            known.name,
            given.version + 1,
            given.rounds,
            (known.sizes or {})["training"],
        )
        try:
            self._fetch(known, given)
            trained = self._around.train(held, given, known.sizes or {})
        except ValueError as error:  # CodeError is one
            reason = " ".join(str(error).split())
            whose = "the model" if isinstance(error, CodeError) else "it"
            log.warning("%s: round %d: %s failed: %s", known.name, given.version + 1, whose, reason)
            key, value = messages.compose_said(Failure(self._name, given.version + 1, reason))
            self._around.sender.send(known.announced.topics.updates, value, key)
            held.note_answered(given.version + 1)
            return
        held.keep(trained)
        self._send(known, trained)

    def _fetch(self, known: Known, given: Round) -> None:
        held = known.held
        if not held.model.exists() or weights.checksum(held.model.read_bytes()) != given.model.sha256:
            data = self._around.fetch(given.model_place, given.model.size)
            weights.check(data, given.model.sha256, "the model")
            held.model.write_bytes(data)
        data = self._around.fetch(given.place, given.weights.size)
        weights.unpack(given.weights, data)
        held.weights.write_bytes(data)

    def _send(self, known: Known, trained: Trained) -> None:
        topics = known.announced.topics
        update = Update(
            client=self._name,
            version=trained.version,
            place=self._around.sender.send_bytes(topics.of(self._name), known.held.update.read_bytes()),
            weights=trained.weights,
            num_data=(known.sizes or {})["training"],
            training=trained.training,
            validation=trained.validation,
        )
        key, value = messages.compose_said(update)
        self._around.sender.send(topics.updates, value, key)
        known.held.note_answered(trained.version)
        log.info(
            "%s: round %d: sent %d arrays of weights, %d bytes, and the metrics %s",
            known.name,
            trained.version,
            len(trained.weights.arrays),
            trained.weights.size,
            {**trained.training, **{f"val_{name}": each for name, each in trained.validation.items()}},
        )
