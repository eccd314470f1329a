"""Which label belongs to which class of a model."""

import pytest

from consumer.labels.labels import Labels

NAMES = ("person", "bicycle", "car")


@pytest.mark.parametrize(
    "labels",
    [
        Labels(NAMES),
        Labels(NAMES, (0, 1, 2)),
        Labels(NAMES, (1, 2, 3)),
        Labels(("background", *NAMES)),
        Labels(("__Background__", *NAMES)),
        Labels(("???", *NAMES), (0, 1, 2, 3)),
    ],
)
def test_a_classifiers_labels_are_in_the_order_of_its_classes(labels: Labels) -> None:
    assert labels.of_classes(3) == NAMES
    assert labels.of_classes(3, with_background=False) == NAMES


def test_a_classifier_may_have_a_class_for_the_background() -> None:
    labels = Labels(("background", "person"))

    assert labels.of_classes(2) == ("background", "person")
    assert labels.of_classes(1, with_background=False) == ("person",)


@pytest.mark.parametrize(
    ("labels", "with_background", "text"),
    [
        (Labels(("sky", *NAMES)), True, "3 classes, but LABELURLS has 4 labels; if the first one is"),
        (
            Labels(("sky", *NAMES)),
            False,
            "3 classes besides the background, .* 4 labels; if the first one is",
        ),
        (Labels(NAMES[:2]), True, "3 classes, .* 2 labels; .* add background as the first label"),
        (Labels(NAMES[:2]), False, "3 classes besides the background, but LABELURLS has 2 labels$"),
        (Labels(("background", *NAMES[:2])), False, "has 2 labels$"),
        (Labels(NAMES, (1, 3, 4)), True, "no label for class 2"),
        (Labels(NAMES, (2, 3, 4)), True, "no label for class 1"),
    ],
)
def test_labels_that_are_not_exactly_those_of_the_classes_are_rejected(
    labels: Labels, with_background: bool, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        labels.of_classes(3, with_background=with_background)


def test_a_detectors_classes_count_from_1_unless_the_file_numbers_them() -> None:
    assert Labels(NAMES).by_number(1) == {1: "person", 2: "bicycle", 3: "car"}
    assert Labels(NAMES).by_number(0) == {0: "person", 1: "bicycle", 2: "car"}
    assert Labels(("background", *NAMES)).by_number(1) == {1: "person", 2: "bicycle", 3: "car"}
    assert Labels(NAMES, (1, 3, 90)).by_number(1) == {1: "person", 3: "bicycle", 90: "car"}
    assert Labels(NAMES, (0, 1, 2)).by_number(0) == {0: "person", 1: "bicycle", 2: "car"}


def test_numbers_without_a_class_are_gaps() -> None:
    labels = Labels(("???", "person", "N/A", "car"))

    assert labels.by_number(1) == {1: "person", 3: "car"}


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (Labels(NAMES, (0, 1, 2)), "from 0, but detectors .* from 1: .* set the option first to 0"),
        (Labels(NAMES), "4 or 5 classes, but LABELURLS has labels for 3"),
        (Labels(NAMES, (1, 2, 6)), "labels for 6"),
    ],
)
def test_labels_that_a_detector_cannot_have_are_rejected(labels: Labels, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        labels.by_number(1, 5)


def test_a_detector_may_have_classes_without_a_label_if_the_labels_are_numbered() -> None:
    assert Labels(NAMES, (1, 2, 3)).by_number(1, 91) == {1: "person", 2: "bicycle", 3: "car"}
