"""Which pages a request may come from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.access.origin import explain, header, same


def pairs(**headers: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://cams:8080", "cams:8080"),
        ("http://cams", "cams"),
        ("https://cams", "cams"),  # a proxy took the TLS off
        ("https://cams", "cams:443"),
        ("http://cams:80", "cams"),
        ("http://CAMS", "cams"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_our_own_page_is_known_by_its_host(origin: str, host: str) -> None:
    assert same(pairs(host=host, origin=origin), "http")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil",
        "http://cams:8081",
        "http://cams",
        "http://cams:8080.evil",
        "http://cams:8080@evil",
        "http://evil/cams:8080",
        "null",
        "",
        "cams:8080",
        "chrome-extension://cams:8080",
        "http://cams:port",
        "http://[::1",
        "http://",
    ],
)
def test_another_sites_page_is_refused(origin: str) -> None:
    assert not same(pairs(host="cams:8080", origin=origin), "http")


def test_what_comes_from_no_page_is_allowed() -> None:
    assert same(pairs(host="cams:8080"), "http")


def test_an_origin_without_a_host_and_two_of_either_are_refused() -> None:
    ours = pairs(host="cams", origin="http://cams")

    assert not same(pairs(origin="http://cams"), "http")
    assert not same([*ours, (b"host", b"cams")], "http")
    assert not same([*ours, (b"origin", b"http://cams")], "http")


def test_a_browser_that_judges_itself_is_believed() -> None:
    behind_a_proxy = pairs(host="backend:8080", origin="https://cams")

    assert same([*behind_a_proxy, (b"sec-fetch-site", b"same-origin")], "http")
    assert not same(pairs(host="cams", origin="http://cams", sec_fetch_site="cross-site"), "http")
    assert not same(pairs(host="cams", sec_fetch_site="same-site"), "http")
    assert not same(pairs(host="cams", origin="http://evil", sec_fetch_site="none"), "http")


PROXY = ("172.18.0.5", 40_000)


def test_a_proxy_that_sends_the_host_separately_has_to_be_trusted() -> None:
    headers = pairs(host="video:8080", origin="https://cams:8443", x_forwarded_host="evil, cams:8443")

    why = explain(headers, PROXY, "http")

    assert "'https://cams:8443'" in why
    assert "'video:8080'" in why
    assert why.endswith("set TRUSTEDPROXIES=172.18.0.5")


@pytest.mark.parametrize("forwarded", [{}, {"x_forwarded_host": "cams"}, {"x_forwarded_host": "evil"}])
def test_any_other_proxy_has_to_pass_on_the_host_and_the_port(forwarded: dict[str, str]) -> None:
    why = explain(pairs(host="cams", origin="http://cams:8081", **forwarded), PROXY, "http")

    assert "proxy_set_header Host $http_host;" in why
    assert why.endswith("send that as X-Forwarded-Host and set TRUSTEDPROXIES=172.18.0.5")


def test_the_page_of_another_site_is_not_advised() -> None:
    headers = pairs(host="cams", origin="http://evil", x_forwarded_host="evil", sec_fetch_site="cross-site")

    assert "TRUSTEDPROXIES" not in explain(headers, PROXY, "http")


def test_long_headers_and_a_client_without_an_address_are_explained() -> None:
    assert len(explain(pairs(host="x" * 9000, origin="y" * 9000), None, "http")) < 1000


@pytest.mark.parametrize("scheme", ["https", "wss"])
def test_an_encrypted_request_comes_from_an_encrypted_page(scheme: str) -> None:
    assert same(pairs(host="cams:8443", origin="https://cams:8443"), scheme)
    assert same(pairs(host="cams:8443"), scheme)
    for origin in "http://cams:8443", "HTTP://cams:8443":
        headers = pairs(host="cams:8443", origin=origin)

        assert not same(headers, scheme)
        assert "open the page over HTTPS" in explain(headers, PROXY, scheme)
        assert "TRUSTEDPROXIES=172.18.0.5" in explain(headers, PROXY, scheme)


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("page", ["http", "https"])
def test_a_proxy_that_does_not_say_so_may_have_taken_the_tls_off(scheme: str, page: str) -> None:
    assert same(pairs(host="cams:8443", origin=f"{page}://cams:8443"), scheme)


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(codec="latin-1")))
def test_any_text_is_judged(origin: str, host: str) -> None:
    assert same(pairs(origin=origin, host=host), "http") in {True, False}


def test_several_headers_of_a_name_are_joined() -> None:
    assert header([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")], b"a") == "1, 3"
    assert header([], b"a") == ""
