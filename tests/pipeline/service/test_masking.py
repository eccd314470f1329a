"""Secrets are replaced in links by their form, and in all other texts by their value."""

import base64
import json
from collections import deque
from urllib.parse import quote

import pytest
from hypothesis import example, given

from pipeline.service import masking
from pipeline.service.masking import hide, learn, mask, mask_setting, remember
from tests.pipeline.service.links import SECRET, links_with_a_password


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards what a test has taught."""
    monkeypatch.setattr(masking, "_set", frozenset())
    monkeypatch.setattr(masking, "_read", deque[str](maxlen=2))
    monkeypatch.setattr(masking, "_pattern", None)


@given(links_with_a_password())
@example("rtsp://joe@example.com:hunter2@192.168.1.2/")
@example("rtsp://domain/joe:hunter2@192.168.1.2/")
@example("rtsp://joe:p@ss/hunter2@192.168.1.2/")
def test_a_password_is_never_in_the_masked_link(link: str) -> None:
    masked = mask(link)

    assert SECRET not in masked
    assert ":***@" in masked


@pytest.mark.parametrize("link", [f"joe:{SECRET}@host/stream", f"rtsp:/joe:{SECRET}@host", f"{SECRET}@host"])
def test_a_password_is_masked_without_a_scheme(link: str) -> None:
    masked = mask(link)

    assert SECRET not in masked
    assert masked.startswith("***@host")


@pytest.mark.parametrize(
    "link",
    [
        "http://host/video.cgi?user=joe&pwd=hunter2",
        "http://host/video.cgi?password=hunter2&user=joe",
        "http://host/video.cgi?loginuse=joe&loginpas=hunter2",
        "http://host/video?Access_Token=hunter2&x=1",
        "http://host/video?apikey=a/b?c=hunter2",
        "http://host/video?X-Amz-Security-Token=hunter2",
        "rtsp://host:554/user=joe&password=hunter2&channel=1&stream=0.sdp",
        "rtsp://host:554/user=joe_password=hunter2_channel=1_stream=0.sdp?real_stream",
    ],
)
def test_a_password_among_the_parameters_is_masked(link: str) -> None:
    masked = mask(link)

    assert SECRET not in masked
    assert "***" in masked
    assert "host" in masked


@pytest.mark.parametrize(
    ("link", "masked"),
    [
        ("rtsp://joe:hunter2@host:554/stream1", "rtsp://joe:***@host:554/stream1"),
        ("rtsp://:hunter2@host/", "rtsp://:***@host/"),
        ("http://host/?user=joe&pwd=x&channel=2", "http://host/?user=joe&pwd=***&channel=2"),
    ],
)
def test_masking_changes_only_the_password(link: str, masked: str) -> None:
    assert mask(link) == masked


@pytest.mark.parametrize(
    "link",
    [
        "rtsp://host:554/stream1",
        "rtsp://joe@host/",
        "/videos/clip.mp4",
        "0",
        "/dev/video0",
        "",
        "http://h/?a=b",
    ],
)
def test_a_link_without_a_password_is_shown_unchanged(link: str) -> None:
    assert mask(link) == link


@pytest.mark.parametrize(
    "link",
    [
        "rtsp://joe:hunter2/stream",
        "rtsp://joe:hunter2",
        "joe:hunter2@host/?from=http://there/",
        "rtsp://joe%3Ahunter2@host/",
        "https://hunter2-hunter2-hunter2@host/labels.json",
        "http://host/?url=rtsp%3A%2F%2Fjoe%3Ahunter2%40camera%2F",
        "http://host/?a=1&password%3Dhunter2",
        "http://host/labels.json?accessKey=hunter2",
        "http://host/labels.json?X-Amz-Credential=x&X-Amz-Signature=hunter2",
        "http://host/labels.json?sv=1&sig=hunter2",
        "http://host/?jwt=hunter2",
        "http://host/?sid=hunter2",
        "http://host/?session=hunter2",
        "http://host/?PSW=hunter2",
        "http://host/a;token=hunter2/b",
        "http://host/#access_token=hunter2",
        "http://host/auth=hunter2/stream",
        "http://host/token/hunter2/stream",
        "http://host/api-key/hunter2",
        "rtsps://host:7441/aBhunter2CdEfGh345?enableSrtp",
    ],
)
def test_a_secret_is_masked_wherever_it_stands(link: str) -> None:
    masked = mask(link)

    assert SECRET not in masked
    assert "***" in masked


@pytest.mark.parametrize(
    "link",
    [
        "rtsp://[fd00::1]:554/stream1",
        "http://host:8501/v1/models/imagenet:predict",
        "kf1-service:19091,kf2-service:19091",
        "http://host/keys/monitor/1",
        "http://host/?codec=h264&pinch=1",
        "file:///videos/Summer2024inTheGarden/clip.mp4",
    ],
)
def test_what_only_resembles_a_secret_is_shown(link: str) -> None:
    assert mask(link) == link


@pytest.mark.parametrize(
    "value",
    [
        '{"imagenet_1": {"url": "http://host/", "password": "hunter2"}}',
        '{"imagenet_1": {"url": "http://host/", "password": "hun\\"ter2 hunter2"}}',
        '{"imagenet_1": {"url": "http://host/", "token": ["hunter2"]}}',
        '{"imagenet_1": "http://joe:hunter2@host/", "emonet_2": "http://ann:hunter2@host/"}',
        r"{\"imagenet_1\": {\"url\": \"http://host/\", \"password\": \"hunter2\"}}",
        '{"sasl.password": "hunter2" and more',
        '{"labels": "http://host/?sig=hunter2"}',
    ],
)
def test_a_secret_in_a_json_object_is_masked(value: str) -> None:
    assert SECRET not in mask_setting(value)


# Known secrets


FORMS = [
    "hun/ter:2&%",
    quote("hun/ter:2&%", safe=""),
    quote("hun/ter:2&%"),
    base64.b64encode(b"hun/ter:2&%").decode().rstrip("="),
    base64.b64encode(b"joe:hun/ter:2&%").decode().rstrip("="),
]


@pytest.mark.parametrize("form", FORMS)
def test_a_known_secret_is_hidden_in_every_form(form: str) -> None:
    learn("rtsp://joe:" + quote("hun/ter:2&%", safe="") + "@host/stream")

    assert hide(f"the server says: <{form}>, and once more: x{form}y") == (
        "the server says: <***>, and once more: x***y"
    )


@pytest.mark.parametrize(
    "value",
    [
        "rtsp://host/user=joe_password=hunter2-_channel=1_stream=0.sdp",
        "http://host/?user=joe&password=hunter2-&channel=1",
        "http://joe:hunter2-@host/path@place",
        '{"sasl.password": "hunter2-"}',
        '{"ssl.key.password": "hunter2-"}',
        '{"sasl.oauthbearer.client.secret": "hunter2-"}',
        '{"ssl.key.pem": "-----BEGIN KEY-----\\nhunter2-\\n-----END KEY-----"}',
        r'{"sasl.jaas.config": "Module required username=\"joe\" password=\"hunter2-\";"}',
        '{"imagenet_1": {"url": "http://host", "token": "hunter2-"}}',
        '{"imagenet_1": "http://joe:hunter2-@host/labels.json"}',
        "http://host/?url=rtsp%3A%2F%2Fjoe%3Ahunter2-%40camera%2F",
        '{"sasl.password": "hunter2-" and more',
        '{"imagenet_1": "http://joe:hunter2-@host/labels.json" and more',
        r"{\"sasl.password\": \"hunter2-\"}",
    ],
)
def test_the_secrets_of_a_setting_are_learnt(value: str) -> None:
    learn(value)

    assert hide("it is hunter2- now") == "it is *** now"


def test_settings_that_are_not_secret_stay_visible() -> None:
    settings = {
        "sasl.username": "producer",
        "session.timeout.ms": "45000",
        "ssl.key.location": "/etc/key.pem",
    }

    learn(json.dumps(settings))

    assert hide("producer 45000 /etc/key.pem") == "producer 45000 /etc/key.pem"


def test_the_newest_secrets_of_files_are_hidden_and_those_of_settings_always() -> None:
    learn("rtsp://joe:in-the-settings@host/")
    for number in range(3):
        remember(f"in-a-file-{number}")

    assert hide("in-the-settings in-a-file-1 in-a-file-2") == "*** *** ***"


def test_a_short_secret_is_hidden_only_as_a_word() -> None:
    learn("rtsp://joe:1234@host/", "rtsp://joe:abc@host/")

    assert hide("1234 of 12345 frames, abc") == "*** of 12345 frames, abc"


def test_links_in_a_text_are_masked_even_if_they_are_not_known() -> None:
    text = "GET /a?sig=hunter2 of 'rtsp://joe:hunter2@host/', then http://host:80."

    assert hide(text) == "GET /a?sig=*** of 'rtsp://joe:***@host/', then http://host:80."


@pytest.mark.parametrize(
    "text",
    [
        "expected http://USER:PASSWORD@..., with %23 for #",
        "expected rtsp://HOST:PORT/PATH",
        "SESSIONLENGTH='5x': expected a Go duration such as 42ms",
        "set sasl.mechanism, sasl.username and sasl.password in KAFKACONFIG",
    ],
)
def test_our_own_messages_stay_as_they_are(text: str) -> None:
    assert hide(text) == text


def test_a_word_too_long_for_a_link_is_hidden_without_a_look_at_it() -> None:
    assert hide("http://host/" + "pass" * 100_000) == "***"
