"""Several models from a config file that changes, in a process, over real HTTP."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from tests.parts import Process, free_port, wait_for
from tests.tfserving import toys
from tests.tfserving.server.test_server import SERVER, ask, connected, run
from tfserving.runtime import tf
from tfserving.server.models import warmup

ALL = "model_version_policy { all {} }"
ONE = {"instances": [1]}


def label(name: str, version: int) -> str:
    return f'version_labels {{ key: "{name}" value: {version} }}'


class Server(Process):
    """The server with the models of a config file, which it rereads every second."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.file = folder / "models.config"
        command = [*SERVER, f"--port={free_port()}", f"--rest_api_port={self.port}", *flags]
        command += [f"--model_config_file={self.file}", "--model_config_file_poll_wait_seconds=1"]
        super().__init__(command, {}, folder / "server.log")

    def configure(self, **models: str) -> None:
        """Write the config file: names are those of the models' folders, values are further fields."""
        write(self.file, **models)

    def predict(self, where: str) -> tuple[int, Any]:
        """Return the status and the answer of a model, a version or a label for the number 1."""
        with connected(self.port) as connection:
            return ask(connection, "POST", f"/v1/models/{where}:predict", ONE)

    def states(self, name: str) -> dict[str, str]:
        """Return the state of each version of a model."""
        with connected(self.port) as connection:
            _, answer = ask(connection, "GET", f"/v1/models/{name}")
        return {status["version"]: status["state"] for status in answer.get("model_version_status", [])}

    def says(self, text: str) -> bool:
        """Return whether the log contains a text."""
        return text in self.text

    def reaches(self, name: str, states: dict[str, str]) -> None:
        """Wait until a model's versions are in these states."""
        wait_for(lambda: self.states(name) == states, 30, f"{name} to be {states}")


def write(file: Path, **models: str) -> None:
    """Write a config file atomically, so that the server never reads half of it."""
    entries = (
        f'config {{ name: "{name}" base_path: "{file.parent / name.rstrip("_")}"'
        f' model_platform: "tensorflow" {fields} }}'
        for name, fields in models.items()
    )
    new = file.with_suffix(".new")
    new.write_text(f"model_config_list {{ {' '.join(entries)} }}")
    new.rename(file)


