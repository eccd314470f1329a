"""Secrets are planted wherever one can be configured, and looked for in all that is printed or served."""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote

import numpy as np
import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition

from pipeline.wire import picture
from tests.e2e.test_access import users
from tests.echo_server import EchoServer
from tests.guarded import GuardedKafka
from tests.integration.conftest import Pipeline
from tests.parts import LABELS, ROOT, Process, embedded_broker, free_port, wait_for
from tests.processes import Shown
from tests.producer.http_camera import HttpCamera

SECRETS: Final[Mapping[str, str]] = {
    "camera": "Cam/era&7731",
    "refused camera": "Refused@Cam-4412",
    "typed camera": "Typed-Cam-9932",
    "path": "Path-pw-8080x",
    "query": "Query+tok=5519",
    "Kafka": "Kafka%pw#6623",
    "key": "Ssl-key-pw 1177",
    "client": "Oauth-client-3341",
    "model": "Model pw/2291",
    "model token": "Model-token-8873",
    "model file": "Model-file-token-1029",
    "label": "Label?pw-4451",
    "user": "User-pw: 9092!",
    "wrong user": "Wrong-user-pw-7170",
}
_KAFKA: Final = {
    "sasl.username": "joe",
    "sasl.password": SECRETS["Kafka"],
    "ssl.key.password": SECRETS["key"],
    "sasl.oauthbearer.client.secret": SECRETS["client"],
    "debug": "security,conf,broker",
}
_DEBUG: Final = {"LOGLEVEL": "debug", "KAFKACONFIG": json.dumps(_KAFKA)}


def forms(secret: str) -> set[str]:
    """Return how a secret may be written."""
    encoded = {
        quote(secret),
        quote(secret, safe=""),
        urllib.parse.quote_plus(secret),
        json.dumps(secret)[1:-1],
    }
    in_base64 = {
        base64.b64encode(f"{before}{secret}".encode()).decode().rstrip("=")[:-1]
        for before in ("", "joe:", ":")
    }
    return {secret, *encoded, *in_base64}


def quoted(name: str) -> str:
    """Return a secret as it is written in a link."""
    return quote(SECRETS[name], safe="")


def login_of(name: str) -> str:
    """Return the header Authorization of joe with this password."""
    return "Basic " + base64.b64encode(f"joe:{SECRETS[name]}".encode()).decode()


