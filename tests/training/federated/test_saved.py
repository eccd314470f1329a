"""An aggregator that was killed is where its round began."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.federated.test_aggregation import TERMS, TOPICS, World
from training.federated import saved
from training.federated.aggregation import Aggregation
from training.federated.saved import Begun, Saved
from training.federated.strategies import Options, Server


def again(found: Saved) -> Aggregation:
    aggregation = Aggregation(
        TOPICS,
        found.begun.weights,
        found.begun.trained,
        server=Server("FedAdam", Options()),
        terms=TERMS,
    )
    found.restore(aggregation)
    return aggregation


def test_all_of_a_training_is_restored(tmp_path: Path) -> None:
    world = World(server=Server("FedAdam", Options())).begun("ann", "eve")
    world.answer("ann", 1, 2)
    world.answer("eve", float("nan"), 2)
    world.found.close()
    begun = Begun(world.found.weights, [True], (None, 8), (10,))

    saved.save(tmp_path / "file.npz", "job 1", begun, world.found, offsets={0: 5}, time=12.5)
    found = saved.load(tmp_path / "file.npz", "job 1")

    assert saved.load(tmp_path / "file.npz", "job 2") is None, "of another training"
    assert found is not None
    assert (found.offsets, found.time) == ({0: 5}, 12.5)
    assert (found.begun.input_shape, found.begun.output_shape, found.begun.trained) == (
        (None, 8),
        (10,),
        [True],
    )
    aggregation = again(found)
    assert aggregation.version == 1
    assert aggregation.has_begun
    assert aggregation.weights[0].tolist() == world.found.weights[0].tolist()
    assert aggregation.weights[0].dtype == np.float32
    assert aggregation.clients == world.found.clients
    assert aggregation.history == world.found.history
    for one, other in zip(aggregation.server.moments, world.found.server.moments, strict=True):
        assert [each.tolist() for each in one] == [each.tolist() for each in other]
    assert [each.name for each in tmp_path.iterdir()] == ["file.npz"]


def test_a_training_that_begins_has_nothing_to_restore() -> None:
    aggregation = again(Saved(Begun([np.zeros(2)], [True], (2,), (2,))))

    assert (aggregation.version, aggregation.has_begun, aggregation.clients) == (0, False, {})


@pytest.mark.parametrize("content", [None, b"", b"PK\3\4", b"nonsense"], ids=str)
def test_what_cannot_be_used_is_none(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "file.npz"
    if content is not None:
        file.write_bytes(content)

    assert saved.load(file, "job 1") is None
