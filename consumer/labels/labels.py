"""Labels, and which class of a model each one belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_BACKGROUND: Final = {"background", "bg", "unlabeled", "unlabelled", "???", "n/a"}
"""Names of a first entry that stands for the background; underscores around them do not count."""

_GAPS: Final = {"???", "n/a"}
"""Names of numbers that no class has, as in TensorFlow Lite's and torchvision's lists for COCO."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A model's labels in the order of its classes.

    `numbers` are the classes' numbers, in ascending order, if the file states them.
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...] | None = None

    def of_classes(self, count: int, *, with_background: bool = True) -> tuple[str, ...]:
        """Return the labels of a classifier's `count` classes, in order.

        A first label for the background is left out if the classes are counted without it, or if there is
        one label too many. Raises ValueError if the labels are not those of exactly so many classes.
        """
        if (missing := self._missing()) is not None:
            raise ValueError(f"LABELURLS has no label for class {missing}")
        names = self.names
        if self._begins_with_background() and (not with_background or len(names) == count + 1):
            names = names[1:]
        if len(names) != count:
            raise ValueError(
                f"the model has {count} classes{'' if with_background else ' besides the background'}, but"
                f" LABELURLS has {len(names)} labels{_hint(len(names) - count, with_background)}"
            )
        return names

    def by_number(self, first: int, scores: int | None = None) -> Mapping[int, str]:
        """Return the labels of a detector's classes by number.

        Numbers in the file apply as they are; otherwise the classes are numbered from `first`. `scores` is
        how many the model gives each detection, if that is known: one per class, and perhaps one for the
        background. Raises ValueError if the labels do not fit.
        """
        names, numbers = self.names, self.numbers
        if numbers is None:
            begin = first - 1 if self._begins_with_background() else first
            numbers = tuple(range(begin, begin + len(names)))
        elif numbers[0] < first and not self._begins_with_background():
            raise ValueError(
                f"LABELURLS numbers the labels from {numbers[0]}, but detectors number their classes from"
                f" {first}: renumber the labels, or set the option first to {numbers[0]} if the model does so"
            )
        last = numbers[-1] + 1 - first
        if scores is not None and (last > scores or (last < scores - 1 and self.numbers is None)):
            raise ValueError(
                f"the model has {scores - 1} or {scores} classes, but LABELURLS has labels for {last}; if"
                " some have none, state the number of each label, as in a JSON object from number to label"
            )
        return {
            number: name
            for number, name in zip(numbers, names, strict=True)
            if number >= first and _bare(name) not in _GAPS
        }

    def _begins_with_background(self) -> bool:
        return _bare(self.names[0]) in _BACKGROUND and (self.numbers is None or self.numbers[0] == 0)

    def _missing(self) -> int | None:
        """Return the first number without a label between others; a file may count from 0 or from 1."""
        if self.numbers is None:
            return None
        expected = range(min(self.numbers[0], 1), self.numbers[-1] + 1)
        return next(
            (want for want, number in zip(expected, self.numbers, strict=False) if want != number), None
        )


def _hint(too_many: int, with_background: bool) -> str:
    if too_many == 1:
        return "; if the first one is the background's, name it background"
    if too_many == -1 and with_background:
        return "; if the model's first class is the background, add background as the first label"
    return ""


def _bare(name: str) -> str:
    return name.strip("_ ").casefold()
