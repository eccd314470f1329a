"""What a worker keeps, and finds again."""

from pathlib import Path

import numpy as np
import pytest

from training.data.samples import Samples, split
from training.federated.held import Held, Trained
from training.federated.weights import pack

WEIGHTS, DATA = pack([np.ones(2, np.float32)])
TRAINED = Trained(3, WEIGHTS, {"loss": 0.5}, {"loss": None})


@pytest.fixture
def held(tmp_path: Path) -> Held:
    found = Held(tmp_path / "x")
    found.prepare()
    return found


def test_samples_are_found_again(held: Held) -> None:
    samples = Samples(np.arange(10), np.arange(10))
    assert held.sizes() is None

    sizes = held.save(split(samples, 0.2, 0.1, seed=0), samples)

    assert sizes == {"training": 7, "test": 1, "validation": 2}
    assert Held(held.folder).sizes() == sizes
    assert sorted(np.load(held.data / "features.npy")) == list(range(10))


def test_samples_need_labels(held: Held) -> None:
    samples = Samples(np.arange(10), None)

    with pytest.raises(ValueError, match="the messages have no labels"):
        held.save(split(samples, 0, 0, seed=0), samples)


def test_an_answer_is_sent_until_it_is_noted(held: Held) -> None:
    held.update.write_bytes(DATA)
    assert held.unsent() is None

    held.keep(TRAINED)
    assert Held(held.folder).unsent() == TRAINED

    held.note_answered(3)
    assert held.answered == 3
    assert Held(held.folder).unsent() is None


def test_an_answer_without_its_weights_is_none(held: Held) -> None:
    held.keep(TRAINED)

    assert held.unsent() is None


def test_files_that_are_broken_are_none(held: Held) -> None:
    for name in ("sizes", "update", "answered"):
        (held.folder / f"{name}.json").write_text("[")

    assert (held.sizes(), held.unsent(), held.answered) == (None, None, 0)


def test_of_a_training_that_is_over_only_that_is_left(held: Held) -> None:
    held.note_answered(3)
    assert not held.is_over

    held.end()

    assert held.is_over
    assert [each.name for each in held.folder.iterdir()] == ["over"]
