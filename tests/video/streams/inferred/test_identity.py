"""The ids of streams, and the paths in which clients send them."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.streams.inferred.identity import Identity

names = st.text(
    st.characters(exclude_categories=("C", "Zl", "Zp", "Zs"), include_characters=" "), min_size=1, max_size=60
) | st.text("a:/%?#\\ é3AF", min_size=1, max_size=12)
identities = st.builds(Identity, names, names)

# What the URL parser of browsers percent-encodes in a path (https://url.spec.whatwg.org/#path-percent-encode-set).
IN_BROWSERS = "!$&'()*+,;=:@/%[]|~"


@given(identities)
def test_an_id_has_three_parts_and_is_one_segment_of_a_path(identity: Identity) -> None:
    camera, model, status = str(identity).split(":")

    assert status == "inferred"
    assert not set("/?#\\") & set(camera + model)


@given(identities, st.sampled_from([IN_BROWSERS, "", ":%"]))
def test_an_id_is_found_as_browsers_and_programs_send_it(identity: Identity, safe: str) -> None:
    """Encoded where a browser does so, as a whole, or but for the signs of an id."""
    assert Identity.read(quote(str(identity), safe=safe)) == identity


@given(identities)
def test_an_id_is_found_as_it_is_listed(identity: Identity) -> None:
    assert Identity.read(str(identity)) == identity


@given(st.sets(identities, min_size=2, max_size=4))
def test_no_two_streams_have_the_same_id(several: set[Identity]) -> None:
    assert len({str(each) for each in several}) == len(several)


@pytest.mark.parametrize(
    ("camera", "model", "text"),
    [
        ("door", "imagenet_1", "door:imagenet_1:inferred"),
        ("front door", "imagenet_1", "front door:imagenet_1:inferred"),
        ("10.0.0.7:8554", "car/int8", "10.0.0.7%3A8554:car%2Fint8:inferred"),
        ("100%", "a%3Ab", "100%25:a%253Ab:inferred"),
        ("Tür 🚪", "imagenet_1", "Tür 🚪:imagenet_1:inferred"),
    ],
)
def test_only_what_ends_a_part_is_encoded(camera: str, model: str, text: str) -> None:
    assert str(Identity(camera, model)) == text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "door",
        "door:imagenet_1",
        "door:imagenet_1:origin",
        "door:imagenet_1:inferred:",
        "a:b:imagenet_1:inferred",
        ":imagenet_1:inferred",
        "door::inferred",
        "d%0Aoor:imagenet_1:inferred",
        "d" * 201 + ":imagenet_1:inferred",
        "door:" + "m" * 201 + ":inferred",
        "door%3Aimagenet_1%3Aorigin",
    ],
)
def test_other_paths_are_one_error(path: str) -> None:
    with pytest.raises(ValueError, match="expected a stream such as") as caught:
        Identity.read(path)

    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300
