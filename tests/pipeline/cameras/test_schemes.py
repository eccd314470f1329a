"""Which links may be opened."""

import pytest

from pipeline.cameras.links import LinkError, scheme_of
from pipeline.cameras.schemes import ON_NETWORKS, check_scheme


@pytest.mark.parametrize(
    ("link", "scheme"),
    [
        ("RTSP://door/1", "rtsp"),
        ("https://door/", "https"),
        ("/films/door.mp4", "file"),
        ("file:///films/door.mp4", "file"),
        ("0", "device"),
        ("/dev/video7", "device"),
    ],
)
def test_each_link_has_a_scheme(link: str, scheme: str) -> None:
    assert scheme_of(link) == scheme
    check_scheme(link, {scheme})


@pytest.mark.parametrize(
    "link", ["/etc/passwd", "file:///etc/passwd", "0", "unix:///run/x", "gopher://door/"]
)
def test_by_default_links_lead_to_networks_only(link: str) -> None:
    with pytest.raises(LinkError) as error:
        check_scheme(link, ON_NETWORKS)

    assert "passwd" not in str(error.value)
