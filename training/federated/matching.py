"""Whether an owner's data are those that a training needs."""

from training.control.message import ControlMessage
from training.data.formats import Decoder, decoder
from training.federated.announcement import Announcement, Shape, written
from training.federated.fields import kind, mapping


def why_not(training: Announcement, data: ControlMessage) -> str | None:
    """Return in one line why these data are not for this training, or None if they are."""
    if data.stream is not None or data.incremental:
        return "the data are an online stream: federated training takes ranges of messages only"
    try:
        found = decoder(data.input_format, data.input_config)
        restrictions = mapping(data.dataset_restrictions)
    except ValueError as error:
        return str(error)
    if why := _why_unlike(found, training.input_shape):
        return why
    if not same(restrictions, training.restriction):
        return (
            f"the data have the restrictions {kind(restrictions)}: the training expects"
            f" {kind(training.restriction)}"
        )
    count = sum(map(len, data.ranges))
    if count < training.min_data:
        return f"the data are {count} messages: the training expects at least {training.min_data}"
    return None


def same(one: object, other: object) -> bool:
    """Return whether two values are equal as JSON: 1 equals 1.0, but not true; the order of names is free."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _why_unlike(found: Decoder, expected: Shape) -> str | None:
    """Return why samples are not what a model takes; its own sizes may be None, for any."""
    for what, column in (("data", found.values), ("labels", found.keys)):
        if column is not None and column.dtype.kind in "OSU":
            return f"the {what} are texts: send numbers"
    fits = len(found.shape) == len(expected) and all(
        size in (None, other) for size, other in zip(expected, found.shape, strict=True)
    )
    if fits:
        return None
    return (
        f"the data have the shape {written(found.shape) or 'of a single number'}: the model expects"
        f" {written(expected) or 'a single number'}"
    )
