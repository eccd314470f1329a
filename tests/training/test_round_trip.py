"""What sinks send is what a training reads: through the topics of a Kafka in this process."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.kafka import clients
from tests.parts import ROOT
from tests.training.data.test_avro import TYPES, VALUES, schema
from tests.training.data.test_raw import SAMPLES
from tests.training.kafka import FakeKafka
from training.client import AvroSink, RawSink
from training.control.message import ControlMessage, parse
from training.data import formats, reading, writing
from training.data.samples import Samples
from training.federated import names
from training.sink import CONTROL_TOPIC

KAFKA = "localhost:9092"
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "training/CLIENT.md").read_text(), re.DOTALL)


@contextmanager
def running() -> Iterator[FakeKafka]:
    """A Kafka that sinks and trainings use."""
    kafka = FakeKafka()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients, "consumer", kafka.consumer)
        patch.setattr(clients, "producer", kafka.producer)
        patch.setattr(writing, "time", kafka.clock)
        yield kafka


def controlled(kafka: FakeKafka, topic: str = CONTROL_TOPIC) -> ControlMessage:
    """Return the only control message."""
    (message,) = (each for partition in kafka.topics[topic] for each in partition.messages.values())
    return parse(message.key(), message.value())


def trained_on(kafka: FakeKafka, topic: str = CONTROL_TOPIC) -> Samples:
    """Return the samples that the only control message is about."""
    message = controlled(kafka, topic)
    decoder = formats.decoder(message.input_format, message.input_config)
    return reading.read(message.ranges, decoder, KAFKA, accepts_nan=True)


@given(SAMPLES, st.integers(1, 3))
def test_arrays_of_every_type_and_shape(samples: list[NDArray[np.generic]], partitions: int) -> None:
    with running() as kafka:
        kafka.add("data", partitions)
        with RawSink(KAFKA, "data", 300) as sink:
            for number, sample in enumerate(samples):
                sink.send(sample, np.uint8(number))

        found = trained_on(kafka)

        assert controlled(kafka).deployment == 300
        assert controlled(kafka).total_msg == len(samples)
    shape = samples[0].shape or (1,)
    expected = np.array(samples).reshape(-1, *shape)
    assert found.features.dtype == samples[0].dtype
    assert np.array_equal(found.features, expected, equal_nan=expected.dtype.kind in "fc")
    assert found.labels is not None
    assert found.labels[:, 0].tolist() == list(range(len(samples)))


ROWS = TYPES.flatmap(
    lambda types: st.tuples(
        st.just(types), st.lists(st.tuples(*(VALUES[kind] for kind in types)), min_size=1, max_size=4)
    )
)


@given(ROWS, st.integers(1, 3))
def test_records_of_every_type(rows: tuple[list[str], list[tuple[Any, ...]]], partitions: int) -> None:
    types, numbers = rows
    with running() as kafka:
        kafka.add("data", partitions)
        with AvroSink(KAFKA, "data", 1, schema(*types), schema("int")) as sink:
            for label, row in enumerate(numbers):
                sink.send({f"f{number}": each for number, each in enumerate(row)}, {"f0": label})

        found = trained_on(kafka)

    assert found.features.tolist() == np.array(numbers, found.features.dtype).tolist()
    assert found.labels is not None
    assert found.labels[:, 0].tolist() == list(range(len(numbers)))


@pytest.mark.parametrize(
    ("number", "topic", "deployment", "shape"),
    [
        (0, CONTROL_TOPIC, 1, (1000, 28, 28)),
        (1, CONTROL_TOPIC, 2, (2, 2)),
        (2, CONTROL_TOPIC, 3, (1, 96, 128, 3)),
        (3, names.DATA, 0, (1000, 64)),
    ],
    ids=range(4),
)
def test_the_examples_of_the_manual(number: int, topic: str, deployment: int, shape: tuple[int, ...]) -> None:
    with running() as kafka:
        exec(EXAMPLES[number], {})

        found = trained_on(kafka, topic)

        assert controlled(kafka, topic).deployment == deployment
    assert found.features.shape == shape
    assert len(EXAMPLES) == 4