@pytest.fixture(scope="module")
def factors(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Models that multiply by their number."""
    folder = tmp_path_factory.mktemp("factors")
    return {number: toys.save(folder / str(number), factor=float(number)) for number in (1, 2, 3)}


@pytest.fixture(scope="module")
def server(factors: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server with the models a (versions 1 and 2) and b (version 1), which multiply by their version."""
    folder = tmp_path_factory.mktemp("models")
    for number, name in ((1, "a"), (2, "a"), (1, "b")):
        shutil.copytree(factors[number], folder / name / str(number))
    write(folder / "models.config", a=ALL, b="")
    with Server(folder) as server:
        wait_for(lambda: "Exporting HTTP/REST API" in server.text, 60, "the port")
        server.reaches("a", {"2": "AVAILABLE", "1": "AVAILABLE"})
        yield server


@contextmanager
def under_load(server: Server, where: str, threads: int = 4) -> Iterator[list[Any]]:
    """Send requests without a pause from several threads while the block runs; yield the list of answers."""
    answers: list[Any] = []
    done = threading.Event()

    def ask_on() -> None:
        with connected(server.port) as connection:
            while not done.is_set():
                answers.append(ask(connection, "POST", f"/v1/models/{where}:predict", ONE))

    running = [threading.Thread(target=ask_on) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in running:
            thread.join(30)


def answer(factor: float) -> tuple[int, Any]:
    return 200, {"predictions": [factor]}


def test_each_model_answers_for_itself(server: Server) -> None:
    assert server.predict("a") == answer(2.0)
    assert server.predict("a/versions/1") == answer(1.0)
    assert server.predict("b") == answer(1.0)
    assert server.predict("c")[0] == 404


def test_policies_are_followed(server: Server) -> None:
    server.configure(a="model_version_policy { specific { versions: 1 } }", b="")
    server.reaches("a", {"2": "END", "1": "AVAILABLE"})
    specific = server.predict("a")

    server.configure(a="model_version_policy { latest { num_versions: 2 } }", b="")
    server.reaches("a", {"2": "AVAILABLE", "1": "AVAILABLE"})

    server.configure(a="", b="")
    server.reaches("a", {"2": "AVAILABLE", "1": "END"})

    assert specific == answer(1.0)


def test_a_label_moves_under_load_without_a_failed_request(server: Server) -> None:
    server.configure(a=ALL, b="")
    server.reaches("a", {"2": "AVAILABLE", "1": "AVAILABLE"})
    server.configure(a=ALL + label("stable", 1), b="")
    wait_for(lambda: server.predict("a/labels/stable") == answer(1.0), 10, "the label")

    with under_load(server, "a/labels/stable") as answers:
        server.configure(a=ALL + label("stable", 2), b="")
        wait_for(lambda: answers[-1:] == [answer(2.0)], 10, "the label to move")

    assert {status for status, _ in answers} == {200}
    assert answer(1.0) in answers


def test_a_refused_config_changes_nothing(server: Server) -> None:
    server.configure(a=ALL + label("stable", 1), b="")
    wait_for(lambda: server.predict("a/labels/stable") == answer(1.0), 10, "the label")

    for text, complaint in (
        ("nonsense", f"Failed to read ModelServerConfig file: Invalid protobuf file: '{server.file}'"),
        ('model_config_list { config { name: "a" base_path: "a" } }', "to have an absolute path or URI"),
    ):
        server.file.write_text(text)
        wait_for(partial(server.says, complaint), 10, "the complaint")
    server.configure(a=ALL + label("stable", 9), b="")
    wait_for(lambda: "assign label to version 9 of model a" in server.text, 10, "the complaint")

    assert server.predict("a/labels/stable") == answer(1.0)
    assert server.predict("b") == answer(1.0)


def test_models_can_be_added_and_removed(server: Server, factors: dict[int, Path]) -> None:
    shutil.copytree(factors[3], server.folder / "c" / "7")
    server.configure(a="", c="")
    server.reaches("c", {"7": "AVAILABLE"})
    server.reaches("b", {"1": "END"})

    assert server.predict("c") == answer(3.0)
    assert server.predict("b") == (404, {"error": "Servable not found for request: Latest(b)"})
    with connected(server.port) as connection:
        assert ask(connection, "GET", "/v1/models/b")[0] == 200

    server.configure(a="", b="")
    server.reaches("b", {"1": "AVAILABLE"})
    server.reaches("c", {"7": "END"})


def test_a_new_version_takes_over_under_load_without_a_failed_request(
    server: Server, factors: dict[int, Path]
) -> None:
    server.configure(a="", b="")
    server.reaches("b", {"1": "AVAILABLE"})
    shutil.copytree(factors[3], server.folder / "new")

    with under_load(server, "b") as answers:
        (server.folder / "new").rename(server.folder / "b" / "3")
        wait_for(lambda: server.states("b") == {"3": "AVAILABLE", "1": "END"}, 30, "the new version")
        wait_for(lambda: answers[-1:] == [answer(3.0)], 10, "its answers")

    assert {status for status, _ in answers} == {200}
    assert answer(1.0) in answers


def test_a_long_request_holds_up_neither_the_new_version_nor_other_models(
    server: Server, factors: dict[int, Path]
) -> None:
    server.configure(a="", b="")
    server.reaches("a", {"2": "AVAILABLE", "1": "END"})
    with connected(server.port) as busy:
        body = json.dumps({"signature_name": "spin", "inputs": [10**12]}).encode()
        busy.request("POST", "/v1/models/a:predict", body)
        time.sleep(0.3)
        shutil.copytree(factors[3], server.folder / "new")
        (server.folder / "new").rename(server.folder / "a" / "3")
        server.reaches("a", {"3": "AVAILABLE", "2": "UNLOADING", "1": "END"})

        server.configure(a=ALL, b="", a_=ALL)
        server.reaches("a_", dict.fromkeys("321", "AVAILABLE"))
        assert server.states("a")["2"] == "UNLOADING"


def write_warmup(folder: Path, *names: str) -> None:
    """Write warm-up requests: predict requests for signatures of the toy model."""
    file = folder / warmup.FILE
    file.parent.mkdir()
    with tf.io.TFRecordWriter(str(file)) as writer:
        for name in names:
            log = PredictionLog()
            log.predict_log.request.model_spec.name = "another"
            log.predict_log.request.model_spec.signature_name = name
            log.predict_log.request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
            writer.write(log.SerializeToString())


def test_a_version_whose_warm_up_fails_is_not_served(server: Server, factors: dict[int, Path]) -> None:
    server.configure(a="", b="", w="")
    good, wrong = server.folder / "good", server.folder / "wrong"
    shutil.copytree(factors[1], good)
    write_warmup(good, "serving_default", "one_in_two_out")
    shutil.copytree(factors[2], wrong)
    write_warmup(wrong, "serving_default", "none")
    (server.folder / "w").mkdir()

    good.rename(server.folder / "w" / "1")
    server.reaches("w", {"1": "AVAILABLE"})
    wrong.rename(server.folder / "w" / "2")
    server.reaches("w", {"2": "LOADING", "1": "AVAILABLE"})
    wait_for(lambda: "{name: w version: 2} failed: " in server.text, 10, "the failure")

    assert "Number of warmup records read: 2." in server.text
    assert server.predict("w") == answer(1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "NOT_FOUND: {file}; No such file or directory"),
        ("nonsense", "INVALID_ARGUMENT: Invalid protobuf file: '{file}'"),
        (
            'config { name: "a" base_path: "/a" model_platform: "tensorflow" ' + label("stable", 1) + "}",
            "FAILED_PRECONDITION: Request to assign label to version 1 of model a, which is not currently"
            " available for inference",
        ),
    ],
)
def test_a_wrong_config_at_the_start_is_reported(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "models.config"
    if text is not None:
        file.write_text(f"model_config_list {{ {text} }}")

    ended = run(f"--model_config_file={file}")

    assert ended.returncode == 1
    assert f"Failed to start server. Error: {reason.format(file=file)}" in ended.stderr.splitlines()
