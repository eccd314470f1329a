"""One training, from its control message to its result."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from training.code.checking import take
from training.code.folder import remove
from training.code.limits import GIB
from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.control.message import ControlMessage
from training.data.formats import Decoder, decoder
from training.data.ranges import write
from training.data.reading import read
from training.data.samples import split
from training.job import control, federated, fitting, picture
from training.job.outcome import Outcome
from training.job.reporter import Reporter, say
from training.job.samples import Kept
from training.job.service import AwayError, RefusedError, Service
from training.job.settings import JobSettings
from training.versions.copying import copy
from training.versions.store import Store

log = logging.getLogger(__name__)

_FILES: Final = {"tf": "model.h5", "pth": "model.pth"}
_STOPPED: Final = 143  # as after SIGTERM: whoever started the job may start it again
_LARGEST_MODEL: Final = 64 * GIB  # bytes of all that the process writes


class Job:
    """Trains the model of one result. It can be killed at any moment, and continues when it is run again."""

    def __init__(self, settings: JobSettings, service: Service, stop: threading.Event) -> None:
        self._settings = settings
        self._service = service
        self._stop = stop
        self._kept = Kept(settings.kept, settings.identity)
        self._reporter = Reporter(service, stop)

    def run(self) -> int:
        """Train; return 0 when the service knows the outcome, and otherwise what to end the process with."""
        try:
            trouble = self._train()
        except StoppedError:
            self._reporter.close()
            # Why a report was refused. If that is because the result was stopped, so is this reason.
            trouble = self._reporter.refusal
            if trouble is None:
                return _STOPPED
        except RefusedError as error:
            log.error("%s: the job ends", error)
            trouble = str(error)
        except (ValueError, OSError) as error:  # CodeError and DataError are ValueErrors
            trouble = _line(error)
        except AwayError as error:
            log.error("%s", error)
            return 1
        if trouble is not None:
            trouble = _storable(trouble)
            log.error("%s", trouble)
        return self._end(trouble)

    def _end(self, trouble: str | None) -> int:
        self._reporter.close()
        if trouble is not None:
            try:
                say(self._service, {"state": "failed", "reason": trouble[:2000]})
            except (AwayError, StoppedError):
                return 1
        self._kept.remove()
        return 0

    def _train(self) -> str | None:
        """Train and upload; return what kept the model from the model store, if anything did."""
        if self._settings.case >= federated.CASE:
            return self._aggregate()
        if self._settings.case != 1:
            raise ValueError(
                f"CASE={self._settings.case}: only single models (1) and federated ones (5) can be trained in"
                " this version"
            )
        self._kept.prepare()
        kept = self._kept.load()
        if kept is None:
            self._kept.clear()
            self._service.fetch_model(self._kept.model)
            message = self._message()
            sizes = self._read(message)
        else:
            message, sizes = kept
            log.info("continuing a training that was interrupted")
        found = self._fit(message, sizes)
        return self._keep(found, self._facts(found, message))

    def _aggregate(self) -> str | None:
        """Train where the data are, and upload."""
        if why := federated.why_not(self._settings):
            raise ValueError(why)
        aggregator = federated.Aggregator(
            self._settings, self._service, self._kept, self._reporter, self._stop
        )
        return self._keep(*aggregator.train())

    def _keep(self, found: Outcome, facts: dict[str, Any]) -> str | None:
        """Upload a trained model; return what kept it from the model store, if anything did."""
        drawn = None if found.matrix is None else picture.draw(found.matrix)
        trouble = self._export(facts)
        model = self._kept.folder / _FILES[self._settings.framework]
        take(self._kept.work / model.name, model, _LARGEST_MODEL)
        self._reporter.close()
        self._service.upload(model, drawn, found.fields())
        log.info("result %d has its model", self._settings.result_id)
        return trouble

    def _message(self) -> ControlMessage:
        settings = self._settings
        message = control.wait(
            settings.bootstrap_servers,
            settings.control_topic,
            settings.deployment_id,
            settings.control_since,
            config=settings.kafkaconfig,
            stop=self._stop,
            waiting=self._waiting("waiting"),
        )
        if message.stream is not None or message.incremental:
            raise ValueError(
                "the control message is for an online stream: this version trains on ranges only"
            )
        return message

    def _waiting(self, state: str) -> Callable[[str], None]:
        def note(why: str) -> None:
            if self._stop.is_set():
                raise StoppedError
            self._reporter.progress({"state": state, "reason": why})

        return note

    def _read(self, message: ControlMessage) -> dict[str, int]:
        settings = self._settings

        def note(count: int, total: int) -> None:
            if self._stop.is_set():
                raise StoppedError
            self._reporter.progress({"state": "reading", "read": count, "total": total})

        samples = read(
            message.ranges,
            _numbers(decoder(message.input_format, message.input_config)),
            settings.bootstrap_servers,
            config=settings.kafkaconfig,
            memory=settings.cachememory,
            folder=self._kept.folder,
            progress=note,
            waiting=self._waiting("waiting"),
        )
        parts = split(
            samples,
            message.validation_rate,
            message.test_rate,
            seed=settings.seed,
            random=settings.random_split,
        )
        return self._kept.save(message, parts, samples)

    def _fit(self, message: ControlMessage, sizes: dict[str, int]) -> Outcome:
        return fitting.fit(
            self._settings,
            self._kept,
            message,
            sizes,
            stop=self._stop,
            reporter=self._reporter,
            most=_LARGEST_MODEL,
        )

    def _export(self, facts: dict[str, Any]) -> str | None:
        """Add the SavedModel to the model store; return why that failed, if it did."""
        settings = self._settings
        if settings.framework != "tf":
            return None  # inferences run PyTorch models themselves
        exported = self._kept.work / "exported"
        folder = settings.modelstore or self._kept.folder / "versions"
        is_served = settings.modelstore is not None and settings.autoserve

        def fill(part: Path) -> dict[str, Any]:
            copy(exported, part, _LARGEST_MODEL)
            return {}

        try:
            version, place = Store(folder, settings.model_name).add(fill, facts, is_served=is_served)
            if settings.modelstore is None:
                self._service.add_version(place)
            log.info("version %d of %s is in %s", version, settings.model_name, place.parent)
        except (OSError, CodeError, RefusedError) as error:
            return f"the model was trained, but could not be put into the model store: {_line(error)}"
        remove(exported)
        return None

    def _facts(self, found: Outcome, message: ControlMessage) -> dict[str, Any]:
        """Return what is known about a version."""
        settings = self._settings
        imports, code = found.program or (None, None)
        return {
            "result": settings.result_id,
            "deployment": settings.deployment_id,
            "model": settings.model_name,
            "offsets": write(message.ranges),
            "input_format": message.input_format,
            "input_config": message.input_config,
            "imports": imports,
            "code": code,
            "seed": settings.seed,
            "metrics": {name: value for name, value in found.fields().items() if name != "confusion_matrix"},
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def _numbers(found: Decoder) -> Decoder:
    """Return a decoder of numbers; raise ValueError for texts, which Keras takes only as its own tensors."""
    for name, column in (("data_type", found.values), ("label_type", found.keys)):
        if column is not None and column.dtype.kind in "OSU":
            raise ValueError(f"{name}: training on texts does not exist in this version: send numbers")
    return found


def _storable(text: str) -> str:
    """Return a text as a database can store it, such as one with an exception of the user's code."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the disk'}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
