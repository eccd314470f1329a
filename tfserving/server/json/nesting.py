"""The shape and the elements of a tensor that is written as nested lists."""

from itertools import chain

from tfserving.server.errors import ServingError, invalid
from tfserving.server.json.echo import echo
from tfserving.server.json.parse import Value

MAX_RANK = 64  # NumPy's limit


def shape(value: Value) -> tuple[int, ...]:
    """Return the shape, judging by the first elements; raise ServingError (INVALID_ARGUMENT) if too deep."""
    sizes = []
    while isinstance(value, list):
        sizes.append(len(value))
        if not value:
            break
        value = value[0]
    if len(sizes) > MAX_RANK:
        raise invalid(f"Encountered {len(sizes)} nested lists, expected at most {MAX_RANK}")
    return tuple(sizes)


def elements(value: Value, shape: tuple[int, ...]) -> tuple[list[Value], ServingError | None]:
    """Return the elements, and the error if the lists do not have the shape.

    In that case, the elements are those before the error.
    """
    items = [value]
    for size in shape:
        if not all(isinstance(item, list) and len(item) == size for item in items):
            return _up_to_misfit(value, shape)
        items = list(chain.from_iterable(items))  # type: ignore[arg-type] # they are lists, as just checked
    if list in set(map(type, items)):
        return _up_to_misfit(value, shape)
    return items, None


def _up_to_misfit(value: Value, shape: tuple[int, ...]) -> tuple[list[Value], ServingError | None]:
    found: list[Value] = []
    open_lists = [iter([value])]
    while open_lists:
        level = len(open_lists) - 1
        for item in open_lists[-1]:
            if failure := _misfit(item, level, shape):
                return found, failure
            if isinstance(item, list):
                open_lists.append(iter(item))
                break
            found.append(item)
        else:
            open_lists.pop()
    return found, None


def _misfit(item: Value, level: int, shape: tuple[int, ...]) -> ServingError | None:
    rank = len(shape)
    if not isinstance(item, list):
        if level == rank:
            return None
        # TensorFlow Serving counts from one here, and from zero below.
        where = f"found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {rank}"
        return invalid(f"JSON Value: {echo(item)} {where}")
    if level >= rank:
        return invalid(f"Encountered list at unexpected level: {level} expected < {rank}")
    if len(item) != shape[level]:
        return invalid(
            f"Encountered list at unexpected size: {len(item)} at level: {level}"
            f" expected size: {shape[level]}"
        )
    return None
