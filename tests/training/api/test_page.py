"""The page is at the root, and its files below `/page`; the API keeps its paths."""

import pytest

from tests.training.conftest import Service


def test_the_page_is_at_the_root(service: Service) -> None:
    answer = service.client.get("/")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert 'src="page/app.js"' in answer.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app.js", "text/javascript"),
        ("style/page.css", "text/css"),
        ("vendor/codemirror.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_its_files_are_fresh(service: Service, path: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine calls them."""
    monkeypatch.setattr("starlette.responses.guess_type", lambda _: ("text/plain", None))

    answer = service.client.get(f"/page/{path}")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["cache-control"] == "no-cache"


def test_nothing_else_is_served(service: Service) -> None:
    for path in ("/page/", "/page/missing.js", "/page/../settings.py", "/page/%2e%2e/settings.py"):
        assert service.client.get(path).status_code == 404


def test_lists_are_the_api(service: Service) -> None:
    assert service.get("/models/") == []
