"""Graphs run with any tensors that their operations accept."""

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.tfserving.toys import DTYPES
from tfserving.server.errors import Code, ServingError
from tfserving.server.graph.saved import Runtime, SavedModel


@pytest.fixture(scope="module")
def model(toy: Path) -> Iterator[SavedModel]:
    model = SavedModel(toy / "1", Runtime(timeout_ms=500))
    yield model
    model.close()


def test_outputs_are_returned_by_alias(model: SavedModel) -> None:
    outputs = model.run("two", {"b": np.array([10], np.int32), "a": np.array([1], np.int32)})

    assert outputs["sum"].tolist() == [11]
    assert outputs["text_bytes"].tolist() == [b"1"]


@pytest.mark.parametrize("shape", [(2,), (2, 2), ()])
def test_declared_shapes_are_not_enforced(model: SavedModel, shape: tuple[int, ...]) -> None:
    outputs = model.run("serving_default", {"x": np.ones(shape, np.float32)})

    assert outputs["y"].shape == shape
    assert (outputs["y"] == 2).all()


@pytest.mark.parametrize("value", [b"", b"a\0", b"\xff"])
def test_a_string_of_rank_0_stays_as_it_is(model: SavedModel, value: bytes) -> None:
    outputs = model.run("join", {"s": np.array(value, object)})

    assert outputs["text"].shape == ()
    assert outputs["text"].item() == value


@pytest.mark.parametrize(
    ("signature", "feeds", "message"),
    [
        ("matrix", {"x": np.ones(2, np.float32)}, "ndims"),
        ("matrix", {"x": np.ones((1, 3), np.float32)}, "Matrix size-incompatible"),
        ("matrix", {"x": np.ones((1, 2), np.int32)}, "to be float"),
        ("two", {"a": np.ones(2, np.int32), "b": np.ones(3, np.int32)}, "Incompatible shapes"),
    ],
)
def test_tensors_that_the_graph_refuses_are_reported_in_its_words(
    model: SavedModel, signature: str, feeds: dict[str, np.ndarray], message: str
) -> None:
    with pytest.raises(ServingError, match=message) as caught:
        model.run(signature, feeds)

    assert caught.value.code == Code.INVALID_ARGUMENT


def test_signatures_report_their_dtypes(model: SavedModel) -> None:
    assert {name: model.signatures[name].inputs["x"].dtype for name in DTYPES} == {
        name: name for name in DTYPES
    }


def test_metadata_has_the_fields_of_the_protocol(model: SavedModel) -> None:
    signature = model.metadata()["serving_default"]

    assert signature["inputs"]["x"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
        "name": model.signatures["serving_default"].inputs["x"].name,
    }
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert model.metadata()["scalar"]["outputs"]["y"]["tensor_shape"] == {"dim": [], "unknown_rank": False}


def test_a_run_ends_at_its_time_limit(model: SavedModel) -> None:
    started = time.monotonic()

    with pytest.raises(ServingError) as caught:
        model.run("spin", {"turns": np.array([10**12])})

    assert caught.value.code == Code.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 5


def test_closing_ends_active_runs(toy: Path) -> None:
    model = SavedModel(toy / "1", Runtime())
    failures = []

    def run() -> None:
        try:
            model.run("spin", {"turns": np.array([10**12])})
        except ServingError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    model.close()
    thread.join(5)

    assert not thread.is_alive()
    assert [error.code for error in failures] == [Code.CANCELLED]


@pytest.mark.parametrize("signature", ["serving_default", "scalar"])
def test_a_closed_model_runs_nothing(toy: Path, signature: str) -> None:
    model = SavedModel(toy / "1", Runtime())
    model.close()

    with pytest.raises(ServingError) as caught:
        model.run(signature, {"x": np.ones(1, np.float32)})

    assert caught.value.code == Code.CANCELLED


@pytest.mark.parametrize(
    ("content", "code"), [(None, Code.NOT_FOUND), (b"", Code.NOT_FOUND), (b"nonsense", Code.DATA_LOSS)]
)
def test_a_folder_without_a_good_model_is_refused(tmp_path: Path, content: bytes | None, code: Code) -> None:
    if content is not None:
        (tmp_path / "saved_model.pb").write_bytes(content)

    with pytest.raises(ServingError) as caught:
        SavedModel(tmp_path, Runtime())

    assert caught.value.code == code


def test_tags_that_no_graph_has_are_refused(toy: Path) -> None:
    with pytest.raises(ServingError, match="nope") as caught:
        SavedModel(toy / "1", Runtime(tags=("nope",)))

    assert caught.value.code == Code.NOT_FOUND


def test_a_graph_is_found_by_its_tags(toy: Path) -> None:
    with pytest.raises(ServingError, match="train"):
        SavedModel(toy / "1", Runtime(tags=("train",)))


def test_outputs_can_be_chosen(model: SavedModel) -> None:
    feeds = {"a": np.array([1], np.int32), "b": np.array([2], np.int32)}

    assert set(model.run("two", feeds, ["sum"])) == {"sum"}
    assert list(model.run("two", feeds, ["text_bytes", "sum"])) == ["text_bytes", "sum"]


@pytest.mark.parametrize("timeout", [0.2, 0.0, -1.0])
def test_a_run_ends_at_the_time_limit_of_its_request(toy: Path, timeout: float) -> None:
    model = SavedModel(toy / "1", Runtime(timeout_ms=3_600_000))

    with pytest.raises(ServingError) as caught:
        model.run("spin", {"turns": np.array([10**12])}, timeout=timeout)

    assert caught.value.code == Code.DEADLINE_EXCEEDED
    model.close()


def test_a_request_may_have_more_time_than_others(toy: Path) -> None:
    model = SavedModel(toy / "1", Runtime(timeout_ms=1))
    feeds = {"turns": np.array([100_000])}

    with pytest.raises(ServingError):
        model.run("spin", feeds)
    for timeout in (60, math.inf):
        assert model.run("spin", feeds, timeout=timeout)["turns"].tolist() == [100_000]
    model.close()


def test_a_graph_is_optimised_before_its_first_request(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fed = []
    run = SavedModel.run

    def noting(self: SavedModel, name: str, feeds: dict[str, np.ndarray]) -> None:
        fed.append(name)
        with pytest.raises(ServingError, match="to be float but uint8 is provided"):
            run(self, name, feeds)

    monkeypatch.setattr(SavedModel, "run", noting)

    SavedModel(toy / "1", Runtime()).close()

    assert fed == ["serving_default"]
