"""Fits the model in the restricted process, and passes on what it reports."""

import threading
from typing import Any, Final

from training.code import gpus
from training.code.confined import run
from training.code.installed import lacking
from training.code.limits import of_training
from training.code.program import FRAMEWORKS, CodeError
from training.control.message import ControlMessage
from training.job.left import Left
from training.job.outcome import Outcome, metrics, outcome, progress
from training.job.reporter import Reporter
from training.job.samples import Kept
from training.job.settings import JobSettings

_TASKS: Final = {"tf": "training.job.child.keras_fit", "pth": "training.job.child.torch_fit"}
_REQUIREMENTS: Final = {"tf": "training/requirements.txt", "pth": "training/torch/requirements.txt"}
_THREADS: Final = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
_EPOCHS: Final = {"tf": "epochs", "pth": "max_epochs"}


def fit(
    settings: JobSettings,
    kept: Kept,
    message: ControlMessage,
    sizes: dict[str, int],
    *,
    stop: threading.Event,
    reporter: Reporter,
    most: int,
) -> Outcome:
    """Train, evaluate and save in `kept.work`, where at most so many bytes are written.

    Continues from the checkpoint there, if there is one. Raises CodeError, and StoppedError after `stop`.
    """
    check_installed(settings.framework)
    left = Left()

    def note(value: dict[str, Any]) -> None:
        fields = progress(value)
        if (seconds := left.seconds(fields)) is not None:
            fields["left_s"] = seconds
        reporter.progress(fields)
        if isinstance(value.get("metrics"), dict):
            reporter.metrics(_metrics(value["metrics"]))

    found = run(
        _TASKS[settings.framework],
        request(settings, kept, message, sizes),
        folder=kept.work,
        limits=of_training(settings.jobmemory, most),
        read=[kept.data],
        environment=gpus.given() | threads(settings.jobthreads),
        on_progress=note,
        stop=stop,
    )
    return outcome(found)


def request(
    settings: JobSettings, kept: Kept, message: ControlMessage, sizes: dict[str, int]
) -> dict[str, Any]:
    """Return what the process is asked. Raises ValueError if the arguments lack the epochs."""
    name = _EPOCHS[settings.framework]
    epochs = settings.kwargs_fit.get(name)
    if type(epochs) is not int or epochs < 1:
        raise ValueError(f"KWARGS_FIT: expected {name}, a whole number from 1, found {epochs!r}")
    return {
        "data": str(kept.data),
        "model": str(kept.model),
        "sizes": sizes,
        "batch": settings.batch,
        "fit": settings.kwargs_fit,
        "val": settings.kwargs_val,
        "matrix": settings.conf_mat_config,
        "seed": settings.seed,
        "memory": settings.cachememory,
        # The labels and the size of pictures were checked when these were read.
        "pictures": message.input_config if message.input_format == "JPEG" else None,
        **_unsupervised(settings),
    }


def threads(most: int) -> dict[str, str]:
    """Return the variables that limit the threads of TensorFlow, PyTorch and numpy; none for 0."""
    return dict.fromkeys(_THREADS, str(most)) if most else {}


def _unsupervised(settings: JobSettings) -> dict[str, Any]:
    if not settings.unsupervised:
        return {}
    asked = {"rounds": settings.unsupervised_rounds, "confidence": settings.confidence}
    return {"unsupervised": asked}


def check_installed(framework: str) -> None:
    """Raise CodeError if a framework is missing here."""
    if missing := lacking(framework):
        raise CodeError(
            f"{FRAMEWORKS[framework]} is not installed here, it lacks {' and '.join(missing)}:"
            f" pip install -r {_REQUIREMENTS[framework]}"
        )


def _metrics(value: dict[str, Any]) -> dict[str, Any]:
    try:
        return {name: metrics(value[name]) for name in ("train_metrics", "val_metrics")}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise CodeError("the code: it wrote into the report of its own process") from None
