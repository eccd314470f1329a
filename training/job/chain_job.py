"""The training of a chain: one joint model, of which each part has a result of its own."""

import logging
import threading
from pathlib import Path
from typing import Any, Final

from training.code import gpus
from training.code.checking import take
from training.code.confined import run
from training.code.folder import remove
from training.code.limits import of_training
from training.code.program import CodeError
from training.control.message import ControlMessage
from training.job import fitting, picture
from training.job.chain_outcome import of_part, outcomes
from training.job.chain_service import ChainService
from training.job.chain_settings import ChainSettings
from training.job.job import LARGEST_MODEL, Job
from training.job.left import Left
from training.job.outcome import Outcome, metrics, progress
from training.job.reasons import line
from training.job.service import RefusedError
from training.versions.copying import copy
from training.versions.store import Store

log = logging.getLogger(__name__)

_TASK: Final = "training.job.child.chain_fit"


class ChainJob(Job):
    """Trains all parts of a chain together. It can be killed at any moment, as `Job`."""

    def __init__(self, settings: ChainSettings, service: ChainService, stop: threading.Event) -> None:
        super().__init__(settings, service, stop)
        self._chain = settings
        self._parts = service
        data = self._kept.data
        self._models = [self._kept.model, *(data / f"model-{at}.h5" for at in range(1, len(settings.ids)))]

    def _train(self) -> str | None:
        """Train, and upload all parts; return what kept one from the model store, if anything did."""
        self._kept.prepare()
        kept = self._kept.load()
        if kept is None:
            self._kept.clear()
            self._parts.fetch_models(self._models)
            message = self._message()
            sizes = self._read(message)
        else:
            message, sizes = kept
            log.info("continuing a training that was interrupted")
        found = self._fit_all(message, sizes)
        troubles = [self._export_part(number, each, message) for number, each in enumerate(found)]
        files = [self._file(number) for number in range(len(found))]
        self._reporter.close()
        for part, file, each in zip(self._parts.parts, files, found, strict=True):
            drawn = None if each.matrix is None else picture.draw(each.matrix)
            part.upload(file, drawn, each.fields())
        log.info("results %s have their models", self._chain.ids)
        return next((each for each in troubles if each), None)

    def _fit_all(self, message: ControlMessage, sizes: dict[str, int]) -> list[Outcome]:
        settings, count, left = self._chain, len(self._models), Left()
        fitting.check_installed(settings.framework)

        def note(value: dict[str, Any]) -> None:
            fields = progress(value)
            if (seconds := left.seconds(fields)) is not None:
                fields["left_s"] = seconds
            self._reporter.progress(fields)
            if isinstance(value.get("metrics"), dict):
                self._reporter.metrics({"parts": _metrics(value["metrics"], count)})

        request = {
            **fitting.request(settings, self._kept, message, sizes),
            "models": [str(each) for each in self._models],
            "names": settings.names,
            "optimizer": settings.optimizer,
            "learning_rate": settings.learning_rate,
            "loss": settings.loss,
            "metrics": [name.strip() for name in settings.metrics.split(",")],
            "loss_weights": settings.weights,
        }
        found = run(
            _TASK,
            request,
            folder=self._kept.work,
            limits=of_training(settings.jobmemory, LARGEST_MODEL),
            read=[self._kept.data],
            environment=gpus.given() | fitting.threads(settings.jobthreads),
            on_progress=note,
            stop=self._stop,
        )
        return outcomes(found, count)

    def _file(self, number: int) -> Path:
        """Return a copy of a part's file that the process has written; each is uploaded as `model.h5`."""
        folder = self._kept.folder / f"part-{number}"
        folder.mkdir(exist_ok=True)
        take(self._kept.work / f"model-{number}.h5", folder / "model.h5", LARGEST_MODEL)
        return folder / "model.h5"

    def _export_part(self, number: int, found: Outcome, message: ControlMessage) -> str | None:
        """Add a part's SavedModel to the model store; return why that failed, if it did."""
        settings, name = self._chain, self._chain.names[number]
        facts = {**self._facts(found, message), "result": settings.ids[number], "model": name}
        exported = self._kept.work / f"exported-{number}"
        folder = settings.modelstore or self._kept.folder / "versions"
        is_served = settings.modelstore is not None and settings.autoserve

        def fill(part: Path) -> dict[str, Any]:
            copy(exported, part, LARGEST_MODEL)
            return {}

        try:
            version, place = Store(folder, name).add(fill, facts, is_served=is_served)
            if settings.modelstore is None:
                self._parts.parts[number].add_version(place)
            log.info("version %d of %s is in %s", version, name, place.parent)
        except (OSError, CodeError, RefusedError) as error:
            return f"{name} was trained, but could not be put into the model store: {line(error)}"
        remove(exported)
        return None


def _metrics(value: dict[str, Any], count: int) -> list[dict[str, Any]]:
    names = ("train_metrics", "val_metrics")
    try:
        return [{name: metrics(of_part(value[name], at, count)) for name in names} for at in range(count)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise CodeError("the code: it wrote into the report of its own process") from None
