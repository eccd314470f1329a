"""TensorFlow Serving gets flags that it supports, and serves the model that the consumer uses."""

import json
import re
import shlex
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import SERVING
from tests.k8s import environment
from tests.k8s.dockerfiles import stages
from tests.k8s.environment import Variables
from tests.k8s.flags import FLAGS, is_known
from tests.k8s.manifests import (
    SYSTEMS,
    Documents,
    name_of,
    of_kind,
    pod_of,
    ports_of,
    read,
    system,
    workload,
)
from tests.parts import ROOT
from tfserving.server import flags
from training.versions import library
from training.versions.config import write

MODEL = "imagenet"
INT8 = "imagenet_int8"
CONFIG = "tfserving/precisions.config"
FIRST = "tfserving/models.config"
STORE = "/var/lib/streamlens/models"
PRECISIONS = {"imagenet_8": INT8, "imagenet_32": MODEL}

PER_MODEL = ("port", "rest_api_port", "model_name", "model_base_path")

# The arguments of the image's entry point, which come before the container's own.
ENTRY_POINT = (
    "--port=8500",
    "--rest_api_port=8501",
    f"--model_name={MODEL}",
    f"--model_base_path=/models/{MODEL}",
)


def on_kubernetes(documents: Documents) -> list[str]:
    """Return the arguments in the manifests."""
    (container,) = pod_of(workload(documents, "tfserving"))["containers"]
    assert "command" not in container, "it would replace the entry point"
    arguments: list[str] = container.get("args", [])
    return arguments


def in_compose() -> list[str]:
    """Return the arguments in the Compose file."""
    (file,) = read("tfserving/docker-compose.yml")
    service = file["services"]["tfserving"]
    assert "entrypoint" not in service
    command = service.get("command", [])
    return shlex.split(command) if isinstance(command, str) else command


def check(arguments: list[str]) -> None:
    """Check the arguments that are appended to the entry point's."""
    names = [argument.removeprefix("--").partition("=")[0] for argument in arguments]

    assert [argument for argument in arguments if not is_known(argument)] == []
    assert set(names).isdisjoint(PER_MODEL), "the entry point gives it"
    assert len(set(names)) == len(names)
    parsed = flags.parse([*ENTRY_POINT, *arguments])
    assert (parsed.port, parsed.rest_api_port, parsed.model_name) == (8500, 8501, MODEL)


def test_the_flags_on_kubernetes_exist(documents: Documents) -> None:
    check(on_kubernetes(documents))


def test_the_flags_in_compose_exist() -> None:
    check(in_compose())


@pytest.mark.parametrize(
    ("argument", "known"),
    [
        ("--rest_api_timeout_in_ms=2000", True),
        ("--enable_batching", True),
        ("--enable_batching=true", True),
        ("--model_config_file=/models/models.config", True),
        ("--rest_api_timeout_in_ms", False),
        ("--rest_api_timeout_in_ms=2s", False),
        ("--rest_api_timeout_ms=2000", False),
        ("--enable_batching=yes", False),
        ("-enable_batching", False),
        ("2000", False),
    ],
)
def test_only_valid_flags_are_accepted(argument: str, known: bool) -> None:
    assert is_known(argument) is known


def test_our_own_server_has_only_flags_of_tensorflow_serving_and_a_host() -> None:
    names = list(flags.Flags.__dataclass_fields__)

    assert [name for name in names if name not in FLAGS] == ["host"]


def test_ports_match_the_entry_point(documents: Documents) -> None:
    (service,) = (
        each for each in of_kind(documents, "Service") if each["metadata"]["name"] == "tfserving-service"
    )
    (file,) = read("tfserving/docker-compose.yml")

    expected = {"rest": 8501, "grpc": 8500}
    assert ports_of(workload(documents, "tfserving")) == expected
    assert {port["name"]: port["port"] for port in service["spec"]["ports"]} == expected
    published = file["services"]["tfserving"]["ports"]
    assert published == [f"127.0.0.1:{port}:{port}" for port in expected.values()]


def test_the_image_is_tensorflow_serving_with_the_model() -> None:
    image = stages("tfserving")[-1]

    assert image[0].value == SERVING
    assert [line.value for line in image if line.name == "ENV"] == [f"MODEL_NAME={MODEL}"]
    assert [line.words for line in image if line.name == "COPY"] == [
        [f"/models/{MODEL}"] * 2,
        [f"/models/{INT8}"] * 2,
        [CONFIG, "/models/"],
        [FIRST, f"{STORE}/"],
    ]
    assert {line.name for line in image}.isdisjoint({"ENTRYPOINT", "CMD"})


