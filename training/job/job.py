"""One training, from its control message to its result."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from training.code.checking import take
from training.code.folder import remove
from training.code.limits import GIB
from training.code.program import CodeError
from training.code.supervise import StoppedError
from training.control.message import ControlMessage
from training.data.formats import decoder
from training.data.ranges import write
from training.data.reading import read
from training.data.samples import split
from training.job import control, fitting, picture
from training.job.outcome import Outcome
from training.job.reasons import line, numbers, storable
from training.job.reporter import Reporter, say
from training.job.samples import Kept
from training.job.service import AwayError, RefusedError, Service
from training.job.settings import JobSettings
from training.job.unlabelled import check as check_unlabelled
from training.job.unlabelled import unlabelled
from training.versions.copying import copy
from training.versions.store import Store

log = logging.getLogger(__name__)

_FILES: Final = {"tf": "model.h5", "pth": "model.pth"}
_STOPPED: Final = 143  # as after SIGTERM: whoever started the job may start it again
LARGEST_MODEL: Final = 64 * GIB
"""Bytes of all that the process writes."""


class Job:
    """Trains the model of one result. It can be killed at any moment, and continues when it is run again."""

    continues = False
    """Whether a job that was stopped may be continued later, and so leaves its folder."""

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
            if self.continues:
                return self._end(storable(trouble), keeps=True)
        except RefusedError as error:
            log.error("%s: the job ends", error)
            trouble = str(error)
        except (ValueError, OSError) as error:  # CodeError and DataError are ValueErrors
            trouble = line(error)
        except AwayError as error:
            log.error("%s", error)
            return 1
        if trouble is not None:
            trouble = storable(trouble)
            log.error("%s", trouble)
        return self._end(trouble)

    def _end(self, trouble: str | None, *, keeps: bool = False) -> int:
        self._reporter.close()
        if trouble is not None:
            try:
                say(self._service, {"state": "failed", "reason": trouble[:2000]})
            except (AwayError, StoppedError):
                return 1
        if not keeps:
            self._kept.remove()
        return 0

    def _train(self) -> str | None:
        """Train and upload; return what kept the model from the model store, if anything did."""
        if self._settings.case != 1:
            raise ValueError(
                f"CASE={self._settings.case}: expected 1, a single model; 2, the same on a stream; 3, a"
                " chain; or 5, federated"
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
        return self._finish(found, self._facts(found, message))

    def _finish(
        self, found: Outcome, facts: Mapping[str, Any], more: Mapping[str, Any] | None = None
    ) -> str | None:
        """Export the model, with `facts` about its version, and upload it, with `more` than its metrics.

        Returns what kept it from the model store, if anything did.
        """
        drawn = None if found.matrix is None else picture.draw(found.matrix)
        trouble = self._export(facts)
        model = self._taken()
        self._reporter.close()
        self._service.upload(model, drawn, {**found.fields(), **(more or {})})
        log.info("result %d has its model", self._settings.result_id)
        return trouble

    def _taken(self) -> Path:
        """Return a copy of the file that the process has written."""
        model = self._kept.folder / _FILES[self._settings.framework]
        take(self._kept.work / model.name, model, LARGEST_MODEL)
        return model

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
        self._check(message)
        return message

    def _check(self, message: ControlMessage) -> None:
        """Raise ValueError for a control message that this job cannot train on."""
        if message.stream is not None or message.incremental:
            raise ValueError(
                "the control message is for an endless stream, which only incremental training reads: create"
                " the deployment with incremental"
            )
        if self._settings.unsupervised:
            check_unlabelled(message)

    def _waiting(self, state: str) -> Callable[[str], None]:
        def note(why: str) -> None:
            if self._stop.is_set():
                raise StoppedError
            self._reporter.progress({"state": state, "reason": why})

        return note

    def _noting_reads(self) -> Callable[[int, int], None]:
        def note(count: int, total: int) -> None:
            if self._stop.is_set():
                raise StoppedError
            self._reporter.progress({"state": "reading", "read": count, "total": total})

        return note

    def _read(self, message: ControlMessage) -> dict[str, int]:
        settings, note = self._settings, self._noting_reads()
        samples = read(
            message.ranges,
            numbers(decoder(message.input_format, message.input_config)),
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
        more = None
        if settings.unsupervised:
            waiting, folder = self._waiting("waiting"), self._kept.folder
            more = unlabelled(message, samples, settings, folder=folder, progress=note, waiting=waiting)
        return self._kept.save(message, parts, samples, more)

    def _fit(self, message: ControlMessage, sizes: dict[str, int]) -> Outcome:
        return fitting.fit(
            self._settings,
            self._kept,
            message,
            sizes,
            stop=self._stop,
            reporter=self._reporter,
            most=LARGEST_MODEL,
        )

    def _export(self, facts: Mapping[str, Any], added: int | None = None) -> str | None:
        """Add the SavedModel to the model store; return why that failed, if it did.

        `added` is the result that has the model, if it is not this job's.
        """
        settings = self._settings
        if settings.framework != "tf":
            return None  # inferences run PyTorch models themselves
        exported = self._kept.work / "exported"
        about = {**facts, "result": added or settings.result_id}
        folder = settings.modelstore or self._kept.folder / "versions"
        is_served = settings.modelstore is not None and settings.autoserve

        def fill(part: Path) -> dict[str, Any]:
            copy(exported, part, LARGEST_MODEL)
            return {}

        try:
            version, place = Store(folder, settings.model_name).add(fill, about, is_served=is_served)
            if settings.modelstore is None:
                self._service.add_version(place, added)
            log.info("version %d of %s is in %s", version, settings.model_name, place.parent)
        except (OSError, CodeError, RefusedError) as error:
            return f"the model was trained, but could not be put into the model store: {line(error)}"
        remove(exported)
        return None

    def _facts(self, found: Outcome, message: ControlMessage) -> dict[str, Any]:
        """Return what is known about a version."""
        settings = self._settings
        imports, code = found.program or (None, None)
        return {
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
