"""The texts on a frame."""

import pytest

from pipeline.stamp.captions import COLOURS, Caption, write_captions
from pipeline.wire.predictions import Prediction, Result
from tests.pipeline.stamp.jpegs import answer

WHITE, BLUE, ORANGE, *_ = COLOURS


def texts(*predictions: Prediction) -> list[str]:
    """Return the texts of the captions."""
    return [f"{caption.label} {caption.end}".strip() for caption in write_captions(predictions)]


def test_a_frame_without_models_says_nothing() -> None:
    assert texts() == ["Nothing"]


def test_a_caption_has_the_label_and_the_score() -> None:
    assert texts(answer("imagenet_1", Result("mountain bike", 0.934))) == ["mountain bike 93%"]


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (0, "tench 100%"),
        (999, "tench 100%"),
        (1000, "tench 100% 1.0 s old"),
        (2345, "tench 100% 2.3 s old"),
        (9960, "tench 100% 10.0 s old"),
    ],
)
def test_the_age_is_shown_from_one_second_on(age: int, text: str) -> None:
    assert texts(answer("imagenet_1", Result("tench", 1.0), age_ms=age)) == [text]


def test_captions_are_in_the_models_order_in_a_colour_for_each_model() -> None:
    captions = write_captions(
        [
            answer("imagenet_1", Result("tench", 0.5)),
            Prediction("imagenet_2"),
            answer("detect_3", Result("red", 0.25, (1, 2, 3, 4)), Result("blue", 0.75), age_ms=1500),
        ]
    )

    assert captions == [
        Caption("tench", "50%", WHITE),
        Caption("", "Nothing", BLUE),
        Caption("red", "25% 1.5 s old", ORANGE, (1, 2, 3, 4)),
        Caption("blue", "75% 1.5 s old", ORANGE),
    ]


def test_a_model_that_found_nothing_has_no_caption_next_to_others() -> None:
    assert texts(answer("imagenet_1", Result("tench", 0.5)), answer("emonet_2")) == ["tench 50%"]
    assert texts(answer("emonet_1"), Prediction("imagenet_2")) == ["Nothing"]


def test_results_are_shown_without_the_number_of_their_frame() -> None:
    assert texts(Prediction("imagenet_1", (Result("tench", 0.5),))) == ["tench 50%"]


def test_a_frame_in_which_all_models_found_nothing_says_so_once() -> None:
    assert write_captions([answer("emonet_1"), answer("detect_2")]) == [Caption("", "Nothing", WHITE)]


def test_a_frame_with_a_box_need_not_say_nothing() -> None:
    boxed = answer("detect_1", Result("car", 0.5, (10, 10, 50, 50)))

    assert texts(boxed, answer("emonet_2")) == ["car 50%"]
    assert texts(boxed, Prediction("emonet_2")) == ["car 50%", "Nothing"]


def test_there_are_colours_for_many_models_and_no_two_are_alike() -> None:
    captions = write_captions([answer(f"imagenet_{number}", Result("tench", 1)) for number in range(20)])

    assert len(set(COLOURS)) == len(COLOURS) >= 7
    assert [caption.colour for caption in captions[:7]] == list(COLOURS[:7])
    assert captions[7].colour == WHITE
