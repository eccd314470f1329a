"""Whether the shapes of models fit, so that one can be above the other in a chain."""

from collections.abc import Sequence

from training.code.program import Shape, Summary


def misfit(name: str, found: Summary, *, has_upper: bool) -> str | None:
    """Return why a model cannot be a part of a chain, in one line, or None."""
    inputs, outputs = len(found.inputs), len(found.outputs)
    if inputs != 1:
        return f"model {name} has {inputs} inputs: expected one, as each part gets one array"
    if has_upper and outputs != 2:
        return (
            f"model {name} has {outputs} outputs: expected two, [what the upper model gets, its own"
            " prediction]"
        )
    if outputs not in (1, 2):
        return f"model {name} has {outputs} outputs: expected one, or two if a model is above it"
    return None


def gap(lower: tuple[str, Summary], upper: tuple[str, Summary]) -> str | None:
    """Return why one model cannot be above another, given their names and summaries, or None."""
    given, expected = lower[1].outputs[0], upper[1].inputs[0]
    if _fits(given, expected):
        return None
    return (
        f"the first output of {lower[0]} has the shape {_words(given)}, but the input of {upper[0]} has"
        f" {_words(expected)}"
    )


def _fits(given: Sequence[int | None], expected: Sequence[int | None]) -> bool:
    return len(given) == len(expected) and all(
        None in (one, other) or one == other for one, other in zip(given[1:], expected[1:], strict=True)
    )


def _words(shape: Shape) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape[1:]) or "of a single number"