def found(secrets: Iterable[str], places: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return which secret is in which place."""
    return [
        (secret, place)
        for secret in secrets
        for place, text in places.items()
        if any(form in text for form in forms(secret))
    ]


def answer(url: str, **headers: str) -> tuple[int, str]:
    """Return the status and the text of an answer, with its headers."""
    return _read(urllib.request.Request(url, headers=headers))


def _read(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with _OPENER.open(request, timeout=10) as reply:
            return reply.status, f"{reply.headers}{reply.read().decode(errors='replace')}"
    except HTTPError as error:
        return error.code, f"{error.headers}{error.read().decode(errors='replace')}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)


def health(address: str) -> dict[str, str]:
    """Return what a service's health server answers."""
    paths = ("/healthz", "/readyz", "/metrics", "/ledger", "/nothing")
    return {f"{address}{path}": answer(f"http://{address}{path}")[1] for path in paths}


def records(bootstrap: str, topic: str) -> str:
    """Return everything that is on a topic."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "search"})
    try:
        ends = {
            each: reader.get_watermark_offsets(TopicPartition(topic, each), 10)[1]
            for each in reader.list_topics(topic, 10).topics[topic].partitions
        }
        reader.assign([TopicPartition(topic, each, 0) for each in ends])
        texts = list[str]()
        while len(texts) < sum(ends.values()):
            message = reader.poll(10)
            assert message is not None
            texts.append(f"{message.key()!r} {message.value()!r} {message.headers()!r}")
        return "\n".join(texts)
    finally:
        reader.close()


def command_lines(process: psutil.Process) -> dict[str, str]:
    """Return the command lines and titles of a process and all that it has started."""
    family = [process, *process.children(recursive=True)]
    shown = {each.pid: Shown.of(each) for each in family}
    return {f"the command line of {pid}": " ".join((each.name, *each.command)) for pid, each in shown.items()}


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    """A camera's pictures."""
    return [picture.encode(np.full((240, 320, 3), grey, np.uint8), 85) for grey in range(0, 250, 25)]


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    """A server that repeats what it is asked."""
    with EchoServer() as server:
        yield server


def log_in(page: str, password: str) -> tuple[str, str]:
    """Log joe in; return the cookie, which is empty if that fails, and the answer."""
    data = urllib.parse.urlencode({"name": "joe", "password": password}).encode()
    _, text = _read(urllib.request.Request(f"{page}/login", data, {"Origin": page}))
    cookie = re.search(r"streamlens=([^;]+);", text)
    return (cookie[1] if cookie else ""), text


def pages(page: str, token: str, cookie: str) -> dict[str, str]:
    """Return what the video server answers to visitors of all kinds, also to requests that are wrong."""
    paths = ["/", "/login", "/status", "/api/cameras", "/api/cameras/yard", "/api/session", "/openapi.json"]
    paths += ["/nothing", "/ws", "/snapshot/door.jpg", "/stream/nothing", "/api/cameras/nothing?wait=x"]
    visitors = {
        "nobody": {},
        "a token": {"Authorization": f"Bearer {token}"},
        "a cookie": {"Cookie": f"streamlens={cookie}"},
        "a wrong token": {"Authorization": f"Bearer {token}x"},
        "a broken cookie": {"Cookie": f"streamlens={cookie}x"},
    }
    return {
        f"{path} for {name}": answer(f"{page}{path}", Accept="text/html", **headers)[1]
        for path in paths
        for name, headers in visitors.items()
    }


def test_no_secret_of_a_complete_run_is_printed_or_served(
    tmp_path: Path, jpegs: list[bytes], echo: EchoServer
) -> None:
    file, port = tmp_path / "users.json", free_port()
    users(file, "add", "joe", password=SECRETS["user"])
    token = users(file, "token", "joe", "player").split()[-1]
    page = f"http://127.0.0.1:{port}"
    with HttpCamera(jpegs) as camera:
        own = camera.link.removeprefix("http://")
        links = {
            "door": f"http://joe:{quoted('camera')}@{own}?token={quoted('query')}",
            "yard": f"http://joe:{quoted('refused camera')}@{echo.address}/refuse",
            "gate": f"rtsp://127.0.0.1:1/user=joe_password={SECRETS['path']}_channel=1_stream=0.sdp",
        }
        (tmp_path / "cameras.txt").write_text("".join(f"{name}={link}\n" for name, link in links.items()))
        command = [
            sys.executable,
            "-m",
            "compose",
            "--no-training",
            "--no-model",
            f"--port={port}",
            f"--users={file}",
        ]
        command += ["--producers=2"]
        command += ["--cameras", str(tmp_path / "cameras.txt")]
        command += ["--camera", f"roof=http://joe:{SECRETS['typed camera']}@{echo.address}/refuse"]
        with Process(command, {**_DEBUG, "STATEFOLDER": str(tmp_path)}, tmp_path / "compose.log") as run:
            wait_for(
                lambda: f"{page}/" in run.text and "not every camera delivers" in run.text, 90, "the page"
            )
            cookie, _ = log_in(page, SECRETS["user"])
            refused, login_page = log_in(page, SECRETS["wrong user"])
            bootstrap = run.text.partition("KAFKA_BOOTSTRAP=")[2].split()[0]
            states = records(bootstrap, "status")
            services = set(re.findall(r'"health": "(127[^"]+)"', states))
            places = {
                **command_lines(psutil.Process(run.pid)),
                **{place: text for address in services for place, text in health(address).items()},
                **pages(page, token, cookie),
                "the login page": login_page,
                "the status topic": states,
                "the topic of cameras": records(bootstrap, "cameras"),
                "the kept cameras": (tmp_path / "cameras.json").read_text(),
            }
            assert run.stop(30) == 0
            places["the terminal"] = run.text

    assert cookie
    assert not refused
    assert len(services) == 4, places["the status topic"]
    key = (tmp_path / "cameras.key").read_text().strip()
    assert len(json.loads(places["the kept cameras"])) == 4
    assert places["the topic of cameras"].count("gAAAAA") >= 4
    assert {login_of("refused camera"), login_of("typed camera")} <= echo.seen
    assert "joe logged in" in places["the terminal"]
    assert "sasl.username" in places["the terminal"]  # librdkafka's own lines
    assert "does not accept this user name" in places["/api/cameras/yard for a token"]
    secret = json.loads(file.read_text())["secret"]
    assert found([*SECRETS.values(), token, cookie, secret, key], places) == []


def test_no_secret_of_a_model_server_is_repeated(
    tmp_path: Path, jpegs: list[bytes], echo: EchoServer
) -> None:
    (tmp_path / "token").write_text(SECRETS["model file"])
    models = {
        "imagenet_1": {
            "url": f"http://{echo.address}/v1/models/a:predict",
            "user": "joe",
            "password": SECRETS["model"],
        },
        "imagenet_2": {
            "url": f"http://{echo.address}/refuse?key={quoted('query')}",
            "token": SECRETS["model token"],
        },
        "imagenet_3": {"url": f"http://{echo.address}/x:predict", "token_file": str(tmp_path / "token")},
        "imagenet_4": f"http://{echo.address}/refuse",
    }
    labels = {
        **dict.fromkeys(models, str(LABELS)),
        "imagenet_4": f"http://joe:{quoted('label')}@{echo.address}/refuse/labels.json?sig={quoted('query')}",
    }
    settings = {**_DEBUG, "MODELURLS": json.dumps(models), "LABELURLS": json.dumps(labels)}
    expected = {
        login_of("model"),
        f"Bearer {SECRETS['model token']}",
        f"Bearer {SECRETS['model file']}",
        login_of("label"),
    }
    with ExitStack() as stack:
        camera = stack.enter_context(HttpCamera(jpegs))
        bootstrap, _ = stack.enter_context(embedded_broker(tmp_path))
        pipeline = Pipeline(bootstrap, tmp_path, stack.enter_context)
        pipeline.producer("door", camera.link).ready()
        consumer = pipeline.consumer(**settings)
        wait_for(lambda: expected <= echo.seen, 60, f"requests with all logins, found {echo.seen}")
        unready = f"{consumer.health}/readyz"
        wait_for(lambda: all(f"model {name}" in answer(unready)[1] for name in models), 60, "reasons")
        wait_for(lambda: "model imagenet_1" in records(bootstrap, pipeline.topic_status), 60, "the status")
        places = {
            **health(consumer.health.removeprefix("http://")),
            **command_lines(psutil.Process(consumer.pid)),
            "the status topic": records(bootstrap, pipeline.topic_status),
            "the predictions": records(bootstrap, pipeline.topic_out),
        }
        assert consumer.stop() == 0
        places["the log"] = consumer.text

    assert "cannot serve" in places["the log"]
    assert found(SECRETS.values(), places) == []


def test_no_secret_is_printed_while_kafka_does_not_offer_a_login(tmp_path: Path, jpegs: list[bytes]) -> None:
    said = "Failed to initialize SASL authentication"
    with ExitStack() as stack:
        bootstrap, _ = stack.enter_context(embedded_broker(tmp_path))
        camera = stack.enter_context(HttpCamera(jpegs))
        places = refused_by(bootstrap, {"security.protocol": "SASL_PLAINTEXT"}, tmp_path, camera.link, said)

    assert found(SECRETS.values(), places) == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_no_secret_is_printed_if_a_real_kafka_refuses_the_login(
    guarded_kafka: GuardedKafka, tmp_path: Path, mechanism: str, jpegs: list[bytes]
) -> None:
    login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": mechanism}

    with HttpCamera(jpegs) as camera:
        places = refused_by(
            guarded_kafka.ports["SASL_PLAINTEXT"], login, tmp_path, camera.link, "in KAFKACONFIG"
        )

    assert found(SECRETS.values(), places) == []


def refused_by(
    bootstrap: str, login: Mapping[str, str], folder: Path, link: str, said: str
) -> dict[str, str]:
    """Start all services at a Kafka that does not accept their login; return what they say."""
    config = {**_KAFKA, "sasl.mechanism": "PLAIN", "debug": "all", **login}
    settings = {**_DEBUG, "KAFKACONFIG": json.dumps(config)}
    with ExitStack() as stack:
        pipeline = Pipeline(bootstrap, folder, stack.enter_context)
        services = [
            pipeline.producer("door", link, **settings),
            pipeline.consumer(**settings),
            pipeline.video(**settings),
        ]
        for service in services:
            wait_for(lambda: said in service.text, 60, f"{service.log.name} to say: {said}")  # noqa: B023
        places = dict[str, str]()
        for service in services:
            places |= health(service.health.removeprefix("http://"))
            places |= command_lines(psutil.Process(service.pid))
            service.stop()
            places[service.log.name] = service.text
    return places


def started(kind: str, **settings: str) -> str:
    """Return what a service prints that does not accept its settings."""
    environment = {**os.environ, "KAFKAPORT": "kafka:1", "KAFKAPORTIN": "kafka:1", "KAFKAPORTOUT": "kafka:1"}
    command = [sys.executable, "-m", kind]
    run = subprocess.run(
        command,
        env={**environment, **_DEBUG, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    return run.stdout + run.stderr


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("producer", "VIDEOLINK", f"http://joe:{SECRETS['camera']}@host/"),
        ("producer", "VIDEOLINK", f"onvif://joe:{SECRETS['camera']}@host/"),
        ("producer", "VIDEOLINK", f"rtsp://joe:{SECRETS['path']}"),
        ("producer", "KAFKAPORT", f"joe:{SECRETS['Kafka']}@kafka:9092"),
        (
            "producer",
            "KAFKACONFIG",
            json.dumps({**_KAFKA, "security.protocol": "ssl", "ssl.key.pem": SECRETS["key"]}),
        ),
        ("producer", "KAFKACONFIG", json.dumps({**_KAFKA, "no.such.setting": "1"})),
        (
            "producer",
            "KAFKACONFIG",
            json.dumps({"sasl.jaas.config": f'Module required password="{SECRETS["Kafka"]}";'}),
        ),
        ("producer", "KAFKACONFIG", json.dumps(_KAFKA)[:-1]),
        ("consumer", "MODELURLS", json.dumps({"imagenet_1": f"http://joe:{SECRETS['model']}@host/"})),
        (
            "consumer",
            "MODELURLS",
            json.dumps({"imagenet_1": {"url": "http://h/x", "password": SECRETS["model"]}}),
        ),
        (
            "consumer",
            "MODELURLS",
            json.dumps({"imagenet_1": {"url": "http://h/x", "token": [SECRETS["model"]]}}),
        ),
        (
            "consumer",
            "MODELURLS",
            json.dumps({"imagenet_1": {"url": "http://h/x", "apikey": SECRETS["model"]}}),
        ),
        (
            "consumer",
            "MODELURLS",
            json.dumps({"imagenet_1": {"url": "http://h/x", "token": SECRETS["model"]}})[:-1],
        ),
        (
            "consumer",
            "MODELURLS",
            json.dumps({"imagenet_1": {"url": "http://h/x", "token": SECRETS["model"]}}),
        ),
        ("video", "EMBEDORIGINS", f"https://joe:{SECRETS['user']}@host/path"),
        ("video", "TRUSTEDPROXIES", f"joe:{SECRETS['user']}@host"),
    ],
)
def test_no_secret_is_printed_by_a_service_that_does_not_start(kind: str, name: str, value: str) -> None:
    settings = {"VIDEOLINK": "0", name: value}

    printed = started(kind, **settings)

    assert name in printed or "LABELURLS" in printed
    assert found(SECRETS.values(), {"the terminal": printed}) == []


@pytest.mark.parametrize(
    "options",
    [
        ["--camera", f"http://joe:{SECRETS['camera']}@host/"],
        ["--camera", f"door=onvif://joe:{SECRETS['path']}@host/"],
        ["--camera", f"door=http://joe:{SECRETS['camera']}@host/"],
        ["--kafka", f"joe:{SECRETS['Kafka']}@host:1"],
        ["--tfserving", f"http://joe:{SECRETS['path']}@127.0.0.1:1?x"],
        [f"door=rtsp://joe:{SECRETS['camera']}@host/"],
    ],
)
def test_no_secret_is_printed_by_compose_if_it_does_not_start(options: list[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "compose",
        "--no-training",
        "--no-model",
        f"--port={free_port()}",
        *options,
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert run.returncode == 2, run.stderr
    assert found(SECRETS.values(), {"the terminal": run.stdout + run.stderr}) == []
