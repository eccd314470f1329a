"""Reads the samples without labels that a control message names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from training.control.message import ControlMessage
from training.data import ranges
from training.data.formats import decoder
from training.data.reading import read
from training.data.samples import Samples
from training.job.settings import JobSettings


def check(message: ControlMessage) -> None:
    """Raise ValueError unless a control message names ranges of unlabelled samples."""
    if not message.unsupervised_topic:
        raise ValueError(
            "unsupervised_topic: the control message names no unlabelled samples, which semi-supervised"
            " training needs: send some, or create the deployment without unsupervised"
        )
    if ":" not in message.unsupervised_topic:
        raise ValueError(
            f"unsupervised_topic {message.unsupervised_topic}: expected ranges of offsets such as"
            " more:0:0:600, as only incremental training reads an endless topic"
        )


def unlabelled(
    message: ControlMessage,
    labelled: Samples,
    settings: JobSettings,
    *,
    folder: Path,
    progress: Callable[[int, int], object],
    waiting: Callable[[str], object],
) -> NDArray[Any]:
    """Return the features, shape (n, …), of samples like the labelled ones.

    Raises ValueError with the reason if there are none, or they are not like these.
    """
    check(message)
    found = read(
        ranges.parse(message.unsupervised_topic or ""),
        decoder(message.input_format, message.input_config, labelled=False),
        settings.bootstrap_servers,
        config=settings.kafkaconfig,
        memory=settings.cachememory,
        folder=folder,
        progress=progress,
        waiting=waiting,
    ).features
    if found.shape[1:] != labelled.features.shape[1:]:
        raise ValueError(
            f"unsupervised_topic: the samples have the shape {_words(found)}, but those with labels"
            f" {_words(labelled.features)}: send samples of the same shape"
        )
    return found


def _words(samples: NDArray[Any]) -> str:
    return " x ".join(map(str, samples.shape[1:])) or "of a single number"
