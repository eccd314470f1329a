"""One training on an endless stream, from its control message to its results."""

import logging
from dataclasses import replace

from training.control.message import ControlMessage
from training.data.formats import Decoder, decoder
from training.data.reading import read
from training.data.samples import Samples
from training.job.job import LARGEST_MODEL, Job
from training.job.reasons import numbers
from training.job.stream import training
from training.job.stream.checks import check
from training.job.stream.incremental import Trained
from training.job.stream.state import Kept

log = logging.getLogger(__name__)


class StreamJob(Job):
    """Trains the model of one result on mini-batches, and makes other results of it if it is indefinite."""

    continues = True

    def _train(self) -> str | None:
        """Train until the stream ends, and upload; return what kept the model from the model store."""
        self._kept.prepare()
        states = Kept(self._kept.folder, self._settings.identity)
        if states.load() and self._kept.model.exists():
            log.info("continuing a training that was interrupted")
        else:
            self._kept.clear()
            self._service.fetch_model(self._kept.model)
            states.begin(self._message())
        message = states.message
        assert message is not None  # noqa: S101  # it was found, or has come
        found = training.train(
            self._settings,
            message,
            states,
            self._kept,
            decoder=self._decoder(message, labelled=not self._settings.unsupervised),
            labelled=(lambda: self._labelled(message)) if self._settings.unsupervised else None,
            reporter=self._reporter,
            publish=lambda found: self._add(found, message),
            stop=self._stop,
            most=LARGEST_MODEL,
        )
        facts = self._facts(found.outcome, _trained_on(message, found))
        return self._finish(found.outcome, facts, {"progress": found.progress})

    def _decoder(self, message: ControlMessage, *, labelled: bool) -> Decoder:
        return numbers(decoder(message.input_format, message.input_config, labelled=labelled))

    def _labelled(self, message: ControlMessage) -> Samples:
        """Return the labelled samples that a semi-supervised training begins with."""
        return read(
            message.ranges,
            self._decoder(message, labelled=True),
            self._settings.bootstrap_servers,
            config=self._settings.kafkaconfig,
            memory=self._settings.cachememory,
            folder=self._kept.folder,
            progress=self._noting_reads(),
            waiting=self._waiting("waiting"),
        )

    def _check(self, message: ControlMessage) -> None:
        check(message, self._settings)

    def _add(self, found: Trained, message: ControlMessage) -> None:
        """Make a result of a model that has improved; the training goes on."""
        fields = {**found.outcome.fields(), "progress": found.progress, "indefinite": True}
        result = self._service.upload(self._taken(), None, fields)
        facts = self._facts(found.outcome, _trained_on(message, found))
        if trouble := self._export(facts, result):
            log.error("%s", trouble)


def _trained_on(message: ControlMessage, found: Trained) -> ControlMessage:
    """Return the control message with the offsets that a model was trained on."""
    return replace(message, stream=None, ranges=found.ranges)
