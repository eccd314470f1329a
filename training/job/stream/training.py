"""One training on a stream: the control message, the topic and the restricted process, put together."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np

from training.code import gpus
from training.code.confined import run
from training.code.limits import of_training
from training.control.message import ControlMessage
from training.data.formats import Decoder
from training.data.samples import Samples
from training.job import fitting
from training.job.reporter import Reporter
from training.job.samples import Kept as Folder
from training.job.settings import JobSettings
from training.job.stream.checks import check, topic_of
from training.job.stream.decoding import Decoding
from training.job.stream.incremental import Incremental, Publish, Trained
from training.job.stream.reader import Stream
from training.job.stream.session import Session
from training.job.stream.state import Kept

_TASKS: Final = {"tf": "training.job.child.keras_stream", "pth": "training.job.child.torch_stream"}
_SIZES: Final[dict[str, int]] = {}  # mini-batches are split as they come


def train(
    settings: JobSettings,
    message: ControlMessage,
    kept: Kept,
    folder: Folder,
    *,
    decoder: Decoder,
    labelled: Callable[[], Samples] | None,
    reporter: Reporter,
    publish: Publish,
    stop: threading.Event,
    most: int,
) -> Trained:
    """Train until the stream ends; the process writes at most so many bytes.

    Raises ValueError, CodeError and OSError with the reason why that is not possible, and StoppedError.
    """
    check(message, settings)
    fitting.check_installed(settings.framework)
    training = Incremental(
        settings,
        message,
        kept,
        put=lambda name, *samples: put(folder.data / name, *samples),
        labelled=labelled,
        report=reporter.progress,
        report_metrics=reporter.metrics,
        publish=publish,
    )

    def work(on_progress: Callable[[dict[str, Any]], None], ending: threading.Event) -> object:
        return run(
            _TASKS[settings.framework],
            fitting.request(settings, folder, message, _SIZES),
            folder=folder.work,
            limits=of_training(settings.jobmemory, most),
            read=[folder.data],
            environment=gpus.given() | fitting.threads(settings.jobthreads),
            on_progress=on_progress,
            stop=ending,
        )

    decoding, stream = Decoding(decoder), None
    with ExitStack() as stack:
        while True:
            with Session(work, folder.work, stop) as session:
                state = training.begin(session)
                if stream is None:
                    stream = Stream(
                        settings.bootstrap_servers,
                        topic_of(message),
                        positions=state.positions,
                        since=settings.stream_since,
                        config=settings.kafkaconfig,
                        stop=stop,
                        found=kept.found,
                        waiting=training.waiting,
                    )
                    stack.callback(stream.close)
                if (found := training.run(session, stream, decoding)) is not None:
                    return found


def put(place: Path, training: Samples, validation: Samples) -> None:
    """Write a mini-batch where the process reads it, in place of the one before. Raises OSError."""
    place.mkdir(exist_ok=True)
    for name, samples in (("training", training), ("validation", validation)):
        np.save(place / f"{name}-features.npy", samples.features)
        if samples.labels is not None:
            np.save(place / f"{name}-labels.npy", samples.labels)
