"""Secrets are replaced in links by their form, and in all other texts by their value."""

import ast
import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import example, given

from pipeline.service.masking import _MOST_READ, hide, learn, mask, mask_setting, remember
from tests.imports import ROOT
from tests.limits.table import SERVICES
from tests.pipeline.service.links import SECRET, links_with_a_password

SOURCES = {
    *SERVICES,
    "docs",
    "k8s",
    "zookeeper",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
}


pytestmark = pytest.mark.usefixtures("nothing_known")


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
        "http://host/labels.json?sign=hunter2",
        "http://host/labels.json?authorization=hunter2",
        "http://host/stream-key/hunter2",
        "//joe:hunter2@host/stream",
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
        "rtsp://host:554/h264Preview_01_main",
        "http://host/?design=1&signal=2&keyframes=3&keyint=4&keyboard=5&author=6&passive=7&credits=8",
        "http://host/monkey/stream1",
        "/films/gate@north.mp4",
        "../gate@north:80.mp4",
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
        "sasl.username": "bridge",
        "session.timeout.ms": "45000123",
        "ssl.key.location": "/etc/key.pem",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "streaming",
        "partition.assignment.strategy": "cooperative-sticky",
    }
    text = " ".join(settings.values())

    learn(json.dumps(settings))

    assert hide(text) == text


def test_the_newest_secrets_of_files_are_hidden_and_those_of_settings_always() -> None:
    learn("rtsp://joe:in-the-settings@host/")
    for number in range(_MOST_READ + 1):
        remember(f"in-file-{number}")

    assert hide(f"in-the-settings in-file-0 in-file-1 in-file-{_MOST_READ}") == "*** in-file-0 *** ***"


def test_a_short_secret_is_hidden_only_as_a_word() -> None:
    learn("rtsp://joe:a1b2@host/", "rtsp://joe:abc@host/")

    assert hide("a1b2 of a1b2c3 frames, abc") == "*** of a1b2c3 frames, abc"


@pytest.mark.parametrize("secret", ["1234", "1234567", "admin", "Password", "camera", "true"])
def test_a_short_number_or_common_word_is_hidden_only_where_it_is_a_password(secret: str) -> None:
    link = f"rtsp://admin:{secret}@host/live?user=admin&pwd={secret}"
    learn(link, json.dumps({"a": {"user": "admin", "password": secret}}))
    line = f"{secret} frames of camera {secret}"
    encoded = base64.b64encode(f"admin:{secret}".encode()).decode().rstrip("=")

    assert hide(line) == line
    assert hide(f"the answer to {link} is 404") == (
        "the answer to rtsp://admin:***@host/live?user=admin&pwd=*** is 404"
    )
    assert hide(f"Authorization: Basic {encoded}") == "Authorization: Basic ***"


def test_a_long_number_is_hidden() -> None:
    learn("rtsp://joe:12345678@host/")

    assert hide("the code is 12345678") == "the code is ***"


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


@pytest.mark.parametrize("scheme", ["rtsp", "http", "onvif"])
def test_a_link_without_slashes_does_not_make_its_scheme_a_secret(scheme: str) -> None:
    learn(f"{scheme}:/joe:hunter2@host/")

    assert hide(f"expected {scheme}://HOST, not hunter2") == f"expected {scheme}://HOST, not ***"


LEARNT = (
    "rtsp://admin:admin@192.168.1.20:554/h264Preview_01_main",
    "rtsp://camera:123456@192.168.1.21/Streaming/Channels/101",
    "http://root:pass@192.168.1.22/cgi-bin/video.cgi?key=1&token=true",
    "/films/gate@north.mp4",
    '{"sasl.username": "producer", "sasl.password": "kafka", "security.protocol": "SASL_SSL"}',
    '{"imagenet_1": {"url": "http://models:8501/v1/models/imagenet:predict", "token": "model"}}',
)


def texts_of_ours() -> Iterator[str]:
    """Yield the lines of the documentation, and the texts of the code, without its regular expressions."""
    for source in SOURCES:
        for path in (ROOT / source).rglob("*.md") if (ROOT / source).is_dir() else [ROOT / source]:
            yield from path.read_text().splitlines()
    for service in SERVICES:
        for path in (ROOT / service).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                    yield from node.value.splitlines()


def test_all_texts_of_ours_stay_as_they_are_except_for_passwords() -> None:
    learn(*LEARNT)
    changed = [text for text in texts_of_ours() if hide(text) != text]

    assert len(changed) > 3
    assert [text for text in changed if not re.search(r"//\w+:(?:password|\$TOKEN)@", text)] == []


def test_a_word_too_long_for_a_link_is_hidden_without_a_look_at_it() -> None:
    assert hide("http://host/" + "pass" * 100_000) == "***"