def models(consumer: Variables, hosts: set[str], served: dict[str, str]) -> None:
    """Check the models' addresses in a consumer's environment."""
    urls, labels = json.loads(consumer["MODELURLS"]), json.loads(consumer["LABELURLS"])

    assert list(urls) == list(labels) == list(served)
    for name, model in served.items():
        address = urlsplit(urls[name])
        assert (address.scheme, address.port, address.path) == ("http", 8501, f"/v1/models/{model}:predict")
        assert address.hostname in hosts


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_consumer_asks_for_the_model_on_kubernetes(name: str) -> None:
    documents = system(name)
    consumer = workload(documents, "consumer")
    (container,) = pod_of(consumer)["containers"]

    hosts = {service["metadata"]["name"] for service in of_kind(documents, "Service")}
    served = PRECISIONS if name == "int8" else {f"{MODEL}_1": MODEL}
    models(environment.kubernetes(consumer, container, documents), hosts, served)


def test_the_consumer_asks_for_the_model_in_compose() -> None:
    hosts = {alias for _, service, alias in environment.aliases() if service == "tfserving"}

    models(environment.compose("consumer", "consumer"), hosts, {f"{MODEL}_1": MODEL})


def test_in_compose_both_precisions_are_asked_for_and_served() -> None:
    (file,) = read("compose/int8.yml")
    consumer, training = file["services"]["consumer"], file["services"]["training"]
    hosts = {alias for _, service, alias in environment.aliases() if service == "tfserving"}

    models(consumer["environment"], hosts, PRECISIONS)
    # The server reads the list that the training service writes, of these models and of trained ones.
    bases = json.loads(training["environment"]["BASEMODELS"])
    assert bases == {model: f"/models/{model}" for model in PRECISIONS.values()}
    assert file["services"].keys() == {"consumer", "training"}
    assert (consumer.keys(), training.keys()) == ({"environment"}, {"environment"})


def test_on_kubernetes_both_precisions_are_served_and_nothing_else_differs() -> None:
    changed, base = system("int8"), system("base")

    flag = f"--model_config_file=/models/{CONFIG.rpartition('/')[2]}"
    assert on_kubernetes(changed) == [*on_kubernetes(base), flag]
    differ = [name_of(each) for each in changed if each not in base]
    assert sorted(differ) == ["Deployment consumer", "Deployment tfserving"]


def test_the_configuration_names_the_models_of_the_image() -> None:
    text = (ROOT / CONFIG).read_text()

    listed = re.findall(r'name: "(\w+)" base_path: "([/\w]+)" model_platform: "tensorflow"', text)
    assert dict(listed) == {model: f"/models/{model}" for model in PRECISIONS.values()}
    (exports,) = (line.value for line in stages("tfserving")[0] if "tfserving.export" in line.value)
    folders = re.findall(r"python -m tfserving\.export (\S+)( --precision int8)?", exports)
    assert folders == [(f"/models/{MODEL}", ""), (f"/models/{INT8}", " --precision int8")]


def test_the_probes_ask_for_the_models_own_state(documents: Documents) -> None:
    (container,) = pod_of(workload(documents, "tfserving"))["containers"]

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": f"/v1/models/{MODEL}", "port": "rest"}


def test_in_compose_the_model_server_reads_what_the_training_service_writes(tmp_path: Path) -> None:
    (training,), (serving,), (whole,) = (
        read(f"{folder}/docker-compose.yml") for folder in ("training", "tfserving", "compose")
    )
    given = environment.compose("training", "training")

    assert given["MODELSTORE"] == STORE
    assert in_compose() == [
        f"--model_config_file={STORE}/{library.CONFIG}",
        "--model_config_file_poll_wait_seconds=5",
    ]
    assert f"models:{STORE}" in training["services"]["training"]["volumes"]
    assert serving["services"]["tfserving"]["volumes"] == [f"models:{STORE}:ro"]
    name = {"name": "${MODELSVOLUME:-streamlens-models}"}
    assert all(file["volumes"]["models"] == name for file in (training, serving, whole))

    # Whichever container is created first, the server finds its own model in a new volume.
    write(
        tmp_path / library.CONFIG,
        {model: Path(path) for model, path in json.loads(given["BASEMODELS"]).items()},
    )
    first = (ROOT / FIRST).read_text()
    assert first.partition("\n")[2] == (tmp_path / library.CONFIG).read_text()
    for image in ("training", "tfserving"):
        copied = [line.value for line in stages(image)[-1] if FIRST in line.value]
        assert copied == [f"--chown=65532:65532 {FIRST} {STORE}/"]
    assert PurePosixPath(FIRST).name == library.CONFIG
