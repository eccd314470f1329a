"""Decoders for what control messages say."""

from typing import Any

import numpy as np
import pytest

from tests.training.data.test_avro import schema
from training.data import formats

RAW = {"data_type": "uint8", "label_type": "uint8", "data_reshape": "2 2", "label_reshape": "1"}


def test_raw() -> None:
    decoder = formats.decoder("RAW", RAW)

    assert decoder.features(b"\1\2\3\4").tolist() == [[1, 2], [3, 4]]
    assert decoder.label(b"\7").tolist() == [7]
    assert decoder.shape == (2, 2)
    assert decoder.dtype == np.uint8


def test_raw_without_shapes() -> None:
    """Kafka-ML cannot train with these."""
    decoder = formats.decoder("RAW", {"data_type": "uint8", "label_type": "float32"})

    assert decoder.shape == (-1,)
    assert decoder.features(b"\1\2\3").tolist() == [1, 2, 3]
    assert decoder.settled(b"\1\2\3", bytes(4)).shape == (3,)


def test_avro() -> None:
    decoder = formats.decoder("AVRO", {"data_scheme": schema("int"), "label_scheme": schema("boolean")})

    assert decoder.features(b"\2").tolist() == [1]
    assert decoder.label(b"\1").tolist() == [True]


def test_jpeg() -> None:
    decoder = formats.decoder("JPEG", {"labels": ["cat", "dog"], "size": [4, 6]})

    assert decoder.shape == (4, 6, 3)
    assert decoder.names == ("cat", "dog")
    assert decoder.label(b"\1").tolist() == 1


def test_messages_without_labels_need_no_description_of_them() -> None:
    for name, config in (
        ("RAW", {"data_type": "uint8", "data_reshape": "1"}),
        ("AVRO", {"data_scheme": schema("int")}),
        ("JPEG", {"labels": ["cat"], "size": [4, 6]}),
    ):
        decoder = formats.decoder(name, config, labelled=False)
        assert decoder.keys is None
        with pytest.raises(ValueError, match="without labels"):
            decoder.label(b"\0")


@pytest.mark.parametrize(
    ("name", "config", "reason"),
    [
        ("RAW", {}, "RAW: data_type None"),
        ("RAW", {**RAW, "label_type": "colour"}, "RAW: label_type 'colour'"),
        ("RAW", {**RAW, "data_reshape": "28x28"}, "RAW: data_reshape '28x28'"),
        ("AVRO", {"data_scheme": schema("int")}, "AVRO: label_scheme"),
        ("JPEG", {"labels": ["cat"]}, "JPEG: size None"),
        ("JSON", {}, "for inference only"),
        ("raw", RAW, "expected RAW, AVRO or JPEG"),
        ("x" * 1000, {}, "expected RAW, AVRO or JPEG"),
    ],
    ids=[f"bad-{number}" for number in range(8)],
)
def test_what_cannot_be_decoded_is_refused(name: str, config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        formats.decoder(name, config)

    assert len(str(caught.value)) < 300
