"""Messages fill arrays; those that do not fit are named."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Message

from training.data import filling, formats
from training.data.errors import DataError
from training.data.filling import Filling
from training.data.formats import Decoder
from training.data.samples import Samples

BYTES = formats.decoder(
    "RAW", {"data_type": "uint8", "label_type": "uint8", "data_reshape": "2", "label_reshape": ""}
)
FLOATS = formats.decoder(
    "RAW", {"data_type": "float32", "label_type": "float32", "data_reshape": "2", "label_reshape": ""}
)


def message(value: Any, key: bytes | None = b"\1", offset: int = 5) -> Message:
    data = value.tobytes() if isinstance(value, np.ndarray) else value
    return Message(topic="digits", partition=3, offset=offset, key=key, value=data)


def filled(decoder: Decoder, messages: Sequence[Message], **options: Any) -> Samples:
    arrays = Filling(decoder, len(messages), **{"memory": 1000, **options})
    arrays.take(messages, np.arange(len(messages)))
    return arrays.samples()


def floats(*numbers: float) -> np.ndarray[Any, Any]:
    return np.array(numbers, np.float32)


@pytest.mark.parametrize("places", [[0, 1, 2], [0, 2, 4], [0, 1, 4]], ids=str)
def test_samples_get_to_their_places(places: list[int]) -> None:
    arrays = Filling(BYTES, 5, memory=1000)
    rest = sorted(set(range(5)) - set(places))

    arrays.take([message(bytes([place, 9]), bytes([place])) for place in places], np.array(places))
    arrays.take([message(bytes([place, 9]), bytes([place])) for place in rest], np.array(rest))

    samples = arrays.samples()
    assert samples.features.tolist() == [[number, 9] for number in range(5)]
    assert samples.labels is not None
    assert samples.labels.tolist() == list(range(5))


def test_places_that_stay_empty_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of messages that Kafka has compacted, or that never were messages."""
    monkeypatch.setattr(filling, "_CHUNK", 3)
    arrays = Filling(BYTES, 100, memory=1000)
    places = np.array([3, 4, 50, 97, 98])

    arrays.take([message(bytes([place, 9]), bytes([place])) for place in places], places)

    samples = arrays.samples()
    assert samples.features[:, 0].tolist() == places.tolist()
    assert samples.labels is not None
    assert samples.labels.tolist() == places.tolist()


def test_nothing_is_a_reason() -> None:
    for prepared in (False, True):
        arrays = Filling(BYTES, 3, memory=1000)
        if prepared:
            arrays.prepare()
        with pytest.raises(DataError, match="hold no samples"):
            arrays.samples()


def test_a_shape_follows_from_the_first_message() -> None:
    decoder = formats.decoder("RAW", {"data_type": "uint8", "label_type": "uint8"})

    samples = filled(decoder, [message(b"\1\2\3", b"\1\2")] * 2)

    assert samples.labels is not None
    assert (samples.features.shape, samples.labels.shape) == ((2, 3), (2, 2))


def test_pictures_without_a_label_are_left_out() -> None:
    from tests.training.data.test_pictures import jpeg

    decoder = formats.decoder("JPEG", {"labels": ["cat", "dog"], "size": [8, 8]})
    value = jpeg(8, 8)

    samples = filled(
        decoder, [message(value, b""), message(value), message(value, None), message(value, b"\0")]
    )

    assert samples.labels is not None
    assert samples.labels.tolist() == [1, 0]


def test_without_labels() -> None:
    decoder = formats.decoder("RAW", {"data_type": "uint8", "data_reshape": "2"}, labelled=False)

    assert filled(decoder, [message(b"\1\2", b"\0"), message(b"\1\2", None)]).labels is None


GOOD = message(b"\1\2", offset=4)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (message(b"\1\2\3"), "value: 3 bytes, expected 2: uint8 of shape 2"),
        (message(None), "no value"),
        (message(b"\1\2", None), "no key"),
        (message(b"\1\2", b""), "label: 0 bytes, expected 1"),
    ],
    ids=["long", "no value", "no key", "empty key"],
)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "second"])
def test_a_message_that_does_not_fit_is_named(bad: Message, reason: str, is_first: bool) -> None:
    messages = [bad, GOOD] if is_first else [GOOD, bad]

    with pytest.raises(DataError, match=f"topic digits, partition 3, offset 5: {reason}"):
        filled(BYTES, messages)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf], ids=str)
def test_numbers_that_are_not_finite_are_refused_unless_they_are_accepted(number: float) -> None:
    good, key = message(floats(1, 2), floats(1).tobytes(), 4), floats(1).tobytes()
    bad, bad_key = message(floats(1, number), key), message(floats(1, 2), floats(number).tobytes())

    with pytest.raises(DataError, match=f"offset 5: value: {number}, expected numbers"):
        filled(FLOATS, [good, bad])
    with pytest.raises(DataError, match=f"offset 5: label: {number}, expected numbers"):
        filled(FLOATS, [good, bad_key])
    assert filled(FLOATS, [good, bad], accepts_nan=True).features.shape == (2, 2)


@pytest.mark.parametrize(
    ("decoder", "key", "label"),
    [(BYTES, b"\3", "3"), (FLOATS, floats(-1).tobytes(), "-1"), (FLOATS, floats(1.5).tobytes(), "1.5")],
    ids=["above", "below", "between"],
)
def test_labels_beyond_the_classes_are_refused(decoder: Decoder, key: bytes, label: str) -> None:
    value = b"\1\2" if decoder is BYTES else floats(1, 2)

    with pytest.raises(DataError, match=f"offset 5: label: {label}, expected 0 to 2: the model has 3"):
        filled(decoder, [message(value, key)], classes=3)

    assert len(filled(decoder, [message(value, key)])) == 1, "a regression's"


def test_texts_have_their_limit() -> None:
    decoder = formats.decoder("RAW", {"data_type": "string", "label_type": "uint8", "label_reshape": ""})

    assert filled(decoder, [message(b"hello")] * 3).features.tolist() == [["hello"]] * 3
    with pytest.raises(DataError, match="more than CACHEMEMORY, 10"):
        filled(decoder, [message(b"hello")] * 3, memory=10)
