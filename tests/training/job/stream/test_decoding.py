"""What becomes of messages that do not fit."""

import numpy as np
import pytest
from confluent_kafka import Message

from tests.training.data.test_pictures import jpeg
from training.data import formats
from training.job.stream.decoding import Decoding

PAIRS = {"data_type": "float32", "label_type": "uint8", "data_reshape": "2", "label_reshape": "1"}
OPEN = {**PAIRS, "data_reshape": None, "label_reshape": None}


def messages(*pairs: tuple[bytes | None, bytes | None]) -> list[Message]:
    return [
        Message(topic="digits", partition=0, offset=offset, key=key, value=value)
        for offset, (value, key) in enumerate(pairs)
    ]


def value(*numbers: float) -> bytes:
    return np.array(numbers, np.float32).tobytes()


def test_all_messages_that_fit_are_samples() -> None:
    samples, dropped = Decoding(formats.decoder("RAW", PAIRS)).samples(
        messages((value(1, 2), b"\1"), (value(3, 4), b"\2"))
    )

    assert samples is not None
    assert samples.labels is not None
    assert samples.features.tolist() == [[1, 2], [3, 4]]
    assert samples.labels.tolist() == [[1], [2]]
    assert dropped == {}


def test_the_others_are_dropped_for_a_reason() -> None:
    samples, dropped = Decoding(formats.decoder("RAW", PAIRS)).samples(
        messages(
            (value(1, 2), b"\1"),
            (None, b"\1"),
            (value(1), b"\1"),
            (value(1, float("nan")), b"\1"),
            (value(5, 6), None),
            (value(7, 8), b"\1\1"),
            (value(9, 0), b"\3"),
        )
    )

    assert samples is not None
    assert samples.labels is not None
    assert samples.features.tolist() == [[1, 2], [9, 0]]
    assert samples.labels.tolist() == [[1], [3]]
    assert dropped == {"value": 3, "label": 2}


@pytest.mark.parametrize("config", [PAIRS, OPEN])
def test_there_may_be_no_samples_at_all(config: dict[str, str | None]) -> None:
    decoding = Decoding(formats.decoder("RAW", config))

    assert decoding.samples([]) == (None, {})
    assert decoding.samples(messages((b"\1", b"\1"), (b"\1\2\3", b"\1"))) == (None, {"value": 2})
    assert decoding.samples(messages((value(1, 2), b""))) == (None, {"label": 1})


def test_open_shapes_follow_from_the_first_message_that_fits() -> None:
    decoding = Decoding(formats.decoder("RAW", OPEN))
    decoding.samples(messages((b"\1", b"\1"), (value(1, 2, 3), b"\1")))

    samples, dropped = decoding.samples(messages((value(1, 2), b"\1"), (value(1, 2, 3), b"\1")))

    assert samples is not None
    assert samples.features.tolist() == [[1, 2, 3]]
    assert dropped == {"value": 1}


def test_without_labels_keys_mean_nothing() -> None:
    decoding = Decoding(formats.decoder("RAW", PAIRS, labelled=False))

    samples, dropped = decoding.samples(messages((value(1, 2), b"\0"), (value(3, 4), None), (b"", b"\0")))

    assert samples is not None
    assert samples.features.tolist() == [[1, 2], [3, 4]]
    assert samples.labels is None
    assert dropped == {"value": 1}
    assert decoding.samples(messages((b"", b"\0")))[0] is None


def test_pictures_that_show_none_of_the_labels_are_counted() -> None:
    decoder = formats.decoder("JPEG", {"labels": ["cat", "dog"], "size": [8, 8]})

    samples, dropped = Decoding(decoder).samples(
        messages((jpeg(16, 16), b"\1"), (jpeg(16, 16), b""), (b"GIF89a", b"\1"), (jpeg(16, 16), b"\7"))
    )

    assert samples is not None
    assert samples.labels is not None
    assert samples.labels.tolist() == [1]
    assert dropped == {"negative": 1, "value": 1, "label": 1}
