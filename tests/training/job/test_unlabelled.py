"""Samples without labels; the reading itself is a stand-in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.control.message import ControlMessage
from training.data.ranges import Range
from training.data.samples import Samples
from training.job import unlabelled as module
from training.job.settings import JobSettings

CONFIG = {"data_type": "uint8", "data_reshape": None, "label_type": "uint8", "label_reshape": "1"}
MESSAGE = ControlMessage(
    3, (Range("few", 0, 0, 9),), "RAW", CONFIG, unsupervised_topic="more:0:0:5,more:1:0:0"
)
LABELLED = Samples(np.zeros((9, 2), np.uint8), np.zeros((9, 1), np.uint8))
SETTINGS = JobSettings(
    bootstrap_servers="kafka:9092",
    result_url="http://training:8080/results/7",
    result_id=7,
    deployment_id=3,
    batch=4,
    kwargs_fit='{"epochs": 2}',
)


def read(monkeypatch: pytest.MonkeyPatch, found: Samples, message: ControlMessage = MESSAGE) -> Any:
    def stand_in(ranges: Any, decoder: Any, *_: Any, **__: Any) -> Samples:
        assert ranges == (Range("more", 0, 0, 5), Range("more", 1, 0, 0))
        assert decoder.keys is None
        return found

    monkeypatch.setattr(module, "read", stand_in)
    return module.unlabelled(
        message, LABELLED, SETTINGS, folder=Path(), progress=lambda *_: None, waiting=lambda _: None
    )


def test_they_are_read_without_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.ones((5, 2), np.uint8)

    assert read(monkeypatch, Samples(features, None)) is features


def test_those_of_another_shape_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="have the shape 3, but those with labels 2"):
        read(monkeypatch, Samples(np.ones((5, 3), np.uint8), None))


@pytest.mark.parametrize(("topic", "reason"), [(None, "names no unlabelled"), ("more", "expected ranges")])
def test_without_ranges_of_them_there_is_a_reason(topic: str | None, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        module.check(replace(MESSAGE, unsupervised_topic=topic))
