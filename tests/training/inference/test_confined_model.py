"""A model in a restricted process: it answers, and whatever happens to it, the next one does."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from pipeline.service.workers import Pulse
from tests.parts import ROOT, wait_for
from training.inference.confined_model import ConfinedModel
from training.inference.model import AwayError, LostError, RefusedError
from training.job.service import AwayError as ServiceAwayError

pytestmark = pytest.mark.parts


class Running:
    """A model whose worker runs in a thread."""

    def __init__(self, error: Exception | None = None) -> None:
        self.about: dict[str, Any] = {}
        self.error = error
        self.fetched = list[Path]()
        self.pulse = Pulse(threading.Event())
        self.model = ConfinedModel(
            self._fetch,
            timeout=3,
            task="tests.training.inference.plain",
            read=[ROOT / "tests"],
            pauses=(0.05,),
        )
        self._others = psutil.Process().children()  # of other tests, which may still end
        self._thread = threading.Thread(target=self.model.run, args=(self.pulse,))
        self._thread.start()

    def ready(self) -> ConfinedModel:
        wait_for(lambda: self.model.unready() is None, 60, "the model")
        return self.model

    def processes(self) -> list[psutil.Process]:
        return [each for each in psutil.Process().children() if each not in self._others]

    def stop(self) -> None:
        self.pulse.stopping.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _fetch(self, folder: Path) -> Mapping[str, Any]:
        self.fetched.append(folder)
        if self.error is not None:
            raise self.error
        (folder / "model").write_bytes(b"weights")
        return {**self.about, "model": str(folder / "model")}


@pytest.fixture
def running() -> Iterator[Running]:
    found = Running()
    yield found
    found.stop()
    assert not any(folder.exists() for folder in found.fetched)


def rows(*numbers: int) -> Any:
    return np.array(numbers, np.uint8).reshape(-1, 1)


def test_it_answers(running: Running) -> None:
    model = running.ready()

    assert model.predict(rows(1, 2, 3), []).tolist() == [1, 2, 3]
    large = np.ones((1000, 784), np.float32)
    assert model.predict(large, []).tolist() == [784] * 1000
    assert model.predict(np.full((1, 5, 2), 2, np.int64), []).tolist() == [20]


def test_what_the_model_raises_refuses_the_question_only(running: Running) -> None:
    model = running.ready()
    process = running.processes()

    with pytest.raises(RefusedError, match="ValueError: 252 is not a number that it likes"):
        model.predict(rows(252), [])
    with pytest.raises(RefusedError, match="line 3 of the code: no"):
        model.predict(rows(254), [])
    with pytest.raises(RefusedError, match="for 2 samples: expected numbers, a row for each"):
        model.predict(rows(253, 1), [])

    assert model.predict(rows(7), []).tolist() == [7]
    assert running.processes() == process


@pytest.mark.parametrize(("number", "reason"), [(250, "has ended"), (251, "gave no answer in time")])
def test_a_model_that_is_lost_is_loaded_again(running: Running, number: int, reason: str) -> None:
    with pytest.raises(LostError, match=f"the model.* {reason}"):
        running.ready().predict(rows(number), [])

    assert running.ready().predict(rows(7), []).tolist() == [7]
    assert len(running.fetched) == 2


def test_a_model_that_cannot_be_loaded_says_why() -> None:
    running = Running(ServiceAwayError("the training service does not answer"))
    try:
        wait_for(lambda: "training service" in (running.model.unready() or ""), 20, "the reason")
        with pytest.raises(AwayError, match="the training service does not answer"):
            running.model.predict(rows(1), [])

        running.about, running.error = {"trouble": "the model's file is broken"}, None
        wait_for(lambda: "is broken" in (running.model.unready() or ""), 60, "the reason")

        running.about = {}
        assert running.ready().predict(rows(7), []).tolist() == [7]
    finally:
        running.stop()


def test_it_ends_its_process_at_once(running: Running) -> None:
    running.ready()
    (process,) = running.processes()

    running.stop()

    assert not process.is_running()
    assert running.model.unready() is not None


def test_a_part_of_a_chain_gives_both_outputs(running: Running) -> None:
    running.about = {"both": True}
    model = running.ready()

    upper, own = model.predict_both(rows(1, 2), [b"", b""])

    assert (upper.tolist(), own.tolist()) == ([[1], [2]], [1, 2])
    with pytest.raises(RefusedError, match="expected numbers, a row for each"):
        model.predict_both(rows(249, 2), [b"", b""])
    with pytest.raises(RefusedError, match="line 3 of the code: no"):
        model.predict_both(rows(254, 2), [b"", b""])
    assert model.predict_both(rows(3), [b""])[1].tolist() == [3]
