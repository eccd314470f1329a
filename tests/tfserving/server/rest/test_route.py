"""URLs are matched as they come, percent-encoding and query included."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfserving.server.errors import ServingError
from tfserving.server.rest.route import Route, VersionError, match


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/v1/models/m:predict", Route("predict", "m")),
        ("POST", "/V1/Models/M/VERSIONS/00123:predict", Route("predict", "M", 123)),
        ("POST", "/v1/models/m/labels/a%20b:classify", Route("classify", "m", None, "a b")),
        ("POST", "/v1/models/a%2Fb%3Ac+d:regress", Route("regress", "a/b:c+d")),
        ("GET", "/v1/models/m", Route("status", "m")),
        ("GET", "/v1/models/m?x=1", Route("status", "m?x=1")),
        ("GET", "/v1/models/m/versions/7", Route("status", "m", 7)),
        ("GET", "/v1/models/m/metadata", Route("metadata", "m")),
        ("GET", "/v1/models/m/labels/stable/METADATA", Route("metadata", "m", None, "stable")),
        ("GET", "/v1/models/metadata", Route("status", "metadata")),
    ],
)
def test_urls_of_the_api(method: str, path: str, route: Route) -> None:
    assert match(method, path) == route


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/models/m:PREDICT"),
        ("POST", "/v1/models/m:predict/"),
        ("POST", "/v1/models/m:predict?x=1"),
        ("POST", "/v1/models/m"),
        ("POST", "/v1/models/:predict"),
        ("POST", "/v1/models/m/versions/1/labels/a:predict"),
        ("POST", "/v1/models/m/versions/x:predict"),
        ("GET", "/v1/models/m:predict"),
        ("GET", "/v1/models/m/"),
        ("GET", "/v1/"),
        ("PUT", "/v1/models/m:predict"),
        ("HEAD", "/v1/models/m"),
        ("DELETE", "/v1/models/m"),
    ],
)
def test_other_urls_are_malformed(method: str, path: str) -> None:
    with pytest.raises(ServingError) as caught:
        match(method, path)

    assert caught.value.message == f"Malformed request: {method} {path}"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/versions/1", "/v1/models/labels/a/metadata"])
def test_a_model_name_is_required(path: str) -> None:
    with pytest.raises(ServingError, match=r"Missing model name in request\."):
        match("GET", path)


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_version_must_fit_int64(number: int) -> None:
    assert match("GET", f"/v1/models/m/versions/{2**63 - 1}").version == 2**63 - 1
    with pytest.raises(VersionError, match=f"Failed to convert version: {number} to numeric"):
        match("GET", f"/v1/models/m/versions/{number}")


def test_a_version_may_have_thousands_of_digits() -> None:
    assert match("GET", f"/v1/models/m/versions/{'0' * 5_000}7").version == 7
    with pytest.raises(VersionError):
        match("GET", f"/v1/models/m/versions/{'9' * 5_000}")


@given(st.sampled_from(["GET", "POST", "PATCH", "x"]), st.text().map("/v1/".__add__))
def test_any_url_is_routed_or_refused(method: str, path: str) -> None:
    with suppress(ServingError, VersionError):
        assert match(method, path).name
