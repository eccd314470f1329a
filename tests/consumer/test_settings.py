"""The consumer's settings, and one clear line for each that is invalid."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from consumer.settings import ConsumerSettings, handler_of, order_of
from pipeline.model_server.login import Login
from pipeline.model_server.url import ModelUrl
from pipeline.service.values import Address

URL = "http://models:8501/v1/models/imagenet:predict"
Complaint = Callable[..., str]
Configure = Callable[..., ConsumerSettings]


def test_only_kafkas_addresses_are_required(configure: Configure) -> None:
    settings = configure()

    assert (settings.topicnamein, settings.topicnameout) == ("videocam", "videodisplay")
    assert settings.modelurls == {}
    assert (settings.modeltimeout, settings.forgetafter, settings.frameformat) == (2, 10, "jpeg")
    assert settings.jpegquality is None


def test_models_and_labels_are_read_from_json(configure: Configure) -> None:
    models = {"imagenet_1": URL, "imagenet_2": URL}
    labels = {"imagenet_1": "a.json", "imagenet_2": "http://host/b.json"}

    settings = configure(MODELURLS=json.dumps(models), LABELURLS=json.dumps(labels))

    assert {name: source.url.text for name, source in settings.modelurls.items()} == models
    assert {name: place.place for name, place in settings.labelurls.items()} == labels


def test_a_login_may_be_given_for_a_model_and_for_its_labels(configure: Configure) -> None:
    settings = configure(
        MODELURLS=json.dumps({"imagenet_1": {"url": URL, "token_file": "/run/token", "top": 3}}),
        LABELURLS=json.dumps({"imagenet_1": {"url": "http://host/b.json", "user": "me", "password": "pw"}}),
    )

    source, place = settings.modelurls["imagenet_1"], settings.labelurls["imagenet_1"]
    assert (source.login, source.options.model_dump()["top"]) == (Login(token_file="/run/token"), 3)
    assert (place.place, place.login) == ("http://host/b.json", Login(user="me", password="pw"))


@pytest.mark.parametrize("variable", ["MODELURLS", "LABELURLS"])
@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ({"password": "geheim"}, "a user for the password"),
        ({"user": "me", "token": "geheim"}, "or a token, not both"),
        ({"token": "geheim", "token_file": "f"}, "a value or a file, not both"),
        ({"token": ["geheim"]}, "token: "),
        ({"token": "geheim", "tokn": 1}, "'tokn'"),
    ],
)
def test_a_wrong_login_is_reported_without_its_secrets(
    complaint: Complaint, variable: str, login: dict[str, Any], reason: str
) -> None:
    values = {"MODELURLS": {"imagenet_1": {"url": URL}}, "LABELURLS": {"imagenet_1": {"url": "labels.json"}}}
    values[variable]["imagenet_1"] |= login

    line = complaint(**{name: json.dumps(value) for name, value in values.items()})

    assert line.startswith(variable)
    assert "imagenet_1" in line
    assert reason in line
    assert "geheim" not in line


@pytest.mark.parametrize("name", ["resnet_1", "Imagenet_1", "imagenet_x", "imagenet_1_2", "imagenet-1", ""])
def test_a_model_without_a_handler_is_named_with_those_that_exist(complaint: Complaint, name: str) -> None:
    line = complaint(MODELURLS=json.dumps({name: URL}), LABELURLS=json.dumps({name: "labels.json"}))

    assert len(line.splitlines()) == 1
    assert line.startswith("MODELURLS=")
    assert f"found {name!r}" in line
    assert "imagenet_1" in line


@pytest.mark.parametrize("variable", ["MODELURLS", "LABELURLS"])
@pytest.mark.parametrize("value", ["{", "imagenet_1=http://x/y", "[]", '"text"', "null", "[" * 100_000])
def test_anything_but_a_json_object_gets_one_line(complaint: Complaint, variable: str, value: str) -> None:
    line = complaint(**{variable: value})

    assert len(line.splitlines()) == 1
    assert line.startswith(f"{variable}=")
    assert "JSON object" in line


LABELS = '{"imagenet_1": "labels.json"}'


@pytest.mark.parametrize(
    "url",
    [
        "grpc://models/v1/models/imagenet",
        "grpc://models:8500/v1/models/imagenet",
        "grpc://models:8500/v1/models/imagenet:predict",
        "grpcs://models:8500/v1/models/imagenet/versions/2",
        "grpc://models:8500/v1/models/imagenet/labels/stable",
        "https://models/anything",
    ],
)
def test_a_models_url_may_be_one_of_grpc_too(configure: Configure, url: str) -> None:
    settings = configure(MODELURLS=json.dumps({"imagenet_1": url}), LABELURLS=LABELS)

    assert settings.modelurls["imagenet_1"].url == ModelUrl.parse(url)


def test_a_model_may_have_options(configure: Configure) -> None:
    models = {"imagenet_1": {"url": URL, "top": 3}}

    settings = configure(MODELURLS=json.dumps(models), LABELURLS=LABELS)

    assert settings.modelurls["imagenet_1"].url.text == URL
    assert settings.modelurls["imagenet_1"].options.model_dump()["top"] == 3


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ({"url": URL, "tops": 3}, ["imagenet_1: ", "'tops'", "top, threshold"]),
        ({"url": URL, "top": "many"}, ["imagenet_1: option top='many'", "whole number"]),
        ({"url": URL, "top": 0}, ["imagenet_1: option top=0", "greater than"]),
        ({"top": 3}, ["imagenet_1: expected a URL"]),
        ({"url": 3}, ["imagenet_1: expected a URL"]),
        ({"url": "models"}, ["imagenet_1: expected a URL", "'models'"]),
        ([URL], ["imagenet_1: expected a URL"]),
    ],
)
def test_invalid_options_get_one_line(complaint: Complaint, value: object, parts: list[str]) -> None:
    line = complaint(MODELURLS=json.dumps({"imagenet_1": value}), LABELURLS=LABELS)

    assert len(line.splitlines()) == 1
    assert line.startswith("MODELURLS=")
    assert all(part in line for part in parts), line


@pytest.mark.parametrize("variable", ["MODELURLS", "LABELURLS"])
def test_a_number_in_place_of_a_url_gets_one_line(complaint: Complaint, variable: str) -> None:
    line = complaint(**{variable: '{"imagenet_1": 7}'})

    assert len(line.splitlines()) == 1
    assert line.startswith(f"{variable}=")


def test_a_model_without_labels_gets_one_line(complaint: Complaint) -> None:
    models = json.dumps({"imagenet_1": URL, "imagenet_2": URL})

    line = complaint(MODELURLS=models, LABELURLS='{"imagenet_1": "labels.json"}')

    assert line == "LABELURLS has no entry for imagenet_2, which MODELURLS names"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "models:8501",
        "ftp://models/x",
        "http://models",
        "http:///x",
        "http://a b/c",
        "http://a:99999/x",
        "http://[/x",
        "grpc://models:8500",
        "grpc://models:8500/imagenet",
        "grpc://models:99999/v1/models/imagenet",
        "grpc://models:8500/v1/models/imagenet:classify",
    ],
)
def test_a_bad_url_gets_one_line_that_shows_it(complaint: Complaint, url: str) -> None:
    line = complaint(MODELURLS=json.dumps({"imagenet_1": url}), LABELURLS='{"imagenet_1": "labels.json"}')

    assert len(line.splitlines()) == 1
    assert line.startswith("MODELURLS=")
    assert f"found {url!r}" in line
    assert "imagenet_1: expected a URL such as http" in line


def test_a_password_in_a_bad_url_is_shown_nowhere(complaint: Complaint) -> None:
    line = complaint(MODELURLS='{"imagenet_1": "http://user:geheim@models/x"}')

    assert line.startswith("MODELURLS=")
    assert "set the options user and password" in line
    assert "geheim" not in line


def test_each_wrong_setting_gets_its_own_line(complaint: Complaint) -> None:
    lines = complaint(
        KAFKAPORTIN="kafka", JPEGQUALITY="101", MODELTIMEOUT="2", FRAMEFORMAT="png"
    ).splitlines()

    assert [line.partition("=")[0] for line in lines] == [
        "KAFKAPORTIN",
        "MODELTIMEOUT",
        "JPEGQUALITY",
        "FRAMEFORMAT",
    ]


@pytest.mark.parametrize("name", ["TOPICNAMEIN", "TOPICNAMEOUT", "TOPICNAMEPREDICTIONS"])
def test_a_topic_that_kafka_would_refuse_gets_one_line(complaint: Complaint, name: str) -> None:
    (line,) = complaint(**{name: "a/b"}).splitlines()

    assert line.startswith(f"{name}='a/b': ")


def test_models_are_ordered_by_their_numbers() -> None:
    names = ["imagenet_10", "imagenet_2", "imagenet", "emonet_3", "imagenet_1"]

    ordered = sorted(names, key=order_of)

    assert ordered == ["imagenet", "imagenet_1", "imagenet_2", "emonet_3", "imagenet_10"]


def test_the_part_before_the_number_picks_the_handler() -> None:
    assert [handler_of(name) for name in ("imagenet_1", "imagenet")] == ["imagenet", "imagenet"]


def test_kafka_the_models_and_the_healthport_are_our_own_services(configure: Configure) -> None:
    settings = configure(
        KAFKAPORTIN="kf1:9092,kf2:9092",
        KAFKAPORTOUT="kf3:9092",
        MODELURLS=json.dumps({"imagenet_1": URL}),
        LABELURLS=json.dumps({"imagenet_1": "a.json"}),
    )

    kafka = (Address("kf1", 9092), Address("kf2", 9092), Address("kf3", 9092))
    assert settings.services == (Address("", 9000), *kafka, Address("models", 8501))
