"""Where a login leads back to."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.access.next_url import back_to

LETTERS = st.text(st.sampled_from("/\\ \t\r\n\x00:@?#.%evil\u00e9") | st.characters(), max_size=40)


@pytest.mark.parametrize(
    "address", ["/", "/stream/door", "/?camera=a%2Fb", "/stream/caf%C3%A9", "/a//b?next=//x"]
)
def test_an_address_of_ours_is_returned_to(address: str) -> None:
    assert back_to(address, "") == address
    assert back_to(f"/cameras{address}", "/cameras") == f"/cameras{address}"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "stream",
        "//evil",
        "/\\evil",
        "\\\\evil",
        "/\t/evil",
        "/\r\nSet-Cookie: a=b",
        "https:evil",
        "https://evil",
        "javascript:alert(1)",
        " //evil",
        "/\u00e9",
        "/" + "a" * 3000,
        "/login",
        "/login?next=/",
        "/logout",
    ],
)
@pytest.mark.exceeds("pipeline.access.next_url._LONGEST")
def test_anything_else_leads_to_the_page(address: str) -> None:
    assert back_to(address, "") == "/"


@pytest.mark.parametrize(
    "address", ["/", "/stream", "/camerasevil", "/cameras", "//cameras/", "/cameras/login"]
)
def test_an_address_outside_the_root_path_leads_to_the_page(address: str) -> None:
    assert back_to(address, "/cameras") == "/cameras/"


@given(LETTERS | LETTERS.map(lambda text: f"/{text}"), st.sampled_from(["", "/cameras"]))
def test_no_address_leads_to_another_host(address: str, root: str) -> None:
    there = back_to(address, root)

    # As browsers read it: without what they skip, and with slashes for what they take for them.
    read = re.sub(r"[\t\r\n]", "", there).replace("\\", "/").strip()
    assert read.startswith(f"{root}/")
    assert not read.startswith("//")
    assert there.isascii()
    assert there.isprintable()
