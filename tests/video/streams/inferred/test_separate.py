"""The labels of one model, made from a frame with those of several."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import covered
from pipeline.wire.covered import Patch
from tests.video.fakes import PROPERTY, grey
from tests.video.streams.inferred.fakes import CAT, alone, one_model, plain, two_models
from video.streams.inferred.separate import SeparateError, models_of, obstacle, separate


@pytest.mark.parametrize("model", ["imagenet_1", "emonet_2"])
def test_the_picture_has_the_labels_of_one_model(model: str) -> None:
    assert separate(two_models(), model) == alone(model)


def test_models_are_in_their_order_and_once() -> None:
    assert models_of(two_models()) == ["imagenet_1", "emonet_2"]
    assert models_of(plain()._replace(predictions=(CAT, CAT))) == ["imagenet_1"]


def test_several_models_need_what_their_labels_cover() -> None:
    assert obstacle(two_models()) is None
    assert obstacle(one_model()) is None
    assert obstacle(plain()._replace(predictions=())) is None
    assert obstacle(two_models()._replace(covered=b"")) is not None


@pytest.mark.parametrize(
    "patch",
    [
        Patch(10**6, 1, b""),
        Patch(0, 2, b"no"),
        Patch(0, 10**9, b""),
        Patch(0, len(two_models().jpeg), grey(4000, 4000)),
        Patch(0, len(two_models().jpeg), b""),
    ],
    ids=["beyond", "not a JPEG", "too long", "larger", "nothing"],
)
def test_what_does_not_fit_is_one_error(patch: Patch) -> None:
    frame = two_models()._replace(covered=covered.encode([patch]))

    with pytest.raises(SeparateError) as caught:
        separate(frame, "imagenet_1")

    assert len(str(caught.value).splitlines()) == 1


@PROPERTY
@given(st.binary(min_size=1, max_size=200), st.integers(0, 4000), st.integers(0, 4000))
def test_whatever_was_covered_it_is_a_picture_or_an_error(before: bytes, at: int, length: int) -> None:
    frame = two_models()._replace(covered=covered.encode([Patch(at, length, before)]))

    with suppress(SeparateError):
        assert separate(frame, "imagenet_1").startswith(b"\xff\xd8")
