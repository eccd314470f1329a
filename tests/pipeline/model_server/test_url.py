"""The parts of a model's URL."""

import pytest

from pipeline.model_server.url import ModelUrl
from pipeline.service.values import Address


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("grpc://models/v1/models/imagenet", ("grpc", "models", "imagenet", None, "")),
        ("grpc://models:8500/v1/models/imagenet:predict", ("grpc", "models:8500", "imagenet", None, "")),
        ("grpcs://[::1]:8500/v1/models/a%2Fb/versions/7", ("grpcs", "[::1]:8500", "a/b", 7, "")),
        ("grpc://models/v1/models/imagenet/labels/a%20b", ("grpc", "models", "imagenet", None, "a b")),
        ("http://models:8501/v1/models/imagenet:predict", ("http", "models:8501", "imagenet", None, "")),
        ("https://models/v1/models/m/versions/2:predict", ("https", "models", "m", 2, "")),
        ("https://models/anything?key=value", ("https", "models", "", None, "")),
    ],
)
def test_a_url_has_a_scheme_a_host_and_a_model(text: str, parts: tuple[object, ...]) -> None:
    url = ModelUrl.parse(text)

    assert (url.scheme, url.host, url.name, url.version, url.label) == parts
    assert url.text == text


@pytest.mark.parametrize("scheme", ["HTTP", "Https", "gRPC", "GRPCS"])
def test_a_scheme_may_be_in_upper_case(scheme: str) -> None:
    path = "://Models/v1/models/M:predict"

    assert ModelUrl.parse(scheme + path).text == scheme.lower() + path


def test_a_rest_request_asks_for_the_path_and_the_query() -> None:
    assert ModelUrl.parse("http://models:8501/v1/models/m:predict?key=value").path.endswith("?key=value")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "models:8501",
        "ftp://models/x",
        "http://models",
        "http:///x",
        "http://a b/c",
        "http://a:99999/x",
        "http://a:0/x",
        "http://a:b/x",
        "http://[/x",
        "grpc://models:8500",
        "grpc://models:8500/imagenet",
        "grpc://models:99999/v1/models/imagenet",
        "grpc://models:8500/v1/models/imagenet:classify",
        "grpc://models:8500/v1/models/imagenet/versions/latest",
        "grpc://models:8500/v1/models/imagenet/versions/" + "9" * 5000,
    ],
)
def test_anything_else_is_an_error_that_shows_both_forms_but_not_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as caught:
        ModelUrl.parse(text)

    assert "http://host:8501" in str(caught.value)
    assert "grpc://host:8500" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("http://models:8501/v1/models/a:predict", Address("models", 8501)),
        ("https://models/v1/models/a:predict", Address("models", 443)),
        ("http://[fd00::1]/x", Address("fd00::1", 80)),
        ("grpc://models:8500/v1/models/a", Address("models", 8500)),
    ],
)
def test_a_url_has_an_address(text: str, address: Address) -> None:
    assert ModelUrl.parse(text).address == address


@pytest.mark.parametrize(
    "text", ["http://ann:geheim@models/x", "grpc://ann:ge/heim@models/v1/models/m", "http://geheim@models/x"]
)
def test_a_login_in_a_url_is_an_error_that_names_the_options_but_not_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"options user and password \(or password_file\)") as caught:
        ModelUrl.parse(text)

    assert "heim" not in str(caught.value)


@pytest.mark.parametrize("path", ["imagenet", "imagenet/versions/2", "imagenet/labels/stable"])
def test_a_models_url_over_http_says_what_to_ask_for(path: str) -> None:
    with pytest.raises(ValueError, match="expected :predict at the end"):
        ModelUrl.parse(f"http://models:8501/v1/models/{path}")
