"""Where the reading of a range is."""

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Message

from training.data.places import Places
from training.data.ranges import Range


@dataclass(slots=True)
class Cursor:
    """Where the reading of a range is: at offset `at`. `places` are those of its messages in the arrays."""

    range: Range
    places: Places
    at: int

    @property
    def is_done(self) -> bool:
        """Whether all of the range was read."""
        return self.at >= self.range.end

    def cut(self, messages: Sequence[Message]) -> tuple[Sequence[Message], Places]:
        """Return those of the next messages that are in the range, with their places, and go on."""
        start, end = self.range.start, self.range.end
        first, last = messages[0].offset() or 0, messages[-1].offset() or 0
        if first >= self.at and last < end and last - first == len(messages) - 1:
            places = self.places[first - start : last + 1 - start]
        else:
            kept = [(each, offset) for each in messages if self.at <= (offset := each.offset() or 0) < end]
            messages = [each for each, _ in kept]
            places = self.places[[offset - start for _, offset in kept]]
        self.at = max(self.at, last + 1)
        return messages, places
